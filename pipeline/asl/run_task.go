package asl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A call is one try of a Task with its evaluated fields.
type call struct {
	f                  *frame
	arguments          json.RawMessage
	credentials        json.RawMessage
	timeout, heartbeat int
}

// task is the action of a Task state.
func (t *thread) task(ctx context.Context, f *frame) (*value, error) {
	c, err := t.call(ctx, f)
	if err != nil {
		return nil, err
	}
	t.scheduled(c)
	raw, err := t.do(ctx, c)
	if err != nil {
		return nil, t.taskFailed(ctx, c, err)
	}
	t.succeeded(c, raw)
	return &value{raw: raw}, nil
}

func (t *thread) call(ctx context.Context, f *frame) (*call, error) {
	c := &call{f: f, arguments: f.input.raw}
	var err error
	if f.state.Arguments != nil {
		if c.arguments, err = t.payload(ctx, f, "Arguments", f.state.Arguments); err != nil {
			return nil, err
		}
	}
	if len(c.arguments) > maxPayload {
		return nil, f.tooLarge(f.state.Name)
	}
	if f.state.Credentials != nil {
		if c.credentials, err = t.payload(ctx, f, "Credentials", f.state.Credentials); err != nil {
			return nil, err
		}
	}
	if c.timeout, err = t.whole(ctx, f, "TimeoutSeconds", f.state.TimeoutSeconds, 1); err != nil {
		return nil, err
	}
	c.heartbeat, err = t.whole(ctx, f, "HeartbeatSeconds", f.state.HeartbeatSeconds, 1)
	return c, err
}

// do calls the handler, under the state's time-outs.
func (t *thread) do(ctx context.Context, c *call) (json.RawMessage, error) {
	if t.x.handler == nil {
		return nil, fmt.Errorf("no handler for resource %q", c.f.state.Resource)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if c.timeout > 0 {
		defer afterFunc(ctx, t.x.clock, seconds(c.timeout), func() { cancel(ErrTimeout) })()
	}
	beat := func() {}
	if c.heartbeat > 0 && sendsHeartbeats(c.f.state.Resource) {
		alarm := newHeartbeat(ctx, t.x.clock, seconds(c.heartbeat), func() { cancel(ErrHeartbeat) })
		defer alarm.stop()
		beat = alarm.beat
	}
	raw, err := t.x.handler.Do(ctx, Task{
		State: c.f.state.Name, Resource: c.f.state.Resource, Arguments: c.arguments,
		Attempt: c.f.attempt, Timeout: seconds(c.timeout), Heartbeat: beat,
		Submitted: func(output json.RawMessage) { t.submitted(c, output) },
	})
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, ErrTimeout) || errors.Is(cause, ErrHeartbeat) {
			return nil, cause
		}
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, fmt.Errorf("the handler's result for resource %q is not JSON: %w", c.f.state.Resource, err)
	}
	if compact.Len() > maxPayload {
		return nil, Fail(ErrorDataLimitExceeded, c.f.tooLarge(resourceName(c.f.state.Resource)).err.Cause)
	}
	return compact.Bytes(), nil
}

// sendsHeartbeats says whether a worker reports while it works on a resource:
// an activity's, or one that was given a task token. Others have no heartbeats
// to miss.
func sendsHeartbeats(arn string) bool {
	return strings.HasSuffix(arn, ".waitForTaskToken") || arnPart(arn, 5) == "activity"
}

// taskFailed turns a handler's error into the language's, with its event.
// Trouble of the world and the end of the run pass as they are.
func (t *thread) taskFailed(ctx context.Context, c *call, err error) error {
	var e *Error
	event := "Failed"
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, ErrTimeout):
		e, event = &Error{Name: ErrorTimeout}, "TimedOut"
	case errors.Is(err, ErrHeartbeat):
		e, event = &Error{Name: ErrorHeartbeatTimeout}, "TimedOut"
	case !errors.As(err, &e):
		return err
	}
	details := errorDetails(e)
	if isLambda(c.f.state.Resource) {
		t.event("LambdaFunction"+event, c.f.state.Name, "lambdaFunction"+event+"EventDetails", details)
	} else {
		t.event("Task"+event, c.f.state.Name, "task"+event+"EventDetails", append(details, c.resource()...))
	}
	return &failure{err: e, state: c.f.state.Name}
}

// resourceName is how the text of an error names a resource.
func resourceName(arn string) string {
	if isLambda(arn) {
		return arn
	}
	kind, _ := resource(arn)
	return kind
}

// resource is the resource of a call's events.
func (c *call) resource() Object {
	kind, name := resource(c.f.state.Resource)
	return Object{{"resource", name}, {"resourceType", kind}}
}

// scheduled adds the two events that begin a try.
func (t *thread) scheduled(c *call) {
	var limits Object
	if c.timeout > 0 {
		limits = append(limits, Member{"timeoutInSeconds", c.timeout})
	}
	if c.heartbeat > 0 {
		limits = append(limits, Member{"heartbeatInSeconds", c.heartbeat})
	}
	if c.credentials != nil {
		var o Object
		if err := o.UnmarshalJSON(c.credentials); err == nil {
			role, _ := o.Get("RoleArn")
			limits = append(limits, Member{"taskCredentials", Object{{"roleArn", role}}})
		}
	}
	name := c.f.state.Name
	if isLambda(c.f.state.Resource) {
		details := append(payloadDetails("input", c.arguments), Member{"resource", c.f.state.Resource})
		t.event("LambdaFunctionScheduled", name, "lambdaFunctionScheduledEventDetails", append(details, limits...))
		t.event("LambdaFunctionStarted", name, "", nil)
		return
	}
	details := append(c.resource(), Member{"region", arnPart(t.x.context.MachineID, 3)}, Member{"parameters", string(c.arguments)})
	t.event("TaskScheduled", name, "taskScheduledEventDetails", append(details, limits...))
	t.event("TaskStarted", name, "taskStartedEventDetails", c.resource())
}

func (t *thread) submitted(c *call, output json.RawMessage) {
	t.event("TaskSubmitted", c.f.state.Name, "taskSubmittedEventDetails", append(c.resource(), payloadDetails("output", output)...))
}

func (t *thread) succeeded(c *call, raw json.RawMessage) {
	if isLambda(c.f.state.Resource) {
		t.event("LambdaFunctionSucceeded", c.f.state.Name, "lambdaFunctionSucceededEventDetails", payloadDetails("output", raw))
		return
	}
	t.event("TaskSucceeded", c.f.state.Name, "taskSucceededEventDetails", append(c.resource(), payloadDetails("output", raw)...))
}
