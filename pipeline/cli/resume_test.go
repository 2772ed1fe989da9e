package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/record"
)

func TestResume(t *testing.T) {
	t.Parallel()
	const own, pkg = "census-training", "example.com/m/generated/training/training"
	h := &fakeHistory{
		runs: []record.Run{
			{ID: "going", Pipeline: own, Package: pkg, Status: "RUNNING", PID: os.Getpid(), PIDStart: "", Started: time.Date(2026, 3, 4, 12, 3, 0, 0, time.Local)},
			{ID: "failed", Pipeline: own, Package: pkg, Status: "FAILED", Input: json.RawMessage(`{"Data":"s3://local/data/1","Preprocess.Seed":7,"MinROCAUC":0.50}`)},
			{ID: "done", Pipeline: own, Package: pkg, Status: "SUCCEEDED", Input: json.RawMessage(`{}`)},
			{ID: "part", Pipeline: own, Package: pkg, Status: "SUCCEEDED", Partial: "until Train", Input: json.RawMessage(`{}`)},
			{ID: "half", Pipeline: own, Package: pkg, Status: "ABORTED", Partial: "only Train", Input: json.RawMessage(`{}`)},
			{ID: "other", Pipeline: "census-inference", Package: "example.com/m/generated/inference/inference", Status: "FAILED"},
		},
		steps: []record.Step{
			{Name: "Describe Model", Status: "FAILED", Response: json.RawMessage(`{}`)},
			{Name: "Describe Model", Status: "SUCCEEDED", Response: json.RawMessage(`{"ModelPackageVersion":12,"ModelPackageGroupName":"local-census"}`)},
		},
	}
	const input = `{"Data":"s3://local/data/1","MinROCAUC":0.50,"ModelVersion":12,"Preprocess.Seed":7}`
	const version = `{"ModelVersion":12}`
	tests := []struct {
		name  string
		args  []string
		code  int
		input string
		reuse local.Reuse
		err   string
	}{
		{"failed", []string{"resume", "failed"}, 0, input, local.Reuse{Resumes: "failed"}, ""},
		{"from a step in any case", []string{"resume", "fail", "--from", "train"}, 0, input, local.Reuse{Resumes: "failed", From: "Train"}, ""},
		{"a part that is done goes on", []string{"resume", "part"}, 0, version, local.Reuse{Resumes: "part"}, ""},
		{"a part that is not stays one", []string{"resume", "half"}, 0, version, local.Reuse{Resumes: "half", Only: "Train"}, ""},
		{"succeeded", []string{"resume", "done"}, 2, "", local.Reuse{},
			"run done succeeded: nothing of it is left to do\n\thint: to do a part of it again, say from where: go run ./generated/training resume done --from Train\n"},
		{"succeeded, from", []string{"resume", "done", "--from", "Train"}, 0, version, local.Reuse{Resumes: "done", From: "Train"}, ""},
		{"running", []string{"resume", "going"}, 2, "", local.Reuse{}, "run going is still running (PID "},
		{"another pipeline", []string{"resume", "other"}, 2, "", local.Reuse{},
			"run other is one of census-inference\n\thint: go run ./generated/inference resume other\n"},
		{"unknown", []string{"resume", "x"}, 2, "", local.Reuse{}, `this workspace has no run "x"` + "\n\thint: see go run ./generated/training runs"},
		{"no run", []string{"resume"}, 2, "", local.Reuse{}, "resume takes RUN\n\thint: "},
		{"unknown step", []string{"resume", "failed", "--from", "Trian"}, 2, "", local.Reuse{}, "did you mean Train?"},
		{"not a parameter", []string{"resume", "failed", "--preprocess.seed", "3"}, 2, "", local.Reuse{}, "unknown flag --preprocess.seed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := withHistory(t, h)
			f.definition.Versions = []pipeline.Version{{Name: "Model", Param: "ModelVersion"}}
			got := ""
			f.runner.run = func(_ context.Context, in string, _ func(pipeline.Event)) (*pipeline.Outcome, error) {
				got = in
				return outcome(), nil
			}
			if code := f.main(tt.args); code != tt.code || got != tt.input {
				t.Errorf("exit code %d, input %s\n%s", code, got, f.err.String())
			}
			if f.place.reuse != tt.reuse {
				t.Errorf("reuse %+v, want %+v", f.place.reuse, tt.reuse)
			}
			if !strings.Contains(f.err.String(), tt.err) {
				t.Errorf("standard error lacks %q:\n%s", tt.err, f.err.String())
			}
		})
	}
}

func TestCommandOfAnotherPipeline(t *testing.T) {
	t.Parallel()
	d := census()
	dir := t.TempDir() + "/my tools/"
	if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(dir+"inference", nil, 0o755)); err != nil {
		t.Fatal(err)
	}
	// With go run where the other is not built, by its import path outside of the module.
	const goRun = "go run example.com/m/generated/inference"
	for own, want := range map[string]string{
		"go run ./generated/training": "go run ./generated/inference", "bin/training": goRun,
		dir + "training": dir + "inference", "training": "inference", // which is on the PATH of these tests
	} {
		if got := commandOf(d, own, "example.com/m/generated/inference"); got != want {
			t.Errorf("beside %s: %s", own, got)
		}
		if got := commandOf(d, own, path.Dir(d.Package)); got != own {
			t.Errorf("itself: %s", got)
		}
	}
}

func TestRunsTellWhatCanBeResumed(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]record.Run{
		"SUCCEEDED":                                    {Status: "SUCCEEDED"},
		"RUNNING":                                      {Status: "RUNNING"},
		"SUCCEEDED, until Train, resumable":            {Status: "SUCCEEDED", Partial: "until Train"},
		"SUCCEEDED, resumes r1":                        {Status: "SUCCEEDED", Resumes: "r1"},
		"FAILED in step Train, resumable":              {Status: "FAILED", FailedStep: "Train"},
		"ABORTED (interrupted), resumes r1, resumable": {Status: "ABORTED", Error: interrupted, Resumes: "r1"},
	} {
		line := lineOfRun(r)
		if got := line.status(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
