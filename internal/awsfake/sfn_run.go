package awsfake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// A lap is one run of the engine for an execution: the first, or that of a redrive.
//
// The engine cannot go on in the middle. So a redrive runs the machine anew, and what the
// states that were left before had made is answered from memory: their events are not
// recorded again, their tasks not done again, their waits not waited. That this comes to the
// same is not taken for granted: a state that leaves something else than it left before ends
// the execution with an error that says so.
type lap struct {
	w       *World
	e       *execution
	cancel  context.CancelCauseFunc
	done    chan struct{}
	redrive int
	// live says that the engine has come to a state which was not left before.
	live atomic.Bool

	// What follows is guarded by w.mu.
	entries map[string]int        // how often each state has been entered
	ids     map[int64]int64       // the history's number of an event of the engine
	left    map[entry]*visit      // what was left, in this lap and those before
	known   map[entry]*visit      // what was left before this lap
	seen    map[string]bool       // structural events that were recorded before this lap
	now     map[string]bool       // those recorded so far
	last    map[entry]*taskResult // of tasks that have been answered and not been left
	strayed error
}

// An entry is the nth entry of a state.
type entry struct {
	state string
	n     int
}

// A visit is what an entry of a state left: its last task's result, and what it made.
type visit struct {
	task *taskResult
	made string
}

// A taskResult is how a task ended.
type taskResult struct {
	raw json.RawMessage
	err error
}

// stop ends a lap from outside.
func (l *lap) stop(cause error) { l.cancel(cause) }

// launch starts the engine for an execution; before is the lap that is redriven.
func (w *World) launch(e *execution, before *lap) {
	if w.states.ctx == nil {
		w.states.ctx, w.states.end = context.WithCancel(context.Background())
	}
	ctx, cancel := context.WithCancelCause(w.states.ctx)
	l := &lap{
		w: w, e: e, cancel: cancel, done: make(chan struct{}), redrive: e.redrives, entries: map[string]int{}, ids: map[int64]int64{},
		left: map[entry]*visit{}, known: map[entry]*visit{}, seen: map[string]bool{}, now: map[string]bool{}, last: map[entry]*taskResult{},
	}
	e.lap = l
	if before == nil {
		l.live.Store(true)
	}
	w.states.running.Go(func() {
		defer close(l.done)
		defer cancel(nil)
		if before != nil {
			<-before.done
			w.mu.Lock()
			l.known, l.seen = before.left, before.now
			for key := range before.seen {
				l.seen[key] = true
			}
			for at, v := range l.known {
				l.left[at] = v
			}
			w.mu.Unlock()
		}
		l.run(ctx)
	})
}

// run runs the machine to its end.
func (l *lap) run(ctx context.Context) {
	e := l.e
	_, err := asl.Run(ctx, e.decoded, json.RawMessage(e.input), asl.Options{
		Handler: &tasks{l}, Clock: lapClock{l}, Observe: l.observe,
		Context: asl.ExecutionContext{
			ExecutionID: e.arn, ExecutionName: e.name, RoleARN: e.machine.RoleARN, MachineID: e.machine.ARN, MachineName: e.machine.Name,
			StartTime: e.started, RedriveCount: l.redrive, RedriveTime: e.redriven,
		},
	})
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	switch {
	case e.status != running || e.lap != l: // its last event has closed it
	case l.strayed != nil:
		l.fail(l.strayed)
	case err != nil:
		l.fail(err)
	}
}

// fail ends an execution for trouble of this account's own.
func (l *lap) fail(err error) {
	failure := asl.Fail(asl.ErrorRuntime, "awsfake: "+err.Error())
	l.w.close(l.e, asl.Failed, failure)
	l.w.add(l.e, asl.HistoryEvent{
		Type: "ExecutionFailed", DetailsName: "executionFailedEventDetails", PreviousID: int64(len(l.e.events)),
		Details: asl.Object{{Key: "error", Value: failure.Name}, {Key: "cause", Value: failure.Cause}},
	})
}

// structural are the events of a state that a redrive does not record again.
var structural = map[string]bool{"ParallelStateStarted": true, "MapStateStarted": true, "MapIterationStarted": true, "ExecutionStarted": true}

// observe takes an event of the engine.
func (l *lap) observe(event asl.HistoryEvent) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.e.status != running || l.e.lap != l || l.strayed != nil {
		return // it has been stopped
	}
	if strings.HasSuffix(event.Type, "StateEntered") {
		l.entries[event.State]++
	}
	at := entry{event.State, l.entries[event.State]}
	before := l.known[at]
	if strings.HasSuffix(event.Type, "StateEntered") && before == nil && l.redrive > 0 {
		l.live.Store(true)
	}
	if strings.HasSuffix(event.Type, "StateExited") {
		l.leave(at, before, event)
	}
	if l.again(at, before, event.Type) {
		l.ids[event.ID] = l.resumed()
		return
	}
	id := event.ID
	event.PreviousID = l.ids[event.PreviousID]
	l.ids[id] = l.w.add(l.e, event)
	l.close(event)
}

// close ends the execution with the event that ends its history.
func (l *lap) close(event asl.HistoryEvent) {
	member := func(name string) string {
		v, _ := event.Details.Get(name)
		text, _ := v.(string)
		return text
	}
	switch event.Type {
	case "ExecutionSucceeded":
		l.e.output = json.RawMessage(member("output"))
		l.w.close(l.e, asl.Succeeded, nil)
	case "ExecutionFailed":
		_, has := event.Details.Get("cause")
		l.w.close(l.e, asl.Failed, &asl.Error{Name: member("error"), Cause: member("cause"), HasCause: has})
	case "ExecutionTimedOut":
		l.w.close(l.e, asl.TimedOut, nil)
	case "ExecutionAborted":
		l.w.close(l.e, asl.Aborted, nil)
	}
}

// leave notes what an entry of a state left, and holds it against what it left before.
func (l *lap) leave(at entry, before *visit, event asl.HistoryEvent) {
	made, err := event.Details.MarshalJSON()
	if err != nil {
		panic(err) // the engine made it
	}
	if before != nil && before.made != string(made) {
		l.strayed = fmt.Errorf("state %q leaves something else after the redrive than it left before, and on AWS it would not run again: was %s, is %s",
			at.state, before.made, made)
		l.cancel(l.strayed)
		return
	}
	if before == nil {
		l.left[at] = &visit{l.last[at], string(made)}
	}
}

// again says that the history has an event already.
func (l *lap) again(at entry, before *visit, eventType string) bool {
	if before != nil {
		return true
	}
	key := fmt.Sprintf("%s %d %s", at.state, at.n, eventType)
	if !structural[eventType] && !strings.HasSuffix(eventType, "StateEntered") {
		return false
	}
	l.now[key] = true
	return l.redrive > 0 && l.seen[key] && eventType != "FailStateEntered"
}

// resumed is the number of the event of the last redrive.
func (l *lap) resumed() int64 {
	for i := len(l.e.events) - 1; i >= 0; i-- {
		if l.e.events[i].Type == "ExecutionRedriven" {
			return l.e.events[i].ID
		}
	}
	return 0
}

// lapClock is the account's clock, for an engine that is told of what was before.
type lapClock struct{ *lap }

// Now is the account's time.
func (c lapClock) Now() time.Time { return c.w.Clock.Now() }

// Wait waits, unless that was done before the redrive.
func (c lapClock) Wait(ctx context.Context, d time.Duration) error {
	if !c.live.Load() {
		return ctx.Err()
	}
	return c.w.Clock.Wait(ctx, d)
}

// AfterFunc implements [asl.Alarm], on any clock.
func (c lapClock) AfterFunc(d time.Duration, f func()) func() {
	if alarm, ok := c.w.Clock.(asl.Alarm); ok {
		return alarm.AfterFunc(d, f)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		if c.w.Clock.Wait(ctx, d) == nil {
			f()
		}
	}()
	return cancel
}

// remembered is how a task ended whose entry of a state was left before the redrive.
func (l *lap) remembered(state string) (*taskResult, entry) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	at := entry{state, l.entries[state]}
	if before := l.known[at]; before != nil {
		return before.task, at
	}
	return nil, at
}

// remember notes how a task ended.
func (l *lap) remember(at entry, raw json.RawMessage, err error) {
	var told *asl.Error
	if err != nil && !errors.As(err, &told) {
		return // it ended the execution
	}
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.last[at] = &taskResult{raw, err}
}
