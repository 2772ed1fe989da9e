package emitgo_test

// use is a person's use of the typed package, run in the temporary module.
const use = `package use

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	bare "example.com/m/generated/bare/bare"
	odd "example.com/m/generated/func/func"
	"example.com/m/generated/scoring/scoring"
	"example.com/m/generated/training/training"
	"github.com/mlmax/mlmax/pipeline"
)

type runner struct {
	input   string
	outcome pipeline.Outcome
}

func (r *runner) Run(_ context.Context, _ *pipeline.Definition, input json.RawMessage, _ func(pipeline.Event)) (*pipeline.Outcome, error) {
	r.input = string(input)
	return &r.outcome, nil
}

func TestRun(t *testing.T) {
	r := &runner{outcome: pipeline.Outcome{Run: "r1", Status: pipeline.Succeeded, Output: json.RawMessage(` + "`" + `{"Run": "r1",
		"Metrics": {"Evaluate": {"Report": {"ROCAUC": 0.9, "Rows": 400}}}, "Models": {"Register": null},
		"NotRegistered": {"Register": "too low"}, "Artifacts": {"Train.Model": "s3://local/model.tar.gz"}}` + "`" + `)}}
	p := training.Defaults()
	p.Train.Strength = 0.5
	got, err := training.Run(context.Background(), r, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Metrics.Evaluate.Report.ROCAUC != 0.9 || got.Metrics.Evaluate.Report.Rows != 400 {
		t.Errorf("metrics = %+v", got.Metrics)
	}
	if got.Models.Register.ARN != "" || got.Models.Register.NotRegistered != "too low" {
		t.Errorf("models = %+v", got.Models)
	}
	if got.Artifacts.Train.Model != "s3://local/model.tar.gz" {
		t.Errorf("artifacts = %+v", got.Artifacts)
	}
	if want := ` + "`" + `{"MinROCAUC":0.8,"Preprocess.Seed":0,"Preprocess.SplitRatio":0.2,"Train.Balanced":true,"Train.MaxIterations":1000,"Train.Strength":0.5}` + "`" + `; r.input != want {
		t.Errorf("input = %s", r.input)
	}
	r.outcome = pipeline.Outcome{Run: "r2", Pipeline: "census-training", Status: pipeline.Failed, FailedStep: "Train", Error: "States.TaskFailed"}
	got, err = training.Run(context.Background(), r, p, nil)
	if err == nil || got == nil || got.Outcome.Run != "r2" || !strings.Contains(err.Error(), "run r2 of census-training ended FAILED in step Train: States.TaskFailed") {
		t.Errorf("a failed run gives %v, %v", got, err)
	}
	r.outcome = pipeline.Outcome{Run: "r3", Status: pipeline.Succeeded, Output: json.RawMessage("[]")}
	if _, err = training.Run(context.Background(), r, p, nil); err == nil || !strings.Contains(err.Error(), "decode the output of run r3") {
		t.Errorf("bad output gives %v", err)
	}
}

func TestVersion(t *testing.T) {
	r := &runner{outcome: pipeline.Outcome{Run: "r1", Status: pipeline.Succeeded, Output: json.RawMessage(` + "`" + `{"Run": "r1",
		"Versions": {"Net": {"Arn": "arn:x/7", "Version": 7}}, "Artifacts": {"Score.Out": "s3://local/out/"}}` + "`" + `)}}
	p := scoring.Defaults()
	p.NetVersion = 7
	got, err := scoring.Run(context.Background(), r, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Versions.Net.ARN != "arn:x/7" || got.Versions.Net.Number != 7 || r.input != ` + "`" + `{"NetVersion":7}` + "`" + ` {
		t.Errorf("versions = %+v of %s", got.Versions, r.input)
	}
	if p.NetVersion = -1; p.Validate() == nil {
		t.Error("a version below 0 is taken")
	}
	d := scoring.Definition()
	want := pipeline.Version{Name: "Net", Group: "nets", Status: "Approved", Param: "NetVersion", Pipeline: "fit", Command: "example.com/m/generated/fit"}
	if len(d.Versions) != 1 || d.Versions[0] != want || d.Schedule != "rate(1 day)" || d.Jobs[0].ImageOf != "Net" || d.Jobs[0].ImageName != "" {
		t.Errorf("definition = %+v", d)
	}
}

func TestValidate(t *testing.T) {
	p := training.Defaults()
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	p.MinROCAUC, p.Train.MaxIterations = 2, 0
	err := p.Validate()
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two problems give %v", err)
	}
	if _, again := p.Input(); again == nil || again.Error() != err.Error() {
		t.Errorf("Input gives %v", again)
	}
}

func TestOdd(t *testing.T) {
	p := odd.Defaults()
	if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "\"Needed\"") {
		t.Errorf("a missing value gives %v", err)
	}
	p.Needed, p.Input_ = "abc", "s3://b/k"
	in, err := p.Input()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(in, &m); err != nil || m["Input"] != "s3://b/k" || m["Quoted"] != "a\"b` + "`" + `c\\ü" || m["Validate"] != -3.0 {
		t.Errorf("input = %s", in)
	}
	if len(bare.Definition().Jobs) != 1 || len(odd.Definition().Environments) != 0 {
		t.Error("definitions")
	}
}
`
