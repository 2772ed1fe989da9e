package awsfake

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// readExact reads a request in JSON. A member that the operation does not have, or whose
// letters are large or small where they are not, is refused: AWS would pass over it, and
// a client that sends it means something by it.
func readExact(body []byte, in any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return refusal("SerializationException", "%v", err)
	}
	var raw any
	if err := json.Unmarshal(body, &raw); err != nil {
		return refusal("SerializationException", "%v", err)
	}
	return exact(raw, reflect.TypeOf(in))
}

// exact holds the names of members to a type's.
func exact(raw any, t reflect.Type) error {
	if t.Kind() == reflect.Pointer {
		return exact(raw, t.Elem())
	}
	switch v := raw.(type) {
	case []any:
		for _, one := range v {
			if t.Kind() == reflect.Slice {
				if err := exact(one, t.Elem()); err != nil {
					return err
				}
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return nil
		}
		for name, value := range v {
			field, ok := memberOf(t, name)
			if !ok {
				return refusal("SerializationException", "awsfake: there is no member %q", name)
			}
			if err := exact(value, field.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

// memberOf finds the field of a member.
func memberOf(t reflect.Type, name string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		field := t.Field(i)
		if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag == name || tag == "" && field.Name == name {
			return field, true
		}
	}
	return reflect.StructField{}, false
}
