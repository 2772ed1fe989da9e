package record

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// An Export is everything that the record holds of one run: rows of its tables, and
// of the objects that it wrote or read. Manifests carry it, so that a lost record
// can be made again.
type Export struct {
	// Schema is the version of the tables.
	Schema int     `json:"schema"`
	Tables []Table `json:"tables"`
}

// A Table is rows of one table. A value is text or a whole number.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
}

// owned selects what belongs to a run.
var owned = map[string]string{
	"runs":         "SELECT * FROM runs WHERE id=?",
	"jobs":         "SELECT * FROM jobs WHERE run=? ORDER BY step",
	"steps":        "SELECT * FROM steps WHERE run=? ORDER BY id",
	"artifacts":    "SELECT * FROM artifacts WHERE run=? ORDER BY id",
	"model_groups": "SELECT * FROM model_groups WHERE name IN (SELECT model_group FROM models WHERE run=?) ORDER BY name",
	"models":       "SELECT * FROM models WHERE run=? ORDER BY model_group, version",
	"approvals": `SELECT a.* FROM models m JOIN approvals a ON a.model_group = m.model_group AND a.version = m.version
		WHERE m.run=? ORDER BY a.id`,
	"edges": "SELECT e.* FROM steps s JOIN edges e ON e.step = s.id WHERE s.run=? ORDER BY e.step, e.direction, e.port",
}

// objectsBelow selects the object at a key, and those below it, in one range of the
// primary key: it ends with the character behind the slash.
const objectsBelow = "SELECT * FROM objects WHERE bucket=?1 AND key>=?2 AND key<?2 || '0' AND (key=?2 OR key>?2 || '/')"

// linked are the URIs of what a run read and wrote, of any run.
const linked = `SELECT uri FROM artifacts WHERE run=?1
	UNION SELECT a.uri FROM steps s JOIN edges e ON e.step = s.id JOIN artifacts a ON a.id = e.artifact WHERE s.run=?1`

// Export gives the rows of a run, and of its objects in a bucket, as they are at one
// moment. An error wraps [ErrNotFound] if there is no such run.
func (d *DB) Export(ctx context.Context, run, bucket string) (*Export, error) {
	tx, err := d.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", run, err)
	}
	defer tx.Rollback()
	out := &Export{Schema: latest()}
	for _, name := range []string{"runs", "jobs", "steps", "artifacts", "edges", "models", "model_groups", "approvals"} {
		table := Table{Name: name}
		if (name == "model_groups" || name == "approvals") && out.table("models") == nil {
			continue
		}
		err := table.fill(ctx, tx, owned[name], run)
		if err == nil && name == "runs" && len(table.Rows) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("read %s of run %s: %w", name, run, err)
		}
		if len(table.Rows) > 0 {
			out.Tables = append(out.Tables, table)
		}
	}
	objects := Table{Name: "objects"} // which of them, the others say
	keys, err := out.keys(ctx, tx, run, bucket)
	for i := 0; i < len(keys) && err == nil; i++ {
		err = objects.fill(ctx, tx, objectsBelow, bucket, keys[i])
	}
	if err != nil {
		return nil, fmt.Errorf("read the objects of run %s: %w", run, err)
	}
	if len(objects.Rows) > 0 {
		out.Tables = append(out.Tables, objects)
	}
	return out, nil
}

// fill adds the rows of a query to a table.
func (t *Table) fill(ctx context.Context, q querier, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if t.Columns, err = rows.Columns(); err != nil {
		return err
	}
	for rows.Next() {
		row := make([]any, len(t.Columns))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		t.Rows = append(t.Rows, row)
	}
	return rows.Err()
}

// table finds a table, or returns nil.
func (e *Export) table(name string) *Table {
	for i := range e.Tables {
		if e.Tables[i].Name == name {
			return &e.Tables[i]
		}
	}
	return nil
}

// Each calls f for each row of a table, with a function that gives the value of a
// column: text or an int64, or nil if there is no such column.
func (e *Export) Each(table string, f func(value func(column string) any) error) error {
	t := e.table(table)
	if t == nil {
		return nil
	}
	for _, row := range t.Rows {
		err := f(func(column string) any {
			if at := slices.Index(t.Columns, column); at >= 0 {
				return row[at]
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keys are where a run's objects lie: its own folder, its code, and what it read.
func (e *Export) keys(ctx context.Context, q querier, run, bucket string) ([]string, error) {
	var keys []string
	_ = e.Each("runs", func(value func(string) any) error {
		keys = append(keys, path.Join("runs", value("pipeline").(string), run))
		return nil
	})
	_ = e.Each("jobs", func(value func(string) any) error {
		code := path.Join("code", value("code").(string))
		keys = append(keys, code, code+".tar.gz")
		return nil
	})
	rows, err := q.QueryContext(ctx, linked, run)
	if err != nil {
		return nil, err
	}
	uris, err := collect(rows, func(uri *string) error { return rows.Scan(uri) })
	if err != nil {
		return nil, err
	}
	for _, uri := range uris {
		if key, ok := strings.CutPrefix(uri, "s3://"+bucket+"/"); ok && strings.TrimSuffix(key, "/") != "" {
			keys = append(keys, strings.TrimSuffix(key, "/"))
		}
	}
	slices.Sort(keys)
	var apart []string // none is the same as another, or below it
	for _, key := range keys {
		if !slices.ContainsFunc(apart, func(k string) bool { return key == k || strings.HasPrefix(key, k+"/") }) {
			apart = append(apart, key)
		}
	}
	return apart, nil
}

// UnmarshalJSON reads rows. Their numbers are whole: as floating-point numbers they
// would not all be what they were.
func (t *Table) UnmarshalJSON(text []byte) error {
	type plain Table
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := in.Decode((*plain)(t)); err != nil {
		return err
	}
	for _, row := range t.Rows {
		for i, v := range row {
			switch v := v.(type) {
			case string:
			case json.Number:
				n, err := v.Int64()
				if err != nil {
					return fmt.Errorf("table %s holds the number %s", t.Name, v)
				}
				row[i] = n
			default:
				return fmt.Errorf("table %s holds a value that is neither text nor a number", t.Name)
			}
		}
	}
	return nil
}

// RunOf is the id of the run that a step belongs to.
func (d *DB) RunOf(ctx context.Context, step int64) (string, error) {
	var run string
	if err := d.db.QueryRowContext(ctx, "SELECT run FROM steps WHERE id=?", step).Scan(&run); err != nil {
		return "", fmt.Errorf("find the run of step %d: %w", step, err)
	}
	return run, nil
}
