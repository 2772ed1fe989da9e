package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/history"
	"github.com/mlmax/mlmax/pipeline/track"
)

// How often an execution is looked at. A call of GetExecutionHistory costs one of 400
// tokens of the account, of which 20 a second come back.
const (
	shortest = 2 * time.Second
	longest  = 15 * time.Second
	// throttled is how long the pauses become while AWS asks for fewer calls.
	throttled = time.Minute
	// invisible is how long an execution that was just started may not be seen.
	invisible = time.Minute
)

// ErrDetached is the error of a watch that ended before the execution did, because the
// context ended. The execution goes on.
var ErrDetached = errors.New("no longer watched; the run goes on")

// WatchOptions are what is known of an execution that is to be watched.
type WatchOptions struct {
	// Started is when it was started by us, or zero: it may not be visible at once.
	Started time.Time
	// Redrives is how often it was resumed, at least. What its history says of fewer is
	// not its end.
	Redrives int
	// Lines makes what the jobs write be told, too, as it comes. It takes calls of
	// CloudWatch Logs.
	Lines bool
}

// Watch follows an execution to its end. The events go to on, in order and never two at
// once; on may be nil. What happened before the last time that it was resumed is not told
// again, but which steps were complete.
//
// When ctx ends, the error is [ErrDetached], and the outcome what is known until then. AWS
// being slow, busy, unreachable or in need of a new login does not end a watch. An error
// means that the execution cannot be seen any more; it goes on.
func Watch(ctx context.Context, p *cloud.Place, name string, o WatchOptions, on func(pipeline.Event)) (*pipeline.Outcome, error) {
	w, err := newWatch(p, name, o, on)
	if err != nil {
		return nil, err
	}
	return w.follow(ctx)
}

// Look gives the outcome of an execution as it is now. What cannot be had of it is told to
// on as a warning.
func Look(ctx context.Context, p *cloud.Place, d *Description, on func(pipeline.Event)) (*pipeline.Outcome, error) {
	w, err := newWatch(p, d.Name, WatchOptions{}, on)
	if err != nil {
		return nil, err
	}
	fresh, err := w.reader.Next(ctx, cloud.GetExecutionHistory(cloud.StepFunctions(p).GetExecutionHistory))
	if err != nil {
		return nil, notFound(p, d.Name, err)
	}
	w.quiet = true
	w.take(ctx, fresh)
	if d.Ended() && len(fresh) > 0 {
		return w.conclude(ctx, d), nil
	}
	return w.outcome(d), nil
}

// follow looks until the execution has ended, or ctx has.
func (w *watch) follow(ctx context.Context) (*pipeline.Outcome, error) {
	for {
		ended, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return w.outcome(nil), ErrDetached
		case err != nil && !w.bear(ctx, err):
			return w.outcome(nil), w.unseen(err)
		case ended != nil:
			return w.conclude(context.WithoutCancel(ctx), ended), nil
		}
		if w.p.Wait(ctx, w.pause.next) != nil {
			return w.outcome(nil), ErrDetached
		}
	}
}

// A watch is one execution being followed.
type watch struct {
	p       *cloud.Place
	name    string
	options WatchOptions
	on      func(pipeline.Event)
	machine *asl.Machine
	reader  *history.Reader
	tracker *track.Tracker
	pause   pause
	trouble trouble

	events []asl.HistoryEvent
	why    map[string]string // what a person is told of each state's last try
	tries  map[string]int
	run    string // the machine's id, once it is known
	quiet  bool   // what happens now was told before
	told   bool   // that the run has started
	// printing are the jobs whose lines are told, logCalls the calls that took in a look.
	printing []*printing
	logCalls int
	// redriven counts the times that it was resumed, as its history has them, and from is
	// how many of them whoever watches now need not be told of.
	redriven, from int
}

func newWatch(p *cloud.Place, name string, o WatchOptions, on func(pipeline.Event)) (*watch, error) {
	machine, err := asl.Decode(p.Definition.Name, p.Definition.ASL)
	if err != nil {
		return nil, fmt.Errorf("read the state machine: %w", err)
	}
	w := &watch{
		p: p, name: name, options: o, on: on, machine: machine, reader: history.NewReader(p.ExecutionARN(name)),
		why: map[string]string{}, tries: map[string]int{}, run: name, pause: pause{next: shortest},
	}
	w.tracker = track.New(track.Options{Steps: track.Steps(machine), Emit: w.emit, Why: func(state string) string { return w.why[state] }})
	return w, nil
}

// emit tells of an event, unless it was told before.
func (w *watch) emit(e pipeline.Event) {
	if w.on == nil || w.quiet {
		return
	}
	e.Run = w.run
	if e.Time.IsZero() {
		e.Time = w.p.Clock.Now()
	}
	w.on(e)
}

// look reads what is new. It gives the execution's description when it has ended.
func (w *watch) look(ctx context.Context) (*Description, error) {
	fresh, err := w.reader.Next(ctx, cloud.GetExecutionHistory(cloud.StepFunctions(w.p).GetExecutionHistory), once)
	if err != nil {
		return nil, err
	}
	w.over()
	w.logCalls = 0
	w.take(ctx, fresh)
	came := w.lines(ctx)
	w.pause.after(len(fresh) > 0 || came, w.reader.Calls()+w.logCalls)
	if !w.ends() {
		return nil, nil
	}
	d, err := Describe(ctx, w.p, w.name)
	if err != nil {
		return nil, err
	}
	if !d.Ended() || d.Redrives > w.redriven {
		return nil, nil // it was resumed, which its history does not have yet
	}
	return d, nil
}

// take tells of new events.
func (w *watch) take(ctx context.Context, fresh []asl.HistoryEvent) {
	if len(w.events) == 0 {
		w.from = w.options.Redrives
		redriven := 0
		for _, e := range fresh {
			if e.Type == "ExecutionRedriven" {
				redriven++
			}
		}
		w.from = max(w.from, redriven)
	}
	for _, e := range fresh {
		w.events = append(w.events, e)
		w.learn(e)
		w.quiet = w.redriven < w.from
		if w.run != w.name || !isOpening(e.Type) {
			w.begin()
		}
		switch e.Type {
		case "TaskScheduled":
			w.prints(e)
		case "TaskSucceeded", "TaskFailed", "TaskTimedOut":
			w.printed(ctx, e.State)
		}
		w.tracker.Observe(e)
	}
	w.quiet = false
	w.announce()
}

// isOpening says whether a machine may not have named its run by this event.
func isOpening(eventType string) bool {
	return eventType == "ExecutionStarted" || eventType == "PassStateEntered"
}

// begin tells that the run has started, once.
func (w *watch) begin() {
	if w.told || w.quiet {
		return
	}
	w.told = true
	at := w.events[0].Timestamp
	w.emit(pipeline.Event{Kind: pipeline.RunStarted, Time: at, Status: pipeline.Running})
}

// learn notes what an event tells that the tracker need not know.
func (w *watch) learn(e asl.HistoryEvent) {
	switch e.Type {
	case "ExecutionRedriven":
		w.redriven++
		w.tries = map[string]int{}
	case "PassStateExited":
		if id := assigned(e, "run"); isRunID(id) {
			w.run = id
		}
	case "TaskStateEntered":
		w.tries[e.State] = 0
		delete(w.why, e.State)
	case "TaskFailed", "TaskTimedOut", "TaskSubmitFailed", "TaskStartFailed", "EvaluationFailed":
		name, text := failure(e)
		w.why[e.State] = w.words(name, text)
	}
}

// assigned is a variable's text that a state set, or empty.
func assigned(e asl.HistoryEvent, variable string) string {
	all, _ := e.Details.Get("assignedVariables")
	o, _ := all.(asl.Object)
	raw, _ := o.Get(variable)
	text, _ := raw.(string)
	var value string
	if json.Unmarshal([]byte(text), &value) != nil {
		return ""
	}
	return value
}

// announce tells of a try that failed and will be made again, which the history does only
// when the wait is over.
func (w *watch) announce() {
	if len(w.events) == 0 {
		return
	}
	last := w.events[len(w.events)-1]
	state := w.machine.State(last.State)
	if state == nil || last.Type != "TaskFailed" && last.Type != "TaskTimedOut" && last.Type != "TaskSubmitFailed" {
		return
	}
	name, _ := failure(last)
	if wait, again := state.NextTry(name, w.tries[last.State]); again {
		w.tries[last.State]++
		w.tracker.Wait(wait)
	}
}

// ends says that the last event is an execution's end, and not of a run before it was
// resumed.
func (w *watch) ends() bool {
	if len(w.events) == 0 || w.redriven < w.options.Redrives {
		return false
	}
	switch w.events[len(w.events)-1].Type {
	case "ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted":
		return true
	}
	return false
}

// A pause is how long to wait before the next look: longer while nothing happens, and
// never so short that more than a call in two seconds is made.
type pause struct{ next time.Duration }

// after sets the pause behind a look that took so many calls.
func (p *pause) after(changed bool, calls int) {
	if changed {
		p.next = max(shortest, p.next/2)
	} else {
		p.next = min(longest, p.next*3/2)
	}
	p.next = max(p.next, time.Duration(calls)*shortest)
}

// back sets it behind a look that failed.
func (p *pause) back(most time.Duration) { p.next = min(most, 2*p.next) }
