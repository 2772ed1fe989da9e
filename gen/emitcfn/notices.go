package emitcfn

import (
	"fmt"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// Where an environment gives an address, it is told of runs that did not succeed, by a
// rule on the machine's executions: the machine itself catches nothing, so that a
// failed run stands where it failed and can be redriven.

// Logical ids and names of notices.
const (
	noticesID       = "Notices"
	noticesPolicyID = "NoticesPolicy"
	rulePublishes   = "RulePublishes"
	alarmPublishes  = "AlarmPublishes"
	subscriptionID  = "NoticesSubscription"
	failedRunsID    = "FailedRuns"

	notifyParameter = "Notify"
	hasNotify       = "HasNotify"
)

// notices are the resources, in the order in which they name each other.
func notices(p *ir.Plan) asl.Object {
	return object(
		noticesID, topic(p),
		subscriptionID, resource{Type: "AWS::SNS::Subscription", Condition: hasNotify, Properties: object(
			"TopicArn", ref(noticesID), "Protocol", "email", "Endpoint", ref(notifyParameter))},
		failedRunsID, failedRuns(p),
		noticesPolicyID, resource{Type: "AWS::SNS::TopicPolicy", Condition: hasNotify,
			Metadata:   map[string]any{"mlmax": map[string]any{"reasons": publishReasons(p)}},
			Properties: object("Topics", []any{ref(noticesID)}, "PolicyDocument", publishers(p))},
	)
}

// publishReasons say of each statement of the topic's policy why it is there, as those of
// roles do.
func publishReasons(p *ir.Plan) map[string]any {
	all := map[string]any{rulePublishes: "notices of runs that did not succeed come from a rule of this stack"}
	if p.Schedule != "" {
		all[alarmPublishes] = "notices of a schedule that could not start a run come from the alarm of this stack"
	}
	return all
}

// topic is encrypted with the environment's key, where it has one. The key that AWS
// keeps for SNS would not do: its policy lets neither EventBridge nor CloudWatch use
// it, and what they publish would be lost.
func topic(p *ir.Plan) resource {
	return resource{
		Type: "AWS::SNS::Topic", Condition: hasNotify,
		Metadata: map[string]any{"checkov": map[string]any{"skip": []any{map[string]any{
			"id": "CKV_AWS_26",
			"comment": "encrypted where the environment has a key; without one there is none that EventBridge and CloudWatch may use, " +
				"and a notice holds a run's name and state only",
		}}}},
		Properties: object(
			"DisplayName", sub("${Env}-"+p.Name, nil),
			"KmsMasterKeyId", either("HasKmsKey", ref("KmsKey"), noValue()),
			"Tags", tagList(p),
		),
	}
}

// publishers lets nobody publish but the rule and the alarm. EventBridge gives a topic's
// policy nothing to compare a condition with, so that one would drop every notice (its
// User Guide, resource-based policies: no Condition in policies of SNS topics); that the
// service publishes at all takes a rule of this account.
func publishers(p *ir.Plan) asl.Object {
	statements := []any{object(
		"Sid", rulePublishes, "Effect", "Allow",
		"Principal", object("Service", "events.amazonaws.com"),
		"Action", "sns:Publish", "Resource", ref(noticesID),
	)}
	if p.Schedule != "" {
		statements = append(statements, object(
			"Sid", alarmPublishes, "Effect", "Allow",
			"Principal", object("Service", "cloudwatch.amazonaws.com"),
			"Action", "sns:Publish", "Resource", ref(noticesID),
			"Condition", object(
				"StringEquals", object("aws:SourceAccount", ref("AWS::AccountId")),
				"ArnEquals", object("aws:SourceArn", attribute(failingID, "Arn")),
			),
		))
	}
	return document(statements)
}

// failedRuns is the rule on executions that ended in another way than by success. A run
// that is redriven and fails again is told of again.
func failedRuns(p *ir.Plan) resource {
	return resource{
		Type: "AWS::Events::Rule", Condition: hasNotify,
		Properties: object(
			"Description", "Tells of runs of "+p.Name+" that failed, ran out of time or were aborted",
			"EventPattern", object(
				"source", []any{"aws.states"},
				"detail-type", []any{"Step Functions Execution Status Change"},
				"detail", object(
					"status", []any{"FAILED", "TIMED_OUT", "ABORTED"},
					"stateMachineArn", []any{ref(machineID)},
				),
			),
			"State", "ENABLED",
			"Targets", []any{object(
				"Id", "notices",
				"Arn", ref(noticesID),
				"InputTransformer", object(
					"InputPathsMap", object("run", "$.detail.name", "status", "$.detail.status", "arn", "$.detail.executionArn", "time", "$.time"),
					"InputTemplate", sub(noticeText(p), nil),
				),
			)},
		),
	}
}

// consoles are where the console of a partition is.
var consoles = map[string]string{"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}

// noticeText is the template of a notice: one JSON string, into which EventBridge puts
// what stands in angle brackets. Those are a name, which has no quotes (StartExecution),
// a word, an ARN and a time: why a run failed is not among them, since its text could
// be anything.
func noticeText(p *ir.Plan) string {
	host, ok := consoles[p.Partition]
	if !ok {
		panic(fmt.Sprintf("emitcfn: no console of partition %s", p.Partition)) // check refuses it
	}
	text := "Run <run> of ${Env}-" + p.Name + " ended <status> at <time>. " +
		"What happened: status <run> --env ${Env}, of the pipeline's own command. " +
		"In the console: https://${AWS::Region}." + host + "/states/home?region=${AWS::Region}#/v2/executions/details/<arn>"
	return `"` + text + `"` // of letters, digits and signs that JSON takes as they are
}
