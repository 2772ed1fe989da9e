package emitasl_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// list answers ListModelPackages by pages; the token says which comes next.
func (s *service) list(request map[string]any) map[string]any {
	i := 0
	if token, is := request["NextToken"].(string); is {
		if _, err := fmt.Sscanf(token, "page-%d", &i); err != nil {
			panic(err)
		}
	}
	items := []any{}
	for _, arn := range s.pages[i] {
		items = append(items, map[string]any{"ModelPackageArn": arn, "ModelApprovalStatus": request["ModelApprovalStatus"]})
	}
	answer := map[string]any{"ModelPackageSummaryList": items}
	if i+1 < len(s.pages) {
		answer["NextToken"] = fmt.Sprintf("page-%d", i+1)
	}
	return answer
}

func arnOf(version int) string {
	return fmt.Sprintf("arn:aws:sagemaker:local:000000000000:model-package/local-census/%d", version)
}

// oldCode is the digest of code that is no longer in the tree.
var oldCode = strings.Repeat("01d", 21) + "0"

// packageOf is a version as training registers one: DescribeModelPackage's answer.
func packageOf(p *ir.Plan, version int) map[string]any {
	at := "s3://local/runs/census-training/0123456789ab/"
	return map[string]any{
		"ModelPackageArn": arnOf(version), "ModelPackageGroupName": "local-census", "ModelPackageVersion": version,
		"ModelPackageStatus": "Completed", "ModelApprovalStatus": "Approved",
		"InferenceSpecification": map[string]any{"Containers": []any{map[string]any{
			"Image": "sklearn:1.2-1", "ModelDataUrl": at + "Train/0-0/job/output/model.tar.gz",
		}}},
		"CustomerMetadataProperties": map[string]any{
			"mlmax.run": "0123456789ab", "mlmax.pipeline": "census-training",
			"code.Preprocess": oldCode, "image.Preprocess": "sklearn:1.0-1",
			"interface.Preprocess":            p.Versions[0].Pins[0].Interface,
			"artifact.Preprocess.Transformer": at + "Preprocess/0-0/Transformer/",
			"artifact.Preprocess.Train":       at + "Preprocess/0-0/Train/",
		},
	}
}

// TestInference scores with the newest approved version: with its code, its image,
// its transformer and its model, whatever the tree holds.
func TestInference(t *testing.T) {
	t.Parallel()
	p := plantest.Inference(t)
	s := &service{pages: [][]string{{arnOf(7), arnOf(3)}}, versions: map[string]map[string]any{arnOf(7): packageOf(p, 7)}}
	out := result(t, run(t, p, place(p), `{}`, s))

	wantList := map[string]any{
		"ModelPackageGroupName": "local-census", "ModelApprovalStatus": "Approved",
		"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 100.0,
	}
	if d := cmp.Diff(wantList, s.requests["List Model"]); d != "" {
		t.Errorf("what is listed (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]any{"Model": map[string]any{"Arn": arnOf(7), "Version": 7.0}}, out["Versions"]); d != "" {
		t.Errorf("versions (-want +got):\n%s", d)
	}
	at := "s3://local/runs/census-training/0123456789ab/"
	run := "s3://local/runs/census-inference/" + out["Run"].(string) + "/"
	wants := map[string]struct {
		image  string
		args   []any
		inputs map[string]string
	}{
		"Preprocess": {
			"sklearn:1.0-1",
			[]any{"--mode", "infer", "--raw", "/opt/ml/processing/input/Raw/census.csv",
				"--fitted", "/opt/ml/processing/input/Fitted", "--features", "/opt/ml/processing/output/Features"},
			map[string]string{
				"code": "s3://local/code/" + oldCode + "/", "Raw": "s3://local/incoming/census.csv", "Fitted": at + "Preprocess/0-0/Transformer/",
			},
		},
		"Predict": {
			"sklearn:1.2-1",
			[]any{"--model", "/opt/ml/processing/input/Model", "--features", "/opt/ml/processing/input/Features",
				"--predictions", "/opt/ml/processing/output/Predictions"},
			map[string]string{
				"code": "s3://local/code/" + strings.Repeat("c0de", 16) + "/", "Model": at + "Train/0-0/job/output/model.tar.gz",
				"Features": run + "Preprocess/0-0/Features/",
			},
		},
	}
	for step, want := range wants {
		app := s.requests[step]["AppSpecification"].(map[string]any)
		if app["ImageUri"] != want.image {
			t.Errorf("%s runs in %v, not %s", step, app["ImageUri"], want.image)
		}
		if d := cmp.Diff(want.args, app["ContainerArguments"]); d != "" {
			t.Errorf("arguments of %s (-want +got):\n%s", step, d)
		}
		if d := cmp.Diff(want.inputs, inputsOf(s.requests[step])); d != "" {
			t.Errorf("inputs of %s (-want +got):\n%s", step, d)
		}
	}
	holdManifest(t, s.requests["Write manifest"]["Body"].(map[string]any), run)
}

// inputsOf are the URIs of a processing job's inputs, by name.
func inputsOf(request map[string]any) map[string]string {
	got := map[string]string{}
	for _, in := range request["ProcessingInputs"].([]any) {
		in := in.(map[string]any)
		got[in["InputName"].(string)] = in["S3Input"].(map[string]any)["S3Uri"].(string)
	}
	return got
}

// holdManifest holds the manifest to say what was really run, and on what.
func holdManifest(t *testing.T, body map[string]any, run string) {
	t.Helper()
	at := "s3://local/runs/census-training/0123456789ab/"
	want := map[string]any{
		"code":   map[string]any{"Preprocess": oldCode, "Predict": strings.Repeat("c0de", 16)},
		"images": map[string]any{"Preprocess": "sklearn:1.0-1", "Predict": "sklearn:1.2-1"},
		"versions": map[string]any{"Model": map[string]any{
			"Arn": arnOf(7), "Version": 7.0, "Data": at + "Train/0-0/job/output/model.tar.gz", "Image": "sklearn:1.2-1",
			"Run": "0123456789ab", "Pipeline": "census-training",
			"Code": map[string]any{"Preprocess": oldCode}, "Images": map[string]any{"Preprocess": "sklearn:1.0-1"},
			"Artifacts": map[string]any{"Preprocess.Transformer": at + "Preprocess/0-0/Transformer/"},
		}},
		"inputs": map[string]any{
			"Preprocess.Raw": "s3://local/incoming/census.csv", "Preprocess.Fitted": at + "Preprocess/0-0/Transformer/",
			"Predict.Model": at + "Train/0-0/job/output/model.tar.gz", "Predict.Features": run + "Preprocess/0-0/Features/",
		},
		"artifacts": map[string]any{
			"Preprocess.Features": run + "Preprocess/0-0/Features/", "Predict.Predictions": run + "Predict/0-0/Predictions/",
		},
	}
	got := map[string]any{}
	for key := range want {
		got[key] = body[key]
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("manifest (-want +got):\n%s", d)
	}
}

// TestVersions are the ways in which a version is found, and those in which the run
// stops before its first job.
func TestVersions(t *testing.T) {
	t.Parallel()
	p := plantest.Inference(t)
	meta := func(described map[string]any) map[string]any {
		return described["CustomerMetadataProperties"].(map[string]any)
	}
	container := func(described map[string]any) map[string]any {
		return described["InferenceSpecification"].(map[string]any)["Containers"].([]any)[0].(map[string]any)
	}
	newest := [][]string{{arnOf(7)}}
	cases := []struct {
		name, input string
		pages       [][]string
		damage      func(described map[string]any)
		version     float64 // that is used, if the run succeeds
		state       string
		cause       string
	}{
		{name: "newest", pages: [][]string{{arnOf(7), arnOf(3)}}, version: 7},
		{name: "asked for", input: `{"ModelVersion": 3}`, version: 3},
		{name: "short page", pages: [][]string{{}, {}, {arnOf(3)}}, version: 3},
		{name: "none", pages: [][]string{{}}, state: "No version of Model",
			cause: "group local-census has no version that is Approved; approve one: models approve VERSION --by NAME --note TEXT"},
		{name: "none on many pages", pages: [][]string{{}, {}, {}}, state: "No version of Model"},
		{name: "no group", state: "List Model", cause: "ModelPackageGroup does not exist"},
		{name: "unknown version", input: `{"ModelVersion": 99}`, state: "Describe Model", cause: "does not exist"},
		{name: "negative", input: `{"ModelVersion": -1}`, state: "Bad parameters", cause: "ModelVersion must be a whole number from 0"},
		{name: "pending", input: `{"ModelVersion": 3}`, damage: func(d map[string]any) { d["ModelApprovalStatus"] = "PendingManualApproval" },
			state: "Describe Model", cause: "version 3 of local-census is PendingManualApproval, and has to be Approved: models approve 3 --by NAME --note TEXT"},
		{name: "rejected", input: `{"ModelVersion": 3}`, damage: func(d map[string]any) { d["ModelApprovalStatus"] = "Rejected" },
			state: "Describe Model", cause: "version 3 of local-census is Rejected"},
		{name: "unfinished", pages: newest, damage: func(d map[string]any) { d["ModelPackageStatus"] = "InProgress" },
			state: "Describe Model", cause: "is InProgress, and has to be Completed"},
		{name: "other group", pages: newest, damage: func(d map[string]any) { d["ModelPackageGroupName"] = "local-other" },
			state: "Describe Model", cause: "version 7 of local-census belongs to group local-other"},
		{name: "other pipeline", pages: newest, damage: func(d map[string]any) { meta(d)["mlmax.pipeline"] = "another" },
			state: "Describe Model", cause: "was not registered by census-training"},
		{name: "by hand", pages: newest, damage: func(d map[string]any) { delete(d, "CustomerMetadataProperties") },
			state: "Describe Model", cause: "was not registered by census-training"},
		{name: "other interface", pages: newest, damage: func(d map[string]any) { meta(d)["interface.Preprocess"] = strings.Repeat("0", 64) },
			state: "Describe Model", cause: "was made by a Preprocess of another interface (script, arguments or ports); run census-training again"},
		{name: "no interface", pages: newest, damage: func(d map[string]any) { delete(meta(d), "interface.Preprocess") },
			state: "Describe Model", cause: "of another interface"},
		{name: "no code", pages: newest, damage: func(d map[string]any) { delete(meta(d), "code.Preprocess") },
			state: "Describe Model", cause: "has no code.Preprocess"},
		{name: "code that is no digest", pages: newest, damage: func(d map[string]any) { meta(d)["code.Preprocess"] = "../../x" },
			state: "Describe Model", cause: "has no code.Preprocess"},
		{name: "no image", pages: newest, damage: func(d map[string]any) { delete(meta(d), "image.Preprocess") },
			state: "Describe Model", cause: "has no image.Preprocess"},
		{name: "no transformer", pages: newest, damage: func(d map[string]any) { delete(meta(d), "artifact.Preprocess.Transformer") },
			state: "Describe Model", cause: "has no artifact.Preprocess.Transformer"},
		{name: "hashed place", pages: newest, damage: func(d map[string]any) { meta(d)["artifact.Preprocess.Transformer"] = "sha256:0" },
			state: "Describe Model", cause: "artifact.Preprocess.Transformer is sha256:0, which is not below the runs of census-training here"},
		{name: "other bucket", pages: newest, damage: func(d map[string]any) { container(d)["ModelDataUrl"] = "s3://elsewhere/model.tar.gz" },
			state: "Describe Model", cause: "ModelDataUrl is s3://elsewhere/model.tar.gz"},
		{name: "no container", pages: newest, damage: func(d map[string]any) { delete(d, "InferenceSpecification") },
			state: "Describe Model", cause: "has no ModelDataUrl"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &service{pages: c.pages, versions: map[string]map[string]any{arnOf(3): packageOf(p, 3), arnOf(7): packageOf(p, 7)}}
			if c.damage != nil {
				for _, described := range s.versions {
					c.damage(described)
				}
			}
			r := run(t, p, place(p), or(c.input, `{}`), s)
			if c.version != 0 {
				if got := result(t, r)["Versions"].(map[string]any)["Model"].(map[string]any)["Version"]; got != c.version {
					t.Errorf("version %v, want %v", got, c.version)
				}
				return
			}
			if r.Status != asl.Failed || r.State != c.state || !strings.Contains(r.Err.Cause, c.cause) {
				t.Errorf("%s in %q: %v; want a failure in %q with %q", r.Status, r.State, r.Err, c.state, c.cause)
			}
			if s.requests["Preprocess"] != nil {
				t.Error("a job was started all the same")
			}
		})
	}
}

func or(v, byDefault string) string {
	if v == "" {
		return byDefault
	}
	return v
}

// TestRegistered holds what training registers to what inference asks for, and that
// to come before whatever the limit of metadata may drop.
func TestRegistered(t *testing.T) {
	t.Parallel()
	both := plantest.Both(t)
	training, inference := both[0], both[1]
	preprocess := training.Jobs()[0]
	for i := range 60 { // more than there is room for, and before what is needed
		name := fmt.Sprintf("More%d", i)
		preprocess.Outputs = slices.Insert(preprocess.Outputs, 0, &ir.Output{Name: name, LocalPath: "/opt/ml/processing/output/" + name})
	}
	trained := &service{report: report}
	result(t, run(t, training, place(training), `{}`, trained))
	described := trained.requests["Register"]
	if n := len(described["CustomerMetadataProperties"].(map[string]any)); n != 50 {
		t.Errorf("%d properties", n)
	}
	described["ModelPackageArn"], described["ModelPackageStatus"], described["ModelApprovalStatus"] = arnOf(1), "Completed", "Approved"
	s := &service{versions: map[string]map[string]any{arnOf(1): described}}
	result(t, run(t, inference, place(inference), `{"ModelVersion": 1}`, s))
	if got, want := inputsOf(s.requests["Preprocess"])["code"], inputsOf(trained.requests["Preprocess"])["code"]; got != want {
		t.Errorf("inference runs %s, training ran %s", got, want)
	}
}

// TestOwnPrefix holds two runs to two places: no batch overwrites another's.
func TestOwnPrefix(t *testing.T) {
	t.Parallel()
	p := plantest.Inference(t)
	within := regexp.MustCompile(`^s3://local/runs/census-inference/([0-9a-f]{12})/Predict/0-0/Predictions/$`)
	seen := map[string]bool{}
	for _, execution := range []string{"one", "two"} {
		s := &service{pages: [][]string{{arnOf(7)}}, versions: map[string]map[string]any{arnOf(7): packageOf(p, 7)}}
		out := result(t, runAs(t, p, place(p), execution, `{}`, s))
		uri := out["Artifacts"].(map[string]any)["Predict.Predictions"].(string)
		m := within.FindStringSubmatch(uri)
		if m == nil || m[1] != out["Run"] || seen[uri] {
			t.Errorf("run %v writes to %s", out["Run"], uri)
		}
		seen[uri] = true
	}
}
