package record

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func open(t *testing.T) *DB {
	t.Helper()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "a b ?#%.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func start(t *testing.T, db *DB, id string) {
	t.Helper()
	err := db.StartRun(t.Context(), Run{ID: id, Pipeline: "p", Status: "RUNNING", Started: noon, Input: json.RawMessage(`{}`)}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func TestRunIsFoundByPrefix(t *testing.T) {
	t.Parallel()
	db := open(t)
	for _, id := range []string{"aaa111", "aab222", "bbb333", "bbb3334"} {
		start(t, db, id)
	}
	cases := []struct{ ask, want, err string }{
		{"aaa111", "aaa111", ""},
		{"aaa", "aaa111", ""},
		{"latest", "bbb3334", ""},
		{"bbb333", "bbb333", ""}, // exact before longer
		{"aa", "", `"aa" is the start of several runs: aab222, aaa111`},
		{"zzz", "", `this workspace has no run "zzz": not found`},
		{"a%", "", `this workspace has no run "a%": not found`},
		{"", "", `a run has no empty id: not found`},
	}
	for _, c := range cases {
		r, err := db.Run(t.Context(), c.ask)
		switch {
		case c.err != "" && (err == nil || err.Error() != c.err):
			t.Errorf("%q: error %v, want %s", c.ask, err, c.err)
		case c.err == "" && err != nil:
			t.Errorf("%q: %v", c.ask, err)
		case c.err == "" && r.ID != c.want:
			t.Errorf("%q: found %s, want %s", c.ask, r.ID, c.want)
		}
	}
	runs, err := db.Runs(t.Context(), 2)
	if err != nil || len(runs) != 2 || runs[0].ID != "bbb3334" {
		t.Errorf("newest runs: %+v, %v", runs, err)
	}
}

func TestEmptyWorkspaceHasNoLatest(t *testing.T) {
	t.Parallel()
	_, err := open(t).Run(t.Context(), "latest")
	if !errors.Is(err, ErrNotFound) || err.Error() != "this workspace has no runs: not found" {
		t.Errorf("error is %v", err)
	}
}

func TestRunRoundTrip(t *testing.T) {
	t.Parallel()
	db := open(t)
	want := Run{
		ID: "r1", Pipeline: "p", Package: "example.com/p", Execution: "arn:x", Status: "RUNNING", Input: json.RawMessage(`{"A":1}`),
		Parameters: json.RawMessage(`{"A":1,"B":2}`), Definition: "d", Commit: "c", Dirty: true, Isolation: "direct", TotalSteps: 3,
		PID: 7, PIDStart: "99", Started: noon,
	}
	jobs := []Job{{Run: "r1", Step: "Train", Code: "c1", Image: "sklearn:1.4-2", Python: "3.11", Packages: []string{"a==1"}, Environment: "e"}}
	if err := db.StartRun(t.Context(), want, jobs, nil); err != nil {
		t.Fatal(err)
	}
	want.Seq, want.Status, want.Ended, want.Error, want.Cause, want.FailedStep = 1, "FAILED", noon.Add(time.Second), "E", "c", "Train"
	want.Output = json.RawMessage(`null`)
	if err := db.EndRun(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := db.Run(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Error(diff)
	}
	found, err := db.Jobs(t.Context(), "r1")
	if diff := cmp.Diff(jobs, found); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestStepEndsWithItsOutputs(t *testing.T) {
	t.Parallel()
	db := open(t)
	data := Artifact{Name: "Data", Kind: Data, URI: "s3://local/data/x", Digest: "sha256:1", Bytes: 5}
	if err := db.StartRun(t.Context(), Run{ID: "r1", Status: "RUNNING"}, nil, []Artifact{data}); err != nil {
		t.Fatal(err)
	}
	step := Step{Run: "r1", Name: "A", Kind: "processing", Status: "RUNNING", Job: "job-a", Log: "a.log", Started: noon}
	in := []Port{{Name: "Raw", Artifact: data}, {Name: "Other", Artifact: Artifact{Name: "Other", Kind: External, URI: "s3://local/z", Digest: "sha256:9"}}}
	id, err := db.StartStep(t.Context(), step, in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.StartStep(t.Context(), step, nil); !errors.Is(err, ErrJobExists) {
		t.Errorf("a second job of the same name: %v", err)
	}
	step.ID, step.Status, step.Ended, step.ExitCode, step.MaxRSS = id, "SUCCEEDED", noon.Add(time.Minute), 0, 1234
	out := Artifact{Step: "A", Name: "A.Out", Kind: Output, URI: "s3://local/runs/out/", Digest: "sha256:2", Bytes: 3}
	err = db.EndStep(t.Context(), step, []Port{{Name: "Out", Artifact: out}}, []Object{{Bucket: "local", Key: "runs/out/f", Digest: "2", Bytes: 3, Created: noon}})
	if err != nil {
		t.Fatal(err)
	}
	steps, err := db.Steps(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Step{step}, steps); diff != "" {
		t.Error(diff)
	}
	// A later step reads it, named without the slash.
	next, err := db.StartStep(t.Context(), Step{Run: "r1", Name: "B", Status: "RUNNING"},
		[]Port{{Name: "In", Artifact: Artifact{URI: "s3://local/runs/out", Digest: "sha256:2"}}})
	if err != nil || next <= id {
		t.Fatal(next, err)
	}
	edges, err := db.Edges(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range edges {
		got = append(got, fmt.Sprintf("%s %s %s: %s (%s)", e.Step, e.Direction, e.Port, e.Artifact.Name, e.Artifact.Kind))
	}
	want := []string{"A in Other: Other (external)", "A in Raw: Data (data)", "A out Out: A.Out (output)", "B in In: A.Out (output)"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestObjectsAreListedByPrefix(t *testing.T) {
	t.Parallel()
	db := open(t)
	var all []Object
	for _, key := range []string{"a/b", "a/b/c", "a-b", "a0", "b", "a/é/\U0010FFFF"} {
		all = append(all, Object{Bucket: "local", Key: key, Digest: "d", Bytes: 1, Created: noon})
	}
	if err := db.PutObjects(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	cases := map[string][]string{
		"a/":  {"a/b", "a/b/c", "a/é/\U0010FFFF"},
		"a":   {"a-b", "a/b", "a/b/c", "a/é/\U0010FFFF", "a0"},
		"":    {"a-b", "a/b", "a/b/c", "a/é/\U0010FFFF", "a0", "b"},
		"a/b": {"a/b", "a/b/c"},
		"%":   nil,
	}
	for prefix, want := range cases {
		list, err := db.Objects(t.Context(), "local", prefix)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range list {
			got = append(got, o.Key)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("prefix %q: %s", prefix, diff)
		}
	}
	if _, err := db.Object(t.Context(), "local", "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a missing object: %v", err)
	}
}

func TestModelVersionsCountPerGroup(t *testing.T) {
	t.Parallel()
	db := open(t)
	add := func(group, token, request string) (*ModelPackage, error) {
		return db.AddModel(t.Context(), ModelPackage{Group: group, Status: "Approved", Token: token, Run: "r", Request: json.RawMessage(request), Created: noon},
			func(v int) string { return fmt.Sprintf("arn:%s/%d", group, v) })
	}
	for i, c := range []struct {
		group, token, request, arn string
		err                        error
	}{
		{"g", "t1", `{"a":1}`, "arn:g/1", nil},
		{"g", "t2", `{"a":1}`, "arn:g/2", nil},
		{"h", "", `{}`, "arn:h/1", nil},
		{"h", "", `{}`, "arn:h/2", nil},
		{"g", "t1", `{"a":1}`, "arn:g/1", nil}, // asked again
		{"g", "t1", `{"a":2}`, "", ErrTokenReused},
	} {
		m, err := add(c.group, c.token, c.request)
		if !errors.Is(err, c.err) || err == nil && m.ARN != c.arn {
			t.Errorf("case %d: %+v, %v", i, m, err)
		}
	}
	groups, err := db.Groups(t.Context())
	if diff := cmp.Diff([]string{"g", "h"}, groups); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := db.Model(t.Context(), "arn:none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a missing model: %v", err)
	}
}

func TestNewerRecordIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mlmax.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec("PRAGMA user_version = 999"); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path)
	var newer *NewerError
	if !errors.As(err, &newer) || newer.Found != 999 {
		t.Fatalf("error is %v", err)
	}
	var version int
	if err := raw.QueryRow("PRAGMA user_version").Scan(&version); err != nil || version != 999 {
		t.Errorf("version is now %d, %v", version, err)
	}
}

func TestFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	db := open(t)
	start(t, db, "r1")
	// The same port twice: the second edge breaks the transaction.
	port := Port{Name: "P", Artifact: Artifact{Name: "X", URI: "s3://local/x", Digest: "sha256:1"}}
	if _, err := db.StartStep(t.Context(), Step{Run: "r1", Name: "A", Status: "RUNNING"}, []Port{port, port}); err == nil {
		t.Fatal("two edges at one port were taken")
	}
	steps, err := db.Steps(t.Context(), "r1")
	if err != nil || len(steps) != 0 {
		t.Errorf("steps: %+v, %v", steps, err)
	}
	artifacts, err := db.Artifacts(t.Context(), "r1")
	if err != nil || len(artifacts) != 0 {
		t.Errorf("artifacts: %+v, %v", artifacts, err)
	}
}

func TestReadersAreFreeWhileARunWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mlmax.db")
	writer, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	reader, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var wait sync.WaitGroup
	wait.Go(func() {
		for i := range 50 {
			start(t, writer, fmt.Sprintf("r%02d", i))
		}
	})
	for range 50 {
		if _, err := reader.Runs(context.Background(), 0); err != nil {
			t.Error(err)
		}
	}
	wait.Wait()
	runs, err := reader.Runs(t.Context(), 0)
	if err != nil || len(runs) != 50 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}

func TestDamagedRecordIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mlmax.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %v", err)
	}
}

// TestPrevious: a run is compared with the newest before it that succeeded, of its
// own pipeline.
func TestPrevious(t *testing.T) {
	t.Parallel()
	db := open(t)
	for i, status := range []string{"FAILED", "SUCCEEDED", "ABORTED", "RUNNING"} {
		for _, pipeline := range []string{"a", "b"} {
			r := Run{ID: pipeline + strconv.Itoa(i), Pipeline: pipeline, Status: status}
			if err := db.StartRun(t.Context(), r, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for of, want := range map[string]string{"a3": "a1", "b2": "b1", "a1": "a0", "a0": ""} {
		r, err := db.Run(t.Context(), of)
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Previous(t.Context(), r)
		if want == "" {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("before %s: %v, %v", of, got, err)
			}
			continue
		}
		if err != nil || got.ID != want {
			t.Errorf("before %s: %v, %v, want %s", of, got, err, want)
		}
	}
}
