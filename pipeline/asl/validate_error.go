package asl

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

func (v *validator) retry(path string, s *State) {
	for i, r := range s.Retry {
		at := path + "/Retry/" + strconv.Itoa(i)
		v.errorEquals(at, r.ErrorEquals, i == len(s.Retry)-1)
		v.optional(at, "IntervalSeconds", r.IntervalSeconds, 1, maxSeconds)
		v.optional(at, "MaxAttempts", r.MaxAttempts, 0, maxSeconds)
		v.optional(at, "MaxDelaySeconds", r.MaxDelaySeconds, 1, maxDelay)
		if r.BackoffRate != nil && !(*r.BackoffRate >= 1 && *r.BackoffRate <= math.MaxFloat32) {
			v.add(at+"/BackoffRate", `"BackoffRate" must be 1 or more`)
		}
		if interval := valueOr(r.IntervalSeconds, 1); r.MaxDelaySeconds != nil && *r.MaxDelaySeconds <= interval {
			v.add(at+"/MaxDelaySeconds", `"MaxDelaySeconds" must be more than "IntervalSeconds"`)
		}
		if j := r.JitterStrategy; j != "" && j != "FULL" && j != "NONE" {
			v.add(at+"/JitterStrategy", `"JitterStrategy" must be FULL or NONE`)
		}
	}
}

func (v *validator) catch(path string, s *State, m *Machine) {
	for i, c := range s.Catch {
		at := path + "/Catch/" + strconv.Itoa(i)
		v.errorEquals(at, c.ErrorEquals, i == len(s.Catch)-1)
		if c.Next == "" {
			v.add(at, `"Next" is required`)
		}
		v.target(at+"/Next", c.Next, m)
	}
}

// errorEquals checks the names of errors; last says that no other retrier or
// catcher follows.
func (v *validator) errorEquals(at string, names []string, last bool) {
	if len(names) == 0 {
		v.add(at, `"ErrorEquals" is required, with one name or more`)
	}
	if !slices.Contains(names, ErrorAll) {
		return
	}
	if len(names) > 1 {
		v.add(at+"/ErrorEquals", "%q must stand alone", ErrorAll)
	}
	if !last {
		v.add(at+"/ErrorEquals", "%q must come last", ErrorAll)
	}
}

func (v *validator) optional(at, name string, value *int, least, most int) {
	if value != nil && (*value < least || *value > most) {
		v.add(at+"/"+name, "%q must be %d to %d, not %d", name, least, most, *value)
	}
}

// valueOr is what p points to, or a default.
func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// scope says what of $states an expression may use beyond input and context.
type scope struct{ result, errorOutput bool }

// expressions compiles every expression of a state.
func (v *validator) expressions(path string, s *State) {
	after := scope{result: slices.Contains(withRetry, s.Type)}
	for _, f := range s.fields() {
		switch ref := f.ref.(type) {
		case *any:
			if f.name == "Output" {
				v.payload(path+"/Output", *ref, after)
			} else {
				v.payload(path+"/"+f.name, *ref, scope{})
			}
		case *Object:
			v.payload(path+"/"+f.name, *ref, after)
		}
	}
	for i, c := range s.Choices {
		at := path + "/Choices/" + strconv.Itoa(i)
		v.payload(at+"/Condition", c.Condition, scope{})
		v.payload(at+"/Assign", c.Assign, scope{})
		v.payload(at+"/Output", c.Output, scope{})
	}
	for i, c := range s.Catch {
		at := path + "/Catch/" + strconv.Itoa(i)
		v.payload(at+"/Assign", c.Assign, scope{errorOutput: true})
		v.payload(at+"/Output", c.Output, scope{errorOutput: true})
	}
}

// payload checks the expressions in a value.
func (v *validator) payload(path string, value any, in scope) {
	switch value := value.(type) {
	case string:
		source, is := expression(value)
		if !is {
			return
		}
		if err := v.programs.check(source); err != nil {
			v.add(path, "invalid JSONata: %s", strings.TrimPrefix(err.Error(), "JSONata error "))
			return
		}
		for _, member := range statesMembers(source) {
			switch {
			case member == "result" && !in.result:
				v.add(path, "$states.result is only there in Assign and Output of Task, Parallel and Map")
			case member == "errorOutput" && !in.errorOutput:
				v.add(path, "$states.errorOutput is only there in Assign and Output of a catcher")
			}
		}
	case []any:
		for i, item := range value {
			v.payload(path+"/"+strconv.Itoa(i), item, in)
		}
	case Object:
		for _, m := range value {
			v.payload(path+"/"+m.Key, m.Value, in)
		}
	}
}
