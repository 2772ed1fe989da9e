package record

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// An Approval is one change of a model version's status by a person.
type Approval struct {
	Group   string
	Version int
	// Status is what the version has had since: Approved or Rejected.
	Status string
	// Person is who changed it, Note why.
	Person, Note string
	At           time.Time
}

// The queries of approvals.
const (
	findStatus     = "SELECT status FROM models WHERE model_group=? AND version=?"
	setStatus      = "UPDATE models SET status=? WHERE model_group=? AND version=?"
	insertApproval = "INSERT INTO approvals (model_group, version, status, person, note, at) VALUES (?,?,?,?,?,?)"
	listApprovals  = "SELECT model_group, version, status, person, note, at FROM approvals WHERE model_group=? AND version=? ORDER BY id"
	runApprovals   = `SELECT a.model_group, a.version, a.status, a.person, a.note, a.at FROM models m
		JOIN approvals a ON a.model_group = m.model_group AND a.version = m.version WHERE m.run=? ORDER BY a.id`
)

// Decide sets the status of a version and notes who did and why, in one transaction,
// and returns the status that it had. A version that has the status already is left
// as it is, and nothing is noted. A version that is not there gives an error that
// wraps [ErrNotFound].
//
// The workspace's lock is not needed, and a run may go on meanwhile: the transaction
// is all that is written, and what a run has read of a version's status it has read.
func (d *DB) Decide(ctx context.Context, a Approval) (before string, err error) {
	err = d.write(ctx, "record the decision", func(tx *transaction) error {
		err := tx.QueryRowContext(ctx, findStatus, a.Group, a.Version).Scan(&before)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("version %d of %s: %w", a.Version, a.Group, ErrNotFound)
		case err != nil || before == a.Status:
			return err
		}
		if _, err := tx.ExecContext(ctx, setStatus, a.Status, a.Group, a.Version); err != nil {
			return err
		}
		return addApproval(ctx, tx, a)
	})
	return before, err
}

// Approvals returns the decisions about a version, the oldest first.
func (d *DB) Approvals(ctx context.Context, group string, version int) ([]Approval, error) {
	return queryApprovals(ctx, d.db, listApprovals, group, version)
}

// A ModelHistory is a version with every decision about it, the oldest first.
type ModelHistory struct {
	ModelPackage
	Approvals []Approval
}

// ModelsOf returns the versions that a run registered, with what was decided about
// them since: all that a record made anew needs to know of them.
func (d *DB) ModelsOf(ctx context.Context, run string) ([]ModelHistory, error) {
	found, err := queryModels(ctx, d.db, whereRun, byVersion, run)
	if err != nil {
		return nil, fmt.Errorf("read the models of run %s: %w", run, err)
	}
	approvals, err := queryApprovals(ctx, d.db, runApprovals, run)
	if err != nil {
		return nil, err
	}
	all := make([]ModelHistory, len(found))
	for i, m := range found {
		all[i].ModelPackage = m
		for _, a := range approvals {
			if a.Group == m.Group && a.Version == m.Version {
				all[i].Approvals = append(all[i].Approvals, a)
			}
		}
	}
	return all, nil
}

// RestoreModels adds versions as they were, with their numbers, and what was decided
// about them, in one transaction. A version that is there already is left as it is.
func (d *DB) RestoreModels(ctx context.Context, models []ModelHistory) error {
	return d.write(ctx, "restore the models", func(tx *transaction) error {
		for _, m := range models {
			var status string
			err := tx.QueryRowContext(ctx, findStatus, m.Group, m.Version).Scan(&status)
			if err == nil {
				continue
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if err := insertModel(ctx, tx, &m.ModelPackage); err != nil {
				return err
			}
			for _, a := range m.Approvals {
				if err := addApproval(ctx, tx, a); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func addApproval(ctx context.Context, tx *transaction, a Approval) error {
	_, err := tx.ExecContext(ctx, insertApproval, a.Group, a.Version, a.Status, a.Person, a.Note, micros(a.At))
	return err
}

func queryApprovals(ctx context.Context, q querier, query string, args ...any) ([]Approval, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the decisions: %w", err)
	}
	return collect(rows, func(a *Approval) error {
		var at int64
		err := rows.Scan(&a.Group, &a.Version, &a.Status, &a.Person, &a.Note, &at)
		a.At = moment(at)
		return err
	})
}
