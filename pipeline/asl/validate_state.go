package asl

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

func (v *validator) task(path string, s *State) {
	switch _, is := expression(s.Resource); {
	case s.Resource == "":
		v.add(path, `"Resource" is required`)
	case is:
		v.add(path+"/Resource", `"Resource" must be a constant ARN, not an expression`)
	case !strings.HasPrefix(s.Resource, "arn:") && !strings.HasPrefix(s.Resource, "${"):
		v.add(path+"/Resource", "%q is not an ARN", s.Resource)
	}
	v.number(path+"/TimeoutSeconds", "TimeoutSeconds", s.TimeoutSeconds, 1, maxSeconds)
	v.number(path+"/HeartbeatSeconds", "HeartbeatSeconds", s.HeartbeatSeconds, 1, maxSeconds)
	timeout, okTimeout := integer(s.TimeoutSeconds)
	heartbeat, okHeartbeat := integer(s.HeartbeatSeconds)
	if okTimeout && okHeartbeat && heartbeat >= timeout {
		v.add(path+"/HeartbeatSeconds", `"HeartbeatSeconds" must be less than "TimeoutSeconds"`)
	}
	if s.Credentials == nil {
		return
	}
	if o, is := s.Credentials.(Object); is {
		if _, has := o.Get("RoleArn"); !has {
			v.add(path+"/Credentials", `the field "RoleArn" is required`)
		}
	} else if _, is := expression(s.Credentials); !is {
		v.add(path+"/Credentials", `"Credentials" must be an object or an expression`)
	}
}

func (v *validator) choice(path string, s *State, m *Machine) {
	if len(s.Choices) == 0 {
		v.add(path, `"Choices" is required, with one rule or more`)
	}
	for i, c := range s.Choices {
		at := path + "/Choices/" + strconv.Itoa(i)
		_, constant := c.Condition.(bool)
		if _, is := expression(c.Condition); c.Condition == nil {
			v.add(at, `"Condition" is required`)
		} else if !is && !constant {
			v.add(at+"/Condition", `"Condition" must be an expression "{%% … %%}" or a boolean`)
		}
		if c.Next == "" {
			v.add(at, `"Next" is required`)
		}
		v.target(at+"/Next", c.Next, m)
	}
	v.target(path+"/Default", s.Default, m)
}

func (v *validator) wait(path string, s *State) {
	if (s.Seconds == nil) == (s.Timestamp == nil) {
		v.add(path, `one of "Seconds" and "Timestamp" is required`)
	}
	v.number(path+"/Seconds", "Seconds", s.Seconds, 0, maxSeconds)
	if s.Timestamp == nil {
		return
	}
	if _, is := expression(s.Timestamp); is {
		return
	}
	if text, is := s.Timestamp.(string); !is {
		v.add(path+"/Timestamp", `"Timestamp" must be a string`)
	} else if _, err := time.Parse(time.RFC3339, text); err != nil && !strings.Contains(text, "${") {
		v.add(path+"/Timestamp", "%q is not a timestamp of RFC 3339, such as 2026-01-31T12:00:00Z", text)
	}
}

func (v *validator) fail(path string, s *State) {
	for _, f := range []struct {
		name  string
		value any
		most  int
	}{{"Error", s.Error, 256}, {"Cause", s.Cause, 32768}} { // shapes SensitiveError, SensitiveCause
		if f.value == nil {
			continue
		}
		text, is := f.value.(string)
		if !is {
			v.add(path+"/"+f.name, "%q must be a string", f.name)
			continue
		}
		if _, is := expression(text); !is && utf8.RuneCountInString(text) > f.most {
			v.add(path+"/"+f.name, "%q has at most %d characters", f.name, f.most)
		}
	}
}

func (v *validator) mapState(path string, s *State, assigned []string) {
	switch s.ProcessorMode {
	case "", "INLINE":
		for _, f := range []Member{{"ItemReader", s.ItemReader}, {"ItemBatcher", s.ItemBatcher}, {"ResultWriter", s.ResultWriter}} {
			if f.Value != nil {
				v.add(path+"/"+f.Key, `%q needs "ProcessorConfig": {"Mode": "DISTRIBUTED"}`, f.Key)
			}
		}
	case "DISTRIBUTED":
		assigned = nil // it neither reads nor shadows outer variables
	default:
		v.add(path+"/ItemProcessor/ProcessorConfig/Mode", `"Mode" must be INLINE or DISTRIBUTED`)
	}
	if t := s.ProcessorExecutionType; t != "" && t != "STANDARD" && t != "EXPRESS" {
		v.add(path+"/ItemProcessor/ProcessorConfig/ExecutionType", `"ExecutionType" must be STANDARD or EXPRESS`)
	}
	v.number(path+"/MaxConcurrency", "MaxConcurrency", s.MaxConcurrency, 0, maxSeconds)
	v.number(path+"/ToleratedFailureCount", "ToleratedFailureCount", s.ToleratedFailureCount, 0, maxSeconds)
	v.number(path+"/ToleratedFailurePercentage", "ToleratedFailurePercentage", s.ToleratedFailurePercentage, 0, 100)
	if s.Items != nil {
		_, list := s.Items.([]any)
		_, object := s.Items.(Object)
		if _, is := expression(s.Items); !is && !list && !object {
			v.add(path+"/Items", `"Items" must be an array, an object or an expression`)
		}
	}
	if s.ItemProcessor == nil {
		v.add(path, `"ItemProcessor" is required`)
		return
	}
	v.machine(path+"/ItemProcessor", s.ItemProcessor, assigned)
}

// number checks a field that is an integer in a range, or an expression.
func (v *validator) number(path, name string, value any, least, most int) {
	if value == nil {
		return
	}
	if _, is := expression(value); is {
		return
	}
	if i, ok := integer(value); !ok {
		v.add(path, "%q must be an integer or an expression", name)
	} else if i < least || i > most {
		v.add(path, "%q must be %d to %d, not %d", name, least, most, i)
	}
}

// integer is the value of a literal whole number.
func integer(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		return int(v), v == float64(int(v))
	case json.Number:
		i, err := strconv.Atoi(string(v))
		return i, err == nil
	}
	return 0, false
}

// variables checks the names that a state assigns.
func (v *validator) variables(path string, s *State, outer []string) {
	check := func(path string, o Object) {
		for _, m := range o {
			switch {
			case m.Key == "states":
				v.add(path+"/"+m.Key, `the variable name "states" is reserved`)
			case !identifier(m.Key):
				v.add(path+"/"+m.Key, "%q is not a variable name: a letter, then letters, digits and _, at most %d characters", m.Key, maxName)
			case slices.Contains(outer, m.Key):
				v.add(path+"/"+m.Key, "variable %q belongs to the states around this one, which may only be read here", m.Key)
			}
		}
	}
	check(path+"/Assign", s.Assign)
	for i, c := range s.Choices {
		check(path+"/Choices/"+strconv.Itoa(i)+"/Assign", c.Assign)
	}
	for i, c := range s.Catch {
		check(path+"/Catch/"+strconv.Itoa(i)+"/Assign", c.Assign)
	}
}

// identifier says whether name is an identifier of Unicode Standard Annex 31.
func identifier(name string) bool {
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return false
	}
	for i, r := range name {
		start := r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r)
		rest := unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r) || unicode.Is(unicode.Pc, r)
		if !start && (i == 0 || !rest) {
			return false
		}
	}
	return true
}
