package record

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A Saved is what was saved of one run.
type Saved struct {
	Run string
	Export
}

// An Imported says what came of an import.
type Imported struct {
	// Runs is how many runs there are now.
	Runs int
	// Refused says, by run, why its rows were left out.
	Refused map[string]error
	// Lost counts the links from a run to an artifact that no other run has brought.
	Lost int
}

// Import makes the rows of runs, with the numbers that they had, in a record that has
// none, all in one transaction. A run whose rows cannot be taken is left out.
func (d *DB) Import(ctx context.Context, saved []Saved) (*Imported, error) {
	columns := map[string][]string{}
	for _, name := range tables {
		var t Table
		if err := t.fill(ctx, d.db, "SELECT * FROM "+name+" LIMIT 0"); err != nil {
			return nil, fmt.Errorf("read the columns of %s: %w", name, err)
		}
		columns[name] = t.Columns
	}
	out := &Imported{Refused: map[string]error{}}
	err := d.write(ctx, "make the record again", func(tx *transaction) error { return out.take(ctx, tx, saved, columns) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// take inserts all that can be taken.
func (i *Imported) take(ctx context.Context, tx *transaction, saved []Saved, columns map[string][]string) error {
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM runs").Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("it has %d runs already", n)
	}
	var taken []Saved
	for _, s := range saved {
		err := s.check(columns)
		if err == nil {
			err = savepoint(ctx, tx, func() error { return insertTables(ctx, tx, s, false) })
		}
		if err != nil {
			i.Refused[s.Run] = err
			continue
		}
		taken = append(taken, s)
	}
	i.Runs = len(taken)
	// Only now is every artifact there that an edge may lead to.
	edges := 0
	for _, s := range taken {
		if err := insertTables(ctx, tx, s, true); err != nil {
			return err
		}
		for _, t := range s.Tables {
			if t.Name == "edges" {
				edges += len(t.Rows)
			}
		}
	}
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM edges").Scan(&n); err != nil {
		return err
	}
	i.Lost = edges - n
	return nil
}

// savepoint undoes what f did if it fails, and only that.
func savepoint(ctx context.Context, tx *transaction, f func() error) error {
	if _, err := tx.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	err := f()
	if err != nil {
		if _, undone := tx.ExecContext(ctx, "ROLLBACK TO one"); undone != nil {
			return undone
		}
	}
	if _, released := tx.ExecContext(ctx, "RELEASE one"); released != nil {
		return released
	}
	return err
}

// insertTables inserts the rows of a run: its edges, or all others. An edge to an
// artifact that is not there is left out.
func insertTables(ctx context.Context, tx *transaction, s Saved, edges bool) error {
	for _, name := range tables {
		t := s.table(name)
		if t == nil || (name == "edges") != edges {
			continue
		}
		query := "INSERT INTO "
		switch t.Name {
		case "objects": // several runs may have read it
			query = "INSERT OR REPLACE INTO "
		case "model_groups": // several runs may have a version in it
			query = "INSERT OR IGNORE INTO "
		}
		query += t.Name + " (" + strings.Join(t.Columns, ", ") + ") SELECT ?" + strings.Repeat(", ?", len(t.Columns)-1)
		artifact := slices.Index(t.Columns, "artifact")
		if edges {
			query += " WHERE EXISTS (SELECT 1 FROM artifacts WHERE id=?)"
		}
		for _, row := range t.Rows {
			if edges {
				row = append(slices.Clone(row), row[artifact])
			}
			if _, err := tx.ExecContext(ctx, query, row...); err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
		}
	}
	return nil
}

// check demands that the rows are of tables and columns that there are, which is
// also what makes them safe to be named in a query, and of this run only.
func (s *Saved) check(columns map[string][]string) error {
	if s.Schema > latest() || s.Schema < 1 {
		return &NewerError{Found: s.Schema, Known: latest()}
	}
	runs := 0
	for i := range s.Tables {
		t := &s.Tables[i]
		known, ok := columns[t.Name]
		if !ok || s.table(t.Name) != t {
			return fmt.Errorf("there is no table %q, or it is there twice", t.Name)
		}
		for _, c := range t.Columns {
			if !slices.Contains(known, c) {
				return fmt.Errorf("table %s has no column %q", t.Name, c)
			}
		}
		owner := map[string]string{"runs": "id", "jobs": "run", "steps": "run", "artifacts": "run", "models": "run"}[t.Name]
		at := slices.Index(t.Columns, owner)
		if owner != "" && at < 0 || t.Name == "edges" && !slices.Contains(t.Columns, "artifact") || len(t.Columns) == 0 {
			return fmt.Errorf("table %s lacks a column", t.Name)
		}
		for _, row := range t.Rows {
			if len(row) != len(t.Columns) || at >= 0 && row[at] != s.Run {
				return fmt.Errorf("a row of table %s is not of this run", t.Name)
			}
		}
		if t.Name == "runs" {
			runs += len(t.Rows)
		}
	}
	if runs != 1 {
		return fmt.Errorf("it holds %d runs, not 1", runs)
	}
	return nil
}
