package awsfake

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/asl"
)

const image = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"

// processing is a state that runs a shell script as a processing job, with data in and out.
// Its job is named for the redrives, as generated machines do it.
func processing(name, role, script, retry, next string) string {
	return fmt.Sprintf(`%q: {
		"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
		"Arguments": {
			"ProcessingJobName": "{%% '%[1]s-' & $states.context.Execution.Name & '-' & $states.context.State.RetryCount & '-' & $states.context.Execution.RedriveCount %%}",
			"RoleArn": %[2]q,
			"AppSpecification": {"ImageUri": %[3]q, "ContainerEntrypoint": ["/bin/sh", "/opt/ml/processing/input/code/%[4]s"],
				"ContainerArguments": ["/opt/ml/processing/input/data/x.txt", "/opt/ml/processing/output/out"]},
			"ProcessingInputs": [
				{"InputName": "code", "S3Input": {"S3Uri": "s3://bucket/code/", "LocalPath": "/opt/ml/processing/input/code", "S3DataType": "S3Prefix", "S3InputMode": "File"}},
				{"InputName": "data", "S3Input": {"S3Uri": "s3://bucket/data/x.txt", "LocalPath": "/opt/ml/processing/input/data", "S3DataType": "S3Prefix", "S3InputMode": "File"}}
			],
			"ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {
				"S3Uri": "{%% 's3://bucket/runs/' & $states.context.Execution.Name & '/%[1]s' %%}", "LocalPath": "/opt/ml/processing/output/out", "S3UploadMode": "EndOfJob"}}]},
			"ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
			"StoppingCondition": {"MaxRuntimeInSeconds": 60}
		},
		"Output": "{%% $states.result.ProcessingJobName & ' ' & $states.result.ProcessingJobStatus %%}",%[5]s
		%[6]s
	}`, name, role, image, script, retry, next)
}

// codeArchive is a tar.gz of one script.
func codeArchive(t *testing.T, name, script string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	archive := tar.NewWriter(zip)
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(script)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write([]byte(script)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// put stores objects.
func (a *account) put(objects map[string]string) {
	a.t.Helper()
	for key, body := range objects {
		if err := a.PutObject("bucket", key, []byte(body)); err != nil {
			a.t.Fatal(err)
		}
	}
}

// lines are the lines of a log group.
func (a *account) lines(group string) (all []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.groups[group]
	if g == nil {
		return nil
	}
	for _, s := range g.streams {
		for _, l := range s.Lines {
			all = append(all, l.Message)
		}
	}
	slices.Sort(all)
	return all
}

func TestJobsRunAsProcesses(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{})
	role := a.roleFor("job", "sagemaker.amazonaws.com")
	a.put(map[string]string{
		"code/double.sh": `set -eu; echo "doubling"; cat "$1" "$1" > "$2/y.txt"; out=${1%/processing/*}/output; mkdir -p "$out"; printf 'went well' > "$out/message"`,
		"data/x.txt":     "x\n", "data/x.txt.bak": "no", "train.tar.gz": string(codeArchive(t, "train.sh", `set -eu
echo "strength=$SM_HP_STRENGTH"
cat "$SM_CHANNEL_TRAIN/y.txt" > "$SM_MODEL_DIR/model.txt"`)),
	})
	arn := a.machineOf("Prepare", processing("Prepare", role, "double.sh", "", `"Next": "Train"`)+fmt.Sprintf(`, "Train": {
		"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync", "End": true,
		"Arguments": {
			"TrainingJobName": "train-1", "RoleArn": %q, "AlgorithmSpecification": {"TrainingImage": %q, "TrainingInputMode": "File",
				"MetricDefinitions": [{"Name": "strength", "Regex": "strength=([0-9.]+)"}]},
			"HyperParameters": {"sagemaker_program": "\"train.sh\"", "sagemaker_submit_directory": "\"s3://bucket/train.tar.gz\"", "strength": "2"},
			"InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/runs/r1/Prepare/"}}}],
			"OutputDataConfig": {"S3OutputPath": "s3://bucket/runs/r1/Train"},
			"ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
			"StoppingCondition": {"MaxRuntimeInSeconds": 60}
		},
		"Output": {"model": "{%% $states.result.ModelArtifacts.S3ModelArtifacts %%}", "strength": "{%% $states.result.FinalMetricDataList[0].Value %%}"}}`, role, image))
	run := a.start(arn, "r1", "{}")
	if got := verdict(a.ended(run)); got != `SUCCEEDED  {"model":"s3://bucket/runs/r1/Train/train-1/output/model.tar.gz","strength":2}` {
		t.Fatal(got)
	}
	if got := string(a.GetObject("bucket", "runs/r1/Prepare/y.txt")); got != "x\nx\n" {
		t.Errorf("output %q", got)
	}
	if got := a.Keys("bucket", "runs/r1/Train/"); !slices.Equal(got, []string{"runs/r1/Train/train-1/output/model.tar.gz"}) {
		t.Errorf("model %v", got)
	}
	if got := a.lines("/aws/sagemaker/ProcessingJobs"); !slices.Equal(got, []string{"doubling"}) {
		t.Errorf("log %v", got)
	}
	if got := a.lines("/aws/sagemaker/TrainingJobs"); !slices.Equal(got, []string{"strength=2"}) {
		t.Errorf("log %v", got)
	}
	history := a.history(run, 100, false)
	want := []string{
		"ExecutionStarted",
		"TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited",
		"TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded",
	}
	if diff := cmp.Diff(want, typesOf(history)); diff != "" {
		t.Error(diff)
	}
	submitted := history[4].TaskSubmittedEventDetails
	if *submitted.Resource != "createProcessingJob.sync" || *submitted.ResourceType != "sagemaker" ||
		!strings.Contains(*submitted.Output, `"ProcessingJobArn":"arn:aws:sagemaker:eu-west-1:123456789012:processing-job/Prepare-r1-0-0"`) {
		t.Errorf("submitted: %+v", submitted)
	}
	var result map[string]any
	if err := json.Unmarshal([]byte(*history[5].TaskSucceededEventDetails.Output), &result); err != nil {
		t.Fatal(err)
	}
	if result["ExitMessage"] != "went well" || result["ProcessingJobArn"] != "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/Prepare-r1-0-0" {
		t.Errorf("result: %v", result)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if j := a.jobs["processing-job/Prepare-r1-0-0"]; j["ProcessingJobStatus"] != "Completed" {
		t.Errorf("described: %v", j)
	}
}

// failing is an account whose first job fails as long as there is no data, and a machine of
// two jobs with a state between them.
func failing(t *testing.T, o Options) (a *account, machine string) {
	a = newAccount(t, o)
	role := a.roleFor("job", "sagemaker.amazonaws.com")
	a.put(map[string]string{
		"code/first.sh": "set -eu; cp $1 $2/first.txt", "data/x.txt": "x",
		"code/second.sh": `echo "no luck" >&2; exit 3`,
	})
	return a, a.machineOf("First", processing("First", role, "first.sh", "", `"Next": "Between", "Assign": {"job": "{% $states.result.ProcessingJobName %}"}`)+`,
		"Between": {"Type": "Pass", "Assign": {"seen": "{% $job %}"}, "Next": "Pause"}, "Pause": {"Type": "Wait", "Seconds": 3600, "Next": "Second"}, `+
		processing("Second", role, "second.sh", "", `"Next": "Last"`)+`, "Last": {"Type": "Pass", "Output": {"first": "{% $seen %}", "second": "{% $states.input %}"}, "End": true}`)
}

func TestRedriveGoesOnAtTheFailedState(t *testing.T) {
	t.Parallel()
	clock := asl.NewVirtualClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	a, machine := failing(t, Options{Clock: clock})
	run := a.start(machine, "r1", "{}")
	failed := a.ended(run)
	var cause struct{ ProcessingJobStatus, FailureReason, ProcessingJobName string }
	if err := json.Unmarshal([]byte(aws.ToString(failed.Cause)), &cause); err != nil || aws.ToString(failed.Error) != "States.TaskFailed" ||
		cause.ProcessingJobStatus != "Failed" || cause.FailureReason != "AlgorithmError: exit code 3: no luck" || cause.ProcessingJobName != "Second-r1-0-0" {
		t.Fatalf("%s: %+v, %v", verdict(failed), cause, err)
	}
	if failed.RedriveStatus != "REDRIVABLE" || aws.ToInt32(failed.RedriveCount) != 0 {
		t.Errorf("redrive %s %v", failed.RedriveStatus, failed.RedriveCount)
	}
	before := a.history(run, 100, false)
	a.put(map[string]string{"code/second.sh": "set -eu; cp $1 $2/second.txt"})
	at := clock.Now()
	token := aws.String("token-1")
	out, err := a.c.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &run, ClientToken: token})
	if err != nil || !out.RedriveDate.Equal(at) {
		t.Fatalf("%v, %v", out, err)
	}
	good := a.ended(run)
	if got := verdict(good); got != `SUCCEEDED  {"first":"First-r1-0-0","second":"Second-r1-0-1 Completed"}` {
		t.Fatal(got)
	}
	if *good.RedriveCount != 1 || !good.RedriveDate.Equal(at) || !good.StartDate.Equal(*failed.StartDate) || good.RedriveStatus != "NOT_REDRIVABLE" {
		t.Errorf("%+v", good)
	}
	if clock.Now().Sub(at) > time.Minute {
		t.Error("the redrive waited again")
	}
	all := a.history(run, 7, false)
	want := append(typesOf(before), "ExecutionRedriven", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited",
		"PassStateEntered", "PassStateExited", "ExecutionSucceeded")
	if diff := cmp.Diff(want, typesOf(all)); diff != "" {
		t.Error(diff)
	}
	for i, e := range all[len(before):] {
		if want := int64(len(before) + i); e.PreviousEventId != want {
			t.Errorf("event %d follows %d, want %d", e.Id, e.PreviousEventId, want)
		}
	}
	again, err := a.c.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &run, ClientToken: token})
	if err != nil || !again.RedriveDate.Equal(at) {
		t.Errorf("the same token: %v, %v", again, err)
	}
	_, err = a.c.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &run, ClientToken: aws.String("token-2")})
	if got := answered(t, err); got != "400 ExecutionNotRedrivable: The execution "+run+" cannot be redriven: Execution is SUCCEEDED and cannot be redriven" {
		t.Error(got)
	}
	if got := a.Keys("bucket", "runs/r1/"); !slices.Equal(got, []string{"runs/r1/First/first.txt", "runs/r1/Second/second.txt"}) {
		t.Errorf("%v", got)
	}
}

func TestRedriveAgainAndTooLate(t *testing.T) {
	t.Parallel()
	clock := asl.NewVirtualClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	a, machine := failing(t, Options{Clock: clock})
	run := a.start(machine, "r1", "{}")
	a.ended(run)
	for i := range 3 {
		if _, err := a.c.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &run}); err != nil {
			t.Fatal(err)
		}
		if got := a.ended(run); got.Status != "FAILED" || int(*got.RedriveCount) != i+1 || !strings.Contains(*got.Cause, fmt.Sprintf("Second-r1-0-%d", i+1)) {
			t.Fatalf("redrive %d: %s", i+1, verdict(got))
		}
	}
	if err := clock.Wait(t.Context(), redriveDays+time.Second); err != nil {
		t.Fatal(err)
	}
	_, err := a.c.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &run})
	if got := answered(t, err); !strings.Contains(got, "ExecutionNotRedrivable") || !strings.Contains(got, "14 days has passed") {
		t.Error(got)
	}
}

// A state before the failed one that depends on the redrive would be another thing on AWS,
// where it is not evaluated again: that must not pass unseen.
func TestRedriveThatWouldDifferIsRefused(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{})
	arn := a.machineOf("A", `"A": {"Type": "Pass", "Output": "{% $states.context.Execution.RedriveCount %}", "Next": "T"},
		"T": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject", "Arguments": {"Bucket": "bucket", "Key": "none"}, "End": true}`)
	run := a.start(arn, "r1", "{}")
	if got := verdict(a.ended(run)); got != "FAILED S3.NoSuchKeyException The specified key does not exist. (Service: S3, Status Code: 404, Request ID: fake, Extended Request ID: fake)" {
		t.Error(got)
	}
	if _, err := a.c.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &run}); err != nil {
		t.Fatal(err)
	}
	if got := verdict(a.ended(run)); !strings.HasPrefix(got, `FAILED States.Runtime awsfake: state "A" leaves something else after the redrive than it left before`) {
		t.Error(got)
	}
}

func TestStoppedExecutionStopsItsJob(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{})
	role := a.roleFor("job", "sagemaker.amazonaws.com")
	a.put(map[string]string{"code/slow.sh": "echo begun; exec sleep 600", "data/x.txt": "x"})
	run := a.start(a.machineOf("Slow", processing("Slow", role, "slow.sh", "", `"End": true`)), "r1", "{}")
	for len(a.lines("/aws/sagemaker/ProcessingJobs")) == 0 {
		if e := a.history(run, 100, false); len(e) > 5 {
			t.Fatalf("ended: %v", typesOf(e))
		}
	}
	out, err := a.c.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: &run, Error: aws.String("Enough"), Cause: aws.String("seen enough")})
	if err != nil {
		t.Fatal(err)
	}
	stopped := a.ended(run)
	if got := verdict(stopped); got != "ABORTED Enough seen enough" || !stopped.StopDate.Equal(*out.StopDate) {
		t.Errorf("%s at %s", got, stopped.StopDate)
	}
	if e := a.history(run, 100, false); e[len(e)-1].Type != "ExecutionAborted" || *e[len(e)-1].ExecutionAbortedEventDetails.Cause != "seen enough" {
		t.Errorf("%v", typesOf(e))
	}
	a.mu.Lock()
	status := a.jobs["processing-job/Slow-r1-0-0"]["ProcessingJobStatus"]
	a.mu.Unlock()
	if status != "Stopped" {
		t.Errorf("the job is %v", status)
	}
	a.put(map[string]string{"code/slow.sh": "exit 0"})
	if _, err := a.c.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &run}); err != nil {
		t.Fatal(err)
	}
	if got := verdict(a.ended(run)); got != `SUCCEEDED  "Slow-r1-0-1 Completed"` {
		t.Error(got)
	}
}

func TestFaultsOfJobs(t *testing.T) {
	t.Parallel()
	const retry = `"Retry": [{"ErrorEquals": ["SageMaker.ResourceLimitExceededException", "SageMaker.AmazonSageMakerException"], "IntervalSeconds": 60, "MaxAttempts": 2}],`
	for _, test := range []struct {
		name   string
		fault  error
		times  int
		want   string
		events int
	}{
		{"quota", ResourceLimitExceeded("ml.m5.large"), 1, `SUCCEEDED  "Only-r1-1-0 Completed"`, 11},
		{"quota for long", ResourceLimitExceeded("ml.m5.large"), 9, `FAILED SageMaker.ResourceLimitExceededException The account-level service limit 'ml.m5.large for job usage' is 1 Instances`, 12},
		{"throttling", Throttled(), 2, `SUCCEEDED  "Only-r1-2-0 Completed"`, 14},
		{"capacity", JobFails(CapacityError), 1, `FAILED States.TaskFailed {`, 7},
		{"no JSON", JobFailsWith("Internal error,\nnot JSON \u2028 \"at all"), 1, "FAILED States.TaskFailed Internal error,\nnot JSON \u2028 \"at all", 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, Options{Clock: asl.NewVirtualClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))})
			role := a.roleFor("job", "sagemaker.amazonaws.com")
			a.put(map[string]string{"code/s.sh": "exit 0", "data/x.txt": "x"})
			a.Interfere(func(c TaskCall) error {
				if c.N <= test.times {
					return test.fault
				}
				return nil
			})
			run := a.start(a.machineOf("Only", processing("Only", role, "s.sh", retry, `"End": true`)), "r1", "{}")
			ended := a.ended(run)
			if got := verdict(ended); !strings.HasPrefix(got, test.want) {
				t.Error(got)
			}
			if test.name == "capacity" {
				var cause struct{ FailureReason, ProcessingJobStatus, ProcessingJobName string }
				if err := json.Unmarshal([]byte(*ended.Cause), &cause); err != nil || cause.FailureReason != CapacityError || cause.ProcessingJobStatus != "Failed" {
					t.Errorf("%+v, %v", cause, err)
				}
			}
			if e := a.history(run, 100, false); len(e) != test.events {
				t.Errorf("%d events: %v", len(e), typesOf(e))
			}
		})
	}
}

func TestPutObjectStoresTheJSONOfItsBody(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{})
	arn := a.machineOf("P", `"P": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:putObject", "Arguments": {"Bucket": "bucket", "Key": "k", "Body": "{% $states.input.body %}"},
		"Output": "{% $keys($states.result) %}", "Next": "G"},
		"G": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject", "Arguments": {"Bucket": "bucket", "Key": "k"}, "Output": "{% $states.result.Body %}", "End": true}`)
	for i, test := range []struct{ body, want string }{
		{`{"b": [1, 2.5], "a": "x"}`, `{"b":[1,2.5],"a":"x"}`}, {`"text data"`, `"text data"`}, {`3`, `3`}, {`true`, `true`},
	} {
		a.ended(a.start(arn, fmt.Sprint("r", i), `{"body": `+test.body+`}`))
		if got := string(a.GetObject("bucket", "k")); got != test.want {
			t.Errorf("%s is stored as %s", test.body, got)
		}
	}
	if o := a.Object("bucket", "k"); o.Headers["Content-Type"] != "text/plain; charset=UTF-8" {
		t.Errorf("%v", o.Headers)
	}
}
