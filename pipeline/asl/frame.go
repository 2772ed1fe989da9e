package asl

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// A frame is one entry of a state: the values at its entry, from which Assign
// and Output are both evaluated.
type frame struct {
	state *State
	input *value
	// entered is the id of the event of its entry, before that of the one before.
	entered, before int64
	at              time.Time
	attempt         int    // RetryCount
	result          *value // in Assign and Output
	errorOutput     *value // in those of a catcher
	states          any    // $states, made when first needed
}

// show sets what $states has beyond input and context.
func (f *frame) show(result, errorOutput *value) {
	f.result, f.errorOutput, f.states = result, errorOutput, nil
}

// enter begins a state.
func (t *thread) enter(s *State, in *value) *frame {
	f := &frame{state: s, input: in, before: t.previous, at: t.x.clock.Now()}
	details := append(Object{{"name", s.Name}}, payloadDetails("input", in.raw)...)
	f.entered = t.event(s.Type+"StateEntered", s.Name, "stateEnteredEventDetails", details)
	return f
}

// exit leaves a state: it assigns the variables and adds the event.
func (t *thread) exit(f *frame, done *outcome) {
	details := append(Object{{"name", f.state.Name}}, payloadDetails("output", done.output.raw)...)
	if len(done.assigned) > 0 {
		texts := make(Object, 0, len(done.assigned))
		for _, m := range done.assigned {
			raw := m.Value.(json.RawMessage)
			t.assign(m.Key, raw)
			texts = append(texts, Member{m.Key, string(raw)})
		}
		details = append(details, Member{"assignedVariables", texts}, Member{"assignedVariablesDetails", notTruncated})
	}
	t.event(f.state.Type+"StateExited", f.state.Name, "stateExitedEventDetails", details)
}

// An outcome is what a state leaves: variables, each a json.RawMessage, and its output.
type outcome struct {
	next     string
	assigned Object
	output   *value
}

// complete evaluates Assign and Output, both from the values of the frame; without
// Output the state passes on otherwise. at is the path of the two fields, empty
// for the state's own.
func (t *thread) complete(ctx context.Context, f *frame, at string, assign Object, output any, otherwise *value) (*outcome, error) {
	done := &outcome{output: otherwise}
	size := 0
	for _, m := range assign {
		raw, err := t.payload(ctx, f, at+"Assign/"+m.Key, m.Value)
		if err != nil {
			return nil, err
		}
		size += len(raw)
		done.assigned = append(done.assigned, Member{m.Key, raw})
	}
	total := size
	for _, raw := range t.vars {
		total += len(raw)
	}
	if size > maxPayload || total > maxVariables {
		return nil, f.tooLarge(f.state.Name)
	}
	if output != nil {
		raw, err := t.payload(ctx, f, at+"Output", output)
		if err != nil {
			return nil, err
		}
		done.output = &value{raw: raw}
	}
	if len(done.output.raw) > maxPayload {
		return nil, f.tooLarge(f.state.Name)
	}
	return done, nil
}

// states is the value of $states.
func (t *thread) states(f *frame) any {
	if f.states != nil {
		return f.states
	}
	states := newObject()
	states.Set("input", f.input.jsonata())
	if f.result != nil {
		states.Set("result", f.result.jsonata())
	}
	if f.errorOutput != nil {
		states.Set("errorOutput", f.errorOutput.jsonata())
	}
	states.Set("context", t.context(f))
	f.states = states
	return states
}

// context is the context object.
func (t *thread) context(f *frame) any {
	if t.execution == nil {
		t.makeContext()
	}
	state := newObject()
	state.Set("Name", f.state.Name)
	state.Set("EnteredTime", Timestamp(f.at))
	if f.state.Type == TaskState {
		state.Set("RetryCount", float64(f.attempt))
	}
	c := newObject()
	c.Set("Execution", t.execution)
	if t.item != nil {
		m := newObject()
		m.Set("Item", mustDecode(string(t.item)))
		c.Set("Map", m)
	}
	c.Set("StateMachine", t.machine)
	c.Set("State", state)
	return c
}

// makeContext makes the parts that do not change. Each thread has its own, so
// that no two goroutines share what JSONata works on.
func (t *thread) makeContext() {
	c := t.x.context
	e := newObject()
	e.Set("Id", c.ExecutionID)
	e.Set("Input", mustDecode(string(t.x.input)))
	e.Set("StartTime", Timestamp(t.x.start))
	e.Set("Name", c.ExecutionName)
	e.Set("RoleArn", c.RoleARN)
	e.Set("RedriveCount", float64(c.RedriveCount))
	if !c.RedriveTime.IsZero() {
		e.Set("RedriveTime", Timestamp(c.RedriveTime))
	}
	m := newObject()
	m.Set("Id", c.MachineID)
	m.Set("Name", c.MachineName)
	t.execution, t.machine = e, m
}

// Timestamp writes a time as the context object has it, with three decimals and
// a Z: what an expression reads as $states.context.Execution.StartTime.
func Timestamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// resource splits a Task's ARN into what its events say: "sagemaker" and
// "createTrainingJob.sync", or "aws-sdk:s3" and "getObject".
func resource(arn string) (resourceType, name string) {
	parts := strings.Split(arn, ":")
	if len(parts) < 7 {
		return "", arn
	}
	return strings.Join(parts[5:len(parts)-1], ":"), parts[len(parts)-1]
}

// isLambda says whether a resource is a Lambda function's own ARN, whose events
// have names of their own.
func isLambda(arn string) bool {
	return arnPart(arn, 2) == "lambda" && arnPart(arn, 5) == "function"
}
