package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// Get returns the value of a member, and whether there is one.
func (o Object) Get(key string) (any, bool) {
	for _, m := range o {
		if m.Key == key {
			return m.Value, true
		}
	}
	return nil, false
}

// MarshalJSON writes the members in order, compact and without HTML escapes.
func (o Object) MarshalJSON() ([]byte, error) { return appendJSON(nil, o) }

// UnmarshalJSON reads an object as Decode has it: nested objects are Objects,
// numbers json.Number. Of duplicate keys it wants none.
func (o *Object) UnmarshalJSON(b []byte) error {
	n, err := parseJSON(b)
	if err != nil {
		return err
	}
	if n.kind != kindObject {
		return fmt.Errorf("read an object: got %s", n.kind)
	}
	if dup := n.duplicate(); dup != "" {
		return fmt.Errorf("read an object: duplicate key %q", dup)
	}
	*o = n.value().(Object)
	return nil
}

// MarshalJSON writes null.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// appendJSON writes a value of the model as compact JSON.
func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil, null:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return appendString(b, v), nil
	case json.Number:
		return appendNumber(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		return appendFloat(b, v)
	case []any:
		return appendList(b, v)
	case []string:
		return appendList(b, v)
	case Object:
		return appendObject(b, v)
	case json.RawMessage:
		return append(b, v...), nil
	}
	return nil, fmt.Errorf("write JSON: a %T is not a JSON value", v)
}

func appendList[T any](b []byte, list []T) ([]byte, error) {
	var err error
	b = append(b, '[')
	for i, item := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendJSON(b, item); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendObject(b []byte, o Object) ([]byte, error) {
	var err error
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, m.Key), ':')
		if b, err = appendJSON(b, m.Value); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// appendNumber writes a number as it was read: nothing is computed, nothing lost.
func appendNumber(b []byte, n json.Number) ([]byte, error) {
	if !json.Valid([]byte(n)) || n == "" || (n[0] != '-' && (n[0] < '0' || n[0] > '9')) {
		return nil, fmt.Errorf("write JSON: %q is not a number", string(n))
	}
	return append(b, n...), nil
}

// appendFloat writes a computed number as JavaScript does: 1 for 1.0, digits up
// to 1e21, the shortest that reads back the same.
func appendFloat(b []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, errors.New("write JSON: a number that is not finite is not JSON")
	}
	if f == 0 { // also -0
		return append(b, '0'), nil
	}
	text, err := json.Marshal(f)
	return append(b, text...), err
}

// appendString quotes s. encoding/json does the rare cases.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			var buf bytes.Buffer
			e := json.NewEncoder(&buf)
			e.SetEscapeHTML(false)
			if err := e.Encode(s); err != nil {
				panic("asl: a string that is not JSON: " + err.Error())
			}
			return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
