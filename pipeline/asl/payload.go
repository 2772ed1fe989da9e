package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

// The sizes of what a state passes on, and of variables (Step Functions quotas).
const (
	maxPayload   = 256 << 10
	maxVariables = 10 << 20
)

// A value is JSON text and, once an expression has needed it, what JSONata makes
// of it. It belongs to one goroutine.
type value struct {
	raw     json.RawMessage
	decoded any
}

// jsonata is the value for an expression. Its text is valid JSON by now.
func (v *value) jsonata() any {
	if v.decoded == nil {
		decoded, err := decodeJSON(v.raw)
		if err != nil {
			panic("asl: a payload that is not JSON: " + err.Error())
		}
		v.decoded = decoded
	}
	return v.decoded
}

// A failure is an error of the language on its way up, with what the history
// says of it.
type failure struct {
	err   *Error
	state string
	// evaluated says that an EvaluationFailed event belongs to it; location is
	// the field, or empty.
	evaluated bool
	location  string
	// afterEntry says that this event follows the one of the state's entry, not
	// the one before it.
	afterEntry bool
}

func (f *failure) Error() string { return f.err.Error() }

// evaluationError is a States.QueryEvaluationError, framed as Step Functions
// frames runtime errors.
func (f *frame) evaluationError(location, format string, args ...any) *failure {
	cause := fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). ", f.state.Name, f.entered) +
		fmt.Sprintf(format, args...)
	return &failure{err: Fail(ErrorQueryEvaluation, cause), state: f.state.Name, evaluated: true, location: location}
}

// tooLarge is a States.DataLimitExceeded; who is the state or its resource.
func (f *frame) tooLarge(who string) *failure {
	return &failure{state: f.state.Name, err: Fail(ErrorDataLimitExceeded,
		fmt.Sprintf("The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", who))}
}

// payload evaluates a value of the model: expressions wherever they stand in it.
func (t *thread) payload(ctx context.Context, f *frame, location string, v any) (json.RawMessage, error) {
	return t.appendPayload(ctx, f, nil, location, v)
}

func (t *thread) appendPayload(ctx context.Context, f *frame, b []byte, location string, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		source, is := expression(v)
		if !is {
			return appendString(b, v), nil
		}
		result, err := t.evaluate(ctx, f, location, source)
		if err != nil {
			return nil, err
		}
		if b, err = appendResult(b, result); err != nil {
			return nil, f.evaluationError(location, "The JSONata expression '%s' specified for the field '%s' returned an unsupported result type.", source, location)
		}
		return b, nil
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = t.appendPayload(ctx, f, b, location+"["+strconv.Itoa(i)+"]", item); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case Object:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, m.Key), ':')
			var err error
			if b, err = t.appendPayload(ctx, f, b, location+"/"+m.Key, m.Value); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	return appendJSON(b, v)
}

// evaluate runs an expression; its result is defined.
func (t *thread) evaluate(ctx context.Context, f *frame, location, source string) (any, error) {
	p, err := t.x.programs.get(source)
	if err != nil {
		return nil, f.evaluationError(location, "The JSONata expression '%s' specified for the field '%s' threw an error during evaluation. %s", source, location, err)
	}
	t.jsonata.bind("states", t.states(f))
	result, err := t.jsonata.eval(ctx, p)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, f.evaluationError(location, "The JSONata expression '%s' specified for the field '%s' threw an error during evaluation. %s", source, location, evaluationMessage(err))
	case result == nil:
		return nil, f.evaluationError(location, "The JSONata expression '%s' specified for the field '%s' returned nothing (undefined).", source, location)
	}
	return result, nil
}

// typed evaluates a field that must be of one JSON type.
func (t *thread) typed(ctx context.Context, f *frame, location string, v any, want string) (any, error) {
	source, is := expression(v)
	if !is {
		return v, nil
	}
	result, err := t.evaluate(ctx, f, location, source)
	if err != nil {
		return nil, err
	}
	if got := typeName(result); got != want {
		shown, err := appendResult(nil, result)
		if err != nil {
			return nil, f.evaluationError(location, "The JSONata expression '%s' specified for the field '%s' returned an unsupported result type.", source, location)
		}
		return nil, f.evaluationError(location, "The JSONata expression '%s' specified for the field '%s' returned an unexpected result type. Expected '%s', but was '%s' for value: %s",
			source, location, want, got, shown)
	}
	return result, nil
}

// whole evaluates a field that is an integer of at least least; 0 is absent.
func (t *thread) whole(ctx context.Context, f *frame, location string, v any, least int) (int, error) {
	if v == nil {
		return 0, nil
	}
	result, err := t.typed(ctx, f, location, v, "number")
	if err != nil {
		return 0, err
	}
	n, ok := integer(result)
	if !ok || n < least || n > maxSeconds {
		shown, _ := appendResult(nil, result)
		return 0, f.evaluationError(location, "The %s field must be an integer of at least %d: %s", location, least, shown)
	}
	return n, nil
}
