package report

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// cached is the status of a step whose outputs were taken from an earlier run.
const cached = "CACHED"

// status is a try's, as it is shown.
func status(s *record.Step) string {
	if s.CachedFrom != 0 {
		return cached
	}
	return s.Status
}

// steps are the tries of the run's steps, and those steps that did not begin.
func (g *gathering) steps(ctx context.Context, s Source, logs fs.FS) ([]Step, error) {
	var all []Step
	for i := range g.now.steps {
		try := &g.now.steps[i]
		if try.Kind == "call" {
			continue
		}
		made := job(g.now.jobs, try.Name)
		one := Step{
			Name: try.Name, Kind: try.Kind, Status: status(try), Attempt: try.Attempt, Started: try.Started,
			Reason: terminal.Clean(try.Reason), Code: short(made.Code), Image: made.Image,
		}
		if try.Ended.After(try.Started) {
			one.Seconds = try.Ended.Sub(try.Started).Seconds()
		}
		if try.MaxRSS > 0 {
			one.Memory = pipeline.Size(try.MaxRSS)
		}
		log := try.Log
		if try.CachedFrom != 0 {
			from, err := s.StepsByID(ctx, []int64{try.CachedFrom}, false)
			if err != nil {
				return nil, err
			}
			for _, origin := range from {
				one.From, log = origin.Run, origin.Log // what it wrote, it wrote there
			}
		}
		if log != "" {
			one.Log, one.Cut = end(logs, log)
		}
		all = append(all, one)
	}
	for _, n := range g.unbegun() {
		all = append(all, Step{Name: n, Status: string(pipeline.Skipped)})
	}
	return all, nil
}

// unbegun are the steps of the definition that the run did not come to.
func (g *gathering) unbegun() []string {
	if g.definition.Name != g.now.run.Pipeline {
		return nil
	}
	var all []string
	add := func(name string) {
		if !slices.ContainsFunc(g.now.steps, func(s record.Step) bool { return s.Name == name }) {
			all = append(all, name)
		}
	}
	for _, j := range g.definition.Jobs {
		add(j.Name)
	}
	for _, r := range g.definition.Registrations {
		add(r.Name)
	}
	return all
}

// logBytes is how much of the end of a log a report holds.
const logBytes = 64 << 10

// end is the end of a log, and what is said of the rest.
func end(logs fs.FS, name string) (lines []string, cut string) {
	file, err := logs.Open(name)
	if err != nil {
		return nil, "The log is gone."
	}
	defer file.Close()
	text, before, err := last(file)
	if err != nil {
		return nil, "The log cannot be read: " + err.Error()
	}
	if before > 0 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
		cut = fmt.Sprintf("The first %s are left out.", pipeline.Size(before))
	}
	for line := range strings.Lines(string(text)) {
		lines = append(lines, terminal.Line(line))
	}
	return lines, cut
}

// last reads the end of a file, and says how much is before it.
func last(file fs.File) (text []byte, before int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	if before = max(0, info.Size()-logBytes); before > 0 {
		if _, err := io.CopyN(io.Discard, file, before); err != nil {
			return nil, 0, err
		}
	}
	text, err = io.ReadAll(io.LimitReader(file, logBytes))
	return text, before, err
}

// graph is the run as nodes and edges. Steps that did not begin hang on the one
// before them, since nobody knows what they would have read.
func (g *gathering) graph() Graph {
	var graph Graph
	node := func(n Node) {
		if !slices.ContainsFunc(graph.Nodes, func(o Node) bool { return o.ID == n.ID }) {
			graph.Nodes = append(graph.Nodes, n)
		}
	}
	for _, e := range g.now.edges {
		if e.Direction == "in" && g.source(e.Artifact) != "step "+e.Artifact.Step {
			node(g.given(e.Artifact))
		}
	}
	for i := range g.now.steps {
		try := &g.now.steps[i]
		if try.Kind == "call" {
			continue
		}
		kind, at := "step", slices.IndexFunc(graph.Nodes, func(o Node) bool { return o.ID == "step "+try.Name })
		if try.Kind == "register" {
			kind = "model"
		}
		n := Node{ID: "step " + try.Name, Label: try.Name, Detail: try.Kind, Kind: kind, Status: status(try)}
		if at >= 0 {
			graph.Nodes[at] = n // its last try
			continue
		}
		node(n)
	}
	for _, e := range g.now.edges {
		if e.Direction != "in" {
			continue
		}
		edge := Edge{From: g.source(e.Artifact), To: "step " + e.Step, Label: e.Port}
		if !slices.Contains(graph.Edges, edge) {
			graph.Edges = append(graph.Edges, edge)
		}
	}
	return g.ordered(graph)
}

// source is the node that an artifact comes from.
func (g *gathering) source(a record.Artifact) string {
	if a.Run == g.now.run.ID && a.Step != "" {
		return "step " + a.Step
	}
	return "given " + a.URI
}

// given is the node of what the run did not make.
func (g *gathering) given(a record.Artifact) Node {
	n := Node{ID: "given " + a.URI, Label: a.Name, Detail: "data", Kind: "data"}
	if a.Step != "" {
		n.Detail, n.Kind = "of run "+a.Run, "other"
	}
	return n
}

// ordered adds the steps that did not begin, and joins what nothing is joined to.
func (g *gathering) ordered(graph Graph) Graph {
	last := ""
	for _, n := range graph.Nodes {
		if n.Kind == "data" || n.Kind == "other" {
			continue
		}
		if last != "" && !slices.ContainsFunc(graph.Edges, func(e Edge) bool { return e.To == n.ID }) {
			graph.Edges = append(graph.Edges, Edge{From: last, To: n.ID})
		}
		last = n.ID
	}
	for _, name := range g.unbegun() {
		n := Node{ID: "step " + name, Label: name, Detail: "did not begin", Kind: "step", Status: string(pipeline.Skipped)}
		graph.Nodes = append(graph.Nodes, n)
		if last != "" {
			graph.Edges = append(graph.Edges, Edge{From: last, To: n.ID})
		}
		last = n.ID
	}
	return graph
}
