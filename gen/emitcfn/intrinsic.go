package emitcfn

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// mark begins a string that stands for something else in goformation's types: for
// an intrinsic function, whose JSON follows, or for a large part of a resource,
// whose name follows and which need not go through goformation's JSON. No text of a
// template holds it.
const mark = "\x00"

// The parts.
const (
	trustPart      = "trust"
	policyPart     = "policy"
	definitionPart = "definition"
)

// held is an intrinsic function as a string field of goformation holds it.
func held(f asl.Object) string {
	b, err := f.MarshalJSON()
	if err != nil {
		panic(fmt.Sprintf("emitcfn: %v", err))
	}
	return mark + string(b)
}

// heldPtr is held for the fields that are pointers.
func heldPtr(f asl.Object) *string {
	s := held(f)
	return &s
}

// resolve makes an ordered object of a resource, with functions and parts in place
// of the strings that stand for them.
func resolve(resource any, parts map[string]any) asl.Object {
	b, err := json.Marshal(resource)
	if err != nil {
		panic(fmt.Sprintf("emitcfn: %v", err))
	}
	var o asl.Object
	if err := o.UnmarshalJSON(b); err != nil {
		panic(fmt.Sprintf("emitcfn: %v", err))
	}
	return unmark(o, parts).(asl.Object)
}

func unmark(v any, parts map[string]any) any {
	switch v := v.(type) {
	case asl.Object:
		for i := range v {
			v[i].Value = unmark(v[i].Value, parts)
		}
	case []any:
		for i := range v {
			v[i] = unmark(v[i], parts)
		}
	case string:
		f, is := strings.CutPrefix(v, mark)
		if !is {
			return v
		}
		if part, is := parts[f]; is {
			return part
		}
		var o asl.Object
		if err := o.UnmarshalJSON([]byte(f)); err != nil {
			panic(fmt.Sprintf("emitcfn: %v", err))
		}
		return o
	}
	return v
}

func ref(name string) asl.Object { return object("Ref", name) }

func attribute(id, name string) asl.Object { return object("Fn::GetAtt", []any{id, name}) }

// either is Fn::If.
func either(condition string, yes, no any) asl.Object {
	return object("Fn::If", []any{condition, yes, no})
}

// noValue removes the property that has it.
func noValue() asl.Object { return ref("AWS::NoValue") }

var (
	whole = regexp.MustCompile(`^\$\{([A-Za-z0-9:]+)(?:\.([A-Za-z0-9]+))?\}$`)
	named = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)
)

// sub is a text of the plan with ${Name} in it as CloudFormation wants it: a
// constant as it is, a lone name as Ref or Fn::GetAtt, else Fn::Sub. Names in vars
// are given to Fn::Sub with their values.
func sub(text string, vars map[string]any) any {
	if m := whole.FindStringSubmatch(text); m != nil && vars[m[1]] == nil {
		if m[2] != "" {
			return attribute(m[1], m[2])
		}
		return ref(m[1])
	}
	var used asl.Object
	found := named.FindAllStringSubmatch(text, -1)
	for _, m := range found {
		if v := vars[m[1]]; v != nil {
			if _, twice := used.Get(m[1]); !twice {
				used = append(used, asl.Member{Key: m[1], Value: v})
			}
		}
	}
	switch {
	case found == nil:
		return text
	case used == nil:
		return object("Fn::Sub", text)
	default:
		return object("Fn::Sub", []any{text, used})
	}
}

// subs are texts of the plan, each by sub.
func subs(texts []string, vars map[string]any) []any {
	all := make([]any, 0, len(texts))
	for _, t := range texts {
		all = append(all, sub(t, vars))
	}
	return all
}
