package emitasl_test

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// odd are the values that are put in the place of those expected. Two are not among
// them: gnata takes a list of one text for the text in $contains, where JavaScript
// refuses it, which the checks of types come before; and it writes U+2028 in JSON by
// its number, which reads back as the same.
var odd = []string{
	`null`, `true`, `false`, `0`, `-0`, `1`, `1.0`, `1e3`, `-1.5`, `0.1`, `1e-7`, `5e-324`, `123456789012345`, `999999999999999`, `4294967296`, `0.30000000000000004`, `0.123456789012345678`,
	`""`, `" "`, `"1"`, `"true"`, `"text"`, `"it's"`, `"\""`, `"\\"`, `"a\nb"`, `"\u0000"`, `"\u007f"`, `"é"`, `"😀"`, `"a/b"`,
	`"s3://local/data/x.csv"`, `"s3://local/data/it's ü.csv"`, `"s3://local/data/"`, `"s3://other/data/x.csv"`, `"s3://lake/census/x.csv"`, `"s3://lake/census"`, `"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05.1234Z\n"`, `"${x}"`, `"{% 1 %}"`,
	`[]`, `[1]`, `[[1]]`, `[1, 2]`, `[null]`, `{}`, `{"a": 1}`, `[{"a": 1}]`, `[{"OutputName": "Train"}]`,
}

// large are numbers that only what judges values comes to see: the rest is reached
// with those that it let through. Beyond 2^53 the interpreter keeps whole numbers
// exact, which JavaScript does not.
var large = []string{`1e21`, `1e300`, `-1e21`, `1234567890123456`, `9007199254740990`, `9007199254740991`, `-9007199254740991`}

func judges(expression string) bool {
	return strings.Contains(expression, "'must': ") || strings.Contains(expression, "$parse(")
}

// worlds are the variables and $states that a state of the machine could meet, the
// expected ones first.
func worlds(p *ir.Plan) []map[string]any {
	all := []map[string]any{world(p, nil, false), world(p, nil, true), {"states": map[string]any{"context": contextObject(), "input": map[string]any{}}}}
	for _, text := range odd {
		v := json.RawMessage(text)
		all = append(all, world(p, v, false), map[string]any{
			"states": map[string]any{"context": contextObject(), "input": v, "result": v},
			"params": v, "run": v, "problems": v, "notRegistered": v, "EvaluateReport": v, "Preprocess": v, "Train": v, "Evaluate": v,
			"Register": v, "manifest": v, "tags": v, "readable": v, "request": v, "Model": v, "Predict": v, "package": v, "page": v,
		})
	}
	return all
}

func contextObject() map[string]any {
	return map[string]any{
		"Execution": map[string]any{"Id": "arn:aws:states:local:000000000000:execution:local-census-training:one", "StartTime": "2026-01-02T03:04:05.000Z", "RedriveCount": 0},
		"State":     map[string]any{"RetryCount": 0},
	}
}

// world is one in which everything has its usual shape; every value that comes from
// outside is v, if v is not nil. A report may have members that nobody asked for.
func world(p *ir.Plan, v any, more bool) map[string]any {
	or := func(usual any) any {
		if v != nil {
			return v
		}
		return usual
	}
	params := map[string]any{}
	for _, q := range p.Parameters {
		usual := q.Default
		if q.Location {
			usual = "s3://local/" + q.Default.(string)
		}
		params[q.Key] = or(usual)
	}
	if p.Schedule != "" {
		params[ir.ScheduledTime] = or("2026-01-02T03:04:05Z")
	}
	report, fields := map[string]any{}, map[string]any{}
	for _, r := range p.Reports() {
		for _, f := range r.Fields {
			usual := map[ir.Type]any{ir.Int: 400, ir.Float: 0.91}[f.Type]
			report[f.JSON], fields[f.Name] = or(usual), or(usual)
		}
	}
	input := map[string]any{}
	if more {
		input["Nothing"], report["it's"] = 1, []any{}
	} else if v != nil {
		maps.Copy(input, params)
	}
	body, err := json.Marshal(report)
	if err != nil {
		panic(err)
	}
	uri := func(step string) string { return "s3://local/runs/census-training/0123456789ab/" + step + "/0-0" }
	var outputs []any
	for _, name := range []string{"Train", "Test", "Transformer", "Report", "Features", "Predictions"} {
		outputs = append(outputs, map[string]any{"OutputName": name, "S3Output": map[string]any{"S3Uri": or(uri("Preprocess") + "/" + name)}})
	}
	variables := map[string]any{
		"states": map[string]any{"context": contextObject(), "input": input, "result": map[string]any{
			"Body": string(body), "ModelPackageArn": or("arn:x"), "ProcessingJobName": or("p"), "TrainingJobName": or("t"),
			"ProcessingJobStatus": "Completed", "TrainingJobStatus": "Completed", "SecondaryStatus": or("Completed"),
			"ProcessingOutputConfig": map[string]any{"Outputs": outputs}, "ModelArtifacts": map[string]any{"S3ModelArtifacts": or("s3://m")},
		}},
		"params": params, "run": or("0123456789ab"), "problems": []any{nil, or(nil), nil}, "notRegistered": map[string]any{}, "EvaluateReport": fields,
		"Preprocess": map[string]any{"Train": or(uri("Preprocess")), "Test": or("x"), "Transformer": or("x")},
		"Train":      map[string]any{"Model": or(uri("Train"))}, "Evaluate": map[string]any{"Report": or(uri("Evaluate") + "/Report/report.json")},
		"Register": nil, "manifest": map[string]any{"run": or("x")}, "tags": []any{}, "readable": []any{"s3://lake/census/", "s3://other/"}, "request": map[string]any{"RoleArn": or("x")},
	}
	if len(p.Versions) > 0 {
		addVersion(p, variables, or)
	}
	return variables
}

// addVersion adds what the states that find a model version meet.
func addVersion(p *ir.Plan, variables map[string]any, or func(any) any) {
	described := packageOf(p, 3)
	meta := described["CustomerMetadataProperties"].(map[string]any)
	for key := range meta {
		meta[key] = or(meta[key])
	}
	container := described["InferenceSpecification"].(map[string]any)["Containers"].([]any)[0].(map[string]any)
	container["ModelDataUrl"] = or(container["ModelDataUrl"])
	result := variables["states"].(map[string]any)["result"].(map[string]any)
	maps.Copy(result, described)
	result["ModelPackageSummaryList"] = []any{map[string]any{"ModelPackageArn": or("arn:x/3")}}
	result["NextToken"] = or("t")
	variables["package"], variables["page"] = "arn:x/3", map[string]any{"NextToken": or("t")}
	variables["Model"] = map[string]any{
		"Arn": or("arn:x/3"), "Version": or(3), "Data": or("s3://m"), "Image": or("i"),
		"Code": map[string]any{"Preprocess": or("c")}, "Images": map[string]any{"Preprocess": or("i")},
		"Artifacts": map[string]any{"Preprocess.Transformer": or("s3://t")},
	}
	variables["Preprocess"].(map[string]any)["Features"] = or("s3://f")
	variables["Predict"] = map[string]any{"Predictions": or("s3://p")}
}
