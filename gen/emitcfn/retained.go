package emitcfn

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/awslabs/goformation/v7/cloudformation/policies"
	"github.com/awslabs/goformation/v7/cloudformation/sagemaker"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// What holds data outlives its stack: deleting the stack keeps it, and so does a
// change that would replace it. A stack that is made later finds it there and cannot
// make it again, so that each such resource has a parameter that says whether it
// exists, and is made under a condition. Whatever refers to it does so by name where
// it is not made.

// logsID is the log group's logical id.
const logsID = "MachineLogs"

// existsParameter is the parameter that says that a retained resource exists already
// and is not the stack's; makesCondition is the condition under which it is made.
func existsParameter(id string) string { return id + "Exists" }
func makesCondition(id string) string  { return "Makes" + id }

// retained are the logical ids of what outlives the stack.
func retained(p *ir.Plan) []string {
	ids := []string{logsID}
	for _, g := range groups(p) {
		ids = append(ids, g.id)
	}
	return ids
}

// adoption are the parameters by which a stack takes what an earlier one left.
func adoption(p *ir.Plan) []parameter {
	var list []parameter
	for _, id := range retained(p) {
		list = append(list, parameter{existsParameter(id), "true if " + id + " outlived an earlier stack and is there already, else false",
			"^(true|false)$", 5, optional("false")})
	}
	return list
}

// adoptionConditions are whether the stack makes what outlives it.
func adoptionConditions(p *ir.Plan) asl.Object {
	var all asl.Object
	for _, id := range retained(p) {
		all = append(all, asl.Member{Key: makesCondition(id), Value: object("Fn::Equals", []any{ref(existsParameter(id)), "false"})})
	}
	return all
}

// A resource of a type that goformation cannot express.
type resource struct {
	Type                                string
	Condition                           string         `json:",omitempty"`
	DeletionPolicy, UpdateReplacePolicy string         `json:",omitempty"`
	Metadata                            map[string]any `json:",omitempty"`
	Properties                          asl.Object
}

func logGroupName(p *ir.Plan) string { return "/aws/vendedlogs/states/${Env}-" + p.Name }

// logGroup is the machine's log. goformation's type cannot refer to a parameter for
// the days, which are a number. The name's beginning keeps the resource policy of
// CloudWatch Logs from growing past its limit.
func logGroup(p *ir.Plan) resource {
	return resource{
		Type: "AWS::Logs::LogGroup", Condition: makesCondition(logsID), DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain",
		Properties: object(
			"LogGroupName", object("Fn::Sub", logGroupName(p)),
			"RetentionInDays", ref("LogRetentionDays"),
			"KmsKeyId", either("HasKmsKey", ref("KmsKey"), noValue()),
			"Tags", tagList(p),
		),
	}
}

// logGroupArn ends in ":*" either way, as a destination of logs must.
func logGroupArn(p *ir.Plan) asl.Object {
	return either(makesCondition(logsID), attribute(logsID, "Arn"),
		object("Fn::Sub", "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"+logGroupName(p)+":*"))
}

// A group is a model group of the template.
type group struct{ id, name string }

// groups are the model groups that the pipeline registers to, each once. Ids come
// from names, not from places in the list: a group whose id changes would be made
// anew, under a name that exists.
func groups(p *ir.Plan) []group {
	var all []group
	for _, r := range p.Registrations() {
		if slices.ContainsFunc(all, func(g group) bool { return g.name == r.Group }) {
			continue
		}
		id := "ModelGroup"
		for _, part := range strings.Split(r.Group, "-") {
			if part != "" {
				id += strings.ToUpper(part[:1]) + part[1:]
			}
		}
		if slices.ContainsFunc(all, func(g group) bool { return g.id == id }) {
			id += hex.EncodeToString([]byte(r.Group)) // "a-b" beside "aB"
		}
		all = append(all, group{id, r.Group})
	}
	return all
}

// modelGroup outlives the stack with its versions. Its description never changes:
// CloudFormation would replace the group.
func modelGroup(p *ir.Plan, g group) *sagemaker.ModelPackageGroup {
	text := "Model versions registered by mlmax"
	return &sagemaker.ModelPackageGroup{
		ModelPackageGroupName:                held(object("Fn::Sub", "${Env}-"+g.name)),
		ModelPackageGroupDescription:         &text,
		Tags:                                 resourceTags(p),
		AWSCloudFormationCondition:           makesCondition(g.id),
		AWSCloudFormationDeletionPolicy:      policies.DeletionPolicy("Retain"),
		AWSCloudFormationUpdateReplacePolicy: policies.UpdateReplacePolicy("Retain"),
	}
}

// modelGroupArn is the group's, whoever made it.
func modelGroupArn(g group) asl.Object {
	return either(makesCondition(g.id), ref(g.id),
		object("Fn::Sub", "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:model-package-group/${Env}-"+g.name))
}
