package local

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// steady is a clock whose time is the system's, whose waits take none, and whose
// alarms never go off.
type steady struct{}

func (steady) Now() time.Time { return time.Now() }

func (steady) Wait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func (steady) AfterFunc(time.Duration, func()) (stop func()) { return func() {} }

func TestRetryIsTold(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.options.Clock = steady{}
	p.definition.ASL = []byte(strings.ReplaceAll(string(p.definition.ASL), `"SageMaker.ResourceLimitExceededException"`, `"States.TaskFailed"`))
	p.write("steps/preprocess/preprocess.sh",
		"case $PROCESSING_JOB_NAME in *-0-0) echo 'first try' >&2; exit 4 ;; esac\n"+preprocessScript, 0o644)
	o := p.succeed(`{}`)
	retried := p.said(pipeline.StepRetried)
	if len(retried) != 1 {
		t.Fatalf("retries: %q", retried)
	}
	matches(t, "the retry", retried[0], `^Preprocess exit code 4: first try$`)
	if o.Steps[0].Attempts != 2 || o.Steps[0].Status != pipeline.Succeeded {
		t.Errorf("step: %+v", o.Steps[0])
	}
	for _, a := range o.Artifacts {
		if strings.HasPrefix(a.Name, "Preprocess.") && !strings.Contains(a.URI, "/Preprocess/0-1/") {
			t.Errorf("%s is at %s", a.Name, a.URI)
		}
	}
}

func TestRequestsAreDecodedStrictly(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, old, new, errorName, cause string }{
		{"unknown member", `"RetryStrategy": {`, `"RetryPolicy": {`, asl.ErrorRuntime, `^The field "RetryPolicy" is not supported by Step Functions$`},
		{"letter case", `"HyperParameters"`, `"Hyperparameters"`, asl.ErrorRuntime, `^The field "Hyperparameters" is not supported by Step Functions$`},
		{"missing member", `"RoleArn": "${TrainRole}",`, ``, asl.ErrorRuntime, `^The field "RoleArn" is required but was missing$`},
		{"wrong type", `"MaximumRetryAttempts": 2`, `"MaximumRetryAttempts": "2"`, asl.ErrorRuntime, `^The value for the field "RetryStrategy.MaximumRetryAttempts" must be a number$`},
		{"bound", `"MaximumRetryAttempts": 2`, `"MaximumRetryAttempts": 31`, sageMakerRefused, `less than or equal to 30`},
		{"number as a hyperparameter", `"strength": "{% $string($Params.` + "`Train.Strength`" + `) %}"`, `"strength": 1`, asl.ErrorRuntime, `must be a string`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := training(t, "direct")
			p.options.Clock = steady{}
			text := string(p.definition.ASL)
			at := strings.Index(text, `"Train": {`)
			changed := strings.Replace(text[at:], c.old, c.new, 1)
			if changed == text[at:] {
				t.Fatalf("%s is not in the machine", c.old)
			}
			p.definition.ASL = []byte(text[:at] + changed)
			o := p.fails(t.Context(), `{}`)
			if o.Error != c.errorName || o.FailedStep != "Train" {
				t.Errorf("%s in %s", o.Error, o.FailedStep)
			}
			matches(t, "the cause", o.Cause, c.cause)
		})
	}
}

func TestJobNamesAreUnique(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	text := string(p.definition.ASL)
	from := strings.Index(text, `"ProcessingJobName": "`)
	to := from + strings.Index(text[from:], "\n")
	p.definition.ASL = []byte(text[:from] + `"ProcessingJobName": "always-the-same",` + text[to:])
	p.succeed(`{}`)
	o := p.fails(t.Context(), `{}`)
	if o.Error != "SageMaker.ResourceInUseException" {
		t.Errorf("%s: %s", o.Error, o.Cause)
	}
}

func TestChildSeesNothingOfOurEnvironment(t *testing.T) {
	// Not parallel: it sets variables.
	for _, name := range []string{"AWS_SECRET_ACCESS_KEY", "MY_TOKEN", "PYTHONPATH"} {
		t.Setenv(name, "leaked")
	}
	p := training(t, "direct")
	p.write("steps/train/train.sh", trainScript+"env > \"$SM_OUTPUT_DATA_DIR/env\"; env\n", 0o755)
	o := p.succeed(`{}`)
	log, err := os.ReadFile(filepath.Join(p.workspace(), "runs", o.Run, "Train.0.log"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(log), "leaked") {
		t.Errorf("environment:\n%s", log)
	}
	var names []string
	for line := range strings.Lines(string(log)) {
		name, _, _ := strings.Cut(line, "=")
		names = append(names, name)
	}
	for _, want := range strings.Fields(toolkitNames) {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not set", want)
		}
	}
	var found bool
	for _, a := range o.Artifacts {
		found = found || a.Name == "Train.output.tar.gz" && strings.HasSuffix(a.URI, "/output/output.tar.gz")
	}
	if !found {
		t.Error("there is no output.tar.gz")
	}
}

// toolkitNames are the variables of sagemaker-training-toolkit.
const toolkitNames = `SM_HOSTS SM_NETWORK_INTERFACE_NAME SM_HPS SM_USER_ENTRY_POINT SM_FRAMEWORK_PARAMS SM_RESOURCE_CONFIG
	SM_INPUT_DATA_CONFIG SM_OUTPUT_DATA_DIR SM_CHANNELS SM_CURRENT_HOST SM_CURRENT_INSTANCE_TYPE SM_CURRENT_INSTANCE_GROUP
	SM_CURRENT_INSTANCE_GROUP_HOSTS SM_INSTANCE_GROUPS SM_INSTANCE_GROUPS_DICT SM_DISTRIBUTION_INSTANCE_GROUPS SM_IS_HETERO
	SM_MODULE_NAME SM_LOG_LEVEL SM_FRAMEWORK_MODULE SM_INPUT_DIR SM_INPUT_CONFIG_DIR SM_OUTPUT_DIR SM_NUM_CPUS SM_NUM_GPUS
	SM_NUM_NEURONS SM_MODEL_DIR SM_MODULE_DIR SM_TRAINING_ENV SM_USER_ARGS SM_OUTPUT_INTERMEDIATE_DIR SM_CHANNEL_TRAIN SM_HP_STRENGTH`

// TestTrainingScriptNeedsNoMode: the toolkit makes a script executable, so that a
// checkout without modes works here as there.
func TestTrainingScriptNeedsNoMode(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.write("steps/train/train.sh", trainScript, 0o644)
	if err := os.Chmod(filepath.Join(p.dir, "steps/train/train.sh"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.succeed(`{}`)
}

func TestScriptSeesTrainingContainer(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		p.write("steps/train/train.sh", trainScript+`
[ -d "$SM_OUTPUT_DATA_DIR" ] && [ -d "$SM_OUTPUT_INTERMEDIATE_DIR" ]
cat "$SM_INPUT_CONFIG_DIR/hyperparameters.json"; echo
cat "$SM_INPUT_CONFIG_DIR/inputdataconfig.json"; echo
cat "$SM_INPUT_CONFIG_DIR/resourceconfig.json"; echo
echo "$SM_HPS" "$SM_CHANNELS" "$SM_MODULE_NAME" "$SM_USER_ENTRY_POINT" "$SM_IS_HETERO"
echo "home writable: $(touch "$HOME/x" "$TMPDIR/y" && echo yes)"
`, 0o755)
		p.succeed(`{}`)
		var got []string
		for _, line := range p.said(pipeline.StepLog) {
			if line, ok := strings.CutPrefix(line, "Train "); ok {
				got = append(got, line)
			}
		}
		want := []string{
			`^{"sagemaker_container_log_level":"20","sagemaker_program":"\\"train.sh\\"","sagemaker_region":"\\"local\\"","sagemaker_submit_directory":"\\"s3://local/code/[0-9a-f]{64}.tar.gz\\"","strength":"1"}$`,
			`^{"train":{"RecordWrapperType":"None","S3DistributionType":"FullyReplicated","TrainingInputMode":"File"}}$`,
			`^{"current_group_name":"homogeneousCluster","current_host":"algo-1","current_instance_type":"ml.m5.xlarge","hosts":\["algo-1"\],"instance_groups":\[{"hosts":\["algo-1"\],"instance_group_name":"homogeneousCluster","instance_type":"ml.m5.xlarge"}\],"network_interface_name":"eth0"}$`,
			`^{"strength":1} \["train"\] train.sh train.sh false$`,
			`^home writable: yes$`,
		}
		if len(got) != len(want) {
			t.Fatalf("log:\n%s", strings.Join(got, "\n"))
		}
		for i := range want {
			matches(t, "line", got[i], want[i])
		}
	})
}

func TestLinksInOutputsAreToldAndLeftOut(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.write("steps/preprocess/preprocess.sh", preprocessScript+"ln -s /etc/hostname \"$train/link\"\nmkfifo \"$train/pipe\"\n", 0o644)
	o := p.succeed(`{}`)
	want := []string{`Preprocess output "Train" of step Preprocess holds "link" and 1 more, which is not a file: as on AWS, it was not saved`}
	if diff := cmp.Diff(want, p.said(pipeline.Warned)); diff != "" {
		t.Error(diff)
	}
	names, err := os.ReadDir(filepath.Join(p.workspace(), "s3/local/runs/census-training", o.Run, "Preprocess/0-0/Train"))
	if err != nil || len(names) != 1 {
		t.Errorf("saved: %v, %v", names, err)
	}
}

func TestRecordHoldsWhatMadeWhat(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	o := p.succeed(`{}`)
	db := p.record()
	edges, err := db.Edges(t.Context(), o.Run)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range edges {
		got = append(got, e.Step+" "+e.Direction+" "+e.Port+" "+e.Artifact.Name)
	}
	want := []string{
		"Preprocess in Raw Data", "Preprocess out Test Preprocess.Test", "Preprocess out Train Preprocess.Train",
		"Preprocess out Transformer Preprocess.Transformer", "Train in train Preprocess.Train", "Train out Model Train.Model",
		"Evaluate in Model Train.Model", "Evaluate in Test Preprocess.Test", "Evaluate out Report Evaluate.Report",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	jobs, err := db.Jobs(t.Context(), o.Run)
	if err != nil || len(jobs) != 3 || len(jobs[0].Code) != 64 {
		t.Errorf("jobs: %+v, %v", jobs, err)
	}
	run, err := db.Run(t.Context(), o.Run[:4])
	if err != nil {
		t.Fatal(err)
	}
	var parameters map[string]any
	if err := json.Unmarshal(run.Parameters, &parameters); err != nil {
		t.Fatal(err)
	}
	if parameters["Train.Strength"] != 1.0 || run.Definition == "" || run.Status != "SUCCEEDED" {
		t.Errorf("run: %+v", run)
	}
}

func TestSameRunsGiveSameBytes(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	digests := func(o *pipeline.Outcome) map[string]string {
		all := map[string]string{}
		for _, a := range o.Artifacts {
			all[a.Name] = a.Digest
		}
		return all
	}
	first, second := digests(p.succeed(`{}`)), digests(p.with(Reuse{NoCache: true}).succeed(`{}`))
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownIsolationIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{Isolation: "container"}); err == nil {
		t.Error("isolation \"container\" was taken")
	}
}
