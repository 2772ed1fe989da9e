package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
)

// withModels is a command line over a workspace with versions of the groups, each
// registered by a run of its own.
func withModels(t testing.TB, versions map[string]int) *fixture {
	t.Helper()
	dir := t.TempDir()
	db, err := record.Open(t.Context(), filepath.Join(dir, "mlmax.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, group := range []string{"local-census", "local-other"} {
		for i := range versions[group] {
			run := fmt.Sprintf("%06x%06x", len(group), i+1)
			request := fmt.Sprintf(`{"CustomerMetadataProperties": {"mlmax.pipeline": "census-training", "metric.E.R.Loss": "0.%d", "metric.E.R.OK": "true",
				"metric.E.R.Note": "1 and more", "param.Train.Mode": "fast"}, "InferenceSpecification": {"Containers": [{"Image": "i\u001b[2J", "ModelDataUrl": "s3://elsewhere/m"}]}}`, i+1)
			err := db.StartRun(t.Context(), record.Run{ID: run, Pipeline: "census-training", Status: string(pipeline.Succeeded),
				Parameters: json.RawMessage(`{}`), Started: time.Unix(int64(i), 0), Ended: time.Unix(int64(i)+1, 0)}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.AddModel(t.Context(), record.ModelPackage{Group: group, Status: pipeline.PendingManualApproval, Run: run,
				Request: json.RawMessage(request), Created: time.Unix(int64(i), 0)}, func(v int) string { return fmt.Sprintf("arn:%s/%d", group, v) })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return modelsIn(dir)
}

// modelsIn is a command line over a workspace.
func modelsIn(dir string) *fixture {
	f := newFixture(succeed)
	f.definition.Registrations[0].When = "E.R.Loss < MaxLoss"
	f.open = func(d *pipeline.Definition, _ place) (history, string, error) {
		return openRecord(d, place{workspace: dir})
	}
	f.now = func() time.Time { return time.Unix(1e9, 0) }
	return f
}

func TestModelRefs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		ref  string
		code int
		want string // the version's line, or the mistake
	}{
		{"2", 0, "version 2 of local-census, "},
		{"latest", 0, "version 3 of local-census, "},
		{"census/1", 0, "version 1 of local-census, "},
		{"local-census/1", 0, "version 1 of local-census, "},
		{"local-other/latest", 0, "version 1 of local-other, "},
		{"arn:local-other/1", 0, "version 1 of local-other, "},
		{"4", 1, "local-census has no version 4 here\n\thint: see go run ./generated/training models"},
		{"arn:none/1", 1, `this workspace has no model version "arn:none/1"`},
		{"local-other/2", 1, `this workspace has no model version "local-other/2"`},
		{"none/latest", 1, `this workspace has no model version "none/latest"`},
		{"0", 2, `"0" is not a number, GROUP/NUMBER, an ARN, or latest`},
		{"-1", 2, "unknown shorthand flag: '1' in -1"},
		{"99999999999", 2, `"99999999999" is not a number`},
		{"local-census/", 2, `"local-census/" is not a number`},
		{"", 2, `"" is not a number`},
	}
	for _, tt := range tests {
		t.Run(tt.ref, func(t *testing.T) {
			t.Parallel()
			f := withModels(t, map[string]int{"local-census": 3, "local-other": 1})
			code := f.main([]string{"models", "show", tt.ref})
			if code != tt.code || !strings.Contains(f.out.String()+f.err.String(), tt.want) {
				t.Errorf("exit code %d\n%s%s", code, f.out.String(), f.err.String())
			}
			if strings.Contains(f.out.String(), "\x1b") {
				t.Errorf("it steers the terminal: %q", f.out.String())
			}
		})
	}
}

func TestSeveralGroups(t *testing.T) {
	t.Parallel()
	f := withModels(t, map[string]int{"local-census": 1, "local-other": 1})
	f.definition.Registrations = append(f.definition.Registrations, pipeline.Registration{Name: "Second", Group: "other"})
	if code := f.main([]string{"models", "show", "1"}); code != 2 || !strings.Contains(f.err.String(), `"1" may be of several groups`+"\n\thint: give one of local-census/1, local-other/1\n") {
		t.Errorf("exit code %d: %s", code, f.err.String())
	}
	if code := f.main([]string{"models"}); code != 0 || !strings.HasPrefix(f.out.String(), "GROUP ") {
		t.Errorf("exit code %d:\n%s", code, f.out.String())
	}
	f = withModels(t, map[string]int{"local-other": 1})
	f.definition.Registrations = nil
	if code := f.main([]string{"models"}); code != 0 || !strings.Contains(f.err.String(), "census-training registers no model and starts from none; see go run ./generated/training models --all") {
		t.Errorf("exit code %d: %s", code, f.err.String())
	}
	if code := f.main([]string{"models", "show", "1"}); code != 2 || !strings.Contains(f.err.String(), `"1" needs its group`) {
		t.Errorf("exit code %d: %s", code, f.err.String())
	}
}

func TestModelsAsJSON(t *testing.T) {
	t.Parallel()
	f := withModels(t, map[string]int{"local-census": 2, "local-other": 1})
	if code := f.main([]string{"models", "--json", "--limit", "1"}); code != 0 {
		t.Fatal(f.err.String())
	}
	var lines []modelLine
	if err := json.Unmarshal([]byte(f.out.String()), &lines); err != nil {
		t.Fatal(err)
	}
	want := []modelLine{{
		Group: "local-census", Version: 2, Status: "PendingManualApproval", ARN: "arn:local-census/2", Created: time.Unix(1, 0).UTC(),
		Run: "00000c000002", Pipeline: "census-training", Metrics: map[string]any{"E.R.Loss": 0.2, "E.R.OK": true, "E.R.Note": "1 and more"},
	}}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	f = withModels(t, map[string]int{"local-census": 2})
	if code := f.main([]string{"models"}); code != 0 || !strings.HasSuffix(f.out.String(), "  Loss 0.1\n") {
		t.Errorf("exit code %d:\n%s", code, f.out.String())
	}
}

func TestDecisionsTakeOneLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ by, note, want string }{
		{"Ada", "two\nlines", "one line each"},
		{"A\x1b[31mda", "fine", "one line each"},
		{"Ada", "a\xff", "must be UTF-8"},
		{"Ada", strings.Repeat("é", 1020), "are 1025 characters together"},
		{"Ada", strings.Repeat("é", 1019), ""},
	} {
		f := withModels(t, map[string]int{"local-census": 1})
		code := f.main([]string{"models", "approve", "1", "--by", c.by, "--note", c.note})
		if (code == 2) != (c.want != "") || !strings.Contains(f.err.String(), c.want) {
			t.Errorf("%q, %q: exit code %d: %s", c.by, c.note, code, f.err.String())
		}
	}
}

// TestDecisionsMadeMeanwhile are ones of two people about the same version: what follows
// is what the record holds then.
func TestDecisionsMadeMeanwhile(t *testing.T) {
	t.Parallel()
	f := withModels(t, map[string]int{"local-census": 2})
	if code := f.main([]string{"models", "approve", "1", "--by", "Ada", "--note", "fine"}); code != 0 {
		t.Fatalf("exit code %d: %s", code, f.err.String())
	}
	h, _, err := f.open(f.definition, place{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for _, c := range []struct {
		version int
		verdict verdict
		want    string
	}{
		{1, approving, "runs that ask for no version start from it now"},
		{1, rejecting, "it was Approved again meanwhile: runs that ask for no version start from it now"},
		{2, approving, "runs that ask for no version start from version 1 now"}, // it was rejected again
		{2, rejecting, "runs that ask for no version start from version 1 now"},
	} {
		m := &record.ModelPackage{Group: "local-census", Version: c.version}
		got, err := f.whatFollows(t.Context(), h.(registry), m, c.verdict)
		if err != nil || got != c.want {
			t.Errorf("%s %d: %q, %v; want %q", c.verdict.verb, c.version, got, err, c.want)
		}
	}
}

// BenchmarkApprove is a decision in a workspace of 1,000 runs, with the record opened
// and closed.
func BenchmarkApprove(b *testing.B) {
	f := withModels(b, map[string]int{"local-census": 1000})
	_, dir, err := f.open(f.definition, place{})
	if err != nil {
		b.Fatal(err)
	}
	verbs := []string{"approve", "reject"}
	for i := 0; b.Loop(); i++ {
		f := modelsIn(dir)
		if code := f.main([]string{"models", verbs[i%2], "500", "--by", "Ada", "--note", "fine"}); code != 0 {
			b.Fatal(f.err.String())
		}
	}
}

// BenchmarkModels lists the versions of such a workspace.
func BenchmarkModels(b *testing.B) {
	f := withModels(b, map[string]int{"local-census": 1000})
	_, dir, err := f.open(f.definition, place{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		f := modelsIn(dir)
		if code := f.main([]string{"models", "--limit", "0"}); code != 0 {
			b.Fatal(f.err.String())
		}
	}
}
