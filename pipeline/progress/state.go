// Package progress shows a run while it happens and when it has ended. In go the
// events and the outcome of a run, out come text for a terminal or for a log.
//
// [Reduce] folds an event into a [State] and [Render] draws a state; both are
// pure. [Live] redraws in place on a terminal, [Plain] appends a line for each
// change, and [Summary] tells how the run ended. The package starts nothing, knows
// no runner, and writes nowhere but to the writer it was given. Whatever text it
// is given, no control character of it reaches the terminal.
package progress

import (
	"slices"
	"time"

	"github.com/mlmax/mlmax/pipeline"
)

// A State is what is known of a run.
type State struct {
	Pipeline, Run string
	Status        pipeline.Status
	// Started is when the run did, Now the time of which the state is.
	Started, Now time.Time
	// Seconds is how long the run took, once it has ended.
	Seconds float64
	// Preparing is the long work that is being done before a step, with how much
	// of it is done where that is known.
	Preparing   string
	Done, Total int64
	Steps       []Step
}

// A Step is what is known of one step.
type Step struct {
	Name   string
	Status pipeline.Status
	// Attempt counts tries from 0.
	Attempt int
	Started time.Time
	Seconds float64
	Cached  bool
	// Message says why it failed, was skipped or is tried again, which is at RetryAt.
	Message string
	RetryAt time.Time
}

// Start is the state of a run that has not begun: every step waits.
func Start(d *pipeline.Definition) State {
	s := State{Pipeline: d.Name, Status: pipeline.Pending}
	for _, j := range d.Jobs {
		s.Steps = append(s.Steps, Step{Name: j.Name, Status: pipeline.Pending})
	}
	for _, r := range d.Registrations {
		s.Steps = append(s.Steps, Step{Name: r.Name, Status: pipeline.Pending})
	}
	return s
}

// At is the state as of a later time, for what counts up while nothing happens.
func (s State) At(now time.Time) State {
	if now.After(s.Now) {
		s.Now = now
	}
	return s
}

// Current is the name of the step that is running, or empty.
func (s State) Current() string {
	for _, step := range s.Steps {
		if step.Status == pipeline.Running {
			return step.Name
		}
	}
	return ""
}

// Reduce is the state after an event. It changes nothing of the state it is given.
func Reduce(s State, e pipeline.Event) State {
	s = s.At(e.Time)
	switch e.Kind {
	case pipeline.RunStarted:
		s.Run, s.Started, s.Status = e.Run, e.Time, pipeline.Running
	case pipeline.Preparing:
		s.Preparing, s.Done, s.Total = e.Message, e.Done, e.Total
	case pipeline.RunEnded:
		s.Status, s.Seconds, s.Preparing = e.Status, e.Seconds, ""
	case pipeline.StepStarted, pipeline.StepRetried, pipeline.StepSucceeded, pipeline.StepFailed, pipeline.StepSkipped:
		s.Steps = slices.Clone(s.Steps)
		i := slices.IndexFunc(s.Steps, func(step Step) bool { return step.Name == e.Step })
		if i < 0 {
			s.Steps = append(s.Steps, Step{Name: e.Step})
			i = len(s.Steps) - 1
		}
		s.Steps[i] = reduceStep(s.Steps[i], e)
		s.Preparing = ""
	}
	return s
}

func reduceStep(s Step, e pipeline.Event) Step {
	s.Attempt, s.Seconds, s.Cached, s.Message = e.Attempt, e.Seconds, e.Cached, e.Message
	switch e.Kind {
	case pipeline.StepStarted:
		s.Status, s.Started, s.RetryAt = pipeline.Running, e.Time, time.Time{}
	case pipeline.StepRetried:
		s.Status, s.RetryAt = pipeline.Running, e.Time.Add(e.Wait)
	case pipeline.StepSucceeded:
		s.Status = pipeline.Succeeded
	case pipeline.StepSkipped:
		s.Status = pipeline.Skipped
	case pipeline.StepFailed:
		s.Status = pipeline.Failed
		if e.Status != "" {
			s.Status = e.Status
		}
	}
	return s
}
