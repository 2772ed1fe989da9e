package emitasl_test

import (
	"testing"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
)

// pinnedTraining is a pipeline whose training job runs what a version was made with.
func pinnedTraining(t *testing.T) *ir.Plan {
	t.Helper()
	p := plantest.Example(t)
	train := p.Jobs()[1]
	p.Versions = plantest.Inference(t).Versions
	p.Versions[0].Pins = append(p.Versions[0].Pins, &ir.Pin{Step: "Train", Interface: train.Interface})
	train.Pin, train.PinStep = "Model", "Train"
	p.Parameters = append(p.Parameters, plantest.Inference(t).Parameters[1])
	return p
}

// TestPinnedTraining holds a pinned training job to the version's archive and image,
// with network and without.
func TestPinnedTraining(t *testing.T) {
	t.Parallel()
	for _, isolated := range []bool{false, true} {
		p := pinnedTraining(t)
		train := p.Jobs()[1]
		train.Isolated = isolated
		described := packageOf(p, 3)
		meta := described["CustomerMetadataProperties"].(map[string]any)
		meta["code.Train"], meta["image.Train"], meta["interface.Train"] = oldCode, "sklearn:1.2-1", train.Interface
		s := &service{report: report, versions: map[string]map[string]any{arnOf(3): described}}
		out := result(t, run(t, p, place(p), `{"ModelVersion": 3}`, s))
		if out["Versions"].(map[string]any)["Model"] == nil {
			t.Errorf("versions are %v", out["Versions"])
		}
		request := s.requests["Train"]
		want := `"s3://local/code/` + oldCode + `.tar.gz"`
		if isolated {
			want = `"/opt/ml/input/data/code/` + oldCode + `.tar.gz"`
			channels := request["InputDataConfig"].([]any)
			uri := channels[len(channels)-1].(map[string]any)["DataSource"].(map[string]any)["S3DataSource"].(map[string]any)["S3Uri"]
			if uri != "s3://local/code/"+oldCode+".tar.gz" {
				t.Errorf("the channel of the code is %v", uri)
			}
		}
		if got := request["HyperParameters"].(map[string]any)["sagemaker_submit_directory"]; got != want {
			t.Errorf("the code is at %v, want %s", got, want)
		}
		if got := request["AlgorithmSpecification"].(map[string]any)["TrainingImage"]; got != "sklearn:1.2-1" {
			t.Errorf("the image is %v", got)
		}
		// What it registers is registered with what it ran, not with what is in the tree.
		registered := s.requests["Register"]
		if got := registered["CustomerMetadataProperties"].(map[string]any)["code.Train"]; got != oldCode {
			t.Errorf("the version is registered with code %v", got)
		}
		container := registered["InferenceSpecification"].(map[string]any)["Containers"].([]any)[0].(map[string]any)
		if container["Image"] != "sklearn:1.2-1" {
			t.Errorf("the version is registered with image %v", container["Image"])
		}
	}
}
