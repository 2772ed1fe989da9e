package awsfake

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// noValue is what AWS::NoValue resolves to: the member or item is left out.
type noValue struct{}

// later stands in a change set for what is known only after a resource was made.
const later = "{{changeSet:KNOWN_AFTER_APPLY}}"

// A resolver evaluates the intrinsics of one template with one set of parameters.
type resolver struct {
	w          *World
	stack      *stack
	template   *template
	parameters map[string]string
	conditions map[string]bool
	// unknown are the logical ids whose references are not known yet.
	unknown map[string]bool
}

// resolver makes one, and decides all conditions.
func (w *World) resolver(s *stack, t *template, parameters map[string]string) (*resolver, error) {
	r := &resolver{w: w, stack: s, template: t, parameters: parameters, conditions: map[string]bool{}, unknown: map[string]bool{}}
	for _, name := range slices.Sorted(maps.Keys(t.Conditions)) {
		if _, err := r.condition(name); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// rules are asserted before anything is made.
func (r *resolver) rules() error {
	for _, name := range slices.Sorted(maps.Keys(r.template.Rules)) {
		rule := r.template.Rules[name]
		if rule.RuleCondition != nil {
			applies, err := r.truth(rule.RuleCondition)
			if err != nil {
				return err
			}
			if !applies {
				continue
			}
		}
		for _, a := range rule.Assertions {
			holds, err := r.truth(a.Assert)
			if err != nil {
				return err
			}
			if !holds {
				return ineligible("Template failed validation: Rule %s: %s", name, a.AssertDescription)
			}
		}
	}
	return nil
}

// condition decides a condition by its name.
func (r *resolver) condition(name string) (bool, error) {
	if known, ok := r.conditions[name]; ok {
		return known, nil
	}
	body, ok := r.template.Conditions[name]
	if !ok {
		return false, ineligible("Template error: unresolved condition dependency: %s", name)
	}
	value, err := r.truth(body)
	if err == nil {
		r.conditions[name] = value
	}
	return value, err
}

// truth evaluates a function of conditions.
func (r *resolver) truth(v any) (bool, error) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return false, ineligible("Template error: %v is no condition", v)
	}
	for name, argument := range m {
		if name == "Condition" {
			return r.condition(fmt.Sprint(argument))
		}
		list, ok := argument.([]any)
		if !ok {
			return false, ineligible("Template error: %s takes a list", name)
		}
		switch name {
		case "Fn::Equals":
			if len(list) != 2 {
				return false, ineligible("Template error: every Fn::Equals object requires a list of 2 string parameters.")
			}
			a, err := r.resolve(list[0])
			if err != nil {
				return false, err
			}
			b, err := r.resolve(list[1])
			return fmt.Sprint(a) == fmt.Sprint(b), err
		case "Fn::Not", "Fn::And", "Fn::Or":
			return r.combine(name, list)
		}
		return false, ineligible("Template error: awsfake does not know %s in conditions", name)
	}
	return false, nil
}

func (r *resolver) combine(name string, list []any) (bool, error) {
	if name == "Fn::Not" && len(list) != 1 || name != "Fn::Not" && (len(list) < 2 || len(list) > 10) {
		return false, ineligible("Template error: %s has %d members", name, len(list))
	}
	value := name == "Fn::And"
	for _, one := range list {
		truth, err := r.truth(one)
		if err != nil {
			return false, err
		}
		switch name {
		case "Fn::Not":
			return !truth, nil
		case "Fn::And":
			value = value && truth
		default:
			value = value || truth
		}
	}
	return value, nil
}

// resolve evaluates a value.
func (r *resolver) resolve(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, one := range v {
			value, err := r.resolve(one)
			if err != nil {
				return nil, err
			}
			if _, none := value.(noValue); !none {
				list = append(list, value)
			}
		}
		return list, nil
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return r.function(name, argument)
				}
			}
		}
		object := map[string]any{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			value, err := r.resolve(v[key])
			if err != nil {
				return nil, err
			}
			if _, none := value.(noValue); !none {
				object[key] = value
			}
		}
		return object, nil
	}
	return v, nil
}

// function evaluates an intrinsic function.
func (r *resolver) function(name string, argument any) (any, error) {
	list, _ := argument.([]any)
	switch name {
	case "Ref":
		return r.ref(fmt.Sprint(argument))
	case "Fn::GetAtt":
		if text, ok := argument.(string); ok {
			id, attribute, _ := strings.Cut(text, ".")
			return r.attribute(id, attribute)
		}
		if len(list) == 2 {
			return r.attribute(fmt.Sprint(list[0]), fmt.Sprint(list[1]))
		}
	case "Fn::Sub":
		return r.sub(argument)
	case "Fn::FindInMap":
		return r.findInMap(list)
	case "Fn::If":
		if len(list) == 3 {
			truth, err := r.condition(fmt.Sprint(list[0]))
			if err != nil {
				return nil, err
			}
			if truth {
				return r.resolve(list[1])
			}
			return r.resolve(list[2])
		}
	case "Fn::Join":
		return r.join(list)
	case "Fn::Split":
		if len(list) == 2 {
			text, err := r.resolve(list[1])
			if err != nil {
				return nil, err
			}
			var parts []any
			for _, p := range strings.Split(fmt.Sprint(text), fmt.Sprint(list[0])) {
				parts = append(parts, p)
			}
			return parts, nil
		}
	case "Fn::Select":
		return r.pick(list)
	case "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or":
		return r.truth(map[string]any{name: argument})
	}
	return nil, ineligible("Template error: awsfake does not know %s of %v", name, argument)
}

func (r *resolver) pick(list []any) (any, error) {
	if len(list) != 2 {
		return nil, ineligible("Template error: Fn::Select requires a list argument with two elements: an integer index and a list")
	}
	values, err := r.resolve(list[1])
	if err != nil {
		return nil, err
	}
	from, _ := values.([]any)
	var i int
	if _, err := fmt.Sscan(fmt.Sprint(list[0]), &i); err != nil || i < 0 || i >= len(from) {
		return nil, ineligible("Template error: Fn::Select cannot select nonexistent value at index %v", list[0])
	}
	return from[i], nil
}

func (r *resolver) join(list []any) (any, error) {
	if len(list) != 2 {
		return nil, ineligible("Template error: every Fn::Join object requires two parameters")
	}
	values, err := r.resolve(list[1])
	if err != nil {
		return nil, err
	}
	from, ok := values.([]any)
	if !ok {
		return nil, ineligible("Template error: every Fn::Join object requires a list of strings to be joined")
	}
	var parts []string
	for _, v := range from {
		parts = append(parts, fmt.Sprint(v))
	}
	return strings.Join(parts, fmt.Sprint(list[0])), nil
}

func (r *resolver) findInMap(list []any) (any, error) {
	if len(list) != 3 {
		return nil, ineligible("Template error: every Fn::FindInMap object requires three parameters")
	}
	var keys []string
	for _, v := range list {
		key, err := r.resolve(v)
		if err != nil {
			return nil, err
		}
		keys = append(keys, fmt.Sprint(key))
	}
	value, ok := r.template.Mappings[keys[0]][keys[1]][keys[2]]
	if !ok {
		return nil, ineligible("Template error: Unable to get mapping for %s::%s::%s", keys[0], keys[1], keys[2])
	}
	return value, nil
}

// ref is what Ref of a name gives.
func (r *resolver) ref(name string) (any, error) {
	switch name {
	case "AWS::AccountId":
		return r.w.Account, nil
	case "AWS::Region":
		return r.w.Region, nil
	case "AWS::Partition":
		return r.w.Partition, nil
	case "AWS::URLSuffix":
		return "amazonaws.com", nil
	case "AWS::StackName":
		return r.stack.name, nil
	case "AWS::StackId":
		return r.stack.id, nil
	case "AWS::NoValue":
		return noValue{}, nil
	}
	if spec, ok := r.template.Parameters[name]; ok {
		value := r.parameters[name]
		switch spec.Type {
		case "Number":
			return json.Number(value), nil
		case "CommaDelimitedList":
			list := []any{}
			for _, one := range strings.Split(value, ",") {
				list = append(list, strings.TrimSpace(one))
			}
			return list, nil
		}
		return value, nil
	}
	return r.made(name, func(res *resource) (any, error) { return res.ref, nil })
}

// attribute is what GetAtt gives.
func (r *resolver) attribute(id, name string) (any, error) {
	return r.made(id, func(res *resource) (any, error) {
		value, ok := res.attributes[name]
		if !ok {
			return nil, ineligible("Template error: resource %s does not support attribute type %s in Fn::GetAtt", id, name)
		}
		return value, nil
	})
}

// made asks a resource that is there.
func (r *resolver) made(id string, ask func(*resource) (any, error)) (any, error) {
	if r.unknown[id] {
		return later, nil
	}
	if res := r.stack.resources[id]; res != nil && res.physical != "" {
		return ask(res)
	}
	return nil, ineligible("Template error: unresolved reference to %s", id)
}

// sub evaluates Fn::Sub in both forms.
func (r *resolver) sub(argument any) (any, error) {
	text, vars := "", map[string]any{}
	switch v := argument.(type) {
	case string:
		text = v
	case []any:
		if len(v) != 2 {
			return nil, ineligible("Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments.")
		}
		text, _ = v[0].(string)
		vars, _ = v[1].(map[string]any)
	}
	var failure error
	out := subName.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		var value any
		var err error
		if own, ok := vars[name]; ok {
			value, err = r.resolve(own)
		} else if id, attribute, dotted := strings.Cut(name, "."); dotted {
			value, err = r.attribute(id, attribute)
		} else {
			value, err = r.ref(name)
		}
		if err != nil && failure == nil {
			failure = err
		}
		return fmt.Sprint(value)
	})
	return strings.ReplaceAll(out, "${!", "${"), failure
}
