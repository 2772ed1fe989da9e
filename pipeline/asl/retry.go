package asl

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"
)

// An action is what a state with Retry and Catch does at each try: it returns
// the result.
type action func(ctx context.Context, f *frame) (*value, error)

// retrying runs a Task, Parallel or Map: its action and then Assign and Output,
// again as its retriers say, and at last to a catcher.
func (t *thread) retrying(ctx context.Context, f *frame, do action) (*outcome, error) {
	used := make([]int, len(f.state.Retry))
	for {
		done, err := t.try(ctx, f, do)
		if err == nil {
			return done, nil
		}
		var e *failure
		if !errors.As(err, &e) {
			return nil, err
		}
		t.evaluationFailed(f, err)
		i := slices.IndexFunc(f.state.Retry, func(r *Retrier) bool { return matches(r.ErrorEquals, e.err.Name) })
		if i < 0 || used[i] >= valueOr(f.state.Retry[i].MaxAttempts, 3) {
			t.failedState(f)
			return t.caught(ctx, f, e)
		}
		if delay := f.state.Retry[i].delay(used[i], t.x.rand); t.x.clock.Wait(ctx, delay) != nil {
			return nil, context.Cause(ctx)
		}
		used[i]++
		f.attempt++
	}
}

// failedState adds the event of a Parallel or Map that is not tried again.
func (t *thread) failedState(f *frame) {
	if f.state.Type != TaskState {
		t.event(f.state.Type+"StateFailed", f.state.Name, "", nil)
	}
}

// try does the action once, and evaluates Assign and Output on its result.
func (t *thread) try(ctx context.Context, f *frame, do action) (*outcome, error) {
	f.show(nil, nil)
	result, err := do(ctx, f)
	if err != nil {
		return nil, err
	}
	f.show(result, nil)
	return t.complete(ctx, f, "", f.state.Assign, f.state.Output, result)
}

// delay is the time before retry number n, from 0.
func (r *Retrier) delay(n int, rand func() float64) time.Duration {
	d := float64(valueOr(r.IntervalSeconds, 1)) * math.Pow(valueOr(r.BackoffRate, 2), float64(n))
	d = min(d, float64(valueOr(r.MaxDelaySeconds, maxDelay)))
	if r.JitterStrategy == "FULL" {
		d *= rand()
	}
	return time.Duration(d * float64(time.Second))
}

// NextTry is how long the state waits at most before it tries again after an error of this
// name, when it has tried again so often already; false if it does not try again. It is
// for those who only see what another interpreter does: with jitter, the wait is shorter,
// and where several retriers took turns, the state may give up sooner.
func (s *State) NextTry(name string, retries int) (time.Duration, bool) {
	i := slices.IndexFunc(s.Retry, func(r *Retrier) bool { return matches(r.ErrorEquals, name) })
	if i < 0 || retries >= valueOr(s.Retry[i].MaxAttempts, 3) {
		return 0, false
	}
	return s.Retry[i].delay(retries, func() float64 { return 1 }), true
}

// matches says whether the names of a retrier or catcher cover an error.
// States.Runtime cannot be caught at all, even by its own name, and
// States.DataLimitExceeded is covered by States.ALL: both as recorded on AWS, the
// second against the Developer Guide ("Handling errors").
func matches(names []string, name string) bool {
	if name == ErrorRuntime {
		return false
	}
	return slices.ContainsFunc(names, func(n string) bool {
		switch n {
		case ErrorAll:
			return true
		case ErrorTaskFailed:
			return name != ErrorTimeout
		}
		return n == name
	})
}

// caught goes to the first catcher that covers the error, or fails with it.
func (t *thread) caught(ctx context.Context, f *frame, e *failure) (*outcome, error) {
	i := slices.IndexFunc(f.state.Catch, func(c *Catcher) bool { return matches(c.ErrorEquals, e.err.Name) })
	if i < 0 {
		return nil, e
	}
	c := f.state.Catch[i]
	f.show(nil, &value{raw: e.err.output()})
	done, err := t.complete(ctx, f, "Catch["+strconv.Itoa(i)+"]/", c.Assign, c.Output, f.errorOutput)
	if err != nil {
		return nil, err
	}
	done.next = c.Next
	return done, nil
}

// output is an error as a catcher sees it. A time-out has an empty Cause
// (recorded); any other absent one stays absent.
func (e *Error) output() []byte {
	o := Object{}
	if e.Name != "" {
		o = append(o, Member{"Error", e.Name})
	}
	if e.HasCause || e.Name == ErrorTimeout || e.Name == ErrorHeartbeatTimeout {
		o = append(o, Member{"Cause", e.Cause})
	}
	b, err := appendJSON(nil, o)
	if err != nil {
		panic("asl: an error that is not JSON: " + err.Error())
	}
	return b
}
