package emitcfn

import (
	"github.com/awslabs/goformation/v7/cloudformation/scheduler"

	"github.com/mlmax/mlmax/gen/ir"
)

// Names of a schedule's resource and parameters.
const (
	scheduleID    = "Schedule"
	scheduleState = "ScheduleState"
	scheduleZone  = "ScheduleTimeZone"
)

// How often and how long the schedule tries to start the machine. A start that comes
// an hour late is a late start; one that never comes is for a dead-letter queue.
const (
	startRetries    = 10
	startAgeSeconds = 3600
)

// schedule starts the machine, with the defaults of its parameters: without an input
// EventBridge Scheduler sends one of its own. It has no name of its own, which has 64
// characters at most and could clash.
func schedule(p *ir.Plan, r *ir.Role) *scheduler.Schedule {
	what, input := "Starts "+p.Name, "{}"
	retries, age := float64(startRetries), float64(startAgeSeconds)
	return &scheduler.Schedule{
		Description:                &what,
		ScheduleExpression:         p.Schedule,
		ScheduleExpressionTimezone: heldPtr(ref(scheduleZone)),
		State:                      heldPtr(ref(scheduleState)),
		FlexibleTimeWindow:         &scheduler.Schedule_FlexibleTimeWindow{Mode: "OFF"},
		Target: &scheduler.Schedule_Target{
			Arn:     held(ref(machineID)),
			RoleArn: held(attribute(r.Name, "Arn")),
			Input:   &input,
			RetryPolicy: &scheduler.Schedule_RetryPolicy{
				MaximumRetryAttempts:     &retries,
				MaximumEventAgeInSeconds: &age,
			},
		},
	}
}
