package asl

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTraining runs a small pipeline as one is generated: parameters over their
// defaults, a job that is throttled first, a gate and a result.
func TestTraining(t *testing.T) {
	t.Parallel()
	definition, err := Substitute(readTestdata(t, "training.asl.json"), map[string]string{
		"Env": "dev", "Bucket": "b", "KmsKey": "", "TrainRole": "arn:aws:iam::111111111111:role/train",
	})
	if err != nil {
		t.Fatal(err)
	}
	if left := Unresolved(definition); left != nil {
		t.Fatalf("unresolved %v", left)
	}
	m, err := Decode("training.asl.json", definition)
	if err != nil {
		t.Fatal(err)
	}
	const run = "0654b4997188" // of the execution id and start time that execute gives
	tests := []struct {
		name, input, want string
		arguments         []string
		took              time.Duration
	}{
		{
			name: "good enough", input: ``,
			want: `{"Run":"` + run + `","Score":0.9,"Registered":true,"Model":{"Model":"s3://b/m.tar.gz"}}`,
			arguments: []string{
				`{"TrainingJobName":"dev-train-` + run + `-0","RoleArn":"arn:aws:iam::111111111111:role/train","HyperParameters":{"strength":"1"},"OutputDataConfig":{"S3OutputPath":"s3://b/` + run + `/"}}`,
				`{"TrainingJobName":"dev-train-` + run + `-1","RoleArn":"arn:aws:iam::111111111111:role/train","HyperParameters":{"strength":"1"},"OutputDataConfig":{"S3OutputPath":"s3://b/` + run + `/"}}`,
			},
			took: 20 * time.Second,
		},
		{
			name: "not registered", input: `{"MinScore": 0.95, "Train.Strength": 0.5}`,
			want: `{"Run":"` + run + `","Score":0.9,"Registered":false,"Model":null}`,
			arguments: []string{
				`{"TrainingJobName":"dev-train-` + run + `-0","RoleArn":"arn:aws:iam::111111111111:role/train","HyperParameters":{"strength":"0.5"},"OutputDataConfig":{"S3OutputPath":"s3://b/` + run + `/"}}`,
				`{"TrainingJobName":"dev-train-` + run + `-1","RoleArn":"arn:aws:iam::111111111111:role/train","HyperParameters":{"strength":"0.5"},"OutputDataConfig":{"S3OutputPath":"s3://b/` + run + `/"}}`,
			},
			took: 15 * time.Second,
		},
		{
			name: "bad parameter", input: `{"MinScore": 2}`,
			want: `FAILED BadParameters: the input does not fit: {"MinScore":2,"Train.Strength":1}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var arguments []string
			o := execute(t, m, tt.input, handlerFunc(func(_ context.Context, task Task) (json.RawMessage, error) {
				arguments = append(arguments, string(task.Arguments))
				if task.Attempt == 0 {
					return nil, Fail("SageMaker.AmazonSageMakerException", "Rate exceeded")
				}
				task.Submitted(json.RawMessage(`{"TrainingJobArn":"arn"}`))
				return json.RawMessage(`{"ModelArtifacts": {"S3ModelArtifacts": "s3://b/m.tar.gz"}, "Score": 0.90}`), nil
			}))
			if diff := cmp.Diff(tt.want, o.says()); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.arguments, arguments); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
			if o.took != tt.took {
				t.Errorf("took %v, want %v", o.took, tt.took)
			}
		})
	}
}

// TestHistory writes events as GetExecutionHistory does.
func TestHistory(t *testing.T) {
	t.Parallel()
	m := machine(t, `{"A": {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync", "Credentials": {"RoleArn": "{% 'arn:r' %}"},
		"TimeoutSeconds": 60, "HeartbeatSeconds": 30, "Arguments": {"a": "{% 1 %}"}, "Assign": {"v": "{% $states.result.x %}"}, "End": true}}`)
	o := execute(t, m, `{ "in": 1 }`, handlerFunc(func(_ context.Context, task Task) (json.RawMessage, error) {
		task.Submitted(json.RawMessage(`{"Arn":"a"}`))
		return json.RawMessage(`{"x": [1]}`), nil
	}))
	want := []string{
		`{"timestamp":"2026-01-31T12:00:00Z","type":"ExecutionStarted","id":1,"previousEventId":0,"executionStartedEventDetails":{"input":"{ \"in\": 1 }","inputDetails":{"truncated":false},"roleArn":"arn:aws:iam::111111111111:role/r"}}`,
		`{"timestamp":"2026-01-31T12:00:00Z","type":"TaskStateEntered","id":2,"previousEventId":0,"stateEnteredEventDetails":{"name":"A","input":"{ \"in\": 1 }","inputDetails":{"truncated":false}}}`,
		`{"timestamp":"2026-01-31T12:00:00Z","type":"TaskScheduled","id":3,"previousEventId":2,"taskScheduledEventDetails":{"resource":"createTrainingJob.sync","resourceType":"sagemaker","region":"eu-west-1","parameters":"{\"a\":1}","timeoutInSeconds":60,"heartbeatInSeconds":30,"taskCredentials":{"roleArn":"arn:r"}}}`,
		`{"timestamp":"2026-01-31T12:00:00Z","type":"TaskStarted","id":4,"previousEventId":3,"taskStartedEventDetails":{"resource":"createTrainingJob.sync","resourceType":"sagemaker"}}`,
		`{"timestamp":"2026-01-31T12:00:00Z","type":"TaskSubmitted","id":5,"previousEventId":4,"taskSubmittedEventDetails":{"resource":"createTrainingJob.sync","resourceType":"sagemaker","output":"{\"Arn\":\"a\"}","outputDetails":{"truncated":false}}}`,
		`{"timestamp":"2026-01-31T12:00:00Z","type":"TaskSucceeded","id":6,"previousEventId":5,"taskSucceededEventDetails":{"resource":"createTrainingJob.sync","resourceType":"sagemaker","output":"{\"x\":[1]}","outputDetails":{"truncated":false}}}`,
		`{"timestamp":"2026-01-31T12:00:00Z","type":"TaskStateExited","id":7,"previousEventId":6,"stateExitedEventDetails":{"name":"A","output":"{\"x\":[1]}","outputDetails":{"truncated":false},"assignedVariables":{"v":"[1]"},"assignedVariablesDetails":{"truncated":false}}}`,
		`{"timestamp":"2026-01-31T12:00:00Z","type":"ExecutionSucceeded","id":8,"previousEventId":7,"executionSucceededEventDetails":{"output":"{\"x\":[1]}","outputDetails":{"truncated":false}}}`,
	}
	var got []string
	for _, e := range o.events {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestValuesDoNotChange uses the functions that could change what they are
// given, and reads the values again.
func TestValuesDoNotChange(t *testing.T) {
	t.Parallel()
	m := machine(t, `{"A": {"Type": "Pass", "Assign": {"v": [3, 1, {"a": 1}]}, "Next": "B"},
		"B": {"Type": "Pass", "Next": "C", "Output": ["{% $sort($v[[0..1]]) %}", "{% $append($v, 4) %}", "{% $append($v, 5) %}", "{% $reverse($v) %}",
			"{% $v[2] ~> |$|{'a': 2}| %}", "{% $merge([$v[2], {'a': 3}]) %}", "{% $v[0..1]^(>$) %}", "{% ($v := 9; $v) %}", "{% ($states := 9; $states) %}"]},
		"C": {"Type": "Succeed", "Output": ["{% $v %}", "{% $count($states.input[1]) %}", "{% $states.input[1][3] %}"]}}`)
	if got, want := execute(t, m, "", nil).says(), `[[3,1,{"a":1}],4,4]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
