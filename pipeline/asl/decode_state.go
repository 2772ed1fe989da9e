package asl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

func numberText(n *node) string { return string(n.scalar.(json.Number)) }

func (d *decoder) integer(n *node, to *int) {
	if !d.want(n, kindNumber) {
		return
	}
	i, err := strconv.Atoi(numberText(n))
	if err != nil {
		d.report(n, "%q must be an integer, not %s", n.key, numberText(n))
		return
	}
	*to = i
}

// payload is any JSON value; null is a value of its own.
func (d *decoder) payload(n *node) any {
	d.duplicates(n)
	if n.kind == kindNull {
		return Null
	}
	return n.value()
}

func (d *decoder) duplicates(n *node) {
	seen := map[string]bool{}
	for _, m := range n.members {
		if n.kind == kindObject && seen[m.key] {
			d.at(m.keyAt, m.path(), "duplicate key %q", m.key)
		}
		seen[m.key] = true
		d.duplicates(m)
	}
}

func (d *decoder) strings(n *node, to *[]string) {
	if !d.want(n, kindArray) {
		return
	}
	*to = []string{}
	for _, m := range n.members {
		if m.kind != kindString {
			d.report(m, "%q holds strings, not %s", n.key, m.kind)
			continue
		}
		*to = append(*to, m.scalar.(string))
	}
}

func (d *decoder) states(n *node, to *stateList) {
	*to = stateList{}
	d.object(n, "States", func(m *node) bool {
		s := &State{Name: m.key}
		*to = append(*to, s)
		d.state(m, s)
		return true
	})
}

// state decodes a state by the fields of its type.
func (d *decoder) state(n *node, s *State) {
	if n.kind != kindObject {
		d.report(n, "state %q must be an object, not %s", s.Name, n.kind)
		return
	}
	if t := n.find("/Type"); t.kind == kindString {
		s.Type = t.scalar.(string)
	}
	fields := s.fields()
	d.object(n, fmt.Sprintf("a %s state", s.Type), func(m *node) bool {
		if m.key == "QueryLanguage" {
			d.stateLanguage(m)
			return true
		}
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == m.key })
		if i < 0 {
			return false
		}
		if slices.Contains(stateTypes, s.Type) && !fields[i].in(s.Type) {
			d.at(m.keyAt, m.path(), "field %q is not allowed in a %s state", m.key, s.Type)
			return true
		}
		d.into(m, fields[i].ref)
		return true
	})
}

// stateLanguage accepts the language that the whole machine has, and no other.
func (d *decoder) stateLanguage(n *node) {
	if n.scalar == "JSONPath" {
		d.report(n, "QueryLanguage JSONPath is not supported: write the state in JSONata")
	} else if n.scalar != "JSONata" {
		d.report(n, `"QueryLanguage" must be "JSONata"`)
	}
}

// list decodes an array of objects.
func (d *decoder) list(n *node, ref any) {
	switch ref := ref.(type) {
	case *[]*Choice:
		decodeList(d, n, ref, (*Choice).fields, "a choice rule")
	case *[]*Retrier:
		decodeList(d, n, ref, (*Retrier).fields, "a retrier")
	case *[]*Catcher:
		decodeList(d, n, ref, (*Catcher).fields, "a catcher")
	case *[]*Machine:
		decodeList(d, n, ref, func(m *Machine) []field { return m.fields(true) }, "a branch")
	case *processor:
		d.processor(n, ref)
	default:
		panic(fmt.Sprintf("asl: a field of type %T has no decoding", ref))
	}
}

func decodeList[T any](d *decoder, n *node, to *[]*T, fields func(*T) []field, what string) {
	if !d.want(n, kindArray) {
		return
	}
	*to = []*T{}
	for _, m := range n.members {
		item := new(T)
		*to = append(*to, item)
		d.members(m, fields(item), what)
	}
}

func (d *decoder) processor(n *node, p *processor) {
	m := &Machine{}
	*p.machine = m
	fields := m.fields(true)
	d.object(n, "an item processor", func(member *node) bool {
		if member.key == "ProcessorConfig" {
			d.members(member, []field{{"Mode", p.mode, nil}, {"ExecutionType", p.executionType, nil}}, "a processor configuration")
			return true
		}
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == member.key })
		if i >= 0 {
			d.into(member, fields[i].ref)
		}
		return i >= 0
	})
}
