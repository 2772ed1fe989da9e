package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Encode writes the machine as JSON with an indent of two spaces, states and
// members in order, and a newline at the end: the same machine, the same bytes.
// It is the inverse of [Decode].
func Encode(m *Machine) ([]byte, error) {
	compact, err := m.appendJSON()
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := json.Indent(&buf, compact, "", "  "); err != nil {
		return nil, fmt.Errorf("indent the machine: %w", err)
	}
	buf.WriteByte('\n')
	return buf.Bytes(), nil
}

// MarshalJSON writes the machine in the order of [Encode]. encoding/json puts
// HTML escapes into what it returns, as into all.
func (m Machine) MarshalJSON() ([]byte, error) { return m.appendJSON() }

// Object is the machine as a JSON object, for a larger document that holds it.
func (m *Machine) Object() (Object, error) { return encodeFields(m.fields(false)) }

func (m *Machine) appendJSON() ([]byte, error) {
	o, err := m.Object()
	if err != nil {
		return nil, fmt.Errorf("encode the machine: %w", err)
	}
	b, err := appendJSON(nil, o)
	if err != nil {
		return nil, fmt.Errorf("encode the machine: %w", err)
	}
	return b, nil
}

// encodeFields makes an object of the fields that are there.
func encodeFields(fields []field) (Object, error) {
	var o Object
	for _, f := range fields {
		v, err := encodeRef(f.ref)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if v != nil {
			o = append(o, Member{f.name, v})
		}
	}
	return o, nil
}

// encodeRef returns what a place of the model holds as a JSON value, or nil
// where the member is absent.
func encodeRef(ref any) (any, error) {
	switch ref := ref.(type) {
	case *any:
		return *ref, nil
	case *string:
		return present(*ref, *ref != ""), nil
	case *bool:
		return present(*ref, *ref), nil
	case *int:
		return present(*ref, *ref != 0), nil
	case **int:
		if *ref == nil {
			return nil, nil
		}
		return **ref, nil
	case **float64:
		if *ref == nil {
			return nil, nil
		}
		return **ref, nil
	case *Object:
		return present(*ref, *ref != nil), nil
	case *[]string:
		return present(*ref, *ref != nil), nil
	case *stateList:
		return encodeStates(*ref)
	case *[]*Machine:
		return encodeList(*ref, func(m *Machine) []field { return m.fields(true) })
	case *[]*Choice:
		return encodeList(*ref, (*Choice).fields)
	case *[]*Retrier:
		return encodeList(*ref, (*Retrier).fields)
	case *[]*Catcher:
		return encodeList(*ref, (*Catcher).fields)
	case *processor:
		return encodeProcessor(ref)
	}
	panic(fmt.Sprintf("asl: a field of type %T has no encoding", ref))
}

func present(v any, is bool) any {
	if !is {
		return nil
	}
	return v
}

func encodeStates(states stateList) (any, error) {
	o := make(Object, 0, len(states))
	for _, s := range states {
		v, err := encodeFields(s.fields())
		if err != nil {
			return nil, fmt.Errorf("%q: %w", s.Name, err)
		}
		o = append(o, Member{s.Name, v})
	}
	return o, nil
}

func encodeList[T any](list []*T, fields func(*T) []field) (any, error) {
	if list == nil {
		return nil, nil
	}
	out := make([]any, 0, len(list))
	for i, item := range list {
		o, err := encodeFields(fields(item))
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		out = append(out, o)
	}
	return out, nil
}

func encodeProcessor(p *processor) (any, error) {
	if *p.machine == nil {
		return nil, nil
	}
	o, err := encodeFields((*p.machine).fields(true))
	if err != nil {
		return nil, err
	}
	var config Object
	if *p.mode != "" {
		config = append(config, Member{"Mode", *p.mode})
	}
	if *p.executionType != "" {
		config = append(config, Member{"ExecutionType", *p.executionType})
	}
	if config != nil {
		o = append(Object{{"ProcessorConfig", config}}, o...)
	}
	return o, nil
}
