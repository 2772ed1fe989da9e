package asl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrTimeout is the cause of a task's context when the time of its state is over.
var ErrTimeout = errors.New("the state's time is over")

// ErrHeartbeat is the cause of a task's context when no heartbeat came in time.
var ErrHeartbeat = errors.New("no heartbeat came in time")

// ErrExecutionTimeout is the cause of a task's context when the machine's
// TimeoutSeconds are over.
var ErrExecutionTimeout = errors.New("the execution's time is over")

// Run executes a valid machine with an input, a JSON value; nil means {}.
//
// However the execution ends, the result says how and the error is nil. An error
// means that it could not go on: a handler met trouble that no Retry or Catch is
// for, or the input is none. When ctx ends, the result is [Aborted].
func Run(ctx context.Context, m *Machine, input json.RawMessage, o Options) (*Result, error) {
	x, first, err := newExecution(m, input, o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if m.TimeoutSeconds > 0 {
		stop := afterFunc(ctx, x.clock, seconds(m.TimeoutSeconds), func() { cancel(ErrExecutionTimeout) })
		defer stop()
	}
	started := append(payloadDetails("input", first.raw), Member{"roleArn", x.context.RoleARN})
	x.history.add(0, "ExecutionStarted", "", "executionStartedEventDetails", started)
	t := x.thread(nil)
	out, err := t.run(ctx, m, first)
	return t.end(ctx, out, err)
}

// An execution is what all its goroutines share; nothing in it changes but
// behind a lock.
type execution struct {
	handler  Handler
	clock    Clock
	rand     func() float64
	context  ExecutionContext
	start    time.Time
	input    json.RawMessage
	history  *history
	programs *programs
}

func newExecution(m *Machine, input json.RawMessage, o Options) (*execution, *value, error) {
	compiled := m.programs // what Decode gave is valid
	if compiled == nil {
		compiled = &programs{}
		if problems := validate(m, &validator{programs: compiled}); len(problems) > 0 {
			return nil, nil, fmt.Errorf("run the machine: %s (and %d more)", problems[0], len(problems)-1)
		}
	}
	if len(input) == 0 {
		input = json.RawMessage("{}")
	}
	if !json.Valid(input) {
		return nil, nil, errors.New("run the machine: the input is not JSON")
	}
	if len(input) > maxPayload {
		return nil, nil, fmt.Errorf("run the machine: the input has %d bytes, more than %d", len(input), maxPayload)
	}
	x := &execution{
		handler: o.Handler, clock: o.Clock, rand: locked(o.Rand), context: o.Context, start: o.Context.StartTime,
		input: bytes.TrimSpace(input), programs: compiled,
	}
	if x.clock == nil {
		x.clock = SystemClock
	}
	if x.start.IsZero() {
		x.start = x.clock.Now()
	}
	x.history = &history{clock: x.clock, observe: o.Observe}
	return x, &value{raw: x.input}, nil
}

// locked makes a source of numbers safe for the goroutines of branches.
func locked(source func() float64) func() float64 {
	if source == nil {
		return rand.Float64
	}
	var mu sync.Mutex
	return func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return source()
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// A thread runs states one after the other: those of the machine, of a branch or
// of an iteration.
type thread struct {
	x       *execution
	jsonata *jsonata
	// previous is the event that the next one follows.
	previous int64
	vars     map[string]json.RawMessage
	// item is Map.Item of the context object inside a Map.
	item json.RawMessage
	// quiet threads leave no history: those of a distributed Map's children.
	quiet bool
	// execution and machine are parts of the context object, made once.
	execution, machine any
}

// thread makes one that sees the variables of parent; nil is the first.
func (x *execution) thread(parent *thread) *thread {
	t := &thread{x: x, jsonata: newJSONata(x.rand, x.clock), vars: map[string]json.RawMessage{}}
	if parent != nil {
		t.previous, t.item, t.quiet = parent.previous, parent.item, parent.quiet
		for name, raw := range parent.vars {
			t.assign(name, raw)
		}
	}
	return t
}

// assign sets a variable, for expressions too.
func (t *thread) assign(name string, raw json.RawMessage) {
	t.vars[name] = raw
	t.jsonata.bind(name, (&value{raw: raw}).jsonata())
}

// event adds an event that follows the last one of this thread.
func (t *thread) event(eventType, state, detailsName string, details Object) int64 {
	if !t.quiet {
		t.previous = t.x.history.add(t.previous, eventType, state, detailsName, details)
	}
	return t.previous
}

// run executes the states of a machine or branch from its start to its end.
func (t *thread) run(ctx context.Context, m *Machine, in *value) (*value, error) {
	for name := m.StartAt; ; {
		s := m.State(name)
		if ctx.Err() != nil {
			return nil, &stopped{s.Name, context.Cause(ctx)}
		}
		next, out, err := t.state(ctx, s, in)
		if err != nil {
			var f *failure
			if !errors.As(err, &f) {
				err = stoppedIn(s.Name, err)
			}
			return nil, err
		}
		if next == "" {
			return out, nil
		}
		name, in = next, out
	}
}

// stopped is an end from outside the language, and the state it came in.
type stopped struct {
	state string
	cause error
}

func (s *stopped) Error() string { return s.cause.Error() }
func (s *stopped) Unwrap() error { return s.cause }

func stoppedIn(state string, err error) error {
	var s *stopped
	if errors.As(err, &s) {
		return err // an inner state knows better
	}
	return &stopped{state, err}
}

// end makes the result, with the event that closes the history.
func (t *thread) end(ctx context.Context, out *value, err error) (*Result, error) {
	var f *failure
	var s *stopped
	switch {
	case err == nil:
		t.event("ExecutionSucceeded", "", "executionSucceededEventDetails", payloadDetails("output", out.raw))
		return &Result{Status: Succeeded, Output: out.raw}, nil
	case errors.As(err, &f):
		t.event("ExecutionFailed", "", "executionFailedEventDetails", errorDetails(f.err))
		return &Result{Status: Failed, Err: f.reported(), State: f.state}, nil
	case !errors.As(err, &s):
		return nil, err
	case errors.Is(context.Cause(ctx), ErrExecutionTimeout):
		t.event("ExecutionTimedOut", "", "executionTimedOutEventDetails", Object{})
		return &Result{Status: TimedOut, State: s.state}, nil
	case ctx.Err() != nil:
		t.event("ExecutionAborted", "", "executionAbortedEventDetails", Object{})
		return &Result{Status: Aborted, State: s.state}, nil
	}
	return &Result{Status: Aborted, State: s.state}, fmt.Errorf("run state %q: %w", s.state, s.cause)
}

// reported is the error of the result; nil where a Fail state names none.
func (f *failure) reported() *Error {
	if f.err.Name == "" && !f.err.HasCause {
		return nil
	}
	return f.err
}

// arnPart is a part of an ARN: 3 is the Region.
func arnPart(arn string, i int) string {
	parts := strings.Split(arn, ":")
	if i < len(parts) && slices.Contains(parts[:1], "arn") {
		return parts[i]
	}
	return ""
}
