package awsfake

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// templateSummary says which parameters and types of resources a stack's template has, or
// one that is given.
func (w *World) templateSummary(q *query) (members, error) {
	body := q.get("TemplateBody")
	if name := q.get("StackName"); name != "" {
		s, err := w.find(name)
		if err != nil {
			return nil, err
		}
		body = s.body
	}
	t, err := parseTemplate(body)
	if err != nil {
		return nil, err
	}
	var parameters []members
	for _, key := range slices.Sorted(maps.Keys(t.Parameters)) {
		p := t.Parameters[key]
		one := members{{"ParameterKey", key}, {"ParameterType", cmp.Or(p.Type, "String")}, {"NoEcho", p.NoEcho}, {"Description", p.Description}}
		if p.Default != nil {
			one = append(one, members{{"DefaultValue", fmt.Sprint(p.Default)}}...)
		}
		parameters = append(parameters, one)
	}
	types := map[string]bool{}
	for _, r := range t.Resources {
		types[r.Type] = true
	}
	out := members{{"Parameters", parameters}, {"Description", t.Description}, {"ResourceTypes", slices.Sorted(maps.Keys(types))}, {"Version", "2010-09-09"}}
	if types["AWS::IAM::Role"] {
		out = append(out, members{{"Capabilities", []string{"CAPABILITY_IAM"}}}...)
	}
	return out, nil
}
