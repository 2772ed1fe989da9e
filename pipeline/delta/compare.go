package delta

import (
	"fmt"
	"slices"
	"strings"
)

// Compare says what a deployment of after would change. Without before nothing is
// deployed yet. Resources are those of a change set, which knows best; nil, they are
// found by comparing the templates. An error means that a side is no template of ours.
func Compare(before *Side, after Side, resources []Resource) (*Plan, error) {
	to, err := read(&after)
	if err != nil {
		return nil, err
	}
	from := &deployment{}
	if before != nil {
		if from, err = read(before); err != nil {
			return nil, fmt.Errorf("what is deployed: %w", err)
		}
	}
	p := &Plan{
		Pipeline: to.pipeline(), Environment: to.values["Env"], New: before == nil,
		Steps: []Step{}, Machine: []Value{}, Permissions: []Permission{}, Resources: []Resource{}, Parameters: []Value{},
	}
	then, now := from.jobs(), to.jobs()
	p.Steps = append(p.Steps, steps(then, now)...)
	p.Permissions = append(p.Permissions, permissions(from, to)...)
	if resources == nil {
		p.Resources = append(p.Resources, compareResources(from, to)...)
	} else {
		p.Resources = append(p.Resources, marked(resources, from)...)
	}
	if before != nil {
		p.Machine = append(p.Machine, machine(from, to, then, now)...)
		p.Parameters = append(p.Parameters, parameters(from, to, p.Steps)...)
		p.loosened = loosened(from, to)
	}
	p.Cost, p.unpriced = ceiling(now, to.region)
	if was, _ := ceiling(then, from.region); p.Cost != nil && was != nil && before != nil {
		p.Cost.Before = &was.Dollars
	}
	return p, nil
}

// Empty says that nothing would change.
func (p *Plan) Empty() bool {
	return !p.New && len(p.Steps)+len(p.Machine)+len(p.Permissions)+len(p.Resources)+len(p.Parameters) == 0
}

// Widens says that the permissions of what is deployed would grow: a role may do more,
// is no longer denied something, or is no longer held by the same boundary.
func (p *Plan) Widens() bool {
	if p.New {
		return false
	}
	return len(p.loosened) > 0 || slices.ContainsFunc(p.Permissions, func(q Permission) bool {
		return (q.Change == Added) == (q.Effect == "")
	})
}

// Loses are the resources with data or history that would be deleted, or replaced by an
// empty one. What is deleted from the stack and retained is not lost.
func (p *Plan) Loses() []Resource {
	var lost []Resource
	for _, r := range p.Resources {
		if r.Data && (r.Change == Replaced || r.Change == Removed && !r.Kept) {
			lost = append(lost, r)
		}
	}
	return lost
}

// pipeline is the pipeline's name, which every resource has as a tag.
func (d *deployment) pipeline() string {
	for _, r := range d.resources {
		if r.kind == machineType {
			return strings.TrimPrefix(text(r.properties, "StateMachineName"), d.values["Env"]+"-")
		}
	}
	return ""
}

// steps are the steps that differ, in the order of the new machine; those that go come
// last.
func steps(then, now []*job) []Step {
	var all []Step
	for _, j := range now {
		i := slices.IndexFunc(then, func(k *job) bool { return k.name == j.name })
		if i < 0 {
			all = append(all, Step{Name: j.name, Change: Added, Differs: j.brief()})
			continue
		}
		if differs := j.differs(then[i]); len(differs) > 0 {
			all = append(all, Step{Name: j.name, Change: Changed, Differs: differs})
		}
	}
	for _, j := range then {
		if !slices.ContainsFunc(now, func(k *job) bool { return k.name == j.name }) {
			all = append(all, Step{Name: j.name, Change: Removed})
		}
	}
	return all
}

// brief is what is told of a step that is new.
func (j *job) brief() []Value {
	all := []Value{{Name: "kind", After: j.kind}}
	for _, f := range j.facts {
		if f.brief && f.value != "" {
			all = append(all, Value{Name: f.name, After: f.value})
		}
	}
	return all
}

// differs is what of a step is not as it was.
func (j *job) differs(was *job) []Value {
	var all []Value
	if was.kind != j.kind {
		all = append(all, Value{Name: "kind", Before: was.kind, After: j.kind})
	}
	for _, f := range j.facts {
		if before, _ := was.fact(f.name); before != f.value {
			all = append(all, Value{Name: f.name, Before: before, After: f.value})
		}
	}
	for _, f := range was.facts {
		if _, still := j.fact(f.name); !still && f.value != "" {
			all = append(all, Value{Name: f.name, Before: f.value})
		}
	}
	return all
}

// parameters are the values of the stack that differ and that no step's change tells of.
func parameters(from, to *deployment, steps []Step) []Value {
	var all []Value
	told := func(v string) bool {
		return v == "" || slices.ContainsFunc(steps, func(s Step) bool {
			return slices.ContainsFunc(s.Differs, func(d Value) bool {
				return d.After == v || d.Before == v || d.After == short(v) || d.Before == short(v)
			})
		})
	}
	names := sortedKeys(to.values)
	for _, name := range sortedKeys(from.values) {
		if _, still := to.values[name]; !still {
			names = append(names, name)
		}
	}
	for _, name := range names {
		before, was := from.values[name]
		after, is := to.values[name]
		_, mine := to.names[name]
		_, its := from.names[name]
		switch {
		case before == after:
		case (mine || its) && told(before) && told(after):
		case (!was || !is) && (mine || its):
			// The step came or went with it.
		case !was && after == to.defaults[name], !is && before == from.defaults[name]:
			// A parameter that one of the two templates lacks, and that nobody has set.
		default:
			all = append(all, Value{Name: name, Before: before, After: after})
		}
	}
	return all
}
