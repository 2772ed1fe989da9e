package ir_test

import (
	"fmt"
	"go/token"
	"slices"
	"testing"

	"github.com/mlmax/mlmax/gen/ir"
)

func written(s string) ir.At[string] {
	return ir.At[string]{V: s, Pos: token.Position{Filename: "x.go", Line: 1, Column: 1}}
}

// line is a spec of two pipelines: Fit makes and registers a model by two of its three
// steps, Score starts from it.
func line(from string) *ir.Spec {
	data, set, model, report := &ir.Artifact{Name: "Data"}, &ir.Artifact{Name: "Set"}, &ir.Artifact{Name: "Model"}, &ir.Artifact{Name: "Report"}
	mode := ir.At[ir.Only]{V: ir.Only{Field: written("Mode"), Value: written("infer")}, Pos: written("").Pos}
	prepare := &ir.Step{Name: "Prepare", Ports: []*ir.Port{
		{Name: "Data", Form: ir.InputForm, Artifact: data}, {Name: "Set", Form: ir.OutputForm, Artifact: set},
		{Name: "Other", Form: ir.OutputForm, Artifact: report, Only: mode},
	}}
	train := &ir.Step{Name: "Train", Ports: []*ir.Port{{Name: "Set", Form: ir.ChannelForm, Artifact: set}, {Name: "Model", Form: ir.ModelForm, Artifact: model}}}
	judge := &ir.Step{Name: "Judge", Ports: []*ir.Port{{Name: "Model", Form: ir.InputForm, Artifact: model}, {Name: "Report", Form: ir.OutputForm, Artifact: report}}}
	trained := []ir.Assignment{{Left: written("Mode"), Right: written("train")}}
	return &ir.Spec{Pipelines: []*ir.Pipeline{
		{
			GoName: "Fit", Sources: []*ir.Source{{Name: "Data", Artifact: data}},
			Uses:      []*ir.Use{{Name: "P", Index: 1, Step: prepare, Set: trained}, {Name: "T", Index: 2, Step: train}, {Name: "J", Index: 3, Step: judge}},
			Registers: []*ir.Register{{Name: "R", Index: 4, Artifact: model}},
		},
		{
			GoName:   "Score",
			Versions: []*ir.ModelVersion{{Name: "Model", Index: 0, Artifact: model, From: written(from)}},
			Uses:     []*ir.Use{{Name: "J", Index: 1, Step: judge}},
		},
	}}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	s := line("Fit.R")
	w := s.Wiring()
	score := s.Pipelines[1]
	o := w.Origin(score.Versions[0])
	if o == nil || o.Use.Name != "T" || o.Port.Name != "Model" || len(o.Uses) != 2 || o.Uses[0].Name != "P" {
		t.Fatalf("the origin is %+v", o)
	}
	if of := o.Of(score.Uses[0].Step); len(of) != 0 {
		t.Errorf("the model was judged, not made, by %v", of)
	}
	if of := o.Of(&ir.Step{Name: "Prepare"}); len(of) != 1 || of[0].Name != "P" {
		t.Errorf("a step of the same name and package is the same one: %v", of)
	}
	var names []string
	for _, x := range w.Producers(score) {
		names = append(names, fmt.Sprintf("%s %s %d", x, x.Artifact().Name, x.Index))
	}
	if want := []string{"Model Model 0", "Model.P.Set Set 0", "J.Report Report 1"}; !slices.Equal(names, want) {
		t.Errorf("producers %q, want %q", names, want)
	}
	if o != w.Origin(score.Versions[0]) {
		t.Error("the origin is looked for twice")
	}
}

// TestNoOrigin wants nothing, and an end, where from leads nowhere or round.
func TestNoOrigin(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"", "Fit", "Fit.X", "Fit.P", "Other.R", "Score.R"} {
		s := line(from)
		if o := s.Wiring().Origin(s.Pipelines[1].Versions[0]); o != nil {
			t.Errorf("%q leads to %+v", from, o)
		}
	}
	s := line("Fit.R")
	fit := s.Pipelines[0]
	fit.Versions = []*ir.ModelVersion{{Name: "Self", Index: 0, Artifact: fit.Registers[0].Artifact, From: written("Fit.R")}}
	if o := s.Wiring().Origin(fit.Versions[0]); o == nil || len(o.Uses) != 2 {
		t.Errorf("what a pipeline makes of its own version is not made by itself: %+v", o)
	}
	fit.Registers[0].Bind = []ir.Assignment{{Left: written("Model"), Right: written("Self")}}
	if o := s.Wiring().Origin(fit.Versions[0]); o != nil {
		t.Errorf("a version is registered anew: %+v", o)
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]ir.Port{
		"/opt/ml/processing/input/Raw":  {Name: "Raw", Form: ir.InputForm},
		"/opt/ml/processing/output/Raw": {Name: "Raw", Form: ir.OutputForm},
		"/opt/ml/input/data/raw":        {Name: "Raw", Form: ir.ChannelForm},
		"/opt/ml/model":                 {Name: "Raw", Form: ir.ModelForm},
		"/opt/ml/processing/x":          {Name: "Raw", Form: ir.OutputForm, Path: written("/opt/ml/processing/x")},
	} {
		if got := p.Folder(); got != want {
			t.Errorf("%s is at %s, want %s", p.Form, got, want)
		}
	}
}
