package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/plan"
	"github.com/mlmax/mlmax/internal/plantest"
)

// unscoped are the actions that have no resource type (Service Authorization
// Reference), or that AWS says not to narrow.
var unscoped = []string{
	"logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
	"logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
	"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
	"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData",
	"ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
	"ec2:DeleteNetworkInterfacePermission", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DescribeDhcpOptions",
	"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups",
}

// TestLeastPrivilege holds every statement to name its actions, its resources and
// its reason.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	spec := plantest.Spec(t)
	spec.Pipelines[1].Schedule = said("rate(1 day)")
	both := plan.Plan(spec)
	for _, role := range append(both[0].Roles, both[1].Roles...) {
		sids := map[string]bool{}
		for _, s := range role.Statements {
			if s.Reason == "" || sids[s.Sid] || len(s.Actions) == 0 || len(s.Resources) == 0 {
				t.Errorf("%s: statement %q lacks a reason, a name of its own, actions or resources", role.Name, s.Sid)
			}
			sids[s.Sid] = true
			for _, a := range s.Actions {
				if strings.Contains(a, "*") {
					t.Errorf("%s: %s allows %s", role.Name, s.Sid, a)
				}
				if slices.Contains(s.Resources, "*") && !slices.Contains(unscoped, a) {
					t.Errorf("%s: %s allows %s on everything", role.Name, s.Sid, a)
				}
				if a == "iam:PassRole" && (len(s.Conditions) != 1 || s.Conditions[0].Key != "iam:PassedToService") {
					t.Errorf("%s: %s passes roles to any service", role.Name, s.Sid)
				}
			}
			for _, r := range s.Resources {
				if r != "*" && strings.HasPrefix(r, "arn:") && strings.HasSuffix(r, ":*") {
					t.Errorf("%s: %s reaches all of %s", role.Name, s.Sid, r)
				}
			}
		}
	}
}

// reads are the places that the role of a step may read, below the prefix.
func reads(t *testing.T, p *ir.Plan, step string) []string {
	t.Helper()
	for _, role := range p.Roles {
		if role.For != step {
			continue
		}
		for _, s := range role.Statements {
			if s.Sid == "ReadInputs" {
				var all []string
				for _, r := range s.Resources {
					all = append(all, strings.TrimPrefix(r, "arn:${AWS::Partition}:s3:::${Bucket}/${Prefix}"))
				}
				return all
			}
		}
	}
	t.Fatalf("no role of %s reads", step)
	return nil
}

// TestVersionPermissions holds what a pipeline may do with another one's versions to
// what it takes of them.
func TestVersionPermissions(t *testing.T) {
	t.Parallel()
	spec := plantest.Spec(t)
	spec.Pipelines[1].Schedule = said("rate(1 day)")
	p := plan.Plan(spec)[1]
	for step, want := range map[string][]string{
		"Preprocess": {"code/*", "data/*", "incoming/*", "runs/census-training/????????????/Preprocess/*/Transformer/*"},
		"Predict":    {"code/*", "runs/census-training/????????????/Train/*/output/model.tar.gz", "runs/census-inference/????????????/Preprocess/*"},
	} {
		if d := cmp.Diff(want, reads(t, p, step)); d != "" {
			t.Errorf("what %s reads (-want +got):\n%s", step, d)
		}
	}
	const registry = "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:model-package"
	machine := p.Roles[0]
	i := slices.IndexFunc(machine.Statements, func(s *ir.Statement) bool { return s.Sid == "ReadModels" })
	if i < 0 {
		t.Fatal("the machine may not look for versions")
	}
	want := &ir.Statement{
		Sid: "ReadModels", Actions: []string{"sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"},
		Resources: []string{registry + "-group/${Env}-census", registry + "/${Env}-census/*"},
		Reason:    machine.Statements[i].Reason, Needs: []string{"Model"},
	}
	if d := cmp.Diff(want, machine.Statements[i]); d != "" {
		t.Errorf("what the machine may do with versions (-want +got):\n%s", d)
	}
	for _, s := range machine.Statements {
		if slices.Contains(s.Actions, "sagemaker:CreateModelPackage") {
			t.Error("inference may register models")
		}
	}
	schedule := p.Roles[len(p.Roles)-1]
	if len(schedule.Statements) != 3 || schedule.Principal != "scheduler" ||
		!slices.Equal(schedule.Statements[0].Actions, []string{"states:StartExecution"}) ||
		!slices.Equal(schedule.Statements[0].Resources, []string{"arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${Env}-census-inference"}) ||
		!slices.Equal(schedule.Statements[1].Actions, []string{"sqs:SendMessage"}) || !slices.Equal(schedule.Statements[1].Resources, []string{"${ScheduleFailures.Arn}"}) ||
		schedule.Statements[2].If != "HasKmsKey" {
		t.Errorf("the schedule's role is %+v", schedule)
	}
}

// TestReadablePermissions holds the steps that take data from where a run says to get
// the places that the environments name, each with its own prefix, and no other step.
func TestReadablePermissions(t *testing.T) {
	t.Parallel()
	spec := plantest.Spec(t)
	spec.Environments[0].Readable = []ir.At[string]{said("s3://acme-lake/census/"), said("s3://acme-extracts/")}
	p := plan.Plan(spec)[0]
	if d := cmp.Diff([]ir.Location{{Bucket: "acme-lake", Prefix: "census/"}, {Bucket: "acme-extracts"}}, p.Environments[0].Readable); d != "" {
		t.Errorf("places (-want +got):\n%s", d)
	}
	got := map[string][]string{}
	for _, role := range p.Roles {
		for _, s := range role.Statements {
			if strings.HasPrefix(s.If, "HasReadable") {
				got[role.Name] = append(got[role.Name], s.If+" "+strings.Join(append(s.Actions, s.Resources...), " "))
			}
		}
	}
	want := map[string][]string{"PreprocessRole": {
		"HasReadable1 s3:GetObject arn:${AWS::Partition}:s3:::${ReadableBucket1}/${ReadablePrefix1}*",
		"HasReadable1 s3:ListBucket arn:${AWS::Partition}:s3:::${ReadableBucket1}",
		"HasReadable2 s3:GetObject arn:${AWS::Partition}:s3:::${ReadableBucket2}/${ReadablePrefix2}*",
		"HasReadable2 s3:ListBucket arn:${AWS::Partition}:s3:::${ReadableBucket2}",
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("who reads them (-want +got):\n%s", d)
	}
}

// TestIsolated holds the network to be taken from what does without, and a spec to have
// the last word.
func TestIsolated(t *testing.T) {
	t.Parallel()
	isolated := func(change func(*ir.Spec)) map[string]bool {
		spec := plantest.Spec(t)
		change(spec)
		all := map[string]bool{}
		for _, j := range plan.Plan(spec)[0].Jobs() {
			all[j.Name] = j.Isolated
		}
		return all
	}
	for name, tt := range map[string]struct {
		change func(*ir.Spec)
		want   map[string]bool
	}{
		"nothing said": {func(*ir.Spec) {}, map[string]bool{"Preprocess": true, "Train": false, "Evaluate": true}},
		"two instances": {func(s *ir.Spec) { s.Pipelines[0].Uses[0].Settings.Count = said(2) },
			map[string]bool{"Preprocess": false, "Train": false, "Evaluate": true}},
		"said of the step": {func(s *ir.Spec) { s.Pipelines[0].Uses[0].Step.Settings.Isolated = said(false) },
			map[string]bool{"Preprocess": false, "Train": false, "Evaluate": true}},
		"said of the use": {func(s *ir.Spec) {
			s.Pipelines[0].Uses[1].Step.Settings.Isolated, s.Pipelines[0].Uses[1].Settings.Isolated = said(false), said(true)
		}, map[string]bool{"Preprocess": true, "Train": true, "Evaluate": true}},
	} {
		if d := cmp.Diff(tt.want, isolated(tt.change)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
