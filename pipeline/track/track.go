// Package track turns the history of an execution into the events and outcomes of its
// steps, whoever executed it: the interpreter on this machine, or Step Functions. In go
// the steps of a machine and one [asl.HistoryEvent] after the other, out come
// [pipeline.Event]s as they happen and a [pipeline.StepOutcome] a step. The package
// calls nobody, and reads no clock: every time is an event's.
package track

import (
	"encoding/json"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// Options are what a tracker is to know of a run.
type Options struct {
	// Steps are the names of the steps, in the machine's order.
	Steps []string
	// Beyond says that a step is not part of what was asked for, and not to be told of;
	// nil means that all are.
	Beyond func(step string) bool
	// Emit takes the events, in order and never two at once. It may not call the tracker.
	Emit func(pipeline.Event)
	// Why is what a person is told of a state's last try, instead of what the history
	// says; nil or an empty text leaves that.
	Why func(state string) string
}

// A Tracker turns the history of an execution into the events and outcomes of steps.
// A step is a Task state that runs a job or registers a model; other states are
// shown only when they fail.
type Tracker struct {
	mu    sync.Mutex
	emit  func(pipeline.Event)
	why   func(state string) string
	steps []*progress // in the machine's order
}

// progress is how far one step is.
type progress struct {
	pipeline.StepOutcome
	started time.Time
	attempt int
	// failure is the error of the last try, while it is not known what follows.
	failure string
	failed  bool
	// beyond says that the step is not part of what was asked for.
	beyond bool
}

// New makes a tracker of an execution that has not begun.
func New(o Options) *Tracker {
	t := &Tracker{emit: o.Emit, why: o.Why}
	for _, name := range o.Steps {
		p := &progress{StepOutcome: pipeline.StepOutcome{Name: name, Status: pipeline.Pending}}
		p.beyond = o.Beyond != nil && o.Beyond(name)
		t.steps = append(t.steps, p)
	}
	return t
}

// stepResource finds the resources of states that are steps: a job that is waited for, or
// a registration. What else a machine calls is its own business.
var stepResource = regexp.MustCompile(`^arn:(aws[a-z-]*|\$\{Partition\}):states:::(sagemaker:create(Processing|Training)Job\.sync|aws-sdk:sagemaker:createModelPackage)$`)

// IsStep says whether a state is shown as a step.
func IsStep(s *asl.State) bool {
	return s.Type == asl.TaskState && stepResource.MatchString(s.Resource)
}

// Steps are the names of the states of a machine that are steps, in order.
func Steps(m *asl.Machine) []string {
	var names []string
	for _, s := range m.States {
		if IsStep(s) {
			names = append(names, s.Name)
		}
	}
	return names
}

func (t *Tracker) step(name string) *progress {
	i := slices.IndexFunc(t.steps, func(p *progress) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return t.steps[i]
}

// Observe takes one event of the history.
func (t *Tracker) Observe(e asl.HistoryEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Type == "ExecutionRedriven" {
		t.redriven(e.Timestamp)
		return
	}
	p := t.step(e.State)
	if p == nil || p.beyond {
		return
	}
	switch e.Type {
	case "TaskStateEntered":
		t.begin(p, e.Timestamp)
	case "TaskScheduled":
		t.try(p, e.Timestamp)
	case "TaskFailed", "TaskTimedOut", "TaskSubmitFailed", "TaskStartFailed", "EvaluationFailed":
		p.failed, p.failure = true, ""
		if t.why != nil {
			p.failure = t.why(p.Name)
		}
		if p.failure == "" {
			p.failure = cause(e)
		}
	case "TaskStateExited":
		if p.failed { // and caught
			t.end(p, e.Timestamp, pipeline.StepFailed, pipeline.Failed, p.failure)
		} else {
			origin := ""
			if p.Cached {
				origin = p.Why
			}
			t.end(p, e.Timestamp, pipeline.StepSucceeded, pipeline.Succeeded, origin)
		}
	}
}

// begin notes that a step was entered.
func (t *Tracker) begin(p *progress, at time.Time) {
	p.started, p.attempt, p.Attempts, p.Status, p.failed = at, 0, 0, pipeline.Running, false
	t.emit(pipeline.Event{Kind: pipeline.StepStarted, Time: at, Step: p.Name, Status: pipeline.Running})
}

// try notes that a step's task was scheduled.
func (t *Tracker) try(p *progress, at time.Time) {
	switch {
	case p.Status != pipeline.Running: // after a redrive: a state is not entered again
		t.begin(p, at)
	case p.failed: // and nobody told of the wait before
		p.attempt++
		t.emit(pipeline.Event{Kind: pipeline.StepRetried, Time: at, Step: p.Name, Attempt: p.attempt, Status: pipeline.Running, Message: p.failure})
	}
	p.failed, p.failure, p.Cached = false, "", false
	p.Attempts++
}

// Kept is what is told of a step that had succeeded before its run was resumed.
const Kept = "complete before the run was resumed"

// redriven notes that an execution goes on from where it failed: what was complete is
// kept, and the rest is to come.
func (t *Tracker) redriven(at time.Time) {
	for _, p := range t.steps {
		if p.Status == pipeline.Succeeded {
			p.Cached, p.Why = true, Kept
			t.emit(pipeline.Event{
				Kind: pipeline.StepSucceeded, Time: at, Step: p.Name, Attempt: p.attempt, Status: p.Status, Message: Kept, Seconds: p.Seconds, Cached: true,
			})
			continue
		}
		p.Status, p.failed, p.failure, p.Seconds, p.Attempts = pipeline.Pending, false, "", 0, 0
	}
}

// Cached notes that a step's outputs come from an earlier run, which origin names.
func (t *Tracker) Cached(name, origin string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.step(name); p != nil {
		p.Cached, p.Why = true, origin
	}
}

// Explain tells why a step runs, where that was asked for.
func (t *Tracker) Explain(name, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.step(name); p != nil {
		p.Why = why
		t.emit(pipeline.Event{Kind: pipeline.StepExplained, Step: name, Attempt: p.attempt, Status: pipeline.Running, Message: why})
	}
}

// Wait takes a wait of the interpreter's: after a failure it is that before a retry. A
// history does not tell of it before it is over.
func (t *Tracker) Wait(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.steps {
		if p.failed && p.Status == pipeline.Running {
			p.failed = false
			p.attempt++
			t.emit(pipeline.Event{
				Kind: pipeline.StepRetried, Step: p.Name, Attempt: p.attempt, Status: pipeline.Running, Message: p.failure, Wait: d,
			})
		}
	}
}

// Finish settles the steps when the execution has ended, at a time, with a status: what
// was running ended with it, and what never started was left out or not reached. State and
// message say in which state it failed and why; they may be empty.
func (t *Tracker) Finish(at time.Time, status pipeline.Status, state, message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.steps {
		switch {
		case p.Status == pipeline.Running && status == pipeline.Aborted:
			t.end(p, at, pipeline.StepFailed, pipeline.Aborted, "stopped with the run")
		case p.Status == pipeline.Running:
			t.end(p, at, pipeline.StepFailed, pipeline.Failed, message)
		case p.Status == pipeline.Pending && status == pipeline.Succeeded:
			p.Status = pipeline.Skipped
			t.emit(pipeline.Event{Kind: pipeline.StepSkipped, Time: at, Step: p.Name, Status: pipeline.Skipped})
		}
	}
	if state != "" && t.step(state) == nil && status == pipeline.Failed {
		t.emit(pipeline.Event{Kind: pipeline.StepFailed, Time: at, Step: state, Status: pipeline.Failed, Message: message})
	}
}

func (t *Tracker) end(p *progress, at time.Time, kind pipeline.EventKind, status pipeline.Status, message string) {
	p.Status = status
	p.Seconds = at.Sub(p.started).Seconds()
	t.emit(pipeline.Event{Kind: kind, Time: at, Step: p.Name, Attempt: p.attempt, Status: status, Message: message, Seconds: p.Seconds, Cached: p.Cached})
}

// Outcome is that of one step so far; the zero value of one that the machine has not.
func (t *Tracker) Outcome(name string) pipeline.StepOutcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.step(name); p != nil {
		return p.StepOutcome
	}
	return pipeline.StepOutcome{}
}

// OutcomesAt are the steps in order; those that go on have taken the time until now.
func (t *Tracker) OutcomesAt(now time.Time) []pipeline.StepOutcome {
	all := t.Outcomes()
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, p := range t.steps {
		if all[i].Status == pipeline.Running && p.Status == pipeline.Running {
			all[i].Seconds = max(0, now.Sub(p.started).Seconds())
		}
	}
	return all
}

// Outcomes are the steps in order.
func (t *Tracker) Outcomes() []pipeline.StepOutcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]pipeline.StepOutcome, len(t.steps))
	for i, p := range t.steps {
		all[i] = p.StepOutcome
	}
	return all
}

// cause is the text of an event's error.
func cause(e asl.HistoryEvent) string {
	text := ""
	for _, name := range []string{"error", "cause"} {
		if v, ok := e.Details.Get(name); ok {
			if s, ok := v.(string); ok && s != "" {
				if text != "" {
					text += ": "
				}
				text += Decoded(s)
			}
		}
	}
	return text
}

// Decoded is what an error's cause says to a person: the FailureReason, where the
// cause is what a Describe call gave, else the cause.
func Decoded(cause string) string {
	var described struct{ FailureReason string }
	if json.Unmarshal([]byte(cause), &described) == nil && described.FailureReason != "" {
		return described.FailureReason
	}
	return cause
}
