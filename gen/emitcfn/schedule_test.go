package emitcfn_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/internal/plantest"
)

// TestSchedule holds a schedule to start this machine and no other, off until an
// environment switches it on.
func TestSchedule(t *testing.T) {
	t.Parallel()
	p := scheduled(t)
	doc := document(t, p, emitasl.Emit(p))
	want := map[string]any{
		"Description":                "Starts census-inference",
		"ScheduleExpression":         "cron(0 6 * * ? *)",
		"ScheduleExpressionTimezone": map[string]any{"Ref": "ScheduleTimeZone"},
		"State":                      map[string]any{"Ref": "ScheduleState"},
		"FlexibleTimeWindow":         map[string]any{"Mode": "OFF"},
		"Target": map[string]any{
			"Arn":              map[string]any{"Ref": "Machine"},
			"RoleArn":          map[string]any{"Fn::GetAtt": []any{"ScheduleRole", "Arn"}},
			"Input":            `{"ScheduledTime":"<aws.scheduler.scheduled-time>"}`,
			"DeadLetterConfig": map[string]any{"Arn": map[string]any{"Fn::GetAtt": []any{"ScheduleFailures", "Arn"}}},
			"RetryPolicy": map[string]any{
				"MaximumRetryAttempts": json.Number("10"), "MaximumEventAgeInSeconds": json.Number("3600"),
			},
		},
	}
	if d := cmp.Diff(want, at(t, doc, "Resources", "Schedule", "Properties")); d != "" {
		t.Errorf("schedule (-want +got):\n%s", d)
	}
	if got := at(t, doc, "Parameters", "ScheduleState", "Default"); got != "DISABLED" {
		t.Errorf("a schedule is %v where nothing is said", got)
	}
	wantTrust := []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole",
		"Condition": map[string]any{
			"StringEquals": map[string]any{"aws:SourceAccount": map[string]any{"Ref": "AWS::AccountId"}},
			"ArnLike": map[string]any{"aws:SourceArn": map[string]any{
				"Fn::Sub": "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule-group/default"}},
		},
	}}
	if d := cmp.Diff(wantTrust, at(t, doc, "Resources", "ScheduleRole", "Properties", "AssumeRolePolicyDocument", "Statement")); d != "" {
		t.Errorf("who may assume its role (-want +got):\n%s", d)
	}
	training := plantest.Example(t)
	for name := range document(t, training, emitasl.Emit(training))["Resources"].(map[string]any) {
		if strings.HasPrefix(name, "Schedule") {
			t.Errorf("a pipeline without a schedule has %s", name)
		}
	}
}

// TestPinned holds what a model version brings to be no parameter, and its group to be
// made by the pipeline that registers to it.
func TestPinned(t *testing.T) {
	t.Parallel()
	p := plantest.Inference(t)
	doc := document(t, p, emitasl.Emit(p))
	parameters := doc["Parameters"].(map[string]any)
	for name, there := range map[string]bool{
		"PreprocessCode": false, "PredictCode": true, "PreprocessInstance": true, "PredictInstance": true,
	} {
		if (parameters[name] != nil) != there {
			t.Errorf("parameter %s: %v", name, parameters[name])
		}
	}
	for name, r := range doc["Resources"].(map[string]any) {
		if r.(map[string]any)["Type"] == "AWS::SageMaker::ModelPackageGroup" {
			t.Errorf("inference makes the model group %s", name)
		}
	}
	given := at(t, doc, "Resources", "Machine", "Properties", "DefinitionSubstitutions").(map[string]any)
	for _, name := range []string{"PreprocessImage", "PreprocessCode", "PredictImage"} {
		if given[name] != nil {
			t.Errorf("%s is the stack's, not the version's", name)
		}
	}
}
