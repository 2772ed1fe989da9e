package record

import (
	"context"
	"fmt"
)

// Previous finds the run of the same pipeline before r that is worth comparing with
// it: the newest that succeeded, or the newest if none did. It returns an error that
// wraps [ErrNotFound] if there is no run before.
func (d *DB) Previous(ctx context.Context, r *Run) (*Run, error) {
	for _, which := range []string{" AND status='SUCCEEDED'", ""} {
		rows, err := d.db.QueryContext(ctx, selectRuns+" WHERE pipeline=? AND seq<?"+which+" ORDER BY seq DESC LIMIT 1", r.Pipeline, r.Seq)
		if err != nil {
			return nil, fmt.Errorf("read the run before %s: %w", r.ID, err)
		}
		found, err := scanRuns(rows)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return &found[0], nil
		}
	}
	return nil, fmt.Errorf("a run of %s before %s: %w", r.Pipeline, r.ID, ErrNotFound)
}
