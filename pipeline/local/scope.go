package local

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/track"
)

// A Reuse says what a run takes from earlier runs, and which part of the pipeline it
// does. The zero value is a whole run with the cache on.
type Reuse struct {
	// NoCache runs every step. What they write can be taken by later runs all the same.
	NoCache bool
	// From runs this step and all after it, Only just this step, and Until nothing after
	// it. What comes before From is taken from earlier runs where nothing has changed; what
	// comes before Only must be.
	From, Only, Until string
	// Why says of each step what made it run.
	Why bool
	// Resumes is the id of the run that this one goes on from.
	Resumes string
}

// Check says what is wrong with a Reuse for a pipeline of these steps, in their order.
func (u *Reuse) Check(steps []string) error {
	for _, one := range []struct{ flag, step string }{{"--from", u.From}, {"--only", u.Only}, {"--until", u.Until}} {
		if one.step != "" && !slices.Contains(steps, one.step) {
			return fmt.Errorf("%s names step %q, which the pipeline does not have; it has %s", one.flag, one.step, strings.Join(steps, ", "))
		}
	}
	switch {
	case u.Only != "" && (u.From != "" || u.Until != ""):
		return errors.New("--only is one step: it goes with neither --from nor --until")
	case u.NoCache && (u.From != "" || u.Only != ""):
		return errors.New("--no-cache takes nothing from earlier runs, and --from and --only do")
	case u.From != "" && u.Until != "" && slices.Index(steps, u.From) > slices.Index(steps, u.Until):
		return fmt.Errorf("step %s of --from comes after step %s of --until", u.From, u.Until)
	}
	return nil
}

// partial says which part of the pipeline a Reuse asks for, or "" for all of it.
func (u *Reuse) partial() string {
	switch {
	case u.Only != "":
		return "only " + u.Only
	case u.Until != "":
		return "until " + u.Until
	}
	return ""
}

// errPartDone ends an execution whose part is done.
var errPartDone = errors.New("the part of the pipeline that was asked for is done")

// A NotCachedError says that a step is not to be run, and has no result to take.
type NotCachedError struct {
	Step, Only string
	// Why says why there is none, Command what to do.
	Why, Command string
}

// Error says what to do first.
func (e *NotCachedError) Error() string {
	return fmt.Sprintf("step %s is not in the cache (%s), and --only runs nothing but %s. Run it first: %s --until %s", e.Step, e.Why, e.Only, e.Command, e.Step)
}

// A scope is a Reuse for one machine, whose states have an order.
type scope struct {
	Reuse
	order   map[string]int
	command string
	// complete are the jobs that succeeded in the run that is resumed.
	complete map[string]*record.Step
}

// newScope numbers the states of a machine; those in branches come with their parent.
func newScope(m *asl.Machine, u Reuse, command string) (*scope, error) {
	s := &scope{Reuse: u, order: map[string]int{}, command: command}
	var steps []string
	for i, state := range m.States {
		s.number(state, i)
		if track.IsStep(state) {
			steps = append(steps, state.Name)
		}
	}
	return s, s.Check(steps)
}

// resumed notes which jobs were complete in the run that is resumed.
func (s *scope) resumed(steps []record.Step) {
	s.complete = map[string]*record.Step{}
	for i := range steps {
		if steps[i].CacheKey != "" && steps[i].Status == string(pipeline.Succeeded) {
			s.complete[steps[i].Name] = &steps[i]
		}
	}
}

func (s *scope) number(state *asl.State, at int) {
	s.order[state.Name] = at
	for _, inner := range append(slices.Clone(state.Branches), state.ItemProcessor) {
		if inner == nil {
			continue
		}
		for _, one := range inner.States {
			s.number(one, at)
		}
	}
}

// after says whether a state comes after the part that was asked for.
func (s *scope) after(state string) bool {
	last := s.Until + s.Only // one of them at most
	return last != "" && s.order[state] > s.order[last]
}

// mayReuse says whether a job's outputs may be taken from an earlier run.
func (s *scope) mayReuse(state string) bool {
	first := s.From + s.Only
	return !s.NoCache && (first == "" || s.order[state] < s.order[first])
}

// mayDo refuses what is no job and is not to be done: anything after the part, and a
// registration before the one step that was asked for.
func (s *scope) mayDo(state, kind string) error {
	if s.after(state) {
		return errPartDone
	}
	if kind == registerKind {
		return s.mayRun(state, "a registration is always done anew")
	}
	return nil
}

// mayRun refuses a job that is not to be run, and has no result to take.
func (s *scope) mayRun(state, why string) error {
	if s.Only != "" && s.order[state] < s.order[s.Only] {
		return &NotCachedError{Step: state, Only: s.Only, Why: why, Command: s.command}
	}
	return nil
}
