package local

import (
	"sync"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// tracker turns the history of an execution into the events and outcomes of steps.
// A step is a Task state that runs a job or registers a model; other states are
// shown only when they fail.
type tracker struct {
	mu    sync.Mutex
	emit  func(pipeline.Event)
	now   func() time.Time
	why   func(state string) string // what a person is told of a state's last try
	steps []*progress               // in the machine's order
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

// newTracker knows the steps of a machine, and which of them are beyond the part of it
// that was asked for.
func newTracker(m *asl.Machine, beyond func(step string) bool, emit func(pipeline.Event), now func() time.Time, why func(string) string) *tracker {
	t := &tracker{emit: emit, now: now, why: why}
	for _, s := range m.States {
		if isStep(s) {
			t.steps = append(t.steps, &progress{StepOutcome: pipeline.StepOutcome{Name: s.Name, Status: pipeline.Pending}, beyond: beyond(s.Name)})
		}
	}
	return t
}

func (t *tracker) step(name string) *progress {
	for _, p := range t.steps {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// observe takes one event of the history.
func (t *tracker) observe(e asl.HistoryEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.step(e.State)
	if p == nil || p.beyond {
		return
	}
	switch e.Type {
	case "TaskStateEntered":
		p.started, p.attempt, p.Attempts, p.Status = t.now(), 0, 0, pipeline.Running
		t.emit(pipeline.Event{Kind: pipeline.StepStarted, Step: p.Name, Status: pipeline.Running})
	case "TaskScheduled":
		p.failed, p.failure, p.Cached = false, "", false
		p.Attempts++
	case "TaskFailed", "TaskTimedOut", "EvaluationFailed":
		p.failed, p.failure = true, t.why(p.Name)
		if p.failure == "" {
			p.failure = cause(e)
		}
	case "TaskStateExited":
		if p.failed { // and caught
			t.end(p, pipeline.StepFailed, pipeline.Failed, p.failure)
		} else {
			origin := ""
			if p.Cached {
				origin = p.Why
			}
			t.end(p, pipeline.StepSucceeded, pipeline.Succeeded, origin)
		}
	}
}

// cached notes that a step's outputs come from an earlier run.
func (t *tracker) cached(name, origin string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.step(name); p != nil {
		p.Cached, p.Why = true, origin
	}
}

// explain tells why a step runs, where that was asked for.
func (t *tracker) explain(name, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.step(name); p != nil {
		p.Why = why
		t.emit(pipeline.Event{Kind: pipeline.StepExplained, Step: name, Attempt: p.attempt, Status: pipeline.Running, Message: why})
	}
}

// wait takes a wait of the interpreter's: after a failure it is that before a retry.
func (t *tracker) wait(d time.Duration) {
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

// finish settles the steps when the execution has ended: what was running ended
// with it, and what never started was left out or not reached.
func (t *tracker) finish(status pipeline.Status, state, message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.steps {
		switch {
		case p.Status == pipeline.Running && status == pipeline.Aborted:
			t.end(p, pipeline.StepFailed, pipeline.Aborted, "stopped with the run")
		case p.Status == pipeline.Running:
			t.end(p, pipeline.StepFailed, pipeline.Failed, message)
		case p.Status == pipeline.Pending && status == pipeline.Succeeded:
			p.Status = pipeline.Skipped
			t.emit(pipeline.Event{Kind: pipeline.StepSkipped, Step: p.Name, Status: pipeline.Skipped})
		}
	}
	if state != "" && t.step(state) == nil && status == pipeline.Failed {
		t.emit(pipeline.Event{Kind: pipeline.StepFailed, Step: state, Status: pipeline.Failed, Message: message})
	}
}

func (t *tracker) end(p *progress, kind pipeline.EventKind, status pipeline.Status, message string) {
	p.Status = status
	p.Seconds = t.now().Sub(p.started).Seconds()
	t.emit(pipeline.Event{Kind: kind, Step: p.Name, Attempt: p.attempt, Status: status, Message: message, Seconds: p.Seconds, Cached: p.Cached})
}

// outcome is that of one step so far.
func (t *tracker) outcome(name string) pipeline.StepOutcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.step(name); p != nil {
		return p.StepOutcome
	}
	return pipeline.StepOutcome{}
}

// outcomes are the steps in order.
func (t *tracker) outcomes() []pipeline.StepOutcome {
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
				text += decoded(s)
			}
		}
	}
	return text
}
