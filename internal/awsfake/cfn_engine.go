package awsfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// An operation is the work on a stack that goes on: it takes a step at a time.
type operation struct{ next func() (struct{}, bool) }

// begin makes work an operation of a stack; each call of its argument is the end of a step.
func begin(s *stack, work func(step func())) {
	next, _ := iter.Pull(func(yield func(struct{}) bool) {
		work(func() { yield(struct{}{}) })
	})
	s.work = &operation{next}
}

// advance takes the next steps of a stack's operation.
func (w *World) advance(s *stack) {
	for i := 0; s.work != nil && !s.held && (w.pace == 0 || i < w.pace); i++ {
		if _, more := s.work.next(); !more {
			s.work, s.token = nil, ""
		}
	}
}

// A deployment is what an operation has done, for a rollback.
type deployment struct {
	w       *World
	s       *stack
	step    func()
	keep    bool        // retained resources stay when their creation is rolled back
	created []*resource // made anew, in order
	changed []replaced  // old and new
	left    []*resource // to be deleted in the cleanup
}

// replaced is a resource before and after.
type replaced struct{ before, after *resource }

// order are the logical ids of the resources that exist under the conditions, those that
// others depend on first.
func (r *resolver) order() ([]string, error) {
	var order []string
	state := map[string]int{}
	var visit func(id string) error
	visit = func(id string) error {
		spec := r.template.Resources[id]
		if spec == nil || state[id] == 2 {
			return nil
		}
		if state[id] == 1 {
			return ineligible("Circular dependency between resources: [%s]", id)
		}
		if spec.Condition != "" {
			if holds, err := r.condition(spec.Condition); err != nil || !holds {
				return err
			}
		}
		state[id] = 1
		needs := append(references(r.live(spec.Properties)), dependsOn(spec)...)
		slices.Sort(needs)
		for _, need := range slices.Compact(needs) {
			if err := visit(need); err != nil {
				return err
			}
		}
		state[id] = 2
		order = append(order, id)
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(r.template.Resources)) {
		if err := visit(id); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// live is a value without the arms of Fn::If that do not hold.
func (r *resolver) live(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = r.live(v[i])
		}
		return list
	case map[string]any:
		if list, ok := v["Fn::If"].([]any); ok && len(list) == 3 {
			if r.conditions[fmt.Sprint(list[0])] {
				return r.live(list[1])
			}
			return r.live(list[2])
		}
		object := map[string]any{}
		for key, one := range v {
			object[key] = r.live(one)
		}
		return object
	}
	return v
}

// same compares two resolved values as JSON.
func same(a, b any) bool { return bytes.Equal(canonical(a), canonical(b)) }

func canonical(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("awsfake: %v", err)) // made of JSON
	}
	return text
}

// differing are the names of the properties that differ, sorted.
func differing(before, after map[string]any) []string {
	var names []string
	for name := range after {
		if old, ok := before[name]; !ok || !same(old, after[name]) {
			names = append(names, name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// described is a resource as a template has it.
func (r *resolver) described(id string) (*resource, error) {
	spec := r.template.Resources[id]
	value, err := r.resolve(spec.Properties)
	if err != nil {
		return nil, err
	}
	properties, _ := value.(map[string]any)
	if properties == nil {
		properties = map[string]any{}
	}
	return &resource{
		logical: id, kind: spec.Type, properties: properties, spec: spec, metadata: spec.Metadata,
		depends: append(references(r.live(spec.Properties)), dependsOn(spec)...),
	}, nil
}

// apply makes and changes the resources of a template; the id of the one that failed,
// and why.
func (d *deployment) apply(r *resolver) (failed string, failure error) {
	order, err := r.order()
	if err != nil {
		return d.s.name, err
	}
	for i, id := range order {
		want, err := r.described(id)
		if err == nil {
			err = kinds[want.kind].missing(want)
		}
		if err == nil {
			err = d.bring(want)
		} else {
			d.note(&resource{logical: id, kind: r.template.Resources[id].Type}, "CREATE_FAILED", said(err))
		}
		if err != nil {
			d.cancel(r, order[i+1:])
			return id, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.s.resources)) {
		if !slices.Contains(order, id) {
			d.left = append(d.left, d.s.resources[id])
		}
	}
	return "", nil
}

// cancel ends what would have been made beside the resource that failed.
func (d *deployment) cancel(r *resolver, rest []string) {
	for _, id := range rest {
		if d.s.resources[id] == nil {
			other := &resource{logical: id, kind: r.template.Resources[id].Type}
			d.note(other, "CREATE_IN_PROGRESS", "")
			d.note(other, "CREATE_FAILED", "Resource creation cancelled")
			return
		}
	}
}

// note gives a resource a status and an event.
func (d *deployment) note(r *resource, status, reason string) {
	r.status, r.reason = status, reason
	properties := ""
	if r.properties != nil {
		properties = string(canonical(r.properties))
	}
	d.w.event(d.s, r.logical, r.physical, r.kind, status, reason, properties)
}

// failing takes what a test wants to fail.
func (w *World) takeFailure(operation, logical string) error {
	key := operation + " " + logical
	reason, ok := w.failing[key]
	if !ok {
		return nil
	}
	delete(w.failing, key)
	return fmt.Errorf("%s", reason)
}

// bring makes one resource what it is to be.
func (d *deployment) bring(want *resource) error {
	k, have := kinds[want.kind], d.s.resources[want.logical]
	if have == nil {
		d.note(want, "CREATE_IN_PROGRESS", "")
		d.step()
		err := d.w.takeFailure("create", want.logical)
		if err == nil {
			err = k.make(d.w, d.s, want)
		}
		if err != nil {
			want.physical = ""
			d.note(want, "CREATE_FAILED", said(err))
			return err
		}
		d.s.resources[want.logical] = want
		d.created = append(d.created, want)
		d.note(want, "CREATE_COMPLETE", "")
		d.step()
		return nil
	}
	differ := differing(have.properties, want.properties)
	if len(differ) == 0 && same(have.metadata, want.metadata) && have.kind == want.kind {
		have.spec, have.depends = want.spec, want.depends
		return nil
	}
	if have.kind != want.kind || slices.ContainsFunc(differ, func(name string) bool { return slices.Contains(k.createOnly, name) }) {
		return d.replace(have, want)
	}
	want.physical, want.ref, want.attributes = have.physical, have.ref, maps.Clone(have.attributes)
	d.note(want, "UPDATE_IN_PROGRESS", "")
	d.step()
	err := d.w.takeFailure("update", want.logical)
	if err == nil && k.change != nil {
		err = k.change(d.w, want)
	}
	if err != nil {
		d.note(want, "UPDATE_FAILED", said(err))
		return err
	}
	d.s.resources[want.logical] = want
	d.changed = append(d.changed, replaced{have, want})
	d.note(want, "UPDATE_COMPLETE", "")
	d.step()
	return nil
}

// replace makes a new resource for one whose create-only properties differ.
func (d *deployment) replace(have, want *resource) error {
	d.note(want, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one.")
	d.step()
	err := d.w.takeFailure("update", want.logical)
	if err == nil {
		err = kinds[want.kind].make(d.w, d.s, want)
	}
	if err != nil {
		want.physical = ""
		d.note(want, "UPDATE_FAILED", said(err))
		return err
	}
	d.s.resources[want.logical] = want
	d.changed = append(d.changed, replaced{have, want})
	d.left = append(d.left, have)
	d.note(want, "UPDATE_COMPLETE", "")
	d.step()
	return nil
}

// remove deletes a resource, or leaves it where its policy says so.
func (d *deployment) remove(r *resource, policy string) error {
	if policy == "Retain" || policy == "RetainExceptOnCreate" && d.keep {
		d.note(r, "DELETE_SKIPPED", "")
		return nil
	}
	d.note(r, "DELETE_IN_PROGRESS", "")
	d.step()
	err := d.w.takeFailure("delete", r.logical)
	if remove := kinds[r.kind].remove; err == nil && remove != nil {
		err = remove(d.w, r)
	}
	if err != nil {
		d.note(r, "DELETE_FAILED", said(err))
		return err
	}
	d.note(r, "DELETE_COMPLETE", "")
	d.step()
	return nil
}

// outputsOf are a stack's outputs.
func (r *resolver) outputsOf() ([]stackOutput, error) {
	var all []stackOutput
	for _, key := range slices.Sorted(maps.Keys(r.template.Outputs)) {
		o := r.template.Outputs[key]
		if o.Condition != "" {
			if holds, err := r.condition(o.Condition); err != nil {
				return nil, err
			} else if !holds {
				continue
			}
		}
		value, err := r.resolve(o.Value)
		if err != nil {
			return nil, err
		}
		if _, none := value.(noValue); !none {
			all = append(all, stackOutput{key, fmt.Sprint(value), o.Description})
		}
	}
	return all, nil
}

// reverse is the order in which resources are deleted: what depends on others first.
func reverse(resources []*resource) []*resource {
	var order []*resource
	byID, state := map[string]*resource{}, map[string]bool{}
	for _, r := range resources {
		byID[r.logical] = r
	}
	var visit func(r *resource)
	visit = func(r *resource) {
		if r == nil || state[r.logical] {
			return
		}
		state[r.logical] = true
		needs := slices.Clone(r.depends)
		slices.Sort(needs)
		for _, need := range needs {
			visit(byID[need])
		}
		order = append(order, r)
	}
	for _, r := range resources {
		visit(r)
	}
	slices.Reverse(order)
	return order
}

// all are a stack's resources by logical id.
func (s *stack) all() []*resource {
	list := make([]*resource, 0, len(s.resources))
	for _, id := range slices.Sorted(maps.Keys(s.resources)) {
		list = append(list, s.resources[id])
	}
	return list
}

// list is how CloudFormation names several resources in a reason.
func list(ids ...string) string { return "[" + strings.Join(ids, ", ") + "]" }
