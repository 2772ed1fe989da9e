package asl

import (
	"context"
	"encoding/json"
	"time"
)

// A Task is one call of a Task state's resource.
type Task struct {
	// State is the state's name, Resource its ARN such as
	// "arn:aws:states:::sagemaker:createTrainingJob.sync".
	State, Resource string
	// Arguments are evaluated; JSON.
	Arguments json.RawMessage
	// Attempt counts the tries of this entry of the state from 0 (RetryCount).
	Attempt int
	// Timeout is the state's TimeoutSeconds, or 0. The interpreter enforces it by
	// cancelling the context; handlers that can end sooner may use it.
	Timeout time.Duration
	// Heartbeat tells the interpreter that the work goes on. It counts for
	// resources whose workers report: activities and ".waitForTaskToken".
	Heartbeat func()
	// Submitted tells that the job of a ".sync" resource was created, with the
	// answer of the call that did so: it adds the event TaskSubmitted. It is called
	// at most once, on the goroutine of Do.
	Submitted func(output json.RawMessage)
}

// A Handler does what a Task's resource stands for.
type Handler interface {
	// Do returns the task's result as JSON. An error that is (or wraps) an *Error
	// fails the task under its name, and can be retried or caught. Any other error
	// is trouble of the world (a full disk, say): it ends the run at once, as it
	// is, and no Retry or Catch sees it.
	//
	// When ctx ends, Do stops what it started and returns soon. context.Cause
	// tells why: ErrTimeout, or the cause of the run's own end.
	Do(ctx context.Context, t Task) (json.RawMessage, error)
}

// An Error is an error as the States Language knows it.
type Error struct {
	// Name is the error's name, such as States.TaskFailed.
	Name string
	// Cause is text for people; often JSON. HasCause tells an absent one from "".
	Cause    string
	HasCause bool
}

// Error returns the name and cause.
func (e *Error) Error() string {
	if e.Cause == "" {
		return e.Name
	}
	return e.Name + ": " + e.Cause
}

// Fail makes an Error with a cause.
func Fail(name, cause string) *Error { return &Error{Name: name, Cause: cause, HasCause: true} }

// The names of the language's own errors.
const (
	ErrorAll               = "States.ALL"
	ErrorTaskFailed        = "States.TaskFailed"
	ErrorTimeout           = "States.Timeout"
	ErrorHeartbeatTimeout  = "States.HeartbeatTimeout"
	ErrorRuntime           = "States.Runtime"
	ErrorQueryEvaluation   = "States.QueryEvaluationError"
	ErrorDataLimitExceeded = "States.DataLimitExceeded"
	ErrorNoChoiceMatched   = "States.NoChoiceMatched"
	ErrorBranchFailed      = "States.BranchFailed"
	ErrorPermissions       = "States.Permissions"
)

// A Clock tells the time and waits. Tests give a virtual one.
type Clock interface {
	Now() time.Time
	// Wait returns after d, or when ctx ends with its error.
	Wait(ctx context.Context, d time.Duration) error
}

// Options are what an execution needs besides machine and input.
type Options struct {
	Handler Handler
	// Clock defaults to the machine's own clock.
	Clock Clock
	// Observe, if not nil, gets every history event in order, on the goroutine
	// that makes it and never two at once.
	Observe func(HistoryEvent)
	// Context is what $states.context says of the execution.
	Context ExecutionContext
	// Rand returns a number in [0,1) for retry jitter; nil means math/rand.
	Rand func() float64
}

// An ExecutionContext is the part of the context object that does not change.
type ExecutionContext struct {
	ExecutionID, ExecutionName, RoleARN, MachineID, MachineName string
	// StartTime defaults to the clock's now.
	StartTime    time.Time
	RedriveCount int
	// RedriveTime is that of the last redrive; before the first it is zero, and the
	// context object has none.
	RedriveTime time.Time
}

// The statuses of an execution.
const (
	Succeeded = "SUCCEEDED"
	Failed    = "FAILED"
	TimedOut  = "TIMED_OUT"
	Aborted   = "ABORTED"
)

// A Result is how an execution ended.
type Result struct {
	Status string
	// Output is JSON, when Succeeded.
	Output json.RawMessage
	// Err is the error, when Failed (may be nil for a Fail state that names none).
	Err *Error
	// State is the state in which it failed, timed out or was aborted.
	State string
}

// A HistoryEvent is one event, shaped as GetExecutionHistory shapes it.
type HistoryEvent struct {
	ID         int64     `json:"id"`
	PreviousID int64     `json:"previousEventId"`
	Type       string    `json:"type"` // such as TaskStateEntered
	Timestamp  time.Time `json:"timestamp"`
	// State is the name of the state the event belongs to, for consumers; it is
	// not part of the shape.
	State string `json:"-"`
	// Details holds the one "…EventDetails" member that goes with Type: its name
	// and value.
	DetailsName string `json:"-"`
	Details     Object `json:"-"`
}
