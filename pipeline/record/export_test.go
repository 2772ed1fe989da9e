package record

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportUsesIndexes wants the manifest of a run to cost the same however many
// runs there are.
func TestExportUsesIndexes(t *testing.T) {
	t.Parallel()
	db := open(t)
	queries := map[string]string{"linked": linked, "objects": objectsBelow}
	for name, query := range owned {
		queries[name] = query
	}
	for name, query := range queries {
		args := []any{"x"}
		if strings.Contains(query, "?2") {
			args = []any{"x", "y"}
		}
		rows, err := db.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatal(name, err)
		}
		plan, err := collect(rows, func(detail *string) error {
			var id, parent, unused int
			return rows.Scan(&id, &parent, &unused, detail)
		})
		if err != nil {
			t.Fatal(name, err)
		}
		for _, detail := range plan {
			if strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "SUBQUERY") {
				t.Errorf("%s: %s", name, detail)
			}
		}
	}
}

func TestExportOfARunThatIsNotThere(t *testing.T) {
	t.Parallel()
	if _, err := open(t).Export(t.Context(), "nobody", "local"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the error is %v", err)
	}
}

// TestImportRefusesWhatIsNoRun reads manifests that somebody has changed: none of their
// rows is taken, and those of the sound ones are.
func TestImportRefusesWhatIsNoRun(t *testing.T) {
	t.Parallel()
	from := open(t)
	for _, id := range []string{"000000000001", "000000000002"} {
		run := Run{ID: id, Pipeline: "p", Status: "RUNNING", Input: []byte("{}"), Parameters: []byte("{}")}
		if err := from.StartRun(t.Context(), run, []Job{{Step: "A", Code: "c"}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	text := func(id string) string {
		e, err := from.Export(t.Context(), id, "local")
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	cases := []struct{ name, old, new, want string }{
		{"sound", "", "", ""},
		{"newer", `"schema":`, `"schema":9`, "version"},
		{"column", `"code"`, `"code) SELECT 1; --"`, "no column"},
		{"table", `"name":"jobs"`, `"name":"sqlite_schema"`, "no table"},
		{"twice", `"name":"jobs"`, `"name":"runs"`, "twice"},
		{"another run's row", `["000000000001","A"`, `["000000000002","A"`, "not of this run"},
		{"short row", `["000000000001","A",`, `["000000000001",`, "not of this run"},
		{"no run", `"name":"runs"`, `"name":"steps"`, ""},
		{"fraction", `"rows":[[1,`, `"rows":[[1.5,`, "number"},
		{"null", `"rows":[[1,`, `"rows":[[null,`, "neither text nor a number"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db, err := Open(t.Context(), filepath.Join(t.TempDir(), "new.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			changed := Saved{Run: "000000000001"}
			if err := json.Unmarshal([]byte(strings.Replace(text("000000000001"), c.old, c.new, 1)), &changed.Export); err != nil {
				if c.want == "" || !strings.Contains(err.Error(), c.want) {
					t.Errorf("the error is %v", err)
				}
				return
			}
			other := Saved{Run: "000000000002"}
			if err := json.Unmarshal([]byte(text("000000000002")), &other.Export); err != nil {
				t.Fatal(err)
			}
			done, err := db.Import(t.Context(), []Saved{changed, other})
			if err != nil {
				t.Fatal(err)
			}
			refused := done.Refused["000000000001"]
			if (refused == nil) != (c.name == "sound") || refused != nil && !strings.Contains(refused.Error(), c.want) {
				t.Errorf("it was refused with %v", refused)
			}
			runs, err := db.Runs(t.Context(), 0)
			if err != nil || len(runs) != done.Runs || runs[0].ID != "000000000002" {
				t.Errorf("the runs are %+v, %v", runs, err)
			}
			if _, err := db.Import(t.Context(), []Saved{other}); err == nil {
				t.Error("a record that has runs was added to")
			}
		})
	}
}
