package record

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// ErrTokenReused says that another request came with the same client token.
var ErrTokenReused = errors.New("the client token was used for another request")

// AddModel adds a version to a model group, which is made if there is none, and
// returns it with its version and ARN: arn is given the version. A request that was
// made before with the same token gives the version it gave then.
func (d *DB) AddModel(ctx context.Context, m ModelPackage, arn func(version int) string) (*ModelPackage, error) {
	err := d.write(ctx, "register the model", func(tx *transaction) error {
		if m.Token != "" {
			earlier, err := queryModels(ctx, tx, whereToken, byVersion, m.Token)
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
		err := tx.QueryRowContext(ctx, nextVersion, m.Group).Scan(&m.Version)
		if err != nil {
			return err
		}
		m.ARN = arn(m.Version)
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO model_groups (name, created) VALUES (?,?)", m.Group, micros(m.Created)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, insertModel,
			m.Group, m.Version, m.ARN, m.Status, m.Token, m.Run, string(m.Request), micros(m.Created))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Groups returns the names of the model groups, in order.
func (d *DB) Groups(ctx context.Context) ([]string, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT name FROM model_groups ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("read the model groups: %w", err)
	}
	return collect(rows, func(name *string) error { return rows.Scan(name) })
}

// HasGroup says whether there is a model group of this name.
func (d *DB) HasGroup(ctx context.Context, group string) (bool, error) {
	var n int
	if err := d.db.QueryRowContext(ctx, findGroup, group).Scan(&n); err != nil {
		return false, fmt.Errorf("read the model groups: %w", err)
	}
	return n > 0, nil
}

// A ModelQuery asks for versions of one group.
type ModelQuery struct {
	Group string
	// Status is what they must have; empty is any.
	Status string
	// NewestFirst turns the order, which is that of versions.
	NewestFirst bool
	// Beyond is the version to begin behind, in that order; 0 begins at the start.
	Beyond int
	// Limit is how many there are at most; 0 is all.
	Limit int
}

// Models returns the versions of a group that a query asks for.
func (d *DB) Models(ctx context.Context, q ModelQuery) ([]ModelPackage, error) {
	where, order := whereAfter, upTo
	if q.NewestFirst {
		where, order = whereBefore, downTo
		if q.Beyond == 0 {
			q.Beyond = math.MaxInt64
		}
	}
	if q.Limit <= 0 {
		q.Limit = -1
	}
	found, err := queryModels(ctx, d.db, where, order, q.Group, q.Beyond, q.Status, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("read the models: %w", err)
	}
	return found, nil
}

// NewestModel finds the newest version of a group that has a status (empty is any),
// or returns an error that wraps [ErrNotFound].
func (d *DB) NewestModel(ctx context.Context, group, status string) (*ModelPackage, error) {
	found, err := d.Models(ctx, ModelQuery{Group: group, Status: status, NewestFirst: true, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("model group %s: %w", group, ErrNotFound)
	}
	return &found[0], nil
}

// ModelVersion finds a version by its group and number, or returns an error that
// wraps [ErrNotFound].
func (d *DB) ModelVersion(ctx context.Context, group string, version int) (*ModelPackage, error) {
	found, err := queryModels(ctx, d.db, whereVersion, byVersion, group, version)
	if err != nil {
		return nil, fmt.Errorf("read the model: %w", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("version %d of %s: %w", version, group, ErrNotFound)
	}
	return &found[0], nil
}

// Model finds a version by its ARN, or returns an error that wraps [ErrNotFound].
func (d *DB) Model(ctx context.Context, arn string) (*ModelPackage, error) {
	found, err := queryModels(ctx, d.db, whereARN, byVersion, arn)
	if err != nil {
		return nil, fmt.Errorf("read the model: %w", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("model package %s: %w", arn, ErrNotFound)
	}
	return &found[0], nil
}

// Metadata is the CustomerMetadataProperties that a version was registered with.
func (m *ModelPackage) Metadata() map[string]string {
	return m.request().CustomerMetadataProperties
}

// Container is the image and the model's URI that a version was registered with;
// both are empty if its request names none.
func (m *ModelPackage) Container() (image, data string) {
	if c := m.request().InferenceSpecification.Containers; len(c) > 0 {
		return c[0].Image, c[0].ModelDataUrl
	}
	return "", ""
}

// Description is the ModelPackageDescription that a version was registered with.
func (m *ModelPackage) Description() string { return m.request().ModelPackageDescription }

// Registered is the status that a version was registered with.
func (m *ModelPackage) Registered() string {
	if s := m.request().ModelApprovalStatus; s != "" {
		return s
	}
	return "PendingManualApproval" // what the service makes of none
}

// packageRequest is what is read of a createModelPackage request.
type packageRequest struct {
	ModelPackageDescription, ModelApprovalStatus string

	InferenceSpecification struct {
		Containers []struct{ Image, ModelDataUrl string }
	}
	CustomerMetadataProperties map[string]string
}

// request reads the request of a version. One that is damaged says nothing: the
// handler checked it before it was stored.
func (m *ModelPackage) request() (r packageRequest) {
	if err := json.Unmarshal(m.Request, &r); err != nil {
		return packageRequest{}
	}
	return r
}

// The queries of models: what is asked for, and in which order.
const (
	selectModels = "SELECT model_group, version, arn, status, token, run, request, created FROM models WHERE "
	whereToken   = "token=? AND token<>''"
	whereARN     = "arn=?"
	whereVersion = "model_group=? AND version=?"
	whereAfter   = "model_group=?1 AND version>?2 AND (?3='' OR status=?3)"
	whereBefore  = "model_group=?1 AND version<?2 AND (?3='' OR status=?3)"
	byVersion    = " ORDER BY model_group, version"
	upTo         = byVersion + " LIMIT ?4"
	downTo       = " ORDER BY model_group DESC, version DESC LIMIT ?4"
	nextVersion  = "SELECT coalesce(max(version), 0) + 1 FROM models WHERE model_group=?"
	insertModel  = "INSERT INTO models (model_group, version, arn, status, token, run, request, created) VALUES (?,?,?,?,?,?,?,?)"
	findGroup    = "SELECT count(*) FROM model_groups WHERE name=?"
)

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func queryModels(ctx context.Context, q querier, where, order string, args ...any) ([]ModelPackage, error) {
	rows, err := q.QueryContext(ctx, selectModels+where+order, args...)
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
