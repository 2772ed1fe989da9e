package local

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline"
)

func TestTrainingRunsToItsEnd(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		o := p.succeed(`{}`)
		var names []string
		for _, a := range o.Artifacts {
			names = append(names, a.Name)
			if _, err := os.Stat(a.Path); err != nil {
				t.Errorf("artifact %s: %v", a.Name, err)
			}
			if len(a.Digest) != len("sha256:")+64 || a.Bytes == 0 {
				t.Errorf("artifact %s has digest %q and %d bytes", a.Name, a.Digest, a.Bytes)
			}
		}
		want := []string{"Data", "Preprocess.Train", "Preprocess.Test", "Preprocess.Transformer", "Train.Model", "Evaluate.Report"}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]any{"Evaluate.Report.ROCAUC": 0.9}, o.Metrics); diff != "" {
			t.Error(diff)
		}
		model := &pipeline.ModelVersion{
			Group: "local-census", Version: 1, Status: "PendingManualApproval", ARN: "arn:aws:sagemaker:local:000000000000:model-package/local-census/1",
		}
		if diff := cmp.Diff(model, o.Model); diff != "" {
			t.Error(diff)
		}
		if o.NotRegistered != "" {
			t.Errorf("not registered: %s", o.NotRegistered)
		}
		var kinds []string
		for _, e := range p.events {
			if e.Kind != pipeline.StepLog {
				kinds = append(kinds, string(e.Kind)+" "+e.Step)
			}
		}
		wantEvents := []string{
			"RunStarted ", "StepStarted Preprocess", "StepSucceeded Preprocess", "StepStarted Train", "StepSucceeded Train",
			"StepStarted Evaluate", "StepSucceeded Evaluate", "StepStarted Register", "StepSucceeded Register", "RunEnded ",
		}
		if diff := cmp.Diff(wantEvents, kinds); diff != "" {
			t.Error(diff)
		}
		var output struct{ Run string }
		if err := json.Unmarshal(o.Output, &output); err != nil || output.Run != o.Run {
			t.Errorf("the machine computed run %q, the runner %q", output.Run, o.Run)
		}
		manifest := filepath.Join(p.workspace(), "s3/local/runs/census-training", o.Run, "manifest.json")
		if _, err := os.Stat(manifest); err != nil {
			t.Error(err)
		}
		left, err := os.ReadDir(filepath.Join(p.workspace(), "tmp"))
		if err != nil || len(left) > 0 {
			t.Errorf("left in tmp: %v, %v", left, err)
		}
	})
}

// TestScheduledTime hands a run what a schedule does, and looks for it in the manifest.
func TestScheduledTime(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.definition.Schedule = "rate(1 day)"
	p.definition.ASL = bytes.Replace(p.definition.ASL, []byte("$count($keys($Params)) = 4"), []byte("$Params.ScheduledTime = '2026-01-02T03:04:05Z'"), 1)
	o := p.succeed(`{"ScheduledTime": "2026-01-02T03:04:05Z"}`)
	b, err := os.ReadFile(filepath.Join(p.workspace(), "s3/local/runs/census-training", o.Run, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Parameters struct{ ScheduledTime string } `json:"parameters"`
	}
	if err := json.Unmarshal(b, &manifest); err != nil || manifest.Parameters.ScheduledTime != "2026-01-02T03:04:05Z" {
		t.Errorf("the manifest has %q: %v", manifest.Parameters.ScheduledTime, err)
	}
}

func TestGateLeavesModelOut(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	o := p.succeed(`{"MinROCAUC": 0.95}`)
	if o.Model != nil {
		t.Errorf("model %v was registered", o.Model)
	}
	const want = "Evaluate.Report.ROCAUC >= MinROCAUC is false: 0.9 >= 0.95"
	if o.NotRegistered != want {
		t.Errorf("not registered: %q, want %q", o.NotRegistered, want)
	}
	if diff := cmp.Diff([]string{"Register"}, p.said(pipeline.StepSkipped)); diff != "" {
		t.Error(diff)
	}
}
