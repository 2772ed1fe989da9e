package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
)

// A Source is what is known of runs. *[record.DB] is one.
type Source interface {
	// Previous is the run of the same pipeline before r that it is compared with, or an
	// error that wraps [record.ErrNotFound].
	Previous(ctx context.Context, r *record.Run) (*record.Run, error)
	Steps(ctx context.Context, run string) ([]record.Step, error)
	Jobs(ctx context.Context, run string) ([]record.Job, error)
	Artifacts(ctx context.Context, run string) ([]record.Artifact, error)
	Edges(ctx context.Context, run string) ([]record.Edge, error)
	// StepsByID are steps, without their requests where those are not asked for.
	StepsByID(ctx context.Context, ids []int64, requests bool) ([]record.Step, error)
}

// A gathering is one run being read, with the one before it.
type gathering struct {
	now, before side
	definition  *pipeline.Definition
}

// A side is what is known of one of the two runs.
type side struct {
	run       *record.Run
	steps     []record.Step
	jobs      []record.Job
	artifacts []record.Artifact
	edges     []record.Edge
}

// Gather reads what there is to say of a run. The definition is that of its pipeline
// as it is now; logs holds the workspace's folder runs by the names in the record.
func Gather(ctx context.Context, s Source, d *pipeline.Definition, run *record.Run, logs fs.FS) (*Report, error) {
	g := &gathering{definition: d}
	var err error
	if g.now, err = read(ctx, s, run); err != nil {
		return nil, err
	}
	previous, err := s.Previous(ctx, run)
	switch {
	case errors.Is(err, record.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		if g.before, err = read(ctx, s, previous); err != nil {
			return nil, err
		}
	}
	r := &Report{
		Pipeline: run.Pipeline, Run: run.ID, Status: run.Status, Started: run.Started,
		Error: run.Error, Cause: run.Cause, FailedStep: run.FailedStep, Facts: facts(run),
	}
	if d.Name == run.Pipeline {
		r.Doc = d.Doc
	}
	if run.Ended.After(run.Started) {
		r.Seconds = run.Ended.Sub(run.Started).Seconds()
	}
	if g.before.run != nil {
		r.Previous = g.before.run.ID
	}
	r.Parameters = compared(parameters(g.now.run), parameters(g.before.run), g.before.run != nil)
	r.Metrics = compared(metrics(g.now.run), metrics(g.before.run), g.before.run != nil)
	r.Changes = g.changes()
	r.Graph = g.graph()
	if r.Steps, err = g.steps(ctx, s, logs); err != nil {
		return nil, err
	}
	r.Artifacts = g.artifacts()
	return r, nil
}

// read reads one run.
func read(ctx context.Context, s Source, run *record.Run) (side, error) {
	o := side{run: run}
	var errs [4]error
	o.steps, errs[0] = s.Steps(ctx, run.ID)
	o.jobs, errs[1] = s.Jobs(ctx, run.ID)
	o.artifacts, errs[2] = s.Artifacts(ctx, run.ID)
	o.edges, errs[3] = s.Edges(ctx, run.ID)
	if err := errors.Join(errs[:]...); err != nil {
		return side{}, fmt.Errorf("read run %s: %w", run.ID, err)
	}
	return o, nil
}

// facts are what a run was made of, in words.
func facts(r *record.Run) []Fact {
	commit := r.Commit
	switch {
	case commit == "":
		commit = "not known"
	case r.Dirty:
		commit += ", and the tree differed from it"
	}
	all := []Fact{{"execution", r.Execution}, {"commit", commit}, {"definition", "sha256:" + r.Definition}, {"isolation", r.Isolation}}
	if r.Resumes != "" {
		all = append(all, Fact{"goes on from", "run " + r.Resumes})
	}
	if r.Partial != "" {
		all = append(all, Fact{"part of the pipeline", r.Partial})
	}
	return all
}

// parameters are a run's, as text.
func parameters(r *record.Run) map[string]string {
	if r == nil {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(r.Parameters, &all) != nil {
		return nil // an interrupted run may have none
	}
	shown := make(map[string]string, len(all))
	for key, raw := range all {
		shown[key] = plain(raw)
	}
	return shown
}

// plain is a JSON value as text: a string without its quotes.
func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// metrics are what the machine's output says of reports, by "Step.Output.Field".
func metrics(r *record.Run) map[string]string {
	if r == nil {
		return nil
	}
	var out struct {
		Metrics map[string]map[string]map[string]json.RawMessage
	}
	if json.Unmarshal(r.Output, &out) != nil {
		return nil // a run that did not succeed has no output
	}
	shown := map[string]string{}
	for step, outputs := range out.Metrics {
		for output, fields := range outputs {
			for field, raw := range fields {
				shown[step+"."+output+"."+field] = plain(raw)
			}
		}
	}
	return shown
}

// compared puts two sets of values beside each other.
func compared(now, before map[string]string, both bool) []Value {
	names := slices.Collect(maps.Keys(now))
	for name := range before {
		if _, there := now[name]; !there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var all []Value
	for _, name := range names {
		all = append(all, Value{Name: name, Value: now[name], Before: before[name], Changed: both && now[name] != before[name]})
	}
	return all
}

// changes are what else the previous run had otherwise.
func (g *gathering) changes() []Change {
	if g.before.run == nil {
		return nil
	}
	var all []Change
	add := func(what, before, now string) {
		if before != now {
			all = append(all, Change{what, or(before, "none"), or(now, "none")})
		}
	}
	add("definition", short(g.before.run.Definition), short(g.now.run.Definition))
	add("commit", short(g.before.run.Commit), short(g.now.run.Commit))
	for _, name := range union(g.before.jobs, g.now.jobs, func(j record.Job) string { return j.Step }) {
		b, n := job(g.before.jobs, name), job(g.now.jobs, name)
		add("code of "+name, short(b.Code), short(n.Code))
		add("image of "+name, b.Image, n.Image)
		add("Python of "+name, b.Python, n.Python)
		was, is := apart(b.Packages, n.Packages)
		add("packages of "+name, was, is)
	}
	for _, name := range union(g.before.artifacts, g.now.artifacts, func(a record.Artifact) string { return a.Name }) {
		add("artifact "+name, short(digestOf(g.before.artifacts, name)), short(digestOf(g.now.artifacts, name)))
	}
	return all
}

// union is the sorted names of two lists.
func union[T any](a, b []T, name func(T) string) []string {
	var all []string
	for _, one := range slices.Concat(a, b) {
		all = append(all, name(one))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func job(jobs []record.Job, step string) record.Job {
	for _, j := range jobs {
		if j.Step == step {
			return j
		}
	}
	return record.Job{}
}

// apart are the packages that only one of two lists has.
func apart(a, b []string) (onlyA, onlyB string) {
	only := func(in, out []string) string {
		return strings.Join(slices.DeleteFunc(slices.Clone(in), func(p string) bool { return slices.Contains(out, p) }), ", ")
	}
	return only(a, b), only(b, a)
}

// digestOf is the digest of the last artifact of a name.
func digestOf(artifacts []record.Artifact, name string) string {
	for _, a := range slices.Backward(artifacts) {
		if a.Name == name {
			return a.Digest
		}
	}
	return ""
}

// short is enough of a digest to tell it from others.
func short(digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	return digest[:min(len(digest), 12)]
}

func or(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}

// digestOfNothing is the digest of an empty file, and of an empty folder.
const digestOfNothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// artifacts are what the run was given and made.
func (g *gathering) artifacts() []Artifact {
	var all []Artifact
	for _, a := range g.now.artifacts {
		size := pipeline.Size(a.Bytes)
		if a.Bytes == 0 && a.Digest != digestOfNothing {
			size = "" // nobody here has seen it
		}
		all = append(all, Artifact{Name: a.Name, Size: size, Digest: strings.TrimPrefix(a.Digest, "sha256:"), URI: a.URI, Given: a.Step == ""})
	}
	return all
}
