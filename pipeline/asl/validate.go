package asl

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The bounds of the language (Step Functions quotas; specification).
const (
	maxSeconds = 99_999_999
	maxName    = 80
	maxDelay   = 31_622_400
)

// Validate reports what is wrong with a machine beyond the shape of its JSON:
// transitions, names, ranges, the rules of each type, the syntax of expressions
// and where they may use $states.result and $states.errorOutput.
func Validate(m *Machine) []Problem { return validate(m, &validator{programs: &programs{}}) }

func validate(m *Machine, v *validator) []Problem {
	v.names = map[string]string{}
	if m.QueryLanguage != "JSONata" {
		switch m.QueryLanguage {
		case "":
			v.add("/", `QueryLanguage JSONPath is not supported: the machine names no QueryLanguage, and JSONPath is the default; write "QueryLanguage": "JSONata"`)
		case "JSONPath":
			v.add("/QueryLanguage", "QueryLanguage JSONPath is not supported: write the machine in JSONata")
		default:
			v.add("/QueryLanguage", `"QueryLanguage" must be "JSONata"`)
		}
	}
	if m.Version != "" && m.Version != "1.0" {
		v.add("/Version", `"Version" must be "1.0"`)
	}
	if m.TimeoutSeconds < 0 || m.TimeoutSeconds > maxSeconds {
		v.add("/TimeoutSeconds", `"TimeoutSeconds" must be 1 to %d`, maxSeconds)
	}
	v.machine("", m, nil)
	if b, err := m.appendJSON(); err != nil {
		v.add("/", "%s", err)
	} else if n := utf8.RuneCount(b); n > maxDefinition {
		v.add("/", "the definition has %d characters, more than %d", n, maxDefinition)
	}
	return v.problems
}

type validator struct {
	problems []Problem
	names    map[string]string // state name to path
	// programs keeps the compiled expressions for who executes the machine.
	programs *programs
	// torn says that parts of the machine could not be read, so that nothing can
	// be said of the ways through it.
	torn bool
}

func (v *validator) add(path, format string, args ...any) {
	v.problems = append(v.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// machine validates the states of one level. outer are the variables that states
// around it assign.
func (v *validator) machine(path string, m *Machine, outer []string) {
	at := path
	if at == "" {
		at = "/"
	}
	if len(m.States) == 0 {
		v.add(at, `"States" is required, with one state or more`)
	}
	switch {
	case m.StartAt == "":
		v.add(at, `"StartAt" is required`)
	case m.State(m.StartAt) == nil:
		v.add(path+"/StartAt", "unknown state %q", m.StartAt)
	}
	if path != "" && (m.QueryLanguage != "" || m.Version != "" || m.TimeoutSeconds != 0) {
		v.add(at, "a nested machine has only Comment, StartAt and States")
	}
	assigned := slices.Clone(outer)
	for _, s := range m.States {
		assigned = append(assigned, assigns(s)...)
	}
	for _, s := range m.States {
		v.state(path+"/States/"+s.Name, s, m, outer, assigned)
	}
	v.flow(path, at, m)
}

// flow checks that each state can be reached, and that there is an end.
func (v *validator) flow(path, at string, m *Machine) {
	if v.torn || m.State(m.StartAt) == nil {
		return
	}
	reached := map[string]bool{}
	todo := []string{m.StartAt}
	terminal := false
	for len(todo) > 0 {
		s := m.State(todo[0])
		todo = todo[1:]
		if s == nil || reached[s.Name] {
			continue
		}
		reached[s.Name] = true
		next := targets(s)
		// A state that leads nowhere, or to an unknown one, is reported for that.
		lost := func(name string) bool { return m.State(name) == nil }
		terminal = terminal || len(next) == 0 || s.End || slices.ContainsFunc(next, lost)
		todo = append(todo, next...)
	}
	for _, s := range m.States {
		if !reached[s.Name] {
			v.add(path+"/States/"+s.Name, "state %q is never reached", s.Name)
		}
	}
	if !terminal {
		v.add(at, "no way leads to an end: a state needs \"End\": true, or the type Succeed or Fail")
	}
}

// targets are the states that may follow s.
func targets(s *State) []string {
	list := []string{s.Next, s.Default}
	for _, c := range s.Choices {
		list = append(list, c.Next)
	}
	for _, c := range s.Catch {
		list = append(list, c.Next)
	}
	return slices.DeleteFunc(list, func(name string) bool { return name == "" })
}

// assigns are the variables that s assigns in its own scope.
func assigns(s *State) []string {
	var names []string
	add := func(o Object) {
		for _, m := range o {
			names = append(names, m.Key)
		}
	}
	add(s.Assign)
	for _, c := range s.Choices {
		add(c.Assign)
	}
	for _, c := range s.Catch {
		add(c.Assign)
	}
	return names
}

// state validates one state: what holds for all types, then its own rules.
func (v *validator) state(path string, s *State, m *Machine, outer, assigned []string) {
	if n := utf8.RuneCountInString(s.Name); n < 1 || n > maxName {
		v.add(path, "a state's name has 1 to %d characters, this one %d", maxName, n)
	}
	if other, taken := v.names[s.Name]; taken {
		v.add(path, "state name %q is taken: %s has it", s.Name, other)
	}
	v.names[s.Name] = path
	if !slices.Contains(stateTypes, s.Type) {
		if s.Type == "" {
			v.add(path, `"Type" is required`)
		} else {
			v.add(path+"/Type", "unknown state type %q", s.Type)
		}
		return
	}
	v.allowed(path, s)
	v.transition(path, s, m)
	v.variables(path, s, outer)
	v.retry(path, s)
	v.catch(path, s, m)
	v.expressions(path, s)
	switch s.Type {
	case TaskState:
		v.task(path, s)
	case ChoiceState:
		v.choice(path, s, m)
	case WaitState:
		v.wait(path, s)
	case FailState:
		v.fail(path, s)
	case ParallelState:
		if len(s.Branches) == 0 {
			v.add(path, `"Branches" is required, with one branch or more`)
		}
		for i, b := range s.Branches {
			v.machine(path+"/Branches/"+strconv.Itoa(i), b, assigned)
		}
	case MapState:
		v.mapState(path, s, assigned)
	}
}

// allowed refuses fields that the type does not have, in machines made in Go.
func (v *validator) allowed(path string, s *State) {
	for _, f := range s.fields() {
		if f.in(s.Type) {
			continue
		}
		if value, err := encodeRef(f.ref); err == nil && value != nil {
			v.add(path+"/"+f.name, "field %q is not allowed in a %s state", f.name, s.Type)
		}
	}
}

// transition checks Next and End.
func (v *validator) transition(path string, s *State, m *Machine) {
	if !slices.Contains(withNext, s.Type) {
		return
	}
	switch {
	case s.Next == "" && !s.End:
		v.add(path, `"Next" or "End": true is required`)
	case s.Next != "" && s.End:
		v.add(path+"/End", `"Next" and "End" exclude each other`)
	}
	v.target(path+"/Next", s.Next, m)
}

func (v *validator) target(path, name string, m *Machine) {
	if name != "" && m.State(name) == nil {
		v.add(path, "unknown state %q", name)
	}
}
