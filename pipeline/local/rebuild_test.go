package local

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/manifest"
	"github.com/mlmax/mlmax/pipeline/record"
)

// statement executes SQL on a record, beside the package that owns it.
func statement(t *testing.T, workspace, query string) {
	t.Helper()
	db := plain(t, workspace)
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func plain(t *testing.T, workspace string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.Join(workspace, "mlmax.db")}).String())
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// dump is every row of every table.
func dump(t *testing.T, workspace string) []string {
	t.Helper()
	db := plain(t, workspace)
	defer db.Close()
	var all []string
	for _, table := range strings.Fields("runs jobs steps objects artifacts edges model_groups models approvals") {
		rows, err := db.Query("SELECT * FROM " + table + " ORDER BY 1, 2")
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row := make([]any, len(columns))
			for i := range row {
				row[i] = new(any)
			}
			if err := rows.Scan(row...); err != nil {
				t.Fatal(err)
			}
			line := table
			for i, v := range row {
				line += fmt.Sprintf("|%s=%#v", columns[i], *v.(*any))
			}
			all = append(all, line)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// eventful is a workspace with runs that succeeded, failed and were refused a model,
// and a model that was approved.
func eventful(t *testing.T) *project {
	t.Helper()
	p := training(t, "direct")
	first := p.succeed(`{}`)
	p.succeed(`{"MinROCAUC": 0.95}`)
	p.write("steps/train/train.sh", "#!/bin/sh\necho 'no \"model\" <today>' >&2; exit 3\n", 0o755)
	p.fails(t.Context(), `{}`)
	p.write("steps/train/train.sh", trainScript, 0o755)
	p.succeed(`{"Preprocess.SplitRatio": 0.5}`)
	group := first.Model.Group
	statement(t, p.workspace(), `UPDATE models SET status='Approved' WHERE version=1`)
	statement(t, p.workspace(), `INSERT INTO approvals (model_group, version, status, person, note, at) VALUES ('`+group+`', 1, 'Approved', 'Ann', 'good', 7)`)
	db, err := record.Open(t.Context(), filepath.Join(p.workspace(), "mlmax.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(SaveManifest(t.Context(), p.workspace(), db, first.Run), db.Close()); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRecordIsMadeAgainFromManifests(t *testing.T) {
	t.Parallel()
	p := eventful(t)
	want := dump(t, p.workspace())
	cases := []struct {
		name   string
		reason string // why it is refused
		damage func(file string, content []byte) error
	}{
		{"garbage", "it is no SQLite database", func(file string, b []byte) error {
			return os.WriteFile(file, []byte(strings.Repeat("garbage", 999)), 0o600)
		}},
		{"zeroed", "it begins with zeros", func(file string, b []byte) error { return os.WriteFile(file, make([]byte, len(b)), 0o600) }},
		{"few bytes", "it has only 50 bytes", func(file string, b []byte) error { return os.Truncate(file, 50) }},
		{"truncated", "it was cut", func(file string, b []byte) error { return os.Truncate(file, int64(len(b)/2)) }},
		{"empty", "it is empty, and there are 4 runs", func(file string, _ []byte) error { return os.Truncate(file, 0) }},
		{"gone", "it is gone, and there are 4 runs", func(file string, _ []byte) error { return os.Remove(file) }},
		{"torn", "malformed", func(file string, b []byte) error {
			return os.WriteFile(file, append(b[:4096:4096], make([]byte, len(b)-4096)...), 0o600)
		}},
		{"another program's", "another program", func(file string, _ []byte) error {
			if err := os.Remove(file); err != nil {
				return err
			}
			statement(t, filepath.Dir(file), "CREATE TABLE other (x)")
			return nil
		}},
		// As if mlmax.db-wal had been deleted after a kill.
		{"older", "it lacks 1 run of those that have left a manifest", func(file string, _ []byte) error {
			statement(t, filepath.Dir(file), "DELETE FROM runs WHERE seq=4")
			return os.WriteFile(filepath.Join(filepath.Dir(file), "lock"), []byte("{}"), 0o600)
		}},
		{"lacks a table", "no table", func(file string, _ []byte) error {
			statement(t, filepath.Dir(file), "DROP TABLE approvals")
			return nil
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := training(t, "direct")
			if err := os.CopyFS(q.workspace(), os.DirFS(p.workspace())); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(q.workspace(), "mlmax.db")
			before, err := os.ReadFile(file)
			if err == nil {
				err = c.damage(file, before)
			}
			if err != nil {
				t.Fatal(err)
			}
			damaged, _ := os.ReadFile(file)
			if _, err := q.run(t.Context(), `{}`); !record.IsDamaged(err) || !strings.Contains(err.Error(), c.reason) {
				t.Fatalf("the run ended with %v, and not because %s", err, c.reason)
			}
			if after, _ := os.ReadFile(file); string(after) != string(damaged) {
				t.Error("what was refused was changed")
			}
			done, err := Rebuild(t.Context(), q.workspace(), false, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if done.Runs != 4 || !record.IsDamaged(done.Damage) || len(done.Without)+len(done.Refused)+done.Lost != 0 || (done.Moved == "") != (c.name == "gone") {
				t.Errorf("it says %+v", done)
			}
			if kept, _ := os.ReadFile(file + ".corrupt"); string(kept) != string(damaged) {
				t.Error("the damaged record was not kept")
			}
			if diff := cmp.Diff(want, dump(t, q.workspace())); diff != "" {
				t.Error(diff)
			}
			for _, s := range q.succeed(`{}`).Steps {
				if !s.Cached && s.Name != "Register" {
					t.Errorf("step %s does not come from the cache", s.Name)
				}
			}
		})
	}
}

func TestRebuildTellsWhatItCannotMake(t *testing.T) {
	t.Parallel()
	p := eventful(t)
	runs, _, err := runFolders(p.workspace())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Rebuild(t.Context(), p.workspace(), false, time.Now()); !errors.Is(err, ErrSound) {
		t.Fatalf("a sound record: %v", err)
	}
	if err := os.Remove(ManifestFile(p.workspace(), runs[0])); err != nil {
		t.Fatal(err)
	}
	bad := ManifestFile(p.workspace(), runs[1])
	if err := os.WriteFile(bad, []byte(`{"schema": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	other := ManifestFile(p.workspace(), runs[2])
	text, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, []byte(strings.Replace(string(text), `"columns":["seq"`, `"columns":["seq) SELECT 1; --"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for n, moved := range []string{"mlmax.db.corrupt", "mlmax.db.corrupt.1"} {
		done, err := Rebuild(t.Context(), p.workspace(), true, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(done.Moved) != moved || done.Runs != 1 || done.Damage != nil {
			t.Errorf("it says %+v", done)
		}
		if n == 0 && (len(done.Without) != 1 || done.Without[0] != runs[0] || len(done.Refused) != 2) {
			t.Errorf("it says %+v", done)
		}
	}
	if _, err := os.Stat(bad + ".refused"); err != nil {
		t.Error(err)
	}
	p.succeed(`{}`)
}

func TestRecordOfANewerVersionIsNeverTouched(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.succeed(`{}`)
	statement(t, p.workspace(), "PRAGMA user_version = 99")
	var newer *record.NewerError
	if _, err := p.run(t.Context(), `{}`); !errors.As(err, &newer) {
		t.Errorf("the run ended with %v", err)
	}
	for _, force := range []bool{false, true} {
		if _, err := Rebuild(t.Context(), p.workspace(), force, time.Now()); !errors.As(err, &newer) {
			t.Errorf("the rebuilding ended with %v", err)
		}
	}
	if found, err := filepath.Glob(filepath.Join(p.workspace(), "*.corrupt*")); err != nil || len(found) > 0 {
		t.Errorf("it was moved: %q, %v", found, err)
	}
}

func TestEveryRunLeavesAManifest(t *testing.T) {
	t.Parallel()
	p := eventful(t)
	runs, err := p.record().Runs(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		info, err := os.Stat(ManifestFile(p.workspace(), r.ID))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		text, err := os.ReadFile(ManifestFile(p.workspace(), r.ID))
		if err != nil {
			t.Fatal(err)
		}
		m, err := manifest.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if m.Run != r.ID || m.Status != r.Status || m.FailedStep != r.FailedStep || m.Cause != r.Cause || len(m.Digests) == 0 || m.Steps["Preprocess"]["Train"] == "" {
			t.Errorf("the manifest of a run that ended %s is\n%s", r.Status, text)
		}
	}
}
