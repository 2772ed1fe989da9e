// Package report makes one HTML file of a run: graph, timeline, parameters, metrics,
// artifacts, lineage, logs, and what is different from the run before. In goes what
// the record and the definition know, out comes a page that needs nothing else: it
// holds no script, asks for nothing over a network, and says so to the browser.
//
// [Gather] reads a run into a [Report]; [Write] writes that as a page. Whatever a
// step, a parameter or a file name holds is text in the page and never a part of it.
package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"sync"
	"time"
)

// A Report is what a page shows of a run.
type Report struct {
	Pipeline, Doc string
	Run           string
	Status        string
	Started       time.Time
	Seconds       float64
	// Error, Cause and FailedStep say how it failed.
	Error, Cause, FailedStep string
	// Facts are what the run was made of, in words: commit, definition, isolation.
	Facts []Fact
	// Previous is the run that this one is compared with, or empty.
	Previous   string
	Parameters []Value
	Metrics    []Value
	// Changes are what else is different from the previous run: code, packages, data.
	Changes   []Change
	Graph     Graph
	Steps     []Step
	Artifacts []Artifact
	// Lineage is what the run was made from and what used it, as the tree that package
	// lineage draws.
	Lineage string
	// Notes are what the run did not prove, and what became of the model.
	Notes []string
}

// A Fact is a name and what is known under it.
type Fact struct{ Name, Value string }

// A Value is a parameter or metric, with that of the previous run.
type Value struct {
	Name, Value, Before string
	// Changed says that the previous run had another one, or none.
	Changed bool
}

// A Change is something that the previous run had otherwise.
type Change struct{ What, Before, Now string }

// A Step is one try of a step.
type Step struct {
	Name, Kind, Status string
	Attempt            int
	Started            time.Time
	Seconds            float64
	// From is the run that its outputs were taken from, or empty.
	From string
	// Reason says why it failed.
	Reason string
	// Code and Image are what it ran, Memory its peak.
	Code, Image, Memory string
	// Log is the end of what it wrote; Cut says how much before that is left out.
	Log []string
	Cut string
}

// An Artifact is something that the run read or wrote.
type Artifact struct {
	Name, Size, Digest, URI string
	// Given says that the run was given it and did not make it.
	Given bool
}

//go:embed report.html
var files embed.FS

// page is read when it is first needed: no other command waits for it.
var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report.html").Funcs(template.FuncMap{
		"span": span, "clock": clock, "statusClass": statusClass,
	}).ParseFS(files, "report.html"))
})

// Write writes the page.
func Write(w io.Writer, r *Report) error {
	view := struct {
		*Report
		Drawing  *drawing
		Timeline *timeline
	}{r, draw(r.Graph), lay(r)}
	if err := page().Execute(w, view); err != nil {
		return fmt.Errorf("write the report of run %s: %w", r.Run, err)
	}
	return nil
}

// span is a time in words.
func span(seconds float64) string {
	switch {
	case seconds < 60:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min %d s", int(seconds)/60, int(seconds)%60)
	default:
		return fmt.Sprintf("%d h %d min", int(seconds)/3600, int(seconds)/60%60)
	}
}

// clock is a moment, in UTC, which is the same for every reader.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// statusClass is the style of a status.
func statusClass(status string) string {
	switch status {
	case "SUCCEEDED":
		return "good"
	case "FAILED", "TIMED_OUT", "ABORTED":
		return "bad"
	case "CACHED":
		return "kept"
	}
	return "idle"
}
