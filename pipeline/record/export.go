package record

import (
	"bytes"
	"context"
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

// Export gives the rows of a run, and of its objects in a bucket.
func (d *DB) Export(ctx context.Context, run, bucket string) (*Export, error) {
	out := &Export{Schema: latest()}
	for _, name := range tables {
		table, err := d.export(ctx, name, run, bucket)
		if err != nil {
			return nil, fmt.Errorf("read %s of run %s: %w", name, run, err)
		}
		if len(table.Rows) > 0 {
			out.Tables = append(out.Tables, *table)
		}
	}
	return out, nil
}

func (d *DB) export(ctx context.Context, name, run, bucket string) (*Table, error) {
	table := &Table{Name: name}
	if name != "objects" {
		return table, d.fill(ctx, table, owned[name], run)
	}
	keys, err := d.keys(ctx, run, bucket)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if err := d.fill(ctx, table, objectsBelow, bucket, key); err != nil {
			return nil, err
		}
	}
	return table, nil
}

// fill adds the rows of a query to a table.
func (d *DB) fill(ctx context.Context, t *Table, query string, args ...any) error {
	read, err := d.statement(ctx, query)
	if err != nil {
		return err
	}
	rows, err := read.QueryContext(ctx, args...)
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

// keys are where a run's objects lie: its own folder, its code, and what it read.
func (d *DB) keys(ctx context.Context, run, bucket string) ([]string, error) {
	var pipeline string
	if err := d.db.QueryRowContext(ctx, "SELECT pipeline FROM runs WHERE id=?", run).Scan(&pipeline); err != nil {
		return nil, err
	}
	keys := []string{path.Join("runs", pipeline, run)}
	jobs, err := d.Jobs(ctx, run)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		keys = append(keys, path.Join("code", j.Code), path.Join("code", j.Code+".tar.gz"))
	}
	rows, err := d.db.QueryContext(ctx, linked, run)
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
