package local

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
)

// chain is a pipeline of n processing jobs, each of which copies a small file.
func chain(t testing.TB, isolation, dir string, n int) (*pipeline.Definition, Options) {
	t.Helper()
	code := filepath.Join(dir, "steps", "copy")
	if err := os.MkdirAll(code, 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		filepath.Join(dir, "go.mod"):   "module example.com/chain\n",
		filepath.Join(dir, "data"):     "data\n",
		filepath.Join(code, "copy.sh"): "cat \"$1\"/* > \"$2/out\"\n",
	}
	for name, content := range files {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d := &pipeline.Definition{Name: "chain", Module: "example.com/chain", Parameters: []pipeline.Parameter{
		{Key: "Data", Flag: "data", Type: "string", Location: true, Local: "data", File: true, Default: "data"},
	}}
	states := map[string]any{
		"Parameters": map[string]any{"Type": "Pass", "Next": "S0", "Assign": map[string]any{
			"Run":  "{% $substring($hash($states.context.Execution.Id & $states.context.Execution.StartTime, 'SHA-256'), 0, 12) %}",
			"Last": "{% $states.input.Data %}",
		}},
	}
	for i := range n {
		name := fmt.Sprintf("S%d", i)
		next := map[string]any{"Next": fmt.Sprintf("S%d", i+1)}
		if i == n-1 {
			next = map[string]any{"End": true}
		}
		state := copyState(name)
		for k, v := range next {
			state[k] = v
		}
		states[name] = state
		d.Jobs = append(d.Jobs, pipeline.Job{
			Name: name, Kind: "processing", Image: "sklearn:1.4-2", CodeDir: "steps/copy", Script: "copy.sh", Instance: "ml.t3.medium",
			RoleName: name + "Role", ImageName: name + "Image", InstanceName: name + "Instance", CodeName: name + "Code",
			Outputs: []pipeline.Output{{Name: "out"}},
		})
	}
	text, err := json.Marshal(map[string]any{"QueryLanguage": "JSONata", "StartAt": "Parameters", "States": states})
	if err != nil {
		t.Fatal(err)
	}
	d.ASL = text
	return d, Options{Module: dir, Isolation: isolation}
}

// copyState is the Task of one job of the chain.
func copyState(name string) map[string]any {
	return map[string]any{
		"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync", "TimeoutSeconds": 600,
		"Arguments": map[string]any{
			"ProcessingJobName": "{% 'chain-" + strings.ToLower(name) + "-' & $Run %}",
			"RoleArn":           "${" + name + "Role}",
			"AppSpecification": map[string]any{
				"ImageUri":            "${" + name + "Image}",
				"ContainerEntrypoint": []string{"/bin/sh", "/opt/ml/processing/input/code/copy.sh"},
				"ContainerArguments":  []string{"/opt/ml/processing/input/in", "/opt/ml/processing/output/out"},
			},
			"ProcessingInputs": []any{
				map[string]any{"InputName": "code", "S3Input": map[string]any{"S3Uri": "s3://${Bucket}/code/${" + name + "Code}/",
					"LocalPath": "/opt/ml/processing/input/code", "S3DataType": "S3Prefix", "S3InputMode": "File"}},
				map[string]any{"InputName": "in", "S3Input": map[string]any{"S3Uri": "{% $Last %}",
					"LocalPath": "/opt/ml/processing/input/in", "S3DataType": "S3Prefix", "S3InputMode": "File"}},
			},
			"ProcessingOutputConfig": map[string]any{"Outputs": []any{map[string]any{"OutputName": "out", "S3Output": map[string]any{
				"S3Uri": "{% 's3://${Bucket}/runs/chain/' & $Run & '/" + name + "/' %}", "LocalPath": "/opt/ml/processing/output/out", "S3UploadMode": "EndOfJob"}}}},
			"ProcessingResources": map[string]any{"ClusterConfig": map[string]any{"InstanceCount": 1, "InstanceType": "${" + name + "Instance}", "VolumeSizeInGB": 30}},
			"StoppingCondition":   map[string]any{"MaxRuntimeInSeconds": 600},
		},
		"Assign": map[string]any{"Last": "{% $states.result.ProcessingOutputConfig.Outputs[OutputName='out'].S3Output.S3Uri %}"},
	}
}

// BenchmarkChain reports what a step costs over its bare process, and how long it
// takes from the start of a run to that of its first step.
func BenchmarkChain(b *testing.B) {
	for _, isolation := range []string{"direct", "namespace"} {
		for _, n := range []int{3, 10, 50} {
			b.Run(fmt.Sprintf("%s/%d", isolation, n), func(b *testing.B) {
				dir := b.TempDir()
				d, o := chain(b, isolation, dir, n)
				o.Reuse.NoCache = true
				var first, total, bare time.Duration
				for b.Loop() {
					r, err := New(o)
					if err != nil {
						b.Fatal(err)
					}
					start := time.Now()
					var begun, ended time.Time
					outcome, err := r.Run(context.Background(), d, nil, func(e pipeline.Event) {
						switch {
						case e.Kind == pipeline.StepStarted && begun.IsZero():
							begun = e.Time
						case e.Kind == pipeline.StepSucceeded:
							ended = e.Time
						}
					})
					if err != nil {
						b.Fatal(err)
					}
					if err := outcome.Err(); err != nil {
						b.Fatal(err)
					}
					first += begun.Sub(start)
					total += ended.Sub(begun)
					in, out := filepath.Join(dir, "bare"), filepath.Join(dir, "out")
					for _, folder := range []string{in, out} {
						if err := os.MkdirAll(folder, 0o755); err != nil {
							b.Fatal(err)
						}
					}
					if err := os.WriteFile(filepath.Join(in, "data"), []byte("data\n"), 0o644); err != nil {
						b.Fatal(err)
					}
					start = time.Now()
					for range n {
						if err := exec.Command("/bin/sh", filepath.Join(dir, "steps/copy/copy.sh"), in, out).Run(); err != nil {
							b.Fatal(err)
						}
					}
					bare += time.Since(start)
				}
				steps := float64(b.N * n)
				b.ReportMetric(float64(total-bare)/steps/1e6, "ms-over-bare/step")
				b.ReportMetric(float64(bare)/steps/1e6, "ms-bare/step")
				b.ReportMetric(float64(first)/float64(b.N)/1e6, "ms-to-first-step")
			})
		}
	}
}

// BenchmarkManifest is what a run's manifest adds to its own time: the record is open,
// and has not been asked for most of it before.
func BenchmarkManifest(b *testing.B) {
	dir := b.TempDir()
	d, options := chain(b, "direct", dir, 3)
	runner, err := New(options)
	if err != nil {
		b.Fatal(err)
	}
	outcome, err := runner.Run(b.Context(), d, json.RawMessage(`{}`), nil)
	if err != nil || outcome.Err() != nil {
		b.Fatal(err, outcome.Err())
	}
	workspace := filepath.Join(dir, ".mlmax")
	for b.Loop() {
		b.StopTimer()
		db, err := record.Open(b.Context(), filepath.Join(workspace, "mlmax.db"))
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := saveManifest(b.Context(), workspace, db, outcome.Run, nil, d); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
