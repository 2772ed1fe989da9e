package emitcfn

import (
	"github.com/awslabs/goformation/v7/cloudformation/stepfunctions"

	"github.com/mlmax/mlmax/gen/ir"
)

// machineID is the machine's logical id.
const machineID = "Machine"

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
					LogGroupArn: heldPtr(logGroupArn(p)),
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
	if p.Readable() > 0 {
		all["Readable"] = readable(p)
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
