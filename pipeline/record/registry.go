package record

import (
	"context"
)

// PutModels lays versions of a registry that is kept elsewhere into the record, as they
// are there: their numbers and ARNs are the registry's. What the record has of a version
// is replaced; decisions are those about these versions, the oldest first.
func (d *DB) PutModels(ctx context.Context, models []ModelPackage, decisions []Approval) error {
	return d.write(ctx, "record the model versions", func(tx *transaction) error {
		for _, m := range models {
			for _, q := range []struct {
				text string
				args []any
			}{
				{"INSERT OR IGNORE INTO model_groups (name, created) VALUES (?,?)", []any{m.Group, micros(m.Created)}},
				{"DELETE FROM approvals WHERE model_group=? AND version=?", []any{m.Group, m.Version}},
				{"DELETE FROM models WHERE model_group=? AND version=?", []any{m.Group, m.Version}},
				{insertModel, []any{m.Group, m.Version, m.ARN, m.Status, m.Token, m.Run, string(m.Request), micros(m.Created)}},
			} {
				if _, err := tx.ExecContext(ctx, q.text, q.args...); err != nil {
					return err
				}
			}
		}
		for _, a := range decisions {
			if _, err := tx.ExecContext(ctx, insertApproval, a.Group, a.Version, a.Status, a.Person, a.Note, micros(a.At)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Schema is the version of the tables of an [Export] that is made by hand.
func Schema() int { return latest() }
