package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// A shape is what a member of a request may hold, as the service's model has it.
// Step Functions knows names and types, and fails the execution over them with
// States.Runtime; lengths, ranges and patterns are the service's own to refuse.
type shape interface {
	check(path string, value any) error
}

// A boundError is a value of the right type that the service would refuse.
type boundError struct{ path, constraint string }

func (e *boundError) Error() string {
	return fmt.Sprintf("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must %s", e.path, e.constraint)
}

// runtimeError is the failure that neither Retry nor Catch sees.
func runtimeError(format string, args ...any) error {
	return asl.Fail(asl.ErrorRuntime, fmt.Sprintf(format, args...))
}

// decode checks a request against its shape and stores it in target. Refusals by
// the service itself fail under refused, the name of that service's error.
func decode(request json.RawMessage, s structure, refused string, target any) error {
	d := json.NewDecoder(bytes.NewReader(request))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return runtimeError("the arguments are not JSON: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return runtimeError("the arguments are more than one JSON value")
	}
	if err := s.check("", value); err != nil {
		if bound, ok := err.(*boundError); ok {
			return asl.Fail(refused, bound.Error())
		}
		return err
	}
	if err := json.Unmarshal(request, target); err != nil {
		return fmt.Errorf("decode a checked request: %w", err)
	}
	return nil
}

// structure is an object with known members.
type structure map[string]member

type member struct {
	shape    shape
	required bool
}

func must(s shape) member { return member{shape: s, required: true} }
func may(s shape) member  { return member{shape: s} }

func (s structure) check(path string, value any) error {
	object, ok := value.(map[string]any)
	if !ok {
		return wrongType(path, "an object")
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		m, ok := s[name]
		if !ok {
			return runtimeError("The field %q is not supported by Step Functions", name)
		}
		if err := m.shape.check(join(path, name), object[name]); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if _, ok := object[name]; !ok && s[name].required {
			return runtimeError("The field %q is required but was missing", name)
		}
	}
	return nil
}

// list is an array.
type list struct {
	of       shape
	min, max int
}

func (s list) check(path string, value any) error {
	items, ok := value.([]any)
	if !ok {
		return wrongType(path, "an array")
	}
	if err := lengthBetween(path, len(items), s.min, s.max); err != nil {
		return err
	}
	for i, item := range items {
		if err := s.of.check(join(path, strconv.Itoa(i+1)), item); err != nil {
			return err
		}
	}
	return nil
}

// dict is an object with free keys.
type dict struct {
	key, value text
	min, max   int
}

func (s dict) check(path string, value any) error {
	object, ok := value.(map[string]any)
	if !ok {
		return wrongType(path, "an object")
	}
	if err := lengthBetween(path, len(object), s.min, s.max); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if err := s.key.check(path, key); err != nil {
			return err
		}
		if err := s.value.check(join(path, key), object[key]); err != nil {
			return err
		}
	}
	return nil
}

// text is a string.
type text struct {
	min, max int
	pattern  func() *regexp.Regexp
	enum     []string
}

func (s text) check(path string, value any) error {
	v, ok := value.(string)
	if !ok {
		return wrongType(path, "a string")
	}
	if err := lengthBetween(path, utf8.RuneCountInString(v), s.min, s.max); err != nil {
		return err
	}
	if s.pattern != nil && !s.pattern().MatchString(v) {
		return &boundError{path, "satisfy regular expression pattern: " + s.pattern().String()}
	}
	if s.enum != nil && !slices.Contains(s.enum, v) {
		return &boundError{path, "satisfy enum value set: [" + strings.Join(s.enum, ", ") + "]"}
	}
	return nil
}

// integer is a whole number.
type integer struct{ min, max int64 }

func (s integer) check(path string, value any) error {
	v, ok := value.(json.Number)
	if !ok {
		return wrongType(path, "a number")
	}
	n, err := v.Int64()
	if err != nil {
		f, ferr := v.Float64()
		if ferr != nil || f != float64(int64(f)) {
			return wrongType(path, "a whole number")
		}
		n = int64(f)
	}
	if n < s.min {
		return &boundError{path, fmt.Sprintf("have value greater than or equal to %d", s.min)}
	}
	if s.max > 0 && n > s.max {
		return &boundError{path, fmt.Sprintf("have value less than or equal to %d", s.max)}
	}
	return nil
}

// boolean is true or false.
type boolean struct{}

func (boolean) check(path string, value any) error {
	if _, ok := value.(bool); !ok {
		return wrongType(path, "a boolean")
	}
	return nil
}

// anything is any JSON value.
type anything struct{}

func (anything) check(string, any) error { return nil }

func wrongType(path, want string) error {
	if path == "" {
		path = "Arguments"
	}
	return runtimeError("The value for the field %q must be %s", path, want)
}

func lengthBetween(path string, n, min, max int) error {
	if n < min {
		return &boundError{path, fmt.Sprintf("have length greater than or equal to %d", min)}
	}
	if max > 0 && n > max {
		return &boundError{path, fmt.Sprintf("have length less than or equal to %d", max)}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
