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
		_, err = tx.ExecContext(ctx, insertApproval, a.Group, a.Version, a.Status, a.Person, a.Note, micros(a.At))
		return err
	})
	return before, err
}

// Approvals returns the decisions about a version, the oldest first.
func (d *DB) Approvals(ctx context.Context, group string, version int) ([]Approval, error) {
	rows, err := d.db.QueryContext(ctx, listApprovals, group, version)
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
