package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// described evaluates the machine's own description of a run with the values that its
// variables had at the end.
func (s *story) described(definition []byte, x Description) (*manifest.Manifest, error) {
	template, err := descriptionIn(definition)
	if err != nil {
		return nil, err
	}
	raw, err := s.evaluate(template, x)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	// What is a map in a manifest has no members that are not known; for steps and models,
	// null is what says so.
	for name, value := range all {
		var members map[string]json.RawMessage
		if json.Unmarshal(value, &members) != nil || members == nil && string(value) != "null" {
			continue // no map
		}
		if string(value) == "null" {
			members = map[string]json.RawMessage{}
		}
		for key, v := range members {
			if name == "inputs" && !s.began(key) || name != "steps" && name != "models" && name != "parameters" && (string(v) == "null" || unfilled(v)) {
				delete(members, key)
			}
		}
		if all[name], err = json.Marshal(members); err != nil {
			return nil, err
		}
	}
	if len(all["parameters"]) == 0 || all["parameters"][0] != '{' {
		all["parameters"] = json.RawMessage("{}") // what was given is no object, which is why it failed
	}
	if raw, err = json.Marshal(all); err != nil {
		return nil, err
	}
	m := &manifest.Manifest{}
	in := json.NewDecoder(strings.NewReader(string(raw)))
	in.UseNumber()
	if err := in.Decode(m); err != nil {
		return nil, err
	}
	return m, nil
}

// began says whether the step of an input, "Step.Port", was started.
func (s *story) began(input string) bool {
	step, _, _ := strings.Cut(input, ".")
	_, last := s.latest()
	return last[step] != nil
}

// unfilled says whether a value holds a name that nothing is known for.
func unfilled(value json.RawMessage) bool { return len(asl.Unresolved(value)) > 0 }

// descriptionIn finds the description of a run in a machine: the manifest that one of its
// states assigns.
func descriptionIn(definition []byte) (asl.Object, error) {
	var machine asl.Object
	if err := machine.UnmarshalJSON(definition); err != nil {
		return nil, fmt.Errorf("read the state machine: %w", err)
	}
	states, _ := machine.Get("States")
	all, _ := states.(asl.Object)
	for _, m := range all {
		state, _ := m.Value.(asl.Object)
		assigned, _ := state.Get("Assign")
		variables, _ := assigned.(asl.Object)
		found, ok := variables.Get("manifest")
		if template, is := found.(asl.Object); ok && is {
			return template, nil
		}
	}
	return nil, errors.New("the state machine has no state that describes a run; it was not generated, or by another version")
}

// evaluate gives a description's values. An expression that has none gives null.
func (s *story) evaluate(template asl.Object, x Description) (json.RawMessage, error) {
	assign := asl.Object{}
	for _, name := range slices.Sorted(maps.Keys(s.variables)) {
		assign = append(assign, asl.Member{Key: name, Value: "{% $lookup($states.input, '" + name + "') %}"})
	}
	input, err := json.Marshal(s.variables)
	if err != nil {
		return nil, err
	}
	first := asl.Object{{Key: "Type", Value: "Pass"}, {Key: "Next", Value: "Describe"}}
	if len(assign) > 0 {
		first = append(first, asl.Member{Key: "Assign", Value: assign})
	}
	machine, err := json.Marshal(asl.Object{
		{Key: "QueryLanguage", Value: "JSONata"}, {Key: "StartAt", Value: "Recall"},
		{Key: "States", Value: asl.Object{
			{Key: "Recall", Value: first},
			{Key: "Describe", Value: asl.Object{{Key: "Type", Value: "Pass"}, {Key: "End", Value: true}, {Key: "Output", Value: lenient(template)}}},
		}},
	})
	if err != nil {
		return nil, err
	}
	m, err := asl.Decode("description", machine)
	if err != nil {
		return nil, err
	}
	result, err := asl.Run(context.Background(), m, input, asl.Options{
		Context: asl.ExecutionContext{ExecutionID: x.ARN, StartTime: x.Started},
	})
	if err != nil {
		return nil, err
	}
	if result.Status != asl.Succeeded {
		return nil, result.Err
	}
	return result.Output, nil
}

// lenient is a value of the machine whose expressions give null where they would give
// nothing.
func lenient(v any) any {
	switch v := v.(type) {
	case asl.Object:
		out := make(asl.Object, len(v))
		for i, m := range v {
			out[i] = asl.Member{Key: m.Key, Value: lenient(m.Value)}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = lenient(v[i])
		}
		return out
	case string:
		if source, ok := strings.CutPrefix(v, "{%"); ok && strings.HasSuffix(source, "%}") {
			source = strings.TrimSuffix(source, "%}")
			return "{% ($known := (" + source + "); $exists($known) ? $known : null) %}"
		}
	}
	return v
}
