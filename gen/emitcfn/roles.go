package emitcfn

import (
	"github.com/awslabs/goformation/v7/cloudformation/iam"
	"github.com/awslabs/goformation/v7/cloudformation/tags"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// role is an IAM role: the machine's or the schedule's if the job is nil. Its policy is in it and not a
// resource of its own, so that it exists before anything that names the role: Step
// Functions refuses to create a machine whose role lacks a right. It has no name of
// its own, which would take CAPABILITY_NAMED_IAM and could clash.
func role(p *ir.Plan, r *ir.Role, j *ir.Job) *iam.Role {
	what := "The machine of " + p.Name
	switch {
	case j != nil:
		what = "Jobs of step " + j.Name + " of " + p.Name
	case r.Principal == schedulerService:
		what = "The schedule of " + p.Name
	}
	return &iam.Role{
		AssumeRolePolicyDocument: mark + trustPart,
		Description:              &what,
		PermissionsBoundary:      heldPtr(either("HasBoundary", ref("PermissionsBoundary"), noValue())),
		Policies:                 []iam.Role_Policy{{PolicyName: "Needed", PolicyDocument: mark + policyPart}},
		Tags:                     resourceTags(p),

		AWSCloudFormationMetadata: map[string]any{"mlmax": map[string]any{"reasons": reasons(r)}},
	}
}

// reasons say of each statement why it is there, for those who read a change of
// permissions from templates alone.
func reasons(r *ir.Role) map[string]any {
	all := map[string]any{}
	for _, s := range r.Statements {
		all[s.Sid] = s.Reason
	}
	return all
}

// document is a policy of statements.
func document(statements []any) asl.Object {
	return object("Version", "2012-10-17", "Statement", statements)
}

// policy is what a role may do.
func policy(r *ir.Role, j *ir.Job) asl.Object {
	var vars map[string]any
	if j != nil {
		vars = imageVars()
	}
	var statements []any
	for _, s := range r.Statements {
		body := statement(s, vars)
		if s.If != "" {
			statements = append(statements, either(s.If, body, noValue()))
			continue
		}
		statements = append(statements, body)
	}
	return document(statements)
}

func statement(s *ir.Statement, vars map[string]any) asl.Object {
	actions := make([]any, 0, len(s.Actions))
	for _, a := range s.Actions {
		actions = append(actions, a)
	}
	body := object("Sid", s.Sid, "Effect", "Allow", "Action", actions, "Resource", subs(s.Resources, vars))
	var operators asl.Object
	for _, c := range s.Conditions {
		operators = append(operators, asl.Member{Key: c.Operator, Value: object(c.Key, subs(c.Values, vars))})
	}
	if operators != nil {
		body = append(body, asl.Member{Key: "Condition", Value: operators})
	}
	return body
}

// schedulerService is whose principal a schedule's role has.
const schedulerService = "scheduler"

// trust lets the service assume the role for this account only (the confused
// deputy): for state machines, for the kind of job, or for schedules of the default
// group; EventBridge Scheduler compares with the group, never with a schedule (its
// User Guide, "Confused deputy prevention").
func trust(r *ir.Role, j *ir.Job) asl.Object {
	source := "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:*"
	switch {
	case r.Principal == schedulerService:
		source = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule-group/default"
	case j != nil:
		kind := "processing-job"
		if j.Kind == ir.Training {
			kind = "training-job"
		}
		source = "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:" + kind + "/*"
	}
	return document([]any{object(
		"Effect", "Allow",
		"Principal", object("Service", r.Principal+".amazonaws.com"),
		"Action", "sts:AssumeRole",
		"Condition", object(
			"StringEquals", object("aws:SourceAccount", ref("AWS::AccountId")),
			"ArnLike", object("aws:SourceArn", sub(source, nil)),
		),
	)})
}

// tagList are resourceTags for a resource that goformation has no type of.
func tagList(p *ir.Plan) []any {
	var all []any
	for _, t := range resourceTags(p) {
		all = append(all, object("Key", t.Key, "Value", t.Value))
	}
	return all
}

// resourceTags are put on every resource; those of the environment are the stack's,
// which CloudFormation hands down.
func resourceTags(p *ir.Plan) []tags.Tag {
	return []tags.Tag{
		{Key: "mlmax:pipeline", Value: p.Name},
		{Key: "mlmax:environment", Value: held(ref("Env"))},
	}
}
