package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/plan"
)

// versioned is a spec of two pipelines: Fit makes a model by way of two steps, and
// Score starts from its versions.
func versioned() *ir.Spec {
	raw, part := &ir.Artifact{Name: "Raw", Path: "p"}, &ir.Artifact{Name: "Part", Path: "q"}
	model, note := &ir.Artifact{Name: "Net", Path: "p"}, &ir.Artifact{Name: "Note", Path: "p", File: true}
	step := func(name string, kind ir.Kind, ports ...*ir.Port) *ir.Step {
		return &ir.Step{
			Name: name, Path: "p", Dir: "/m/spec", Kind: kind, Ports: ports,
			Settings: ir.Settings{Image: said("sklearn:1.4-2"), Script: said("steps/" + name + "/run.py"), Instance: said("ml.m5.large")},
		}
	}
	prep := step("Prep", ir.Processing,
		&ir.Port{Name: "In", Form: ir.InputForm, Artifact: raw, Path: said("/opt/ml/processing/raw")},
		&ir.Port{Name: "Part", Form: ir.OutputForm, Artifact: part}, &ir.Port{Name: "Note", Form: ir.OutputForm, Artifact: note})
	fit := step("Train", ir.Training, &ir.Port{Name: "Data", Form: ir.ChannelForm, Artifact: part}, &ir.Port{Name: "Net", Form: ir.ModelForm, Artifact: model})
	use := step("Use", ir.Processing, &ir.Port{Name: "Net", Form: ir.InputForm, Artifact: model},
		&ir.Port{Name: "Note", Form: ir.InputForm, Artifact: note, Arg: said("--note")}, &ir.Port{Name: "Part", Form: ir.InputForm, Artifact: part})
	return &ir.Spec{
		Path: "m/spec", Name: "spec", Dir: "/m/spec", ModulePath: "m", ModuleDir: "/m",
		Pipelines: []*ir.Pipeline{{
			GoName: "Fit", Name: said("fit"),
			Sources: []*ir.Source{{Name: "Data", Artifact: raw}},
			Uses: []*ir.Use{
				{Name: "First", Index: 1, Step: prep, Settings: ir.Settings{Image: said("pytorch:2.2.0-cpu-py310"), Script: said("steps/other/prep.py")}},
				{Name: "Train", Index: 2, Step: fit},
				{Name: "Aside", Index: 3, Step: use},
			},
			Registers: []*ir.Register{{Name: "Register", Index: 4, Artifact: model, Group: said("nets")}},
		}, {
			GoName: "Score", Name: said("score"),
			Sources:  []*ir.Source{{Name: "Data", Artifact: raw}},
			Versions: []*ir.ModelVersion{{Name: "Net", Index: 1, Artifact: model, From: said("Fit.Register"), Status: said("PendingManualApproval")}},
			Uses: []*ir.Use{
				{Name: "Prep", Index: 2, Step: prep, Pin: said("Net")},
				{Name: "Use", Index: 3, Step: use, Bind: []ir.Assignment{assign("Part", "Prep.Part"), assign("Note", "Net.First.Note")}},
			},
		}},
	}
}

// TestVersions holds a version to what jobs take of it, and the registration to know
// of that.
func TestVersions(t *testing.T) {
	t.Parallel()
	plans := plan.Plan(versioned())
	fit, score := plans[0], plans[1]
	first, prep, use := fit.Jobs()[0], score.Jobs()[0], score.Jobs()[1]
	note := &ir.Part{Step: "First", Output: "Note", Artifact: "Note", ArtifactPath: "p"}
	want := []*ir.Version{{
		Name: "Net", Artifact: "Net", ArtifactPath: "p", Group: "nets", Status: "PendingManualApproval", Param: "NetVersion",
		Pipeline: "fit", Dir: "fit", Step: "Train",
		Pins:  []*ir.Pin{{Step: "First", Interface: first.Interface}},
		Parts: []*ir.Part{note},
	}}
	if d := cmp.Diff(want, score.Versions); d != "" {
		t.Errorf("version (-want +got):\n%s", d)
	}
	r := fit.Registrations()[0]
	if d := cmp.Diff([]*ir.Part{note}, r.Parts); d != "" || len(r.Pins) != 1 || r.Pins[0] != "First" {
		t.Errorf("what is kept of a version: %v, parts %s", r.Pins, d)
	}
	param := score.Parameters[1]
	if param.Key != "NetVersion" || param.Flag != "net-version" || param.Type != ir.Int || param.Default != int64(0) || *param.Min != 0 {
		t.Errorf("the parameter is %+v", param)
	}
	// A pinned step is what the other pipeline uses, with its settings there.
	if prep.Pin != "Net" || prep.PinStep != "First" || prep.Interface != first.Interface || prep.Script != "prep.py" || prep.Framework != "pytorch" {
		t.Errorf("the pinned job is %+v", prep)
	}
	if prep.Inputs[0].LocalPath != "/opt/ml/processing/raw" {
		t.Errorf("the input is at %s", prep.Inputs[0].LocalPath)
	}
	// What reads the model runs in the image it was made in.
	if use.ImageOf != "Net" || use.Pin != "" || use.Framework != "sklearn" || prep.ImageOf != "" {
		t.Errorf("the job that reads the model is %+v", use)
	}
	wantInputs := []*ir.Input{
		{Name: "Net", Artifact: "Net", LocalPath: "/opt/ml/processing/input/Net", Version: "Net"},
		{Name: "Note", Artifact: "Note", File: true, LocalPath: "/opt/ml/processing/input/Note", Version: "Net", Step: "First", Output: "Note"},
		{Name: "Part", Artifact: "Part", ArtifactPath: "q", LocalPath: "/opt/ml/processing/input/Part", Step: "Prep", Output: "Part"},
	}
	if d := cmp.Diff(wantInputs, use.Inputs); d != "" {
		t.Errorf("inputs (-want +got):\n%s", d)
	}
	if use.Args[0].Path != "/opt/ml/processing/input/Note/note" {
		t.Errorf("the file of a version is handed on as %s", use.Args[0].Path)
	}
}

// TestRenamedScript holds the interface to the script's name: code of another day is
// started by it.
func TestRenamedScript(t *testing.T) {
	t.Parallel()
	s := versioned()
	before := plan.Plan(s)[1].Versions[0].Pins[0].Interface
	s.Pipelines[0].Uses[0].Settings.Script = said("steps/other/another.py")
	after := plan.Plan(s)
	if after[1].Versions[0].Pins[0].Interface == before || after[1].Jobs()[0].Script != "another.py" {
		t.Error("another script has the same interface")
	}
	s.Pipelines[0].Uses[0].Settings.Script = said("elsewhere/another.py")
	if plan.Plan(s)[1].Versions[0].Pins[0].Interface != after[1].Versions[0].Pins[0].Interface {
		t.Error("a folder that moves changes the interface")
	}
}

// TestSchedule holds environments to say whether a schedule runs, and when.
func TestSchedule(t *testing.T) {
	t.Parallel()
	s := versioned()
	s.Pipelines[1].Schedule = said("cron(0 6 * * ? *)")
	s.Environments = []*ir.Environment{
		{Name: said("dev")}, {Name: said("prod"), Schedule: said(true), TimeZone: said("Europe/Berlin")},
	}
	plans := plan.Plan(s)
	if plans[0].Schedule != "" || plans[0].Environments[1].Schedule != "" {
		t.Error("a pipeline without a schedule has one")
	}
	dev, prod := plans[1].Environments[0], plans[1].Environments[1]
	if plans[1].Schedule != "cron(0 6 * * ? *)" || dev.Schedule != "DISABLED" || dev.TimeZone != "UTC" || prod.Schedule != "ENABLED" || prod.TimeZone != "Europe/Berlin" {
		t.Errorf("schedules: %+v, %+v", dev, prod)
	}
}

// TestLost holds the planner to panic over a version that leads nowhere.
func TestLost(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*ir.Spec){
		"unknown registration": func(s *ir.Spec) { s.Pipelines[1].Versions[0].From.V = "Fit.Other" },
		"unknown pin":          func(s *ir.Spec) { s.Pipelines[1].Uses[0].Pin.V = "Other" },
		"pinned to nothing":    func(s *ir.Spec) { s.Pipelines[1].Uses[1].Pin = said("Net") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if r, _ := recover().(string); !strings.HasPrefix(r, "plan: ") {
					t.Errorf("no panic of the planner's: %q", r)
				}
			}()
			s := versioned()
			damage(s)
			plan.Plan(s)
		})
	}
}
