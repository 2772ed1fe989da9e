package openlineage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
)

// jobNamespace is where the jobs of local runs are.
const jobNamespace = "mlmax/local"

// Facts is what is known of a run while it goes on: a [record.DB].
type Facts interface {
	Run(ctx context.Context, id string) (*record.Run, error)
	Edges(ctx context.Context, run string) ([]record.Edge, error)
}

// A translator turns the events of one run into those of OpenLineage.
type translator struct {
	definition *pipeline.Definition
	// open are the steps that have started and not ended, by the number of their try.
	open map[string]int
}

// translate gives the events that one event of a run stands for. Facts may be nil
// where there are none yet; an error of them comes with events that lack them.
func (t *translator) translate(ctx context.Context, e pipeline.Event, facts Facts) ([]RunEvent, error) {
	known, err := t.look(ctx, e, facts)
	switch e.Kind {
	case pipeline.RunStarted:
		return []RunEvent{t.run("START", e, known)}, err
	case pipeline.RunEnded:
		return []RunEvent{t.run(ending(e.Status), e, known)}, err
	case pipeline.StepStarted:
		t.open[e.Step] = 0
		return []RunEvent{t.step("START", e, 0, known)}, err
	case pipeline.StepRetried:
		if _, ok := t.open[e.Step]; !ok {
			return nil, err
		}
		t.open[e.Step] = e.Attempt
		failed := t.step("FAIL", e, e.Attempt-1, known)
		e.Message = ""
		return []RunEvent{failed, t.step("START", e, e.Attempt, known)}, err
	case pipeline.StepSucceeded, pipeline.StepFailed:
		attempt, ok := t.open[e.Step]
		if !ok {
			return nil, err // a state that is no step: the run's own event tells of it
		}
		delete(t.open, e.Step)
		return []RunEvent{t.step(ending(e.Status), e, attempt, known)}, err
	}
	return nil, nil
}

// told says whether an event of a run stands for any.
func told(kind pipeline.EventKind) bool {
	return slices.Contains([]pipeline.EventKind{
		pipeline.RunStarted, pipeline.RunEnded, pipeline.StepStarted, pipeline.StepRetried, pipeline.StepSucceeded, pipeline.StepFailed,
	}, kind)
}

// ending is the type of the event of an end.
func ending(s pipeline.Status) string {
	switch s {
	case pipeline.Succeeded:
		return "COMPLETE"
	case pipeline.Aborted:
		return "ABORT"
	}
	return "FAIL"
}

// knowledge is what the record says of a run.
type knowledge struct {
	run   *record.Run
	edges []record.Edge
}

// look reads what the record knows. At a run's start there is no record of it yet.
func (t *translator) look(ctx context.Context, e pipeline.Event, facts Facts) (knowledge, error) {
	if facts == nil || e.Kind == pipeline.RunStarted {
		return knowledge{}, nil
	}
	var k knowledge
	var err error
	if k.run, err = facts.Run(ctx, e.Run); errors.Is(err, record.ErrNotFound) {
		return knowledge{}, nil // it ended before it was recorded
	}
	if err != nil {
		return knowledge{}, err
	}
	k.edges, err = facts.Edges(ctx, e.Run)
	return k, err
}

// run is an event of the run itself: its datasets are those that came from outside
// of it, and all that it wrote.
func (t *translator) run(kind string, e pipeline.Event, k knowledge) RunEvent {
	out := t.event(kind, e)
	out.Run.RunID = RunUUID(e.Run)
	out.Job = t.pipeline()
	out.Job.Facets = &JobFacets{
		JobType: jobType("PIPELINE"), Documentation: documentation(t.definition.Doc),
		SourceCodeLocation: t.source(k.run, strings.TrimPrefix(t.definition.Spec, t.definition.Module+"/")),
	}
	out.Run.Facets.Parameters = parameters(k.run)
	own := map[string]bool{}
	for _, edge := range k.edges {
		if edge.Direction == "out" {
			own[trim(edge.Artifact.URI)] = true
		}
	}
	for _, edge := range k.edges {
		switch {
		case edge.Direction == "out":
			out.Outputs = add(out.Outputs, output(&edge.Artifact))
		case !own[trim(edge.Artifact.URI)]:
			out.Inputs = add(out.Inputs, input(&edge.Artifact))
		}
	}
	if out.EventType == "FAIL" || out.EventType == "ABORT" {
		out.Run.Facets.ErrorMessage = errorMessage(e.Message, "Amazon States Language")
	}
	return out
}

// step is an event of a try of a step.
func (t *translator) step(kind string, e pipeline.Event, attempt int, k knowledge) RunEvent {
	out := t.event(kind, e)
	out.Run.RunID = StepUUID(e.Run, e.Step, attempt)
	out.Run.Facets.Parent = &Parent{Facet: facet("1-2-0", "ParentRunFacet"), Run: Run{RunID: RunUUID(e.Run)}, Job: t.pipeline()}
	out.Job = Job{Namespace: jobNamespace, Name: t.definition.Name + "." + e.Step, Facets: &JobFacets{JobType: jobType("STEP")}}
	language := "Amazon States Language"
	for i := range t.definition.Jobs {
		if j := &t.definition.Jobs[i]; j.Name == e.Step {
			out.Job.Facets.Documentation = documentation(j.Doc)
			out.Job.Facets.SourceCodeLocation = t.source(k.run, path.Join(j.CodeDir, j.Script))
			language = "PYTHON"
			if path.Ext(j.Script) != ".py" {
				language = "SHELL"
			}
			if j.Pin != "" {
				out.Job.Facets.SourceCodeLocation = nil // it runs a model version's code
			}
		}
	}
	for _, edge := range k.edges {
		if edge.Step != e.Step || edge.Attempt != attempt {
			continue
		}
		if edge.Direction == "out" {
			out.Outputs = add(out.Outputs, output(&edge.Artifact))
		} else {
			out.Inputs = add(out.Inputs, input(&edge.Artifact))
		}
	}
	if e.Cached {
		out.Run.Facets.Tags = &Tags{Facet: facet("1-0-0", "TagsRunFacet"), Tags: []Tag{{Key: "cached", Value: "true", Source: integrator}}}
	}
	if kind == "FAIL" || kind == "ABORT" {
		out.Run.Facets.ErrorMessage = errorMessage(e.Message, language)
	}
	return out
}

// event is what all events have.
func (t *translator) event(kind string, e pipeline.Event) RunEvent {
	return RunEvent{
		EventType: kind, EventTime: e.Time.UTC(), Producer: producer, SchemaURL: eventURL, Inputs: []Dataset{}, Outputs: []Dataset{},
		Run: Run{Facets: &RunFacets{ProcessingEngine: &ProcessingEngine{Facet: facet("1-1-1", "ProcessingEngineRunFacet"), Version: version(), Name: "mlmax"}}},
	}
}

func (t *translator) pipeline() Job {
	return Job{Namespace: jobNamespace, Name: t.definition.Name}
}

// version is that of this module, as it was built.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == "github.com/mlmax/mlmax" && m.Version != "" {
				return m.Version
			}
		}
	}
	return "(devel)"
}

// source is where code is kept. The module's path stands for the repository: it is
// its address for most modules, and a name for the others.
func (t *translator) source(r *record.Run, file string) *SourceCodeLocation {
	if r == nil || r.Commit == "" {
		return nil
	}
	s := &SourceCodeLocation{Facet: facet("1-1-0", "SourceCodeLocationJobFacet"), Type: "git", Path: file, Version: r.Commit}
	if r.Dirty {
		s.Version += "-dirty" // as git describe says it
	}
	if first, _, _ := strings.Cut(t.definition.Module, "/"); strings.Contains(first, ".") {
		s.URL = "https://" + t.definition.Module
	} else {
		s.URL = "pkg:golang/" + t.definition.Module
	}
	return s
}

func jobType(what string) *JobType {
	return &JobType{Facet: facet("2-0-4", "JobTypeJobFacet"), ProcessingType: "BATCH", Integration: integrator, JobType: what}
}

func documentation(doc string) *Documentation {
	if doc == "" {
		return nil
	}
	return &Documentation{Facet: facet("1-1-0", "DocumentationJobFacet"), Description: doc}
}

func errorMessage(message, language string) *ErrorMessage {
	return &ErrorMessage{Facet: facet("1-0-1", "ErrorMessageRunFacet"), Message: message, ProgrammingLanguage: language}
}

// parameters are the values of a run, in order.
func parameters(r *record.Run) *Parameters {
	if r == nil {
		return nil
	}
	var values map[string]json.RawMessage
	if json.Unmarshal(r.Parameters, &values) != nil {
		return nil
	}
	p := &Parameters{Facet: facet("1-0-0", "ExecutionParametersRunFacet"), Parameters: []Parameter{}}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		text := string(values[key])
		var s string
		if json.Unmarshal(values[key], &s) == nil {
			text = s
		}
		p.Parameters = append(p.Parameters, Parameter{key, text})
	}
	return p
}

// dataset is an artifact.
func dataset(a *record.Artifact) Dataset {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(a.URI, "s3://"), "/")
	d := Dataset{Namespace: "s3://" + bucket, Name: trim(key)}
	if a.Digest != "" {
		d.Facets = &DatasetFacets{Version: &DatasetVersion{Facet: facet("1-0-1", "DatasetVersionDatasetFacet"), DatasetVersion: a.Digest}}
	}
	return d
}

func input(a *record.Artifact) Dataset {
	d := dataset(a)
	d.InputFacets = &InputFacets{Statistics: &Statistics{Facet: facet("1-0-0", "InputStatisticsInputDatasetFacet"), Size: a.Bytes}}
	return d
}

func output(a *record.Artifact) Dataset {
	d := dataset(a)
	d.OutputFacets = &OutputFacets{Statistics: &Statistics{Facet: facet("1-0-2", "OutputStatisticsOutputDatasetFacet"), Size: a.Bytes}}
	return d
}

// add adds a dataset, unless it is there.
func add(list []Dataset, d Dataset) []Dataset {
	if slices.ContainsFunc(list, func(o Dataset) bool { return o.Namespace == d.Namespace && o.Name == d.Name }) {
		return list
	}
	return append(list, d)
}

// trim is a URI or key without the slash that ends a folder.
func trim(uri string) string { return strings.TrimSuffix(uri, "/") }

// lost says how many events were not delivered, and why.
func lost(n, all int, to string, why error) error {
	return fmt.Errorf("%d of %d OpenLineage events did not reach %s: %w; the run is not affected", n, all, to, why)
}
