package emitasl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// place is what a place fills in, as the local runner does.
func place(p *ir.Plan) map[string]string {
	values := map[string]string{
		"Env": "local", "Bucket": "local", "Prefix": "", "Region": "local", "Account": "000000000000", "Partition": "aws",
		"KmsKey": "", "Subnets": "", "SecurityGroups": "", "Readable": "",
	}
	for _, j := range p.Jobs() {
		values[j.RoleName] = "arn:aws:iam::000000000000:role/local-" + j.RoleName
		values[j.ImageName] = j.Framework + ":" + j.Version
		values[j.InstanceName] = j.Instance
		values[j.CodeName] = strings.Repeat("c0de", 16)
	}
	return values
}

// A service answers the calls of a machine as AWS would, and keeps the requests.
type service struct {
	report   string // body of every report
	status   string // of every job
	requests map[string]map[string]any
	// pages are what lists of model versions hold, and versions what is said of each,
	// by its ARN.
	pages    [][]string
	versions map[string]map[string]any
}

func (s *service) Do(_ context.Context, task asl.Task) (json.RawMessage, error) {
	var request map[string]any
	if err := json.Unmarshal(task.Arguments, &request); err != nil {
		return nil, err
	}
	s.requests[task.State] = request
	var answer map[string]any
	switch name := task.Resource[strings.LastIndex(task.Resource, ":")+1:]; name {
	case "createProcessingJob.sync":
		answer = map[string]any{
			"ProcessingJobName": request["ProcessingJobName"], "ProcessingJobStatus": s.status,
			"ProcessingOutputConfig": request["ProcessingOutputConfig"],
		}
	case "createTrainingJob.sync":
		out := request["OutputDataConfig"].(map[string]any)["S3OutputPath"].(string)
		job := request["TrainingJobName"].(string)
		answer = map[string]any{
			"TrainingJobName": job, "TrainingJobStatus": s.status, "SecondaryStatus": "MaxRuntimeExceeded",
			"ModelArtifacts": map[string]any{"S3ModelArtifacts": out + "/" + job + "/output/model.tar.gz"},
		}
	case "getObject":
		answer = map[string]any{"Body": s.report}
	case "putObject":
		answer = map[string]any{"ETag": "x"}
	case "listModelPackages":
		if s.pages == nil {
			return nil, asl.Fail("SageMaker.SageMakerException", "ModelPackageGroup does not exist. (Service: SageMaker, Status Code: 400)")
		}
		answer = s.list(request)
	case "describeModelPackage":
		described, known := s.versions[request["ModelPackageName"].(string)]
		if !known {
			return nil, asl.Fail("SageMaker.SageMakerException", "ModelPackage does not exist. (Service: SageMaker, Status Code: 400)")
		}
		answer = described
	case "createModelPackage":
		answer = map[string]any{"ModelPackageArn": "arn:aws:sagemaker:local:000000000000:model-package/local-census/1"}
	default:
		return nil, fmt.Errorf("unknown resource %s", task.Resource)
	}
	return json.Marshal(answer)
}

// run executes the machine of a plan.
func run(t *testing.T, p *ir.Plan, values map[string]string, input string, s *service) *asl.Result {
	t.Helper()
	return runAs(t, p, values, "one", input, s)
}

// runAs executes it as the execution of a name.
func runAs(t *testing.T, p *ir.Plan, values map[string]string, name, input string, s *service) *asl.Result {
	t.Helper()
	if s.requests == nil {
		s.requests = map[string]map[string]any{}
	}
	if s.status == "" {
		s.status = "Completed"
	}
	b, err := asl.Substitute(encode(t, emitasl.Emit(p)), values)
	if err != nil {
		t.Fatal(err)
	}
	if left := asl.Unresolved(b); left != nil {
		t.Fatalf("names that nothing fills: %v", left)
	}
	m, err := asl.Decode("machine", b)
	if err != nil {
		t.Fatal(err)
	}
	r, err := asl.Run(t.Context(), m, json.RawMessage(input), asl.Options{
		Handler: s,
		Context: asl.ExecutionContext{
			ExecutionID: "arn:aws:states:local:000000000000:execution:local-census-training:" + name, ExecutionName: name,
			StartTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
		Clock: asl.NewVirtualClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// report is one that the gate lets through.
const report = `{"roc_auc": 0.9, "average_precision": 0.5, "accuracy": 0.95, "rows": 400, "positives": 22}`

// result decodes the output of a run that succeeded.
func result(t *testing.T, r *asl.Result) map[string]any {
	t.Helper()
	if r.Status != asl.Succeeded {
		t.Fatalf("%s in %q: %v", r.Status, r.State, r.Err)
	}
	var out map[string]any
	if err := json.Unmarshal(r.Output, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRun executes the example from end to end and looks at what it asks for.
func TestRun(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	s := &service{report: report}
	out := result(t, run(t, p, place(p), `{}`, s))

	id, _ := out["Run"].(string)
	if !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(id) {
		t.Fatalf("Run is %v", out["Run"])
	}
	at := "s3://local/runs/census-training/" + id + "/"
	want := map[string]any{
		"Run": id,
		"Metrics": map[string]any{"Evaluate": map[string]any{"Report": map[string]any{
			"ROCAUC": 0.9, "AveragePrecision": 0.5, "Accuracy": 0.95, "Rows": 400.0, "Positives": 22.0}}},
		"Models": map[string]any{"Register": map[string]any{
			"ModelPackageArn": "arn:aws:sagemaker:local:000000000000:model-package/local-census/1"}},
		"NotRegistered": map[string]any{},
		"Versions":      map[string]any{},
		"Artifacts": map[string]any{
			"Preprocess.Train":       at + "Preprocess/0-0/Train/",
			"Preprocess.Test":        at + "Preprocess/0-0/Test/",
			"Preprocess.Transformer": at + "Preprocess/0-0/Transformer/",
			"Train.Model":            at + "Train/0-0/local-census-training-train-" + id + "-0-0/output/model.tar.gz",
			"Evaluate.Report":        at + "Evaluate/0-0/Report/report.json",
		},
	}
	if d := cmp.Diff(want, out); d != "" {
		t.Errorf("output (-want +got):\n%s", d)
	}

	process := s.requests["Preprocess"]
	wantArgs := []any{
		"--mode", "train", "--train-test-split-ratio", "0.2", "--seed", "0", "--raw", "/opt/ml/processing/input/Raw/census.csv",
		"--train", "/opt/ml/processing/output/Train", "--test", "/opt/ml/processing/output/Test",
		"--transformer", "/opt/ml/processing/output/Transformer",
	}
	if d := cmp.Diff(wantArgs, process["AppSpecification"].(map[string]any)["ContainerArguments"]); d != "" {
		t.Errorf("arguments (-want +got):\n%s", d)
	}
	wantHyper := map[string]any{
		"sagemaker_program":             `"train.py"`,
		"sagemaker_submit_directory":    `"s3://local/code/` + strings.Repeat("c0de", 16) + `.tar.gz"`,
		"sagemaker_container_log_level": "20", "sagemaker_region": `"local"`,
		"strength": "1", "balanced": "true", "max-iterations": "1000",
	}
	if d := cmp.Diff(wantHyper, s.requests["Train"]["HyperParameters"]); d != "" {
		t.Errorf("hyperparameters (-want +got):\n%s", d)
	}
	body := s.requests["Write manifest"]["Body"].(map[string]any)
	if d := cmp.Diff(want["Artifacts"], body["artifacts"]); d != "" {
		t.Errorf("manifest's artifacts (-want +got):\n%s", d)
	}
	for _, state := range []string{"Preprocess", "Train", "Write manifest"} {
		for _, absent := range []string{"VpcConfig", "KmsKeyId", "SSEKMSKeyId"} {
			if b, _ := json.Marshal(s.requests[state]); strings.Contains(string(b), absent) {
				t.Errorf("%s requests %s in a place without", state, absent)
			}
		}
	}
}

// TestSettings gives the environment a key, a network and tags.
func TestSettings(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	values := place(p)
	values["KmsKey"] = "arn:aws:kms:eu-west-1:000000000000:key/k"
	values["Subnets"], values["SecurityGroups"] = "subnet-1", "sg-1,sg-2"
	p.Environments[0].Tags = map[string]string{"team": "ml", "cost": "42"}
	values["Tags"] = "team=ml,cost=42"
	s := &service{report: report}
	result(t, run(t, p, values, `{}`, s))
	vpc := map[string]any{"Subnets": []any{"subnet-1"}, "SecurityGroupIds": []any{"sg-1", "sg-2"}}
	if d := cmp.Diff(vpc, s.requests["Train"]["VpcConfig"]); d != "" {
		t.Errorf("training's network (-want +got):\n%s", d)
	}
	if d := cmp.Diff(vpc, s.requests["Evaluate"]["NetworkConfig"].(map[string]any)["VpcConfig"]); d != "" {
		t.Errorf("processing's network (-want +got):\n%s", d)
	}
	for state, count := range map[string]int{"Preprocess": 2, "Train": 2, "Evaluate": 2, "Write manifest": 1} {
		b, err := json.Marshal(s.requests[state])
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(b), values["KmsKey"]); got != count {
			t.Errorf("%s names the key %d times, not %d", state, got, count)
		}
	}
	tags := s.requests["Train"]["Tags"].([]any)
	if d := cmp.Diff(map[string]any{"Key": "cost", "Value": "42"}, tags[len(tags)-1]); d != "" || len(tags) != 6 {
		t.Errorf("tags are %v", tags)
	}
}

// TestEnds are the ways in which a run ends without a model.
func TestEnds(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, input, report, status string
		state, cause                string // empty state: success, cause is in NotRegistered
	}{
		{"gate", `{}`, strings.Replace(report, "0.9,", "0.62,", 1), "", "", "Evaluate.Report.ROCAUC >= MinROCAUC is false: 0.62 >= 0.8"},
		{"lower gate", `{"MinROCAUC": 0.7}`, strings.Replace(report, "0.9,", "0.62,", 1), "", "", "0.62 >= 0.7"},
		{"stopped", `{}`, report, "Stopped", "Preprocess", "the processing job of Preprocess ended Stopped"},
		{"report no JSON", `{}`, `{"roc_auc": NaN}`, "", "Read Evaluate.Report", ""},
		{"report a list", `{}`, `[1]`, "", "Read Evaluate.Report", "Evaluate.Report is no JSON object"},
		{"metric missing", `{}`, `{}`, "", "Read Evaluate.Report", `Evaluate.Report: roc_auc must be a number, got nothing`},
		{"metric a string", `{}`, strings.Replace(report, "0.9,", `"0.9",`, 1), "", "Read Evaluate.Report", `Evaluate.Report: roc_auc must be a number, got ["0.9"]`},
		{"metric too large", `{}`, strings.Replace(report, "0.9,", "1e999,", 1), "", "Read Evaluate.Report", ""},
		{"count too large", `{}`, strings.Replace(report, "400", "9007199254740993", 1), "", "Read Evaluate.Report", "rows must be a whole number"},
		{"count not whole", `{}`, strings.Replace(report, "400", "400.5", 1), "", "Read Evaluate.Report", `rows must be a whole number, got [400.5]`},
		{"bad range", `{"MinROCAUC": 7}`, report, "", "Bad parameters", "MinROCAUC must be a number from 0 to 1, got 7"},
		{"bad type", `{"MinROCAUC": "x"}`, report, "", "Bad parameters", `MinROCAUC must be a number from 0 to 1, got "x"`},
		{"null", `{"Train.Balanced": null}`, report, "", "Bad parameters", "Train.Balanced must be true or false, got null"},
		{"not whole", `{"Preprocess.Seed": 1.5}`, report, "", "Bad parameters", "Preprocess.Seed must be a whole number from 0 to 4294967295, got 1.5"},
		{"too many digits", `{"Train.Strength": 0.12345678901234567}`, report, "", "Bad parameters", "with at most 15 significant digits"},
		{"two at once", `{"MinROCAUC": 7, "Train.Balanced": 1}`, report, "", "Bad parameters", "got 7; Train.Balanced must be"},
		{"unknown", `{"MinRocAuc": 0.5}`, report, "", "Bad parameters", `the keys must be parameters of census-training (it has Data, MinROCAUC,`},
		{"no object", `[1]`, report, "", "Bad parameters", "the input must be an object of parameters"},
		{"other bucket", `{"Data": "s3://elsewhere/data/x.csv"}`, report, "", "Bad parameters", "Data must be a file below s3://local/data/, which the roles can read"},
		{"a folder", `{"Data": "s3://local/data/x/"}`, report, "", "Bad parameters", "Data must be a file"},
	}
	p := plantest.Example(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &service{report: c.report, status: c.status}
			r := run(t, p, place(p), c.input, s)
			if c.state == "" {
				out := result(t, r)
				why := fmt.Sprint(out["NotRegistered"].(map[string]any)["Register"])
				if !strings.Contains(why, c.cause) || out["Models"].(map[string]any)["Register"] != nil {
					t.Errorf("not registered because %q, models %v; want %q", why, out["Models"], c.cause)
				}
				return
			}
			if r.Status != asl.Failed || r.State != c.state || !strings.Contains(r.Err.Cause, c.cause) {
				t.Errorf("%s in %q: %v; want a failure in %q with %q", r.Status, r.State, r.Err, c.state, c.cause)
			}
		})
	}
}
