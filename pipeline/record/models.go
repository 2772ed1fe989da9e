package record

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrTokenReused says that another request came with the same client token.
var ErrTokenReused = errors.New("the client token was used for another request")

// AddModel adds a version to a model group, which is made if there is none, and
// returns it with its version and ARN: arn is given the version. A request that was
// made before with the same token gives the version it gave then.
func (d *DB) AddModel(ctx context.Context, m ModelPackage, arn func(version int) string) (*ModelPackage, error) {
	err := d.write(ctx, "register the model", func(tx *transaction) error {
		if m.Token != "" {
			earlier, err := queryModels(ctx, tx, "token=? AND token<>''", m.Token)
			if err != nil {
				return err
			}
			if len(earlier) == 1 {
				if !bytes.Equal(earlier[0].Request, m.Request) {
					return ErrTokenReused
				}
				m = earlier[0]
				return nil
			}
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO model_groups (name, created) VALUES (?,?)", m.Group, micros(m.Created)); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) + 1 FROM models WHERE model_group=?", m.Group).Scan(&m.Version)
		if err != nil {
			return err
		}
		m.ARN = arn(m.Version)
		_, err = tx.ExecContext(ctx, "INSERT INTO models (model_group, version, arn, status, token, run, request, created) VALUES (?,?,?,?,?,?,?,?)",
			m.Group, m.Version, m.ARN, m.Status, m.Token, m.Run, string(m.Request), micros(m.Created))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Models returns the versions of a group, oldest first; of every group, if group
// is empty.
func (d *DB) Models(ctx context.Context, group string) ([]ModelPackage, error) {
	found, err := queryModels(ctx, d.db, "?1 = '' OR model_group = ?1", group)
	if err != nil {
		return nil, fmt.Errorf("read the models: %w", err)
	}
	return found, nil
}

// Model finds a version by its ARN, or returns an error that wraps [ErrNotFound].
func (d *DB) Model(ctx context.Context, arn string) (*ModelPackage, error) {
	found, err := queryModels(ctx, d.db, "arn=?", arn)
	if err != nil {
		return nil, fmt.Errorf("read the model: %w", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("model package %s: %w", arn, ErrNotFound)
	}
	return &found[0], nil
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func queryModels(ctx context.Context, q querier, where string, args ...any) ([]ModelPackage, error) {
	rows, err := q.QueryContext(ctx, "SELECT model_group, version, arn, status, token, run, request, created FROM models WHERE "+
		where+" ORDER BY model_group, version", args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(m *ModelPackage) error {
		var created int64
		err := rows.Scan(&m.Group, &m.Version, &m.ARN, &m.Status, &m.Token, &m.Run, (*text)(&m.Request), &created)
		m.Created = moment(created)
		return err
	})
}
