package plan_test

import (
	"slices"
	"strings"
	"testing"

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
	for _, role := range plan.Plan(plantest.Spec(t))[0].Roles {
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
