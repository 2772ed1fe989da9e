package asl

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// state executes one state and returns the next one's name, or "" at the end,
// and what it passes on.
func (t *thread) state(ctx context.Context, s *State, in *value) (next string, out *value, err error) {
	f := t.enter(s, in)
	var done *outcome
	switch s.Type {
	case TaskState:
		done, err = t.retrying(ctx, f, t.task)
	case ParallelState:
		done, err = t.retrying(ctx, f, t.parallel)
	case MapState:
		done, err = t.retrying(ctx, f, t.mapState)
	case ChoiceState:
		done, err = t.choice(ctx, f)
	case WaitState:
		done, err = t.wait(ctx, f)
	case FailState:
		err = t.fail(ctx, f)
	default: // Pass, Succeed
		done, err = t.complete(ctx, f, "", s.Assign, s.Output, in)
	}
	if err != nil {
		t.evaluationFailed(f, err)
		return "", nil, err
	}
	if done.next == "" {
		done.next = s.Next
	}
	t.exit(f, done)
	return done.next, done.output, nil
}

// evaluationFailed adds the event of an expression that failed, once. It follows
// the event before the state's entry if nothing came after that, as recorded.
func (t *thread) evaluationFailed(f *frame, err error) {
	var e *failure
	if !errors.As(err, &e) || !e.evaluated || e.state != f.state.Name {
		return
	}
	e.evaluated = false
	if t.previous == f.entered && !e.afterEntry {
		t.previous = f.before
	}
	details := errorDetails(e.err)
	if e.location != "" {
		details = append(details, Member{"location", e.location})
	}
	t.event("EvaluationFailed", f.state.Name, "evaluationFailedEventDetails", append(details, Member{"state", f.state.Name}))
}

func (t *thread) choice(ctx context.Context, f *frame) (*outcome, error) {
	for i, c := range f.state.Choices {
		at := "Choices[" + strconv.Itoa(i) + "]/"
		matched, err := t.typed(ctx, f, at+"Condition", c.Condition, "boolean")
		if err != nil {
			return nil, err
		}
		if matched != true {
			continue
		}
		done, err := t.complete(ctx, f, at, c.Assign, c.Output, f.input)
		if err != nil {
			return nil, err
		}
		done.next = c.Next
		return done, nil
	}
	if f.state.Default == "" {
		return nil, &failure{state: f.state.Name, err: Fail(ErrorNoChoiceMatched,
			"no rule of the Choice state '"+f.state.Name+"' matched, and it has no Default")}
	}
	done, err := t.complete(ctx, f, "", f.state.Assign, f.state.Output, f.input)
	if err != nil {
		return nil, err
	}
	done.next = f.state.Default
	return done, nil
}

func (t *thread) wait(ctx context.Context, f *frame) (*outcome, error) {
	delay, err := t.delay(ctx, f)
	if err != nil {
		return nil, err
	}
	if delay > 0 && t.x.clock.Wait(ctx, delay) != nil {
		return nil, context.Cause(ctx)
	}
	return t.complete(ctx, f, "", f.state.Assign, f.state.Output, f.input)
}

// delay is how long a Wait state waits; a time gone by is no delay.
func (t *thread) delay(ctx context.Context, f *frame) (time.Duration, error) {
	s := f.state
	if s.Timestamp == nil {
		n, err := t.whole(ctx, f, "Seconds", s.Seconds, 0)
		return seconds(n), err
	}
	v, err := t.typed(ctx, f, "Timestamp", s.Timestamp, "string")
	if err != nil {
		return 0, err
	}
	text, _ := v.(string)
	until, err := time.Parse(time.RFC3339, text)
	if err != nil {
		e := f.evaluationError("Timestamp", "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: %s", text)
		e.afterEntry = true
		return 0, e
	}
	d := until.Sub(t.x.clock.Now())
	if d > time.Duration(1<<31-1)*time.Second {
		return 0, f.evaluationError("Timestamp", "Wait state delay is too long.")
	}
	return d, nil
}

// fail makes the error that a Fail state names; both fields may be absent.
func (t *thread) fail(ctx context.Context, f *frame) error {
	e := &Error{}
	if f.state.Error != nil {
		v, err := t.typed(ctx, f, "Error", f.state.Error, "string")
		if err != nil {
			return err
		}
		e.Name, _ = v.(string)
	}
	if f.state.Cause != nil {
		v, err := t.typed(ctx, f, "Cause", f.state.Cause, "string")
		if err != nil {
			return err
		}
		e.Cause, e.HasCause = v.(string)
	}
	return &failure{err: e, state: f.state.Name}
}
