package emitasl_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/internal/plantest"
)

// known are the request members that machines have long used with Step Functions,
// which keeps a list of its own: another one fails when the state runs, as
// States.Runtime, which nothing retries or catches.
var known = map[string]string{
	"Preprocess": "ProcessingJobName ProcessingResources AppSpecification RoleArn ProcessingInputs " +
		"ProcessingOutputConfig StoppingCondition Environment NetworkConfig Tags",
	"Train": "TrainingJobName RoleArn OutputDataConfig AlgorithmSpecification ResourceConfig StoppingCondition " +
		"HyperParameters InputDataConfig VpcConfig Tags EnableNetworkIsolation " +
		"EnableInterContainerTrafficEncryption EnableManagedSpotTraining Environment",
	"OutputDataConfig":       "S3OutputPath KmsKeyId",
	"AlgorithmSpecification": "TrainingImage TrainingInputMode",
	"ResourceConfig":         "InstanceCount InstanceType VolumeSizeInGB VolumeKmsKeyId",
	"ClusterConfig":          "InstanceCount InstanceType VolumeSizeInGB VolumeKmsKeyId",
	"StoppingCondition":      "MaxRuntimeInSeconds MaxWaitTimeInSeconds",
	"Register": "ModelPackageGroupName ClientToken ModelPackageDescription ModelApprovalStatus InferenceSpecification " +
		"ModelMetrics CustomerMetadataProperties",
	"List Model":     "ModelPackageGroupName ModelApprovalStatus SortBy SortOrder MaxResults NextToken",
	"Describe Model": "ModelPackageName",
	"Write manifest": "Bucket Key ContentType Body ServerSideEncryption SSEKMSKeyId",
}

// TestMembers holds requests, with all that a spec and an environment can ask for, to
// known members.
func TestMembers(t *testing.T) {
	t.Parallel()
	p := variant(t)
	train := p.Jobs()[1]
	train.Spot, train.MaxWaitSeconds = true, 7200
	values := place(p)
	values["KmsKey"], values["Subnets"], values["SecurityGroups"] = "arn:aws:kms:eu-west-1:000000000000:key/k", "subnet-1", "sg-1"
	values["Tags"] = "team=ml"
	inference := plantest.Inference(t)
	s := &service{report: report, pages: [][]string{{}, {arnOf(3)}}, versions: map[string]map[string]any{arnOf(3): packageOf(inference, 3)}}
	result(t, run(t, inference, place(inference), `{}`, s))
	result(t, run(t, p, values, `{"Train.Free": "x"}`, s))
	seen := map[string]bool{}
	var hold func(name string, v any)
	hold = func(name string, v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				hold("", item)
			}
		case map[string]any:
			seen[name] = true
			for member, value := range v {
				if list, is := known[name]; is && !slices.Contains(strings.Fields(list), member) {
					t.Errorf("%s requests %s", name, member)
				}
				hold(member, value)
			}
		}
	}
	for state, request := range s.requests {
		if state == "Write manifest" {
			request["Body"] = nil
		}
		hold(state, request)
	}
	for name := range known {
		if !seen[name] {
			t.Errorf("nothing requests %s", name)
		}
	}
}

// TestMetadata holds a version's metadata to the service's pattern, whatever the
// execution is called and the parameters hold.
func TestMetadata(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	s := &service{report: report}
	result(t, run(t, p, place(p), `{"Data": "s3://local/data/it's (new).csv"}`, s))
	meta := s.requests["Register"]["CustomerMetadataProperties"].(map[string]any)
	if len(meta) > 50 {
		t.Errorf("%d properties", len(meta))
	}
	for _, want := range []string{"code.Preprocess", "image.Preprocess", "interface.Preprocess", "artifact.Preprocess.Transformer", "mlmax.execution", "mlmax.run"} {
		if meta[want] == nil {
			t.Errorf("no property %s", want)
		}
	}
	allowed := regexp.MustCompile(`^[a-zA-Z0-9 _.:/=+@-]{1,256}$`) // CustomerMetadataValue, less other alphabets
	for key, value := range meta {
		if text, is := value.(string); !is || !allowed.MatchString(text) {
			t.Errorf("property %s is %q", key, value)
		}
	}
}
