package emitcfn

import (
	"github.com/awslabs/goformation/v7/cloudformation/scheduler"

	"github.com/mlmax/mlmax/gen/ir"
)

// Names of a schedule's resource and parameters.
const (
	scheduleID    = "Schedule"
	failuresID    = "ScheduleFailures"
	failingID     = "ScheduleFailing"
	scheduleState = "ScheduleState"
	scheduleZone  = "ScheduleTimeZone"
)

// How often and how long the schedule tries to start the machine. A start that comes
// an hour late is a late start; one that never comes is kept in the queue.
const (
	startRetries    = 10
	startAgeSeconds = 3600
)

// scheduleInput is what the machine is started with: defaults of all parameters, and
// the time for which the run is, which EventBridge Scheduler fills in.
const scheduleInput = `{"` + ir.ScheduledTime + `":"<aws.scheduler.scheduled-time>"}`

// schedule starts the machine. It has no name of its own, which has 64
// characters at most and could clash.
func schedule(p *ir.Plan, r *ir.Role) *scheduler.Schedule {
	what, input := "Starts "+p.Name, scheduleInput
	queue := held(attribute(failuresID, "Arn"))
	retries, age := float64(startRetries), float64(startAgeSeconds)
	return &scheduler.Schedule{
		Description:                &what,
		ScheduleExpression:         p.Schedule,
		ScheduleExpressionTimezone: heldPtr(ref(scheduleZone)),
		State:                      heldPtr(ref(scheduleState)),
		FlexibleTimeWindow:         &scheduler.Schedule_FlexibleTimeWindow{Mode: "OFF"},
		Target: &scheduler.Schedule_Target{
			Arn:              held(ref(machineID)),
			RoleArn:          held(attribute(r.Name, "Arn")),
			Input:            &input,
			DeadLetterConfig: &scheduler.Schedule_DeadLetterConfig{Arn: &queue},
			RetryPolicy: &scheduler.Schedule_RetryPolicy{
				MaximumRetryAttempts:     &retries,
				MaximumEventAgeInSeconds: &age,
			},
		},
	}
}

// keepSeconds is how long a start that did not come about is kept: the longest that SQS
// keeps a message.
const keepSeconds = 14 * 24 * 3600

// failures is the queue of starts that did not come about. The schedule's role may send
// to it, so that it needs no policy of its own.
func failures(p *ir.Plan) resource {
	return resource{
		Type: "AWS::SQS::Queue", DeletionPolicy: "Delete", UpdateReplacePolicy: "Delete",
		Properties: object(
			"MessageRetentionPeriod", keepSeconds,
			"KmsMasterKeyId", either("HasKmsKey", ref("KmsKey"), noValue()),
			"SqsManagedSseEnabled", either("HasKmsKey", noValue(), true),
			"Tags", tagList(p),
		),
	}
}

// failing tells of what comes into the queue, once for as long as it is not empty.
func failing(p *ir.Plan) resource {
	return resource{
		Type: "AWS::CloudWatch::Alarm", Condition: hasNotify,
		Properties: object(
			"AlarmDescription", sub("The schedule of ${Env}-"+p.Name+" could not start a run. The queue "+failuresID+" of the stack holds what it tried, and why it failed.", nil),
			"Namespace", "AWS/SQS",
			"MetricName", "ApproximateNumberOfMessagesVisible",
			"Dimensions", []any{object("Name", "QueueName", "Value", attribute(failuresID, "QueueName"))},
			"Statistic", "Maximum", "Period", 300, "EvaluationPeriods", 1,
			"ComparisonOperator", "GreaterThanThreshold", "Threshold", 0,
			"TreatMissingData", "notBreaching",
			"AlarmActions", []any{ref(noticesID)},
			"Tags", tagList(p),
		),
	}
}
