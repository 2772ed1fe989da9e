package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/plan"
)

// said is a value that stands in the source.
func said[T any](v T) ir.At[T] {
	a := ir.At[T]{V: v}
	a.Pos.Line = 1
	return a
}

func assign(left, right string) ir.Assignment {
	return ir.Assignment{Left: said(left), Right: said(right)}
}

// modes is a spec whose step has two modes, and two pipelines that use it.
func modes() *ir.Spec {
	raw := &ir.Artifact{Name: "Raw", Path: "p", File: true}
	small := &ir.Artifact{Name: "Small", Path: "p"}
	only := func(v string) ir.At[ir.Only] {
		return said(ir.Only{Field: said("Mode"), Value: said(v)})
	}
	step := &ir.Step{
		Name: "Prep", Path: "p", Dir: "/m/spec", Kind: ir.Processing,
		Settings: ir.Settings{Image: said("sklearn:1.4-2"), Script: said("steps/prep/prep.py"), Instance: said("ml.m5.large")},
		Params: []*ir.Param{
			{Name: "Mode", Type: ir.String, Arg: said("--mode"), Enum: said([]string{"train", "infer"})},
			{Name: "Ratio", Type: ir.Float, Arg: said("--ratio"), DefaultValue: 0.2, Min: said(0.0), Max: said(1.0), Only: only("train")},
			{Name: "Level", Type: ir.Int, Env: said("LEVEL"), DefaultValue: int64(1)},
		},
		Ports: []*ir.Port{
			{Name: "Raw", Form: ir.InputForm, Artifact: raw, Arg: said("--raw")},
			{Name: "Other", Form: ir.InputForm, Artifact: raw, Only: only("infer")},
			{Name: "Out", Form: ir.OutputForm, Artifact: small, Arg: said("--out"), Only: only("train")},
		},
	}
	return &ir.Spec{
		Path: "m/spec", Name: "spec", Dir: "/m/spec", ModulePath: "m", ModuleDir: "/m",
		Pipelines: []*ir.Pipeline{{
			GoName: "Fit", Name: said("fit"),
			Sources: []*ir.Source{{Name: "Data", Index: 0, Artifact: raw, Default: said("in/raw.csv"), Local: said("raw.csv")}},
			Params:  []*ir.Param{{Name: "Share", Type: ir.Float, DefaultValue: 0.5, Max: said(0.9)}},
			Uses: []*ir.Use{{
				Name: "Prep", Index: 2, Step: step, Set: []ir.Assignment{assign("Mode", "train"), assign("Ratio", "Share")},
				Settings: ir.Settings{Timeout: said(90 * time.Second)},
			}},
		}, {
			GoName: "Score", Name: said("score"),
			Sources: []*ir.Source{{Name: "A", Artifact: raw}, {Name: "B", Index: 1, Artifact: raw}},
			Uses: []*ir.Use{{
				Name: "Prep", Index: 2, Step: step, Set: []ir.Assignment{assign("Mode", "infer")},
				Bind: []ir.Assignment{assign("Raw", "B"), assign("Other", "A")},
			}},
		}},
		Environments: []*ir.Environment{
			{Name: said("prod"), Instances: []ir.Pair{{Key: said("Fit.Prep"), Value: said("ml.big")}, {Key: said("Prep"), Value: said("ml.small")}}},
			{Name: said("dev")},
		},
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	plans := plan.Plan(modes())
	fit, score := plans[0].Jobs()[0], plans[1].Jobs()[0]

	want := []*ir.Argument{
		{Flag: "--mode", Value: &ir.Value{Type: ir.String, Lit: "train"}},
		{Flag: "--ratio", Value: &ir.Value{Type: ir.Float, Param: "Share"}},
		{Flag: "--raw", Path: "/opt/ml/processing/input/Raw", Param: "Data"},
		{Flag: "--out", Path: "/opt/ml/processing/output/Out"},
	}
	if d := cmp.Diff(want, fit.Args); d != "" {
		t.Errorf("arguments when training (-want +got):\n%s", d)
	}
	want = []*ir.Argument{
		{Flag: "--mode", Value: &ir.Value{Type: ir.String, Lit: "infer"}},
		{Flag: "--raw", Path: "/opt/ml/processing/input/Raw", Param: "B"},
	}
	if d := cmp.Diff(want, score.Args); d != "" {
		t.Errorf("arguments at inference (-want +got):\n%s", d)
	}
	if len(score.Inputs) != 2 || score.Inputs[1].Param != "A" || len(score.Outputs) != 0 || len(fit.Outputs) != 1 {
		t.Errorf("ports: inputs %v, outputs %v and %v", score.Inputs, score.Outputs, fit.Outputs)
	}
	if fit.Interface != score.Interface {
		t.Error("one step has two interfaces")
	}
	if fit.TimeoutSeconds != 90 || score.TimeoutSeconds != 24*3600 || score.StateSeconds != 26*3600 || score.VolumeGB != 30 || score.Count != 1 {
		t.Errorf("defaults: %+v", score)
	}
	var keys []string
	for _, p := range plans[0].Parameters {
		keys = append(keys, p.Key+" "+p.Flag)
	}
	if d := cmp.Diff([]string{"Data data", "Share share", "Prep.Level prep.level"}, keys); d != "" {
		t.Errorf("parameters (-want +got):\n%s", d)
	}
	share := plans[0].Parameters[1]
	if share.Min == nil || *share.Min != 0 || *share.Max != 0.9 {
		t.Errorf("a bound parameter has bounds %v to %v, not those of both", share.Min, share.Max)
	}
	if d := cmp.Diff([]string{"data/", "in/"}, plans[0].Parameters[0].Roots); d != "" {
		t.Errorf("where data may lie (-want +got):\n%s", d)
	}
}

// TestUnused holds the plan to name every field of a step, used or not, and the
// package of an artifact that is of another one.
func TestUnused(t *testing.T) {
	t.Parallel()
	s := modes()
	for _, port := range s.Pipelines[0].Uses[0].Step.Ports {
		port.Artifact.Path = "elsewhere"
	}
	plans := plan.Plan(s)
	fit, score := plans[0].Jobs()[0], plans[1].Jobs()[0]
	want := []*ir.Unused{
		{Name: "Mode", Type: ir.String}, {Name: "Ratio", Type: ir.Float},
		{Name: "Other", Form: ir.InputForm, Artifact: "Raw", ArtifactPath: "elsewhere"},
	}
	if d := cmp.Diff(want, fit.Unused); d != "" {
		t.Errorf("fields that training does without (-want +got):\n%s", d)
	}
	want = []*ir.Unused{
		{Name: "Mode", Type: ir.String}, {Name: "Ratio", Type: ir.Float},
		{Name: "Out", Form: ir.OutputForm, Artifact: "Small", ArtifactPath: "elsewhere"},
	}
	if d := cmp.Diff(want, score.Unused); d != "" {
		t.Errorf("fields that inference does without (-want +got):\n%s", d)
	}
	if fit.Inputs[0].ArtifactPath != "elsewhere" || fit.Outputs[0].ArtifactPath != "elsewhere" || plans[0].Parameters[0].ArtifactPath != "elsewhere" {
		t.Errorf("packages of artifacts: %+v, %+v, %+v", fit.Inputs[0], fit.Outputs[0], plans[0].Parameters[0])
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	plans := plan.Plan(modes())
	for i, want := range []string{"ml.big", "ml.small"} {
		places := plans[i].Environments
		if places[0].Name != "dev" || places[0].Instances["Prep"] != "ml.m5.large" || places[1].Instances["Prep"] != want {
			t.Errorf("%s: %+v, %+v", plans[i].Name, places[0], places[1])
		}
	}
}

// TestUnresolved holds the planner to panic over what check refuses.
func TestUnresolved(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*ir.Spec){
		"no producer":       func(s *ir.Spec) { s.Pipelines[0].Sources = nil },
		"several producers": func(s *ir.Spec) { s.Pipelines[1].Uses[0].Bind = nil },
		"unknown bind":      func(s *ir.Spec) { s.Pipelines[1].Uses[0].Bind[0].Right.V = "C" },
		"bad literal":       func(s *ir.Spec) { s.Pipelines[0].Uses[0].Set[1].Right.V = "much" },
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if r, _ := recover().(string); !strings.HasPrefix(r, "plan: ") {
					t.Errorf("no panic of the planner's: %q", r)
				}
			}()
			s := modes()
			damage(s)
			plan.Plan(s)
		})
	}
}

// TestInterface holds the interface to change with what a caller of the step sees,
// and with nothing else.
func TestInterface(t *testing.T) {
	t.Parallel()
	of := func(change func(*ir.Step)) string {
		s := modes()
		change(s.Pipelines[0].Uses[0].Step)
		return plan.Plan(s)[0].Jobs()[0].Interface
	}
	same := of(func(*ir.Step) {})
	for name, change := range map[string]func(*ir.Step){
		"argument": func(s *ir.Step) { s.Params[0].Arg.V = "--kind" },
		"type":     func(s *ir.Step) { s.Params[2].Type = ir.Float; s.Params[2].DefaultValue = 1.0 },
		"port":     func(s *ir.Step) { s.Ports[2].Name = "Result" },
	} {
		if of(change) == same {
			t.Errorf("another %s, but the same interface", name)
		}
	}
	for name, change := range map[string]func(*ir.Step){
		"default":  func(s *ir.Step) { s.Params[1].DefaultValue = 0.3 },
		"instance": func(s *ir.Step) { s.Settings.Instance.V = "ml.x" },
		"doc":      func(s *ir.Step) { s.Doc = "new" },
	} {
		if of(change) != same {
			t.Errorf("another %s leads to another interface", name)
		}
	}
}
