package emitcfn_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/gen/emitcfn"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
)

// TestReadable holds the roles of the steps that read data, and no other, to get just
// the places that the environment names, each in its own bucket.
func TestReadable(t *testing.T) {
	t.Parallel()
	p := reaching(t)
	m := emitasl.Emit(p)
	doc := document(t, p, m)
	given := func(name string) any { return map[string]any{"Ref": name} }
	want := []any{
		map[string]any{"Fn::If": []any{"HasReadable2", map[string]any{
			"Sid": "ReadOutside2", "Effect": "Allow", "Action": []any{"s3:GetObject"},
			"Resource": []any{map[string]any{"Fn::Sub": "arn:${AWS::Partition}:s3:::${ReadableBucket2}/${ReadablePrefix2}*"}},
		}, given("AWS::NoValue")}},
		map[string]any{"Fn::If": []any{"HasReadable2", map[string]any{
			"Sid": "FindOutside2", "Effect": "Allow", "Action": []any{"s3:ListBucket"},
			"Resource":  []any{map[string]any{"Fn::Sub": "arn:${AWS::Partition}:s3:::${ReadableBucket2}"}},
			"Condition": map[string]any{"StringLike": map[string]any{"s3:prefix": []any{map[string]any{"Fn::Sub": "${ReadablePrefix2}*"}}}},
		}, given("AWS::NoValue")}},
	}
	for id, r := range at(t, doc, "Resources").(map[string]any) {
		if r.(map[string]any)["Type"] != "AWS::IAM::Role" {
			continue
		}
		policies := at(t, r, "Properties", "Policies").([]any)
		var got []any
		for _, s := range at(t, policies[0], "PolicyDocument", "Statement").([]any) {
			if text, _ := json.Marshal(s); strings.Contains(string(text), "Outside2") {
				got = append(got, s)
			}
		}
		if id != "PreprocessRole" {
			if got != nil {
				t.Errorf("%s may read outside of the prefix: %v", id, got)
			}
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", id, d)
		}
	}
	for file, want := range map[string][]string{
		"dev":  {"acme-lake", "census/", "acme-extracts", ""},
		"prod": {"acme-lake", "census/", "", ""},
	} {
		given := parameterFile(t, p, file)
		got := []string{given["ReadableBucket1"], given["ReadablePrefix1"], given["ReadableBucket2"], given["ReadablePrefix2"]}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s.json (-want +got):\n%s", file, d)
		}
	}
}

// parameterFile are the values of an environment's file.
func parameterFile(t *testing.T, p *ir.Plan, name string) map[string]string {
	t.Helper()
	for _, f := range emitcfn.Emit(p, emitasl.Emit(p)) {
		if !strings.HasSuffix(f.Path, "/env/"+name+".json") {
			continue
		}
		var list []struct{ ParameterKey, ParameterValue string }
		if err := json.Unmarshal(f.Bytes, &list); err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, e := range list {
			all[e.ParameterKey] = e.ParameterValue
		}
		return all
	}
	t.Fatalf("no file of environment %s", name)
	return nil
}

// TestNotices holds what tells of failed runs to be there where an address is given
// alone, to tell of this machine's runs, and to let nobody else publish.
func TestNotices(t *testing.T) {
	t.Parallel()
	for _, p := range []*ir.Plan{plantest.Example(t), scheduled(t)} {
		doc := document(t, p, emitasl.Emit(p))
		resources := at(t, doc, "Resources").(map[string]any)
		ids := []string{"Notices", "NoticesSubscription", "NoticesPolicy", "FailedRuns"}
		publishers := []string{"events.amazonaws.com"}
		if p.Schedule != "" {
			ids, publishers = append(ids, "ScheduleFailing"), append(publishers, "cloudwatch.amazonaws.com")
		}
		for _, id := range ids {
			if got := at(t, resources, id, "Condition"); got != "HasNotify" {
				t.Errorf("%s is made under %v", id, got)
			}
		}
		if got := at(t, doc, "Parameters", "Notify", "Default"); got != "" {
			t.Errorf("%v is told where nothing is said", got)
		}
		rule := at(t, resources, "FailedRuns", "Properties")
		want := map[string]any{
			"source": []any{"aws.states"}, "detail-type": []any{"Step Functions Execution Status Change"},
			"detail": map[string]any{"status": []any{"FAILED", "TIMED_OUT", "ABORTED"}, "stateMachineArn": []any{map[string]any{"Ref": "Machine"}}},
		}
		if d := cmp.Diff(want, at(t, rule, "EventPattern")); d != "" {
			t.Errorf("what is told (-want +got):\n%s", d)
		}
		var allowed []string
		for _, s := range at(t, resources, "NoticesPolicy", "Properties", "PolicyDocument", "Statement").([]any) {
			allowed = append(allowed, at(t, s, "Principal", "Service").(string))
			if at(t, s, "Action") != "sns:Publish" {
				t.Errorf("the topic allows %v", s)
			}
			if why, _ := at(t, resources, "NoticesPolicy", "Metadata", "mlmax", "reasons").(map[string]any)[at(t, s, "Sid").(string)].(string); why == "" {
				t.Errorf("no reason is given for %v", s)
			}
		}
		if d := cmp.Diff(publishers, allowed); d != "" {
			t.Errorf("who may publish (-want +got):\n%s", d)
		}
	}
}

// TestNoticeText fills in the text of a notice as EventBridge does, with the worst that
// an execution can have, and wants JSON.
func TestNoticeText(t *testing.T) {
	t.Parallel()
	for partition, link := range map[string]string{
		"aws":    "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/arn:x",
		"aws-cn": "https://eu-west-1.console.amazonaws.cn/states/", "aws-us-gov": "https://eu-west-1.console.amazonaws-us-gov.com/states/",
	} {
		p := plantest.Example(t)
		p.Partition = partition
		targets := at(t, document(t, p, emitasl.Emit(p)), "Resources", "FailedRuns", "Properties", "Targets").([]any)
		transformer := at(t, targets[0], "InputTransformer")
		text := at(t, transformer, "InputTemplate", "Fn::Sub").(string)
		for name, value := range map[string]string{"${Env}": "dev", "${AWS::Region}": "eu-west-1"} {
			text = strings.ReplaceAll(text, name, value)
		}
		values := map[string]string{"run": "é-r_1.2", "status": "TIMED_OUT", "arn": "arn:x", "time": "2026-01-02T03:04:05Z"}
		for name := range at(t, transformer, "InputPathsMap").(map[string]any) {
			text = strings.ReplaceAll(text, "<"+name+">", values[name])
		}
		var got string
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%s is no JSON: %v", text, err)
		}
		if strings.ContainsAny(got, "<>${}") || !strings.Contains(got, "Run é-r_1.2 of dev-census-training ended TIMED_OUT") || !strings.Contains(got, link) {
			t.Errorf("a notice of %s reads %q", partition, got)
		}
	}
}

// TestQueue holds the queue of the schedule to keep what it gets, encrypted either way,
// and its alarm to look at that queue.
func TestQueue(t *testing.T) {
	t.Parallel()
	p := scheduled(t)
	resources := at(t, document(t, p, emitasl.Emit(p)), "Resources")
	queue := at(t, resources, "ScheduleFailures", "Properties").(map[string]any)
	none := map[string]any{"Ref": "AWS::NoValue"}
	for name, want := range map[string]any{
		"MessageRetentionPeriod": json.Number("1209600"),
		"KmsMasterKeyId":         map[string]any{"Fn::If": []any{"HasKmsKey", map[string]any{"Ref": "KmsKey"}, none}},
		"SqsManagedSseEnabled":   map[string]any{"Fn::If": []any{"HasKmsKey", none, true}},
	} {
		if d := cmp.Diff(want, queue[name]); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	alarm := at(t, resources, "ScheduleFailing", "Properties")
	want := []any{map[string]any{"Name": "QueueName", "Value": map[string]any{"Fn::GetAtt": []any{"ScheduleFailures", "QueueName"}}}}
	if d := cmp.Diff(want, at(t, alarm, "Dimensions")); d != "" {
		t.Errorf("the alarm looks at (-want +got):\n%s", d)
	}
}

// TestSuppressions holds every finding of a scanner that is waived to say why.
func TestSuppressions(t *testing.T) {
	t.Parallel()
	china := plantest.Example(t)
	china.Partition = "aws-cn"
	waived := 0
	for _, p := range []*ir.Plan{plantest.Example(t), scheduled(t), reaching(t), china} {
		for id, r := range at(t, document(t, p, emitasl.Emit(p)), "Resources").(map[string]any) {
			metadata, _ := r.(map[string]any)["Metadata"].(map[string]any)
			if metadata["cfn-lint"] != nil {
				waived++
				if reason, _ := metadata["Reason"].(string); len(reason) < 20 {
					t.Errorf("%s does not say why cfn-lint is wrong", id)
				}
			}
			if metadata["checkov"] == nil {
				continue
			}
			for _, skip := range at(t, metadata, "checkov", "skip").([]any) {
				waived++
				if reason, _ := at(t, skip, "comment").(string); len(reason) < 20 || !strings.HasPrefix(at(t, skip, "id").(string), "CKV") {
					t.Errorf("%s waives %v", id, skip)
				}
			}
		}
	}
	if waived != 5 {
		t.Errorf("%d findings are waived", waived)
	}
}
