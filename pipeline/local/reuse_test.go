package local

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline"
)

// cachedSteps are the names of the steps that were taken from an earlier run.
func cachedSteps(o *pipeline.Outcome) []string {
	var names []string
	for _, s := range o.Steps {
		if s.Cached {
			names = append(names, s.Name)
		}
	}
	return names
}

// with sets what runs of the project reuse.
func (p *project) with(u Reuse) *project {
	p.options.Reuse = u
	return p
}

func TestSecondRunIsCached(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		first := p.succeed(`{}`)
		if got := cachedSteps(first); got != nil {
			t.Fatalf("cached in the first run: %v", got)
		}
		p.events = nil
		second := p.succeed(`{}`)
		if diff := cmp.Diff([]string{"Preprocess", "Train", "Evaluate"}, cachedSteps(second)); diff != "" {
			t.Fatal(diff)
		}
		want := []string{"Preprocess run " + first.Run, "Train run " + first.Run, "Evaluate run " + first.Run, "Register"}
		if diff := cmp.Diff(want, p.said(pipeline.StepSucceeded)); diff != "" {
			t.Error(diff)
		}
		if second.Model == nil || second.Model.Version != 2 {
			t.Errorf("registered %v", second.Model)
		}
		if diff := cmp.Diff(first.Metrics, second.Metrics); diff != "" {
			t.Error(diff)
		}
		for i, a := range second.Artifacts {
			was := first.Artifacts[i]
			if a.Name != was.Name || a.Digest != was.Digest || a.Bytes != was.Bytes {
				t.Errorf("artifact %+v was %+v", a, was)
			}
			if a.Name == "Data" {
				continue
			}
			if strings.ReplaceAll(a.URI, second.Run, first.Run) != was.URI || a.URI == was.URI {
				t.Errorf("URI %s was %s", a.URI, was.URI)
			}
			now, err := os.Stat(a.Path)
			if err != nil {
				t.Fatal(err)
			}
			if then, err := os.Stat(was.Path); err != nil || !now.IsDir() && !os.SameFile(now, then) {
				t.Errorf("%s is on the disk twice: %v", a.Name, err)
			}
		}
		p.sameRecord(first.Run, second.Run)
		left, err := os.ReadDir(filepath.Join(p.workspace(), "tmp"))
		if err != nil || len(left) > 0 {
			t.Errorf("left in tmp: %v, %v", left, err)
		}
		third := p.succeed(`{}`)
		if why := third.Steps[0].Why; why != "run "+first.Run {
			t.Errorf("the third run's outputs are those of %q", why)
		}
		if got := cachedSteps(p.with(Reuse{NoCache: true}).succeed(`{}`)); got != nil {
			t.Errorf("with the cache off: %v", got)
		}
	})
}

// sameRecord demands that a run whose steps were cached is recorded as the first one, but
// for names and times.
func (p *project) sameRecord(first, second string) {
	p.t.Helper()
	db := p.record()
	one, err := db.Steps(p.t.Context(), first)
	if err != nil {
		p.t.Fatal(err)
	}
	two, err := db.Steps(p.t.Context(), second)
	if err != nil {
		p.t.Fatal(err)
	}
	if len(one) != len(two) {
		p.t.Fatalf("%d steps, and %d", len(one), len(two))
	}
	for i, s := range two {
		was := one[i]
		if s.Kind != processingKind && s.Kind != trainingKind {
			continue
		}
		if s.CachedFrom != was.ID || s.CacheKey != was.CacheKey || s.Status != was.Status {
			p.t.Errorf("step %+v was %+v", s, was)
		}
		log, err := os.ReadFile(filepath.Join(p.workspace(), filepath.FromSlash(s.Log)))
		if want := "cached: the outputs are those of step " + s.Name + " in run " + first + ", whose log is " + was.Log + "\n"; err != nil || string(log) != want {
			p.t.Errorf("log of %s: %q, %v", s.Name, log, err)
		}
		if diff := cmp.Diff(p.response(was.Response, first), p.response(s.Response, second)); diff != "" {
			p.t.Errorf("%s: %s", s.Name, diff)
		}
	}
	if diff := cmp.Diff(p.edges(first), p.edges(second)); diff != "" {
		p.t.Error(diff)
	}
}

// response is a response without times, and with RUN for the run.
func (p *project) response(text json.RawMessage, run string) map[string]any {
	p.t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), run, "RUN")), &all); err != nil {
		p.t.Fatal(err)
	}
	for name := range all {
		if strings.HasSuffix(name, "Time") {
			all[name] = 0
		}
	}
	return all
}

// edges are what each step of a run read and wrote.
func (p *project) edges(run string) []string {
	p.t.Helper()
	found, err := p.record().Edges(p.t.Context(), run)
	if err != nil {
		p.t.Fatal(err)
	}
	var all []string
	for _, e := range found {
		all = append(all, strings.ReplaceAll(strings.Join([]string{
			e.Step, e.Direction, e.Port, e.Artifact.Step, e.Artifact.Name, e.Artifact.Kind, e.Artifact.URI, e.Artifact.Digest,
		}, " "), run, "RUN"))
	}
	return all
}

// spoil damages a file, which may be that of many keys.
func spoil(t *testing.T, file string) {
	t.Helper()
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("evil\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedResultIsNotUsed(t *testing.T) {
	t.Parallel()
	const corrupt = `^Preprocess the outputs of run [0-9a-f]{12} cannot be used: artifact train\.csv of run [0-9a-f]{12} is corrupt ` +
		`\(sha256 expected [0-9a-f]{12}, found [0-9a-f]{12}\); step Preprocess runs again$`
	tests := []struct {
		name   string
		damage func(t *testing.T, p *project, o *pipeline.Outcome)
		warned string
	}{
		{"changed", func(t *testing.T, _ *project, o *pipeline.Outcome) {
			spoil(t, filepath.Join(pathOf(t, o, "Preprocess.Train"), "train.csv"))
		}, corrupt},
		{"gone", func(t *testing.T, _ *project, o *pipeline.Outcome) {
			if err := os.Remove(filepath.Join(pathOf(t, o, "Preprocess.Train"), "train.csv")); err != nil {
				t.Fatal(err)
			}
		}, `^Preprocess the outputs of run [0-9a-f]{12} cannot be used: artifact train\.csv of run [0-9a-f]{12} is corrupt ` +
			`\(its file is gone; sha256 expected [0-9a-f]{12}\); step Preprocess runs again$`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			modes(t, func(t *testing.T, isolation string) {
				p := training(t, isolation)
				first := p.succeed(`{}`)
				tt.damage(t, p, first)
				second := p.succeed(`{}`)
				if diff := cmp.Diff([]string{"Train", "Evaluate"}, cachedSteps(second)); diff != "" {
					t.Error(diff)
				}
				warned := p.said(pipeline.Warned)
				if len(warned) != 1 {
					t.Fatalf("warned: %q", warned)
				}
				matches(t, "the warning", warned[0], tt.warned)
				// What it wrote is sound, and is taken from now on.
				content, err := os.ReadFile(filepath.Join(pathOf(t, second, "Preprocess.Train"), "train.csv"))
				if err != nil || !strings.HasPrefix(string(content), "age,income\n") {
					t.Errorf("train.csv is %q, %v", content, err)
				}
				if got := cachedSteps(p.succeed(`{}`)); len(got) != 3 {
					t.Errorf("the third run's cached steps: %v", got)
				}
			})
		})
	}
}

// pathOf is where an artifact of a run is.
func pathOf(t *testing.T, o *pipeline.Outcome, name string) string {
	t.Helper()
	for _, a := range o.Artifacts {
		if a.Name == name {
			return a.Path
		}
	}
	t.Fatalf("run %s has no artifact %s", o.Run, name)
	return ""
}

// TestCacheAcrossPipelines: what another pipeline of the workspace has made is taken, if
// its key is the same, and else not.
func TestCacheAcrossPipelines(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	first := p.succeed(`{}`)
	p.definition.Name = "census-other"
	p.definition.ASL = []byte(strings.ReplaceAll(string(p.definition.ASL), "census-training", "census-other"))
	second := p.succeed(`{}`)
	if diff := cmp.Diff([]string{"Preprocess", "Train", "Evaluate"}, cachedSteps(second)); diff != "" {
		t.Error(diff)
	}
	if why := second.Steps[0].Why; why != "run "+first.Run {
		t.Errorf("taken from %q", why)
	}
	for _, a := range second.Artifacts[1:] {
		if !strings.HasPrefix(a.URI, "s3://local/runs/census-other/"+second.Run+"/") {
			t.Errorf("%s is %s", a.Name, a.URI)
		}
	}
	third := p.with(Reuse{Why: true}).succeed(`{"Preprocess.SplitRatio": 0.3}`)
	if why := third.Steps[0].Why; why != "since run "+second.Run+": argument --train-test-split-ratio was 0.2, is 0.3" {
		t.Errorf("it ran for %q", why)
	}
}

// TestFailedStepIsNotCached: neither what a failed try wrote, nor that it failed.
func TestFailedStepIsNotCached(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.write("steps/train/train.sh", "#!/bin/sh\necho x > \"$SM_MODEL_DIR/x\"\n[ -f \"$SM_MODEL_DIR/y\" ]\n", 0o755)
	first := p.fails(t.Context(), `{}`)
	second, err := p.with(Reuse{Why: true}).run(t.Context(), `{}`)
	if err != nil || second.Status != pipeline.Failed {
		t.Fatalf("%+v, %v", second, err)
	}
	if diff := cmp.Diff([]string{"Preprocess"}, cachedSteps(second)); diff != "" {
		t.Error(diff)
	}
	if why := second.Steps[1].Why; why != "it ended FAILED in run "+first.Run {
		t.Errorf("it ran for %q", why)
	}
}

// TestCachedRunStartsNothing: a run of which every step is cached starts no helper.
func TestCachedRunStartsNothing(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		p.succeed(`{}`)
		for _, tt := range []struct {
			input  string
			starts bool
		}{{`{}`, false}, {`{"Train.Strength": 1.0}`, true}, {`{"Train.Strength": 1.0}`, false}} {
			r, err := New(p.options)
			if err != nil {
				t.Fatal(err)
			}
			x, err := r.begin(t.Context(), p.definition, nil)
			if err != nil {
				t.Fatal(err)
			}
			o, err := x.run(t.Context(), json.RawMessage(tt.input))
			started := x.helpers.all != nil
			x.helpers.Close()
			if err := x.close(&x.cleaning); err != nil {
				t.Error(err)
			}
			if err != nil || o.Status != pipeline.Succeeded {
				t.Fatalf("%+v, %v", o, err)
			}
			if started != tt.starts {
				t.Errorf("%s: a helper was started: %v", tt.input, started)
			}
		}
	})
}

// TestResumedRunIsLinked: it says which run it goes on from, and what has changed since of
// what was complete.
func TestResumedRunIsLinked(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.write("steps/evaluate/evaluate.sh", "exit 1\n", 0o644)
	first := p.fails(t.Context(), `{}`)
	p.write("steps/evaluate/evaluate.sh", evaluateScript, 0o644)
	p.write("steps/train/train.sh", trainScript+"# changed\n", 0o755)
	p.events = nil
	second := p.with(Reuse{Resumes: first.Run}).succeed(`{}`)
	if second.Resumes != first.Run {
		t.Errorf("it resumes %q", second.Resumes)
	}
	if diff := cmp.Diff([]string{"Preprocess"}, cachedSteps(second)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Train since run " + first.Run + ": code changed"}, p.said(pipeline.StepExplained)); diff != "" {
		t.Error(diff)
	}
	run, err := p.record().Run(t.Context(), second.Run)
	if err != nil || run.Resumes != first.Run {
		t.Errorf("recorded: %+v, %v", run, err)
	}
}

func TestPartsOfAPipeline(t *testing.T) {
	t.Parallel()
	names := []string{"Preprocess", "Train", "Evaluate", "Register"}
	ok := map[Reuse]string{
		{}:                              "",
		{NoCache: true}:                 "",
		{From: "Train"}:                 "",
		{Only: "Register"}:              "only Register",
		{Until: "Train"}:                "until Train",
		{From: "Train", Until: "Train"}: "until Train",
		{NoCache: true, Until: "Train"}: "until Train",
	}
	for u, partial := range ok {
		if err := u.Check(names); err != nil || u.partial() != partial {
			t.Errorf("%+v: %q, %v", u, u.partial(), err)
		}
	}
	for _, u := range []Reuse{
		{From: "train"}, {Only: "X"}, {Until: "X"}, {Only: "Train", From: "Train"}, {Only: "Train", Until: "Train"},
		{NoCache: true, From: "Train"}, {NoCache: true, Only: "Train"}, {From: "Evaluate", Until: "Train"},
	} {
		if u.Check(names) == nil {
			t.Errorf("%+v is taken", u)
		}
	}
	p := training(t, "direct")
	o, err := p.with(Reuse{Until: "Nothing"}).run(t.Context(), `{}`)
	if err == nil || o.Status != pipeline.Failed {
		t.Errorf("an unknown step: %+v, %v", o, err)
	}
	o = p.with(Reuse{Until: "Preprocess"}).succeed(`{}`)
	if o.Partial != "until Preprocess" || o.Output != nil || o.Model != nil {
		t.Errorf("%+v", o)
	}
	if diff := cmp.Diff([]string{"Train", "Evaluate", "Register"}, p.said(pipeline.StepSkipped)); diff != "" {
		t.Error(diff)
	}
	run, err := p.record().Run(t.Context(), o.Run)
	if err != nil || run.Partial != "until Preprocess" || run.Status != "SUCCEEDED" {
		t.Errorf("recorded: %+v, %v", run, err)
	}
	// A registration is no step that can be cached.
	p.with(Reuse{}).succeed(`{}`)
	o = p.with(Reuse{Only: "Register"}).succeed(`{}`)
	if len(cachedSteps(o)) != 3 || o.Steps[3].Status != pipeline.Succeeded || o.Partial != "only Register" {
		t.Errorf("%+v", o)
	}
}
