package delta_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/generated/inference/inference"
	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/delta"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// A template is one that is decoded, to be changed by a test.
type template map[string]any

// at is the object at a path.
func (t template) at(test *testing.T, path ...string) template {
	test.Helper()
	for _, key := range path {
		below, ok := t[key].(map[string]any)
		if !ok {
			test.Fatalf("the template has no object %s of %s", key, strings.Join(path, "/"))
		}
		t = below
	}
	return t
}

// states are the machine's.
func (t template) states(test *testing.T) template {
	test.Helper()
	return t.at(test, "Resources", "Machine", "Properties", "Definition", "States")
}

// side is a pipeline in environment dev, with code whose digests are letters.
func side(t *testing.T, d *pipeline.Definition, values map[string]string, change func(template)) delta.Side {
	t.Helper()
	body := template{}
	in := json.NewDecoder(bytes.NewReader(d.Template))
	in.UseNumber()
	if err := in.Decode(&body); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(body)
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	parameters := map[string]string{}
	for i, j := range d.Jobs {
		if j.Pin == "" {
			parameters[j.CodeName] = strings.Repeat(string(rune('a'+i)), 64)
		}
	}
	var list []struct{ ParameterKey, ParameterValue string }
	if err := json.Unmarshal(d.Environments["dev"], &list); err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		parameters[p.ParameterKey] = p.ParameterValue
	}
	maps.Copy(parameters, values)
	return delta.Side{Template: text, Parameters: parameters, Region: parameters["Region"]}
}

// edit replaces a text in the machine, which must have it.
func edit(t *testing.T, old, new string) func(template) {
	return func(body template) {
		t.Helper()
		machine := body.at(t, "Resources", "Machine", "Properties")
		text, err := json.Marshal(machine["Definition"])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte(old)) {
			t.Fatalf("the machine has no %q", old)
		}
		var changed any
		in := json.NewDecoder(bytes.NewReader(bytes.ReplaceAll(text, []byte(old), []byte(new))))
		in.UseNumber()
		if err := in.Decode(&changed); err != nil {
			t.Fatal(err)
		}
		machine["Definition"] = changed
	}
}

// withoutEvaluate takes the step Evaluate and the registration out of the pipeline.
func withoutEvaluate(t *testing.T) func(template) {
	return func(body template) {
		t.Helper()
		states := body.states(t)
		for _, name := range []string{"Evaluate", "Read Evaluate.Report", "Gate Register", "Register"} {
			if _, ok := states[name]; !ok {
				t.Fatalf("the machine has no state %q", name)
			}
			delete(states, name)
		}
		states.at(t, "Train")["Next"] = "Describe run"
		resources := body.at(t, "Resources")
		delete(resources, "EvaluateRole")
		delete(resources, "ModelGroupCensus")
		delete(body.at(t, "Outputs"), "ModelGroupCensusArn")
		for name := range body.at(t, "Parameters") {
			if strings.HasPrefix(name, "Evaluate") || strings.HasPrefix(name, "ModelGroup") {
				delete(body.at(t, "Parameters"), name)
			}
		}
		substitutions := resources.at(t, "Machine", "Properties", "DefinitionSubstitutions")
		maps.DeleteFunc(substitutions, func(name string, _ any) bool { return strings.HasPrefix(name, "Evaluate") })
	}
}

// statements changes a role's policy.
func statements(t *testing.T, role string, change func([]any) []any) func(template) {
	return func(body template) {
		t.Helper()
		policies := body.at(t, "Resources", role, "Properties")["Policies"].([]any)
		document := template(policies[0].(map[string]any)).at(t, "PolicyDocument")
		document["Statement"] = change(document["Statement"].([]any))
	}
}

// sid finds a statement.
func sid(list []any, name string) template {
	for _, s := range list {
		if m := s.(map[string]any); m["Sid"] == name {
			return m
		}
	}
	panic("no statement " + name)
}

// hostile is a text that tries to be markup, and to steer a terminal.
const hostile = "x`|\\|**b**@octocat [l](https://example.com) www.example.com <img src=x>\n\n# h\n--> </details>\x1b[31m'"

// cases are pairs of deployments, each with what it is to show.
func cases(t *testing.T) map[string]func() (*delta.Side, delta.Side, []delta.Resource) {
	train := training.Definition()
	pair := func(values map[string]string, change func(template)) func() (*delta.Side, delta.Side, []delta.Resource) {
		return func() (*delta.Side, delta.Side, []delta.Resource) {
			before := side(t, train, nil, nil)
			return &before, side(t, train, values, change), nil
		}
	}
	return map[string]func() (*delta.Side, delta.Side, []delta.Resource){
		"first":   func() (*delta.Side, delta.Side, []delta.Resource) { return nil, side(t, train, nil, nil), nil },
		"nothing": pair(nil, nil),
		"instance": pair(map[string]string{
			"TrainInstance": "ml.g5.xlarge", "TrainCode": strings.Repeat("7", 64), "EvaluateInstance": "ml.x99.huge",
		}, nil),
		"argument": pair(nil, edit(t, `"--seed"`, `"--random-seed"`)),
		"request": pair(nil, func(body template) {
			for _, e := range [][2]string{
				{`'MinROCAUC': 0.8,`, `'MinROCAUC': 0.7,`}, {`"MaxRuntimeInSeconds":3600`, `"MaxRuntimeInSeconds":5400`},
				{`\u003e= $params.MinROCAUC`, `\u003e $params.MinROCAUC`}, {`"strength":`, `"l2":`}, {`'VolumeSizeInGB': 30`, `'VolumeSizeInGB': 50`},
				{`'InstanceCount': 1, 'InstanceType': '${PreprocessInstance}'`, `'InstanceCount': 3, 'InstanceType': '${PreprocessInstance}'`},
				{`"{% $Preprocess.Test %}"`, `"{% $Preprocess.Train %}"`}, {`/evaluate.py`, `/score.py`}, {`PendingManualApproval`, `Approved`},
			} {
				edit(t, e[0], e[1])(body)
			}
		}),
		"permission": pair(nil, statements(t, "TrainRole", func(list []any) []any {
			read := sid(list, "ReadInputs")
			resources := read["Resource"].([]any)
			read["Resource"] = append(slices.Clone(resources), map[string]any{"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket}/${Prefix}incoming/*"})
			write := sid(list, "WriteOutputs")
			write["Action"] = []any{"s3:PutObject"}
			return append(list, map[string]any{"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"})
		})),
		"key":     pair(map[string]string{"KmsKey": "arn:aws:kms:eu-west-1:123456789012:key/1", "PermissionsBoundary": ""}, nil),
		"notices": pair(map[string]string{"Notify": "ml@example.com"}, nil),
		"schedule": func() (*delta.Side, delta.Side, []delta.Resource) {
			at := func(cron string) func(template) {
				return func(body template) {
					body.at(t, "Resources")["Schedule"] = map[string]any{
						"Type": "AWS::Scheduler::Schedule", "Properties": map[string]any{"ScheduleExpression": cron},
					}
				}
			}
			before := side(t, train, nil, at("cron(0 5 * * ? *)"))
			return &before, side(t, train, nil, at("cron(0 6 ? * MON *)")), nil
		},
		"removed": pair(nil, withoutEvaluate(t)),
		"added": func() (*delta.Side, delta.Side, []delta.Resource) {
			before := side(t, train, nil, withoutEvaluate(t))
			return &before, side(t, train, nil, nil), nil
		},
		"renamed": pair(map[string]string{"LogRetentionDays": "90", "Bucket": "acme-other"}, func(body template) {
			body.at(t, "Resources", "MachineLogs", "Properties")["LogGroupName"] = "/other"
			body.at(t, "Resources", "ModelGroupCensus", "Properties")["ModelPackageGroupDescription"] = "other words"
			body.at(t, "Resources", "Machine", "Properties")["StateMachineName"] = map[string]any{"Fn::Sub": "${Env}-other"}
		}),
		"changeset": func() (*delta.Side, delta.Side, []delta.Resource) {
			before, after, _ := pair(map[string]string{"TrainInstance": "ml.m5.4xlarge"}, nil)()
			return before, after, []delta.Resource{
				{Logical: "Machine", Type: "AWS::StepFunctions::StateMachine", Physical: "arn:aws:states:eu-west-1:123456789012:stateMachine:dev-census-training", Change: delta.Changed},
				{Logical: "ModelGroupCensus", Type: "AWS::SageMaker::ModelPackageGroup", Physical: "dev-census", Change: delta.Replaced, Maybe: true},
			}
		},
		"hostile": pair(map[string]string{"TrainInstance": hostile, "Bucket": hostile}, func(body template) {
			body.at(t, "Resources", "TrainRole", "Metadata", "mlmax")["reasons"] = map[string]any{"ReadInputs": hostile}
			body.at(t, "Resources", "MachineLogs", "Properties")["LogGroupName"] = hostile
			body.states(t).at(t, "Gate Register")["Comment"] = "Register if " + hostile
			states := body.states(t)
			states[hostile] = states["Evaluate"]
			states.at(t, "Train")["Next"] = hostile
			app := states.at(t, "Preprocess", "Arguments", "AppSpecification")
			app["ContainerArguments"] = append(slices.Clone(app["ContainerArguments"].([]any)), "--"+hostile, hostile)
		}),
		"versions": func() (*delta.Side, delta.Side, []delta.Resource) {
			d := inference.Definition()
			before := side(t, d, nil, nil)
			return &before, side(t, d, map[string]string{"PredictInstance": "ml.c5.xlarge"}, edit(t, "Preprocess.Transformer", "Preprocess.Other")), nil
		},
	}
}

// TestPlans compares each pair and holds text, Markdown and JSON to the goldens.
func TestPlans(t *testing.T) {
	t.Parallel()
	for name, sides := range cases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after, resources := sides()
			p, err := delta.Compare(before, after, resources)
			if err != nil {
				t.Fatal(err)
			}
			p.Against = "commit 0123456789ab (HEAD)"
			var text, markdown, object bytes.Buffer
			if err := p.Text(&text, false); err != nil {
				t.Fatal(err)
			}
			if err := p.Markdown(&markdown); err != nil {
				t.Fatal(err)
			}
			e := json.NewEncoder(&object)
			e.SetIndent("", "  ")
			e.SetEscapeHTML(false)
			if err := e.Encode(p); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", text.Bytes())
			golden(t, name+".md", markdown.Bytes())
			golden(t, name+".json", object.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", name, diff)
	}
}
