package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/progress"
)

// report writes how the run ended: as JSON, or as a summary, which goes to
// standard output when the run succeeded and to standard error when not.
func (a *app) report(o runOptions, outcome *pipeline.Outcome) error {
	err := a.summarize(o.json, outcome, progress.SummaryOptions{Command: a.here(), Path: shorten, Tail: tail})
	if err != nil {
		return fmt.Errorf("run %s ended %s and is recorded, but not told: %w\n\thint: see %s runs", outcome.Run, outcome.Status, err, a.here())
	}
	return nil
}

// summarize writes an outcome: one that is good or still open to standard output.
func (a *app) summarize(asJSON bool, outcome *pipeline.Outcome, o progress.SummaryOptions) error {
	if asJSON {
		return a.printJSON(outcome)
	}
	var w io.Writer = a.stdout
	switch outcome.Status {
	case pipeline.Failed, pipeline.TimedOut, pipeline.Aborted:
		w = a.stderr
	}
	o.Color = colored(w)
	return progress.Summary(w, outcome, o)
}

// fail reports a run that could not be started or finished.
func (a *app) fail(o runOptions, code int, problem error, outcome *pipeline.Outcome) error {
	if o.json {
		if outcome.Error == "" && outcome.Cause != "" {
			outcome.Error = "Trouble" // of the world, which the machine has no name for
		}
		problem = errors.Join(problem, a.printJSON(outcome))
	}
	return &exit{code, problem}
}

// printJSON writes an outcome as one object; what is empty is there as such.
func (a *app) printJSON(o *pipeline.Outcome) error {
	a.printed = true
	shown := *o
	if shown.Parameters == nil {
		shown.Parameters = map[string]any{}
	}
	if shown.Metrics == nil {
		shown.Metrics = map[string]any{}
	}
	if shown.Steps == nil {
		shown.Steps = []pipeline.StepOutcome{}
	}
	if shown.Artifacts == nil {
		shown.Artifacts = []pipeline.Artifact{}
	}
	return encode(a.stdout, shown)
}

// encode writes a value as indented JSON.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// shorten is a path relative to the folder that the reader is in, if it lies below
// it.
func shorten(p string) string {
	dir, err := os.Getwd()
	if err != nil {
		return p
	}
	rel, err := filepath.Rel(dir, p)
	if err != nil || !filepath.IsLocal(rel) {
		return p
	}
	return rel
}
