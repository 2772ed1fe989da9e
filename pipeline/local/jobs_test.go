package local

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// bucketOf is a store of one bucket, whose name is not looked at.
type bucketOf struct {
	objects map[string]string
	refused string // a key that is neither read nor written
}

func (b *bucketOf) List(_ context.Context, _, prefix string) (keys []string, err error) {
	for key := range b.objects {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

func (b *bucketOf) Get(_ context.Context, _, key string) ([]byte, error) {
	text, ok := b.objects[key]
	if !ok || key == b.refused {
		return nil, &RefusedError{"ClientError: no " + key}
	}
	return []byte(text), nil
}

func (b *bucketOf) Put(_ context.Context, _, key string, content []byte) error {
	if key == b.refused {
		return &RefusedError{"ClientError: not " + key}
	}
	b.objects[key] = string(content)
	return nil
}

// foreignJob is a processing job that copies a file, by a script of the store's.
func foreignJob(name string) asl.Task {
	return asl.Task{State: "Copy", Resource: "arn:aws:states:::sagemaker:createProcessingJob.sync", Arguments: json.RawMessage(`{
		"ProcessingJobName": "` + name + `", "RoleArn": "arn:aws:iam::123456789012:role/job",
		"AppSpecification": {"ImageUri": "img", "ContainerEntrypoint": ["/bin/sh", "/opt/ml/processing/input/code/copy.sh"],
			"ContainerArguments": ["/opt/ml/processing/input/data/a.txt", "/opt/ml/processing/output/out"]},
		"ProcessingInputs": [
			{"InputName": "code", "S3Input": {"S3Uri": "s3://theirs/code/", "LocalPath": "/opt/ml/processing/input/code", "S3DataType": "S3Prefix"}},
			{"InputName": "data", "S3Input": {"S3Uri": "s3://theirs/data/a.txt", "LocalPath": "/opt/ml/processing/input/data", "S3DataType": "S3Prefix"}}],
		"ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {"S3Uri": "s3://theirs/out", "LocalPath": "/opt/ml/processing/output/out", "S3UploadMode": "EndOfJob"}}]},
		"ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}}`)}
}

func TestJobsOfAnotherEngine(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		dir := t.TempDir()
		jobs, err := NewJobs(JobsOptions{Dir: dir, Isolation: isolation, Region: "eu-west-1", Account: "123456789012", Partition: "aws"})
		if err != nil {
			t.Fatal(err)
		}
		store := func() *bucketOf {
			return &bucketOf{objects: map[string]string{
				"code/": "", "code/copy.sh": `set -eu; echo "$PROCESSING_JOB_ARN"; cp "$1" "$2/b.txt"`, "data/a.txt": "a\n", "data/a.txt.old": "no",
			}}
		}
		theirs := store()
		var said []string
		accepted := 0
		raw, err := jobs.Do(t.Context(), JobCall{
			Task: foreignJob("one"), Store: theirs, Accept: func() error { accepted++; return nil }, Log: func(line string) { said = append(said, line) },
		})
		if err != nil {
			t.Fatal(err)
		}
		var describe struct{ ProcessingJobArn, ProcessingJobStatus string }
		const arn = "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/one"
		if err := json.Unmarshal(raw, &describe); err != nil || describe.ProcessingJobArn != arn || describe.ProcessingJobStatus != "Completed" {
			t.Errorf("%+v, %v", describe, err)
		}
		if theirs.objects["out/b.txt"] != "a\n" || len(theirs.objects) != 5 || accepted != 1 {
			t.Errorf("%v, accepted %d times", theirs.objects, accepted)
		}
		if diff := cmp.Diff([]string{arn}, said); diff != "" {
			t.Error(diff)
		}
		for key, want := range map[string]string{"data/a.txt": "ClientError: no data/a.txt", "out/b.txt": "ClientError: not out/b.txt"} {
			theirs := store()
			theirs.refused = key
			_, err := jobs.Do(t.Context(), JobCall{Task: foreignJob("one"), Store: theirs})
			var failed *asl.Error
			var cause struct{ ProcessingJobStatus, FailureReason, ProcessingJobArn string }
			if !errors.As(err, &failed) || failed.Name != asl.ErrorTaskFailed || json.Unmarshal([]byte(failed.Cause), &cause) != nil ||
				cause.FailureReason != want || cause.ProcessingJobStatus != "Failed" || cause.ProcessingJobArn != arn {
				t.Errorf("%s: %v", key, err)
			}
		}
		refusal := asl.Fail("SageMaker.ResourceLimitExceededException", "")
		if _, err := jobs.Do(t.Context(), JobCall{Task: foreignJob("one"), Store: theirs, Accept: func() error { return refusal }}); !errors.Is(err, refusal) {
			t.Error(err)
		}
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	if _, err := NewJobs(JobsOptions{Dir: "relative"}); err == nil {
		t.Error("a relative folder is taken")
	}
	if _, err := os.Stat("relative"); err == nil {
		t.Error("it was made")
	}
}
