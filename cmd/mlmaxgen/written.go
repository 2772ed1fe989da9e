package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// written turns specs into what show --json prints: positions as one string each,
// with paths relative to the folder, and nothing that was not written.
func written(specs []*ir.Spec, dir string) []any {
	all := make([]any, 0, len(specs))
	for _, s := range specs {
		all = append(all, plain(reflect.ValueOf(s), dir))
	}
	return all
}

func plain(v reflect.Value, dir string) any {
	if at, ok := v.Interface().(token.Position); ok {
		return place(at, dir)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem(), dir)
	case reflect.Slice:
		list := make([]any, 0, v.Len())
		for i := range v.Len() {
			list = append(list, plain(v.Index(i), dir))
		}
		return list
	case reflect.Struct:
		return object(v, dir)
	case reflect.String:
		if filepath.IsAbs(v.String()) {
			return relative(v.String(), dir)
		}
	}
	if d, ok := v.Interface().(fmt.Stringer); ok {
		return d.String() // a duration
	}
	return v.Interface()
}

// members is a JSON object whose keys are in the order of the struct's fields.
type members []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (m members) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", one.name)
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(one.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// object leaves out what is zero, and of an artifact or step that is told
// elsewhere in full all but its name.
func object(v reflect.Value, dir string) any {
	m := members{}
	for i := range v.NumField() {
		f, value := v.Type().Field(i), v.Field(i)
		// A value is there though it is zero: what was not written has no place, and
		// was left out as a whole.
		if value.IsZero() && f.Name != "V" || f.Name == "End" {
			continue
		}
		switch whole := value.Interface().(type) {
		case *ir.Artifact:
			m = append(m, member{f.Name, whole.Name})
		case *ir.Step:
			m = append(m, member{f.Name, whole.Name})
		default:
			m = append(m, member{f.Name, plain(value, dir)})
		}
	}
	return m
}

func place(at token.Position, dir string) string {
	at.Filename = relative(at.Filename, dir)
	return at.String()
}

func relative(name, dir string) string {
	rel, err := filepath.Rel(dir, name)
	if err != nil || strings.HasPrefix(rel, "..") {
		return filepath.ToSlash(name)
	}
	return filepath.ToSlash(rel)
}
