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
