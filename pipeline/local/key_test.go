package local

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/record"
)

// A keys makes recipes of requests in a workspace with some objects.
type keys struct {
	t *testing.T
	h *handler
}

func newKeys(t *testing.T) *keys {
	t.Helper()
	p := training(t, "direct")
	r, err := New(p.options)
	if err != nil {
		t.Fatal(err)
	}
	x, err := r.begin(t.Context(), p.definition, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.close(&x.cleaning); err != nil {
			t.Error(err)
		}
	})
	batch := x.store.Batch()
	for name, content := range map[string]string{
		"code/a/run.py": "a", "code/b/run.py": "b", "code/a.tar.gz": "a", "code/b.tar.gz": "b",
		"data/1/census.csv": "data", "data/2/census.csv": "data", "data/3/other.csv": "data", "data/4/census.csv": "other data",
	} {
		if err := batch.Put(bucket, name, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Commit(t.Context(), x.db.PutObjects); err != nil {
		t.Fatal(err)
	}
	x.made = map[string]record.Job{"Evaluate": {Environment: "packages-1"}, "Train": {Environment: "packages-1"}}
	return &keys{t, &handler{x}}
}

// recipe is that of a request, with replacements in its text.
func (k *keys) recipe(kind, state, request string, replace ...string) *recipe {
	k.t.Helper()
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(request, replace[i]) {
			k.t.Fatalf("the request has no %s", replace[i])
		}
	}
	task := asl.Task{State: state, Arguments: json.RawMessage(strings.NewReplacer(replace...).Replace(request))}
	var j *job
	var err error
	if kind == processingKind {
		var r processingJob
		if err := decode(task.Arguments, processingRequest, sageMakerRefused, &r); err != nil {
			k.t.Fatal(err)
		}
		j, err = k.h.processingJob(task, &r)
	} else {
		var r trainingJob
		if err := decode(task.Arguments, trainingRequest, sageMakerRefused, &r); err != nil {
			k.t.Fatal(err)
		}
		j, _, err = k.h.trainingJob(task, &r)
		if err == nil {
			k.h.codeOf(k.t.Context(), j, newScript(r.HyperParameters, r.Environment).submit)
		}
	}
	if err == nil {
		err = k.h.inputs(k.t.Context(), j)
	}
	if err != nil {
		k.t.Fatal(err)
	}
	return &j.recipe
}

const evaluateRequest = `{"ProcessingJobName": "job-1", "RoleArn": "arn:aws:iam::000000000000:role/one",
	"AppSpecification": {"ImageUri": "sklearn:1.4-2", "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/run.py"],
		"ContainerArguments": ["--seed", "1", "--fast", "--raw", "/opt/ml/processing/input/Raw", "last"]},
	"ProcessingInputs": [
		{"InputName": "code", "S3Input": {"S3Uri": "s3://local/code/a/", "LocalPath": "/opt/ml/processing/input/code",
			"S3DataType": "S3Prefix", "S3InputMode": "File"}},
		{"InputName": "Raw", "S3Input": {"S3Uri": "s3://local/data/1/census.csv", "LocalPath": "/opt/ml/processing/input/Raw",
			"S3DataType": "S3Prefix", "S3InputMode": "File"}}],
	"ProcessingOutputConfig": {"Outputs": [
		{"OutputName": "Report", "S3Output": {"S3Uri": "s3://local/runs/r1/Report", "LocalPath": "/opt/ml/processing/output/Report", "S3UploadMode": "EndOfJob"}}]},
	"ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}},
	"StoppingCondition": {"MaxRuntimeInSeconds": 100}, "Environment": {"LEVEL": "one", "OTHER": "x"},
	"Tags": [{"Key": "run", "Value": "r1"}]}`

const trainRequest = `{"TrainingJobName": "job-1", "RoleArn": "arn:aws:iam::000000000000:role/one",
	"AlgorithmSpecification": {"TrainingImage": "sklearn:1.4-2", "TrainingInputMode": "File",
		"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]},
	"HyperParameters": {"sagemaker_program": "\"run.py\"", "sagemaker_submit_directory": "\"s3://local/code/a.tar.gz\"",
		"sagemaker_job_name": "\"job-1\"", "strength": "1", "balanced": "true"},
	"InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv",
		"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://local/data/1/"}}}],
	"OutputDataConfig": {"S3OutputPath": "s3://local/runs/r1/Train/0-0"},
	"ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
	"StoppingCondition": {"MaxRuntimeInSeconds": 100}, "Environment": {"LEVEL": "one"},
	"Tags": [{"Key": "run", "Value": "r1"}]}`

// TestKeyOfAJob: what a job's result depends on is in its key, each under a name that
// people know, and nothing else is.
func TestKeyOfAJob(t *testing.T) {
	t.Parallel()
	k := newKeys(t)
	tests := []struct {
		kind    string
		replace []string
		want    string // how they differ; empty if the key is the same
	}{
		{processingKind, nil, ""},
		{processingKind, []string{"job-1", "job-2"}, ""},
		{processingKind, []string{"role/one", "role/two"}, ""},
		{processingKind, []string{"runs/r1", "runs/r2", `"Value": "r1"`, `"Value": "r2"`}, ""},
		{processingKind, []string{"ml.m5.large", "ml.m5.xlarge", `"VolumeSizeInGB": 30`, `"VolumeSizeInGB": 50`}, ""},
		{processingKind, []string{`"MaxRuntimeInSeconds": 100`, `"MaxRuntimeInSeconds": 200`}, ""},
		{processingKind, []string{`"EndOfJob"}}]`, `"EndOfJob"}}], "KmsKeyId": "key"`}, ""},
		{processingKind, []string{"data/1/census.csv", "data/2/census.csv"}, ""},
		{processingKind, []string{"code/a/", "code/b/"}, "code changed"},
		{processingKind, []string{"code/run.py", "code/main.py"}, "entry point was python3 /opt/ml/processing/input/code/run.py, is python3 /opt/ml/processing/input/code/main.py"},
		{processingKind, []string{`"--seed", "1"`, `"--seed", "2"`}, "argument --seed was 1, is 2"},
		{processingKind, []string{`"--fast", `, ""}, "argument --fast is gone"},
		{processingKind, []string{`"--fast"`, `"--fast=1"`}, "argument --fast was given, is 1"},
		{processingKind, []string{`"--seed", "1", "--fast"`, `"--fast", "--seed", "1"`}, "the order of its arguments changed"},
		{processingKind, []string{`"last"`, `"first"`}, "argument 1 was last, is first"},
		{processingKind, []string{`"LEVEL": "one"`, `"LEVEL": "two"`}, "variable LEVEL was one, is two"},
		{processingKind, []string{`"LEVEL": "one"`, `"LEVEL": "one", "MORE": "3"`}, "variable MORE is new"},
		{processingKind, []string{"sklearn:1.4-2", "sklearn:1.2-1"}, "image was sklearn:1.4-2, is sklearn:1.2-1"},
		{processingKind, []string{"data/1/census.csv", "data/4/census.csv"}, "input Raw changed"},
		{processingKind, []string{"data/1/census.csv", "data/3/other.csv"},
			"place of input Raw was /opt/ml/processing/input/Raw census.csv, is /opt/ml/processing/input/Raw other.csv"},
		{processingKind, []string{`"LocalPath": "/opt/ml/processing/input/Raw"`, `"LocalPath": "/opt/ml/processing/raw"`},
			"place of input Raw was /opt/ml/processing/input/Raw census.csv, is /opt/ml/processing/raw census.csv"},
		{processingKind, []string{`"LocalPath": "/opt/ml/processing/output/Report"`, `"LocalPath": "/opt/ml/processing/report"`},
			"output Report was /opt/ml/processing/output/Report report.json, is /opt/ml/processing/report report.json"},
		{processingKind, []string{`"OutputName": "Report"`, `"OutputName": "Other"`},
			"output Other is new; output Report is gone"},

		{trainingKind, nil, ""},
		{trainingKind, []string{"job-1", "job-2", "role/one", "role/two", "runs/r1", "runs/r2"}, ""},
		{trainingKind, []string{"ml.m5.large", "ml.m5.xlarge", `"MaxRuntimeInSeconds": 100`, `"MaxRuntimeInSeconds": 200`}, ""},
		{trainingKind, []string{"s3://local/data/1/", "s3://local/data/2/"}, ""},
		{trainingKind, []string{"code/a.tar.gz", "code/b.tar.gz"}, "code changed"},
		{trainingKind, []string{"run.py", "main.py"}, "entry point was run.py, is main.py"},
		{trainingKind, []string{`"strength": "1"`, `"strength": "0.5"`}, "hyperparameter strength was 1, is 0.5"},
		{trainingKind, []string{`"strength": "1"`, `"strength": "` + strings.Repeat("1", 81) + `"`}, "hyperparameter strength changed"},
		{trainingKind, []string{`"LEVEL": "one"`, `"LEVEL": "two"`}, "variable LEVEL was one, is two"},
		{trainingKind, []string{"sklearn:1.4-2", "sklearn:1.2-1"}, "image was sklearn:1.4-2, is sklearn:1.2-1"},
		{trainingKind, []string{"s3://local/data/1/", "s3://local/data/4/"}, "input train changed"},
		{trainingKind, []string{"text/csv", "text/plain"},
			"place of input train was /opt/ml/input/data/train text/csv, is /opt/ml/input/data/train text/plain"},
		{trainingKind, []string{"loss=(.*)", "loss: (.*)"}, "metric loss was loss=(.*), is loss: (.*)"},
	}
	for _, tt := range tests {
		state, request := "Evaluate", evaluateRequest
		if tt.kind == trainingKind {
			state, request = "Train", trainRequest
		}
		was, is := k.recipe(tt.kind, state, request), k.recipe(tt.kind, state, request, tt.replace...)
		if tt.want == "" {
			if was.key() != is.key() {
				t.Errorf("%s %v: the key changed: %s", tt.kind, tt.replace, cmp.Diff(was.parts(), is.parts()))
			}
			if diff := cmp.Diff(was.parts(), is.parts()); diff != "" {
				t.Errorf("%s %v: %s", tt.kind, tt.replace, diff)
			}
			continue
		}
		if was.key() == is.key() {
			t.Errorf("%s %v: the key is the same", tt.kind, tt.replace)
		}
		if got := differences(was.parts(), is.parts()); got != tt.want {
			t.Errorf("%s %v: %s, want %s", tt.kind, tt.replace, got, tt.want)
		}
	}
}

func TestKeyHoldsWhatIsInstalled(t *testing.T) {
	t.Parallel()
	k := newKeys(t)
	was := k.recipe(trainingKind, "Train", trainRequest)
	k.h.made["Train"] = record.Job{Environment: "packages-2"}
	is := k.recipe(trainingKind, "Train", trainRequest)
	if was.key() == is.key() {
		t.Error("the key is the same")
	}
	if got := differences(was.parts(), is.parts()); got != "packages changed" {
		t.Error(got)
	}
	delete(k.h.made, "Train") // as for a script that is not Python
	if parts := k.recipe(trainingKind, "Train", trainRequest).parts(); slices.Contains(slices.Collect(maps.Keys(parts)), "packages") {
		t.Errorf("a shell script has packages: %v", parts)
	}
}

// TestArgumentsAreNotMixedUp: lists that look alike have keys of their own.
func TestArgumentsAreNotMixedUp(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	for _, list := range [][]string{
		nil, {""}, {"--a"}, {"--a", "given"}, {"--a", ""}, {"--a=given"}, {"--a", "--b"}, {"--a --b"}, {"--a", "1", "--a", "2"}, {"--a", "2", "--a", "1"}, {"1", "--a"},
	} {
		r := &recipe{Code: "code", Arguments: list}
		if other, there := seen[r.key()]; there {
			t.Errorf("%q and %q have one key", list, other)
		}
		seen[r.key()] = list
	}
	want := map[string]string{"argument --a": "1", "argument --a (2)": "2", "argument --a (3)": "3", "argument --n": "-1", "argument 1": "x"}
	got := map[string]string{}
	arguments(got, []string{"--a", "1", "--a", "2", "--a=3", "--n", "-1", "x"})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
