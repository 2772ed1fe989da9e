package emitcfn

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/awslabs/goformation/v7/cloudformation/policies"
	"github.com/awslabs/goformation/v7/cloudformation/sagemaker"
	"github.com/awslabs/goformation/v7/cloudformation/stepfunctions"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// Logical ids of what every template has.
const (
	machineID = "Machine"
	logsID    = "MachineLogs"
)

// machine is the state machine. It is logged in full and traced, as the common rule
// packs want it (cdk-nag AwsSolutions-SF1 and SF2).
func machine(p *ir.Plan) *stepfunctions.StateMachine {
	level, yes := "ALL", true
	var tags []stepfunctions.StateMachine_TagsEntry
	for _, t := range resourceTags(p) {
		tags = append(tags, stepfunctions.StateMachine_TagsEntry{Key: t.Key, Value: t.Value})
	}
	kind := "STANDARD" // .sync exists in no other
	return &stepfunctions.StateMachine{
		StateMachineName:        heldPtr(object("Fn::Sub", "${Env}-"+p.Name)),
		StateMachineType:        &kind,
		RoleArn:                 held(attribute(p.Roles[0].Name, "Arn")),
		Definition:              mark + definitionPart,
		DefinitionSubstitutions: substitutions(p),
		LoggingConfiguration: &stepfunctions.StateMachine_LoggingConfiguration{
			Level:                &level,
			IncludeExecutionData: &yes,
			Destinations: []stepfunctions.StateMachine_LogDestination{{
				CloudWatchLogsLogGroup: &stepfunctions.StateMachine_CloudWatchLogsLogGroup{
					LogGroupArn: heldPtr(attribute(logsID, "Arn")), // it ends in ":*", as it must
				},
			}},
		},
		TracingConfiguration: &stepfunctions.StateMachine_TracingConfiguration{Enabled: &yes},
		Tags:                 tags,

		AWSCloudFormationMetadata: lintMetadata(p),
	}
}

// lintMetadata silences the one finding of cfn-lint that is wrong: its pattern of a
// Task's Resource knows no partition but aws.
func lintMetadata(p *ir.Plan) map[string]any {
	if p.Partition == "aws" {
		return nil
	}
	return map[string]any{
		"cfn-lint": map[string]any{"config": map[string]any{"ignore_checks": []string{"E3601"}}},
		"Reason":   "E3601 takes resources in the aws partition only; this machine is for " + p.Partition,
	}
}

// substitutions fill what differs between places. They are texts: a number could
// not be put into a Definition.
func substitutions(p *ir.Plan) map[string]any {
	all := map[string]any{"Region": ref("AWS::Region")}
	for _, name := range []string{"Env", "Bucket", "Prefix", "KmsKey", "Subnets", "SecurityGroups"} {
		all[name] = ref(name)
	}
	if p.Tagged() {
		all["Tags"] = ref("Tags")
	}
	if len(p.Versions) > 0 { // their ARNs
		all["Account"], all["Partition"] = ref("AWS::AccountId"), ref("AWS::Partition")
	}
	for _, j := range p.Jobs() {
		all[j.RoleName] = attribute(j.RoleName, "Arn")
		all[j.InstanceName] = ref(j.InstanceName)
		if j.Pin == "" {
			all[j.CodeName] = ref(j.CodeName)
		}
		if j.Pin == "" && j.ImageOf == "" {
			all[j.ImageName] = imageURI(j)
		}
	}
	return all
}

// A resource of a type that goformation cannot express.
type resource struct {
	Type                                string
	DeletionPolicy, UpdateReplacePolicy string
	Properties                          asl.Object
}

// logGroup is the machine's log. goformation's type cannot refer to a parameter for
// the days, which are a number. The name's beginning keeps the resource policy of
// CloudWatch Logs from growing past its limit.
func logGroup(p *ir.Plan) resource {
	var tags []any
	for _, t := range resourceTags(p) {
		tags = append(tags, object("Key", t.Key, "Value", t.Value))
	}
	return resource{"AWS::Logs::LogGroup", "Delete", "Delete", object(
		"LogGroupName", object("Fn::Sub", "/aws/vendedlogs/states/${Env}-"+p.Name),
		"RetentionInDays", ref("LogRetentionDays"),
		"KmsKeyId", either("HasKmsKey", ref("KmsKey"), noValue()),
		"Tags", tags,
	)}
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
		AWSCloudFormationDeletionPolicy:      policies.DeletionPolicy("Retain"),
		AWSCloudFormationUpdateReplacePolicy: policies.UpdateReplacePolicy("Retain"),
	}
}
