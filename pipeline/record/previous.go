package record

import (
	"context"
	"fmt"
)

// Previous finds the run of the same pipeline that came before r, or returns an error
// that wraps [ErrNotFound].
func (d *DB) Previous(ctx context.Context, r *Run) (*Run, error) {
	rows, err := d.db.QueryContext(ctx, selectRuns+" WHERE pipeline=? AND seq<? ORDER BY seq DESC LIMIT 1", r.Pipeline, r.Seq)
	if err != nil {
		return nil, fmt.Errorf("read the run before %s: %w", r.ID, err)
	}
	found, err := scanRuns(rows)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("a run of %s before %s: %w", r.Pipeline, r.ID, ErrNotFound)
	}
	return &found[0], nil
}
