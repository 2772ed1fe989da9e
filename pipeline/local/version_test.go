package local

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/record"
)

// withInference is a module with the census pipeline, and one that starts from a
// version that it registers. Both use one workspace.
func withInference(t *testing.T, isolation string) (train, infer *project) {
	t.Helper()
	train = training(t, isolation)
	text, err := os.ReadFile("testdata/inference.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	infer = &project{t: t, dir: train.dir, options: train.options}
	infer.options.Command = func(main string) string { return "go run ./" + filepath.Base(main) }
	infer.write("steps/preprocess/preprocess.sh", `case " $* " in
*" --fitted "*) echo "first code"; cat "$4/parts/scale.txt" "$2" > "$6/features.csv"; exit ;;
esac
`+preprocessScript, 0o644)
	infer.write("steps/predict/predict.sh", `cat "$4/features.csv" > "$6/predictions.csv"`, 0o644)
	job := func(name string, output string) pipeline.Job {
		return pipeline.Job{
			Name: name, Kind: "processing", Image: "sklearn:1.4-2", CodeDir: "steps/" + strings.ToLower(name), Script: strings.ToLower(name) + ".sh",
			RoleName: name + "Role", InstanceName: name + "Instance", Instance: "ml.m5.large", Outputs: []pipeline.Output{{Name: output}},
		}
	}
	pinned, scoring := job("Preprocess", "Features"), job("Predict", "Predictions")
	pinned.Pin = "Model"
	scoring.ImageOf, scoring.CodeName = "Model", "PredictCode"
	infer.definition = &pipeline.Definition{
		Name: "census-inference", Module: "example.com/census", Package: "example.com/census/generated/inference/inference", ASL: text,
		Parameters: []pipeline.Parameter{
			{Key: "Data", Flag: "data", Type: "string", Location: true, Local: "data/census.csv", File: true, Default: "data/census.csv"},
			{Key: "ModelVersion", Flag: "model-version", Type: "int", Default: int64(0), Min: new(0.0)},
		},
		Jobs: []pipeline.Job{pinned, scoring},
		Versions: []pipeline.Version{{
			Name: "Model", Group: "census", Status: "Approved", Param: "ModelVersion",
			Pipeline: "census-training", Command: "example.com/census/generated/training",
		}},
	}
	return train, infer
}

// decide sets the status of a version.
func (p *project) decide(version int, status string) {
	p.t.Helper()
	_, err := p.record().Decide(p.t.Context(), record.Approval{
		Group: "local-census", Version: version, Status: status, Person: "Ada", Note: "seen", At: time.Now(),
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func TestPinnedStepRunsTheCodeOfTheVersion(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		train, infer := withInference(t, isolation)
		trained := train.succeed(`{}`)
		train.decide(1, "Approved")
		infer.write("steps/preprocess/preprocess.sh", "echo 'later code'; exit 3", 0o644)
		o := infer.succeed(`{}`)
		want := map[string]pipeline.ModelVersion{"Model": {Group: "local-census", Version: 1, Status: "Approved", ARN: trained.Model.ARN}}
		if diff := cmp.Diff(want, o.Versions); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"Preprocess first code"}, infer.said(pipeline.StepLog)); diff != "" {
			t.Error(diff)
		}
		before, err := train.record().Jobs(t.Context(), trained.Run)
		if err != nil {
			t.Fatal(err)
		}
		after, err := train.record().Jobs(t.Context(), o.Run)
		if err != nil || len(after) != 2 {
			t.Fatalf("jobs: %+v, %v", after, err)
		}
		// In order of names: Predict, Preprocess; and Evaluate, Preprocess, Train.
		made, was := after[1], before[1]
		made.Run, was.Run = "", ""
		if diff := cmp.Diff(was, made); diff != "" {
			t.Errorf("Preprocess was made from something else: %s", diff)
		}
		if after[0].Image != "sklearn:1.4-2" || len(after[0].Code) != 64 {
			t.Errorf("Predict: %+v", after[0])
		}
		predictions := filepath.Join(o.Artifacts[len(o.Artifacts)-1].Path, "predictions.csv")
		text, err := os.ReadFile(predictions)
		if err != nil || string(text) != "scale\nage,income\n39,low\n50,high\n" {
			t.Errorf("predictions: %q, %v", text, err)
		}
		for _, s := range infer.succeed(`{}`).Steps {
			if !s.Cached {
				t.Errorf("%s ran again", s.Name)
			}
		}
	})
}

func TestVersionIsChosen(t *testing.T) {
	t.Parallel()
	train, infer := withInference(t, "direct")
	for range 3 {
		train.succeed(`{}`)
	}
	train.decide(1, "Approved")
	train.decide(2, "Approved")
	for input, want := range map[string]int{`{}`: 2, `{"ModelVersion": 1}`: 1} {
		if o := infer.succeed(input); o.Versions["Model"].Version != want {
			t.Errorf("%s: version %d, want %d", input, o.Versions["Model"].Version, want)
		}
	}
	train.decide(2, "Rejected")
	if o := infer.succeed(`{}`); o.Versions["Model"].Version != 1 {
		t.Errorf("version %d after the newer one was rejected", o.Versions["Model"].Version)
	}
}

func TestWithoutVersionTheRunSaysWhatToDo(t *testing.T) {
	t.Parallel()
	const (
		trainNow  = "go run ./training"
		approve   = "go run ./inference models approve "
		byAndNote = " --by NAME --note TEXT"
	)
	cases := []struct {
		name  string
		setUp func(train *project)
		input string
		err   string
		cause string
		next  []string
	}{
		{
			"no group", func(*project) {}, `{}`, "SageMaker.SageMakerException",
			"model group local-census does not exist yet: no run of census-training has registered a model in this workspace. Train first: " +
				trainNow + "; then approve the version that it registers: " + approve + "latest" + byAndNote,
			[]string{trainNow, approve + "latest" + byAndNote},
		},
		{
			"no group, and a version is asked for", func(*project) {}, `{"ModelVersion": 4}`, "SageMaker.SageMakerException",
			"model group local-census does not exist yet: no run of census-training has registered a model in this workspace. Train first: " +
				trainNow + "; then approve the version that it registers: " + approve + "latest" + byAndNote,
			[]string{trainNow, approve + "latest" + byAndNote},
		},
		{
			"none is approved", func(p *project) { p.succeed(`{}`) }, `{}`, "NoApprovedModel",
			"local-census has no version that is Approved; version 1 is PendingManualApproval. Approve it: " + approve + "1" + byAndNote,
			[]string{approve + "1" + byAndNote, "go run ./inference models show 1"},
		},
		{
			"all are rejected", func(p *project) { p.succeed(`{}`); p.decide(1, "Rejected") }, `{}`, "NoApprovedModel",
			"local-census has no version that is Approved; version 1 is Rejected. Train again: " + trainNow,
			[]string{trainNow},
		},
		{
			"the version is not approved", func(p *project) { p.succeed(`{}`) }, `{"ModelVersion": 1}`, "States.QueryEvaluationError",
			"version 1 of local-census is PendingManualApproval, and census-inference takes only what is Approved. Approve it: " + approve + "1" + byAndNote,
			[]string{approve + "1" + byAndNote},
		},
		{
			"the version does not exist", func(p *project) { p.succeed(`{}`) }, `{"ModelVersion": 7}`, "SageMaker.SageMakerException",
			"local-census has no version 7; its newest is 1. All of them: go run ./inference models",
			[]string{"go run ./inference models"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			train, infer := withInference(t, "direct")
			c.setUp(train)
			// Nobody waits for a registry that refuses for good.
			infer.options.Clock = hasty{t}
			o := infer.fails(t.Context(), c.input)
			if o.Error != c.err || o.Cause != c.cause {
				t.Errorf("%s: %s\nwant %s: %s", o.Error, o.Cause, c.err, c.cause)
			}
			var next []string
			for _, s := range o.Next {
				next = append(next, s.Command)
			}
			if diff := cmp.Diff(c.next, next); diff != "" {
				t.Error(diff)
			}
			if len(o.Versions) > 0 {
				t.Errorf("it started from %v", o.Versions)
			}
			steps, err := infer.record().Steps(t.Context(), o.Run)
			for _, s := range steps {
				if s.Job != "" || err != nil {
					t.Errorf("job %s was started, %v", s.Job, err)
				}
			}
		})
	}
}

func TestWhatTheVersionWasMadeWithIsGone(t *testing.T) {
	t.Parallel()
	const mend = ` Train again: go run \./training; then approve the version that it registers: go run \./inference models approve latest --by NAME --note TEXT\. Or ask for another version with --model-version$`
	t.Run("code", func(t *testing.T) {
		t.Parallel()
		train, infer := withInference(t, "direct")
		train.succeed(`{}`)
		train.decide(1, "Approved")
		folders, err := filepath.Glob(filepath.Join(train.workspace(), "s3/local/code/*/preprocess.sh"))
		if err != nil || len(folders) != 1 {
			t.Fatalf("code: %q, %v", folders, err)
		}
		if err := os.RemoveAll(filepath.Dir(folders[0])); err != nil {
			t.Fatal(err)
		}
		o := infer.fails(t.Context(), `{}`)
		matches(t, "the cause", o.Cause, `^the code s3://local/code/[0-9a-f]{64}/ that version 1 of local-census was made with was changed since\.`+mend)
		if len(o.Next) != 2 || o.Versions["Model"].Version != 1 {
			t.Errorf("next %v, versions %v", o.Next, o.Versions)
		}
	})
	t.Run("code from elsewhere", func(t *testing.T) {
		t.Parallel()
		train, infer := withInference(t, "direct")
		train.definition.ASL = []byte(strings.ReplaceAll(string(train.definition.ASL), `"code.Preprocess": "${PreprocessCode}"`, `"code.Preprocess": "00ff"`))
		train.succeed(`{}`)
		train.decide(1, "Approved")
		o := infer.fails(t.Context(), `{}`)
		matches(t, "the cause", o.Cause, `^the code s3://local/code/00ff/ that version 1 of local-census was made with is no longer in this workspace\.`+mend)
	})
	t.Run("image", func(t *testing.T) {
		t.Parallel()
		train, infer := withInference(t, "direct")
		train.definition.ASL = []byte(strings.ReplaceAll(string(train.definition.ASL), `"image.Preprocess": "${PreprocessImage}"`, `"image.Preprocess": "sklearn:0.1"`))
		infer.definition.ASL = []byte(strings.ReplaceAll(string(infer.definition.ASL), "preprocess.sh", "preprocess.py"))
		train.succeed(`{}`)
		train.decide(1, "Approved")
		o := infer.fails(t.Context(), `{}`)
		matches(t, "the cause", o.Cause, `^version 1 of local-census was made in image "sklearn:0\.1", which the catalogue of this mlmax does not have\.`+mend)
	})
}

func TestRegistryAnswersAsTheService(t *testing.T) {
	t.Parallel()
	train, _ := withInference(t, "direct")
	for range 12 {
		train.succeed(`{}`)
	}
	train.decide(1, "Approved")
	h := registry{t, &handler{&run{workspace: &workspace{db: train.record()}, definition: train.definition}}}
	var described struct {
		ModelPackageArn, ModelPackageGroupName, ModelPackageStatus, ModelApprovalStatus, ApprovalDescription, CreationTime, LastModifiedTime string
		ModelPackageVersion                                                                                                                  int
		CustomerMetadataProperties                                                                                                           map[string]string
		InferenceSpecification                                                                                                               struct {
			Containers []struct{ Image, ModelDataUrl string }
		}
	}
	h.call("describeModelPackage", `{"ModelPackageName": "arn:aws:sagemaker:local:000000000000:model-package/local-census/1"}`, &described)
	if described.ModelPackageVersion != 1 || described.ModelPackageGroupName != "local-census" || described.ModelPackageStatus != "Completed" ||
		described.ModelApprovalStatus != "Approved" || described.ApprovalDescription != "Ada: seen" ||
		described.InferenceSpecification.Containers[0].Image != "sklearn:1.4-2" || described.CustomerMetadataProperties["mlmax.run"] == "" {
		t.Errorf("described: %+v", described)
	}
	for _, at := range []string{described.CreationTime, described.LastModifiedTime} {
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", at); err != nil {
			t.Error(err)
		}
	}
	var versions []int
	token := ""
	for pages := 0; pages == 0 || token != ""; pages++ {
		request, err := json.Marshal(map[string]any{"ModelPackageGroupName": "local-census", "SortOrder": "Descending", "MaxResults": 5})
		if token != "" {
			request, err = json.Marshal(map[string]any{"ModelPackageGroupName": "local-census", "SortOrder": "Descending", "MaxResults": 5, "NextToken": token})
		}
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			ModelPackageSummaryList []struct{ ModelPackageVersion int }
			NextToken               string
		}
		h.call("listModelPackages", string(request), &page)
		for _, m := range page.ModelPackageSummaryList {
			versions = append(versions, m.ModelPackageVersion)
		}
		token = page.NextToken
	}
	if diff := cmp.Diff([]int{12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, versions); diff != "" {
		t.Error(diff)
	}
	for request, want := range map[string]string{
		`{"ModelPackageGroupName": "local-census", "NextToken": "x"}`:                  "Invalid NextToken",
		`{"ModelPackageGroupName": "local-other"}`:                                     "model-package-group/local-other does not exist.",
		`{"ModelPackageGroupName": "local-census", "ModelApprovalStatus": "approved"}`: "enum value set",
		`{"ModelPackageGroupName": "local-census", "MaxResults": 101}`:                 "less than or equal to 100",
	} {
		if cause := h.refused("listModelPackages", request); !strings.Contains(cause, want) {
			t.Errorf("%s: %s", request, cause)
		}
	}
	if cause := h.refused("createModelPackage", `{"ModelPackageGroupName": "local-census", "Tags": []}`); !strings.Contains(cause, "Tags cannot be given") {
		t.Error(cause)
	}
}

// registry is a handler outside of any run.
type registry struct {
	t *testing.T
	h *handler
}

func (r registry) do(action, request string) (json.RawMessage, error) {
	return actions["aws-sdk:sagemaker:"+action].do(r.h, r.t.Context(), asl.Task{State: "Call", Resource: "arn:aws:states:::aws-sdk:sagemaker:" + action, Arguments: json.RawMessage(request)})
}

// call makes a request that must be answered, and decodes the answer.
func (r registry) call(action, request string, answer any) {
	r.t.Helper()
	text, err := r.do(action, request)
	if err == nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil {
		r.t.Fatalf("%s %s: %v", action, request, err)
	}
}

// refused makes a request that must be refused, and returns the cause.
func (r registry) refused(action, request string) string {
	r.t.Helper()
	_, err := r.do(action, request)
	if errorName(err) != sdkRefused {
		r.t.Errorf("%s %s: %v", action, request, err)
	}
	return reasonOf(err)
}

// hasty is a clock on which nothing may be waited for.
type hasty struct{ t *testing.T }

func (hasty) Now() time.Time { return time.Now() }

func (c hasty) Wait(ctx context.Context, d time.Duration) error {
	if d > 0 {
		c.t.Errorf("waited for %s", d)
	}
	return ctx.Err()
}

func (hasty) AfterFunc(time.Duration, func()) (stop func()) { return func() {} }

func TestPinnedTrainingRunsItsArchive(t *testing.T) {
	t.Parallel()
	train := training(t, "direct")
	train.write("steps/train/extra.txt", "first", 0o644)
	first := train.succeed(`{}`)
	jobs, err := train.record().Jobs(t.Context(), first.Run)
	if err != nil {
		t.Fatal(err)
	}
	was := jobs[2] // in order of names
	train.definition.Jobs[1].Pin, train.definition.Jobs[1].CodeName = "Model", ""
	train.definition.ASL = []byte(strings.ReplaceAll(string(train.definition.ASL), "${TrainCode}", was.Code))
	train.write("steps/train/train.sh", "#!/bin/sh\nexit 3\n", 0o755)
	train.options.Reuse.NoCache = true
	again := train.succeed(`{}`)
	jobs, err = train.record().Jobs(t.Context(), again.Run)
	if err != nil || len(jobs) != 3 {
		t.Fatalf("jobs: %+v, %v", jobs, err)
	}
	is := jobs[2]
	was.Run, is.Run = "", ""
	if diff := cmp.Diff(was, is); diff != "" {
		t.Error(diff)
	}
}

func TestScriptOfAnEntryPoint(t *testing.T) {
	t.Parallel()
	const code = "/opt/ml/processing/input/code"
	for _, c := range []struct {
		entry []string
		want  string
	}{
		{[]string{"python3", code + "/preprocess.py"}, "preprocess.py"},
		{[]string{"/bin/sh", "-e", code + "/sub/../sub/run.sh", "x.py"}, "sub/run.sh"},
		{[]string{"python3", "/elsewhere/x.py"}, ""},
		{[]string{"program"}, ""},
	} {
		if got := scriptIn(code, c.entry); got != c.want {
			t.Errorf("%q: %q, want %q", c.entry, got, c.want)
		}
	}
	for _, uri := range []string{"s3://local/code/0a/", "s3://local/code/0a", "s3://local/code/0a.tar.gz"} {
		if folder, digest := codeFolder(uri); folder != "s3://local/code/0a/" || digest != "0a" {
			t.Errorf("%s: %s, %s", uri, folder, digest)
		}
	}
}

func TestVersionThatDoesNotFit(t *testing.T) {
	t.Parallel()
	train, infer := withInference(t, "direct")
	train.definition.ASL = []byte(strings.ReplaceAll(string(train.definition.ASL), `"code.Preprocess": "${PreprocessCode}",`, ""))
	train.succeed(`{}`)
	train.decide(1, "Approved")
	o := infer.fails(t.Context(), `{}`)
	if o.Error != asl.ErrorQueryEvaluation || !strings.Contains(o.Cause, "it has no code.Preprocess") || o.FailedStep != "Describe Model" {
		t.Errorf("%s in %s: %s", o.Error, o.FailedStep, o.Cause)
	}
	if len(o.Next) != 2 || o.Next[0].Command != "go run ./training" {
		t.Errorf("next: %v", o.Next)
	}
}
