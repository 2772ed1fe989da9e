package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
)

// A fakeHistory is runs in memory.
type fakeHistory struct {
	history
	runs  []record.Run
	steps []record.Step
}

func (h *fakeHistory) Runs(context.Context, int) ([]record.Run, error) { return h.runs, nil }

func (h *fakeHistory) Run(_ context.Context, id string) (*record.Run, error) {
	for _, r := range h.runs {
		if strings.HasPrefix(r.ID, id) {
			return &r, nil
		}
	}
	return nil, record.ErrNotFound
}

func (h *fakeHistory) Steps(context.Context, string) ([]record.Step, error) { return h.steps, nil }
func (h *fakeHistory) Close() error                                         { return nil }

func withHistory(t *testing.T, h *fakeHistory) *fixture {
	f := newFixture(succeed)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "train.log"), []byte("one\r\ntwo 10%\rtwo 99%\n\x1b[31mthree\x1b[0m\nfour"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.open = func(*pipeline.Definition, place) (history, string, error) { return h, dir, nil }
	return f
}

func TestRuns(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	h := &fakeHistory{runs: []record.Run{
		{ID: "r3", Pipeline: "other", Status: "RUNNING", Started: at},
		{ID: "r2", Pipeline: "census-training", Status: "FAILED", FailedStep: "Train", Started: at, Ended: at.Add(1500 * time.Millisecond)},
		{ID: "r1", Pipeline: "census-training", Status: "SUCCEEDED", Started: at, Parameters: json.RawMessage(`{"a":1}`)},
	}}
	tests := []struct {
		name string
		args []string
		want []string // ids, in order
	}{
		{"own", []string{"runs", "--json"}, []string{"r2", "r1"}},
		{"all", []string{"runs", "--json", "--all"}, []string{"r3", "r2", "r1"}},
		{"limit", []string{"runs", "--json", "--limit", "1"}, []string{"r2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := withHistory(t, h)
			if code := f.main(tt.args); code != 0 {
				t.Fatal(f.err.String())
			}
			var lines []runLine
			if err := json.Unmarshal([]byte(f.out.String()), &lines); err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, l := range lines {
				ids = append(ids, l.Run)
			}
			if d := cmp.Diff(tt.want, ids); d != "" {
				t.Error(d)
			}
		})
	}
	f := withHistory(t, h)
	if code := f.main([]string{"runs"}); code != 0 || !strings.Contains(f.out.String(), "1.5      FAILED in step Train, resumable\n") {
		t.Errorf("exit code %d:\n%s", code, f.out.String())
	}
	f = withHistory(t, &fakeHistory{})
	if code := f.main([]string{"runs"}); code != 0 || f.out.String() != "" || !strings.Contains(f.err.String(), "has no runs here; start one with: go run") {
		t.Errorf("exit code %d: %s", code, f.err.String())
	}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	h := &fakeHistory{
		runs: []record.Run{{ID: "zz", Pipeline: "other"}, {ID: "r2", Pipeline: "census-training"}},
		steps: []record.Step{
			{Name: "Preprocess", Status: "SUCCEEDED", Log: "gone.log"},
			{Name: "ReadReport", Status: "SUCCEEDED"},
			{Name: "Train", Attempt: 1, Status: "FAILED", Log: "train.log"},
		},
	}
	const train = "==> Train, try 2, failed <==\none\ntwo 99%\nthree\nfour\n"
	tests := []struct {
		name string
		args []string
		code int
		out  string
		err  string
	}{
		{"latest of this pipeline", []string{"logs", "latest"}, 0, "==> Preprocess, try 1, succeeded <==\n(the log is gone)\n\n" + train, ""},
		{"one step, in any case", []string{"logs", "r", "train"}, 0, train, ""},
		{"a step that is not there", []string{"logs", "r2", "Trian"}, 2, "", `census-training has no step "Trian"` + "\n\thint: did you mean Train?"},
		{"a step that is nothing like it", []string{"logs", "r2", "Frobnicate"}, 2, "", "hint: use one of Preprocess, Train"},
		{"a step that did not begin", []string{"logs", "r2", "later"}, 2, "", "step Later did not begin in run r2, and wrote nothing\n\thint: see go run ./generated/training logs r2\n"},
		{"a step that is a call", []string{"logs", "r2", "register"}, 2, "", "step register is a call that the machine makes, and writes no log\n\thint: use one of Preprocess, Train"},
		{"a run that is not there", []string{"logs", "x"}, 2, "", `this workspace has no run "x"` + "\n\thint: see go run ./generated/training runs"},
		{"no run", []string{"logs"}, 2, "", "takes RUN and perhaps STEP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := withHistory(t, h)
			f.definition.Jobs = append(f.definition.Jobs, pipeline.Job{Name: "Later"})
			if code := f.main(tt.args); code != tt.code {
				t.Errorf("exit code %d: %s", code, f.err.String())
			}
			if d := cmp.Diff(tt.out, f.out.String()); d != "" {
				t.Error(d)
			}
			if !strings.Contains(f.err.String(), tt.err) {
				t.Errorf("standard error lacks %q:\n%s", tt.err, f.err.String())
			}
		})
	}
}
