package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/recolabs/gnata"
)

// A jsonata evaluates expressions for one goroutine: making the environment
// costs twenty times an evaluation, so it is made once and bound anew.
type jsonata struct {
	bind func(name string, value any)
	eval func(context.Context, *program) (any, error)
}

func newJSONata(rand func() float64, clock Clock) *jsonata {
	env := gnata.NewCustomEnv(map[string]gnata.CustomFunc{
		"states": func([]any, any) (any, error) { return nil, nil },
	})
	j := &jsonata{bind: env.Bind}
	j.eval = func(ctx context.Context, p *program) (v any, err error) {
		defer func() {
			if r := recover(); r != nil {
				v, err = nil, fmt.Errorf("the evaluator failed: %v", r)
			}
		}()
		return p.code.EvalWithCustomFuncs(ctx, nil, env)
	}
	j.bindFunctions(rand, clock)
	return j
}

// bindFunctions adds the functions of Step Functions. gnata's own way to add
// some turns their arguments into plain maps, which loses null and the order of
// keys; so they are bound as the type that its built-in functions have, which
// has no name outside of it.
func (j *jsonata) bindFunctions(rand func() float64, clock Clock) {
	sample, err := j.eval(context.Background(), anyFunction)
	if err != nil {
		panic("asl: look up a function: " + err.Error())
	}
	builtin := reflect.TypeOf(sample)
	for _, f := range functions(rand, clock) {
		j.bind(f.name, reflect.ValueOf(f.call).Convert(builtin).Interface())
	}
	j.bindNow()
	j.bind("eval", nil) // not there on Step Functions
	j.bind("states", nil)
}

var anyFunction = mustCompile("$states")

// bindNow puts $now on the injected clock, by way of $millis.
func (j *jsonata) bindNow() {
	now, err := j.eval(context.Background(), nowFunction)
	if err != nil {
		panic("asl: make $now: " + err.Error())
	}
	j.bind("now", now)
}

var nowFunction = mustCompile(`function($picture, $timezone) { $fromMillis($millis(), $picture, $timezone) }`)

func mustCompile(source string) *program {
	p, err := compile(source)
	if err != nil {
		panic("asl: compile " + source + ": " + err.Error())
	}
	return p
}

// An object is what gnata has for a JSON object: it keeps the order of keys.
type object interface {
	Set(key string, value any)
	Keys() []string
	Get(key string) (any, bool)
}

func mustDecode(text string) any {
	v, err := gnata.DecodeJSON(json.RawMessage(text))
	if err != nil {
		panic("asl: decode " + text + ": " + err.Error())
	}
	return v
}

func newObject() object { return mustDecode("{}").(object) }

// errNotJSON is the result of an expression that JSON cannot hold: a function.
var errNotJSON = errors.New("not a JSON value")

// appendResult writes the result of an expression as JSON.
func appendResult(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool, string, float64, int, int64:
		return appendJSON(b, v)
	case json.Number:
		if v == "-0" {
			return append(b, '0'), nil
		}
		return appendJSON(b, v)
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendResult(b, item); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case object:
		return appendResultObject(b, v.Keys(), v.Get)
	case map[string]any:
		get := func(key string) (any, bool) { return v[key], true }
		return appendResultObject(b, slices.Sorted(maps.Keys(v)), get)
	}
	if gnata.IsNull(v) {
		return append(b, "null"...), nil
	}
	if plain := gnata.NormalizeValue(v); reflect.TypeOf(plain) != reflect.TypeOf(v) {
		return appendResult(b, plain) // a sequence
	}
	return nil, errNotJSON
}

func appendResultObject(b []byte, keys []string, get func(string) (any, bool)) ([]byte, error) {
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, key), ':')
		v, _ := get(key)
		var err error
		if b, err = appendResult(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// typeName is the JSON type of a result in the words of Step Functions.
func typeName(v any) string {
	switch v.(type) {
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64, json.Number, int, int64:
		return "number"
	case []any:
		return "array"
	case object, map[string]any:
		return "object"
	}
	return "null"
}

// evaluationMessage is an error of gnata in the words of JSONata's reference,
// where the words hold no names.
func evaluationMessage(err error) string {
	text := err.Error()
	if strings.HasPrefix(text, "T1006:") {
		return "T1006: Attempted to invoke a non-function"
	}
	return text
}
