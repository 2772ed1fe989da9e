package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/recolabs/gnata"
)

// Step Functions evaluates JSONata 2.0.6, to which a number is a double however it
// was written: 1.0 and 1e0 are 1, and $string keeps 15 significant digits of it.
// gnata keeps the digits of the input, so that a machine would hand other text to a
// step on the laptop than on AWS. Values are therefore normalised when an
// expression first sees them, and $string is our own. What no expression touches
// stays as it was written, and a whole number that a double cannot hold stays
// exact: it is an identifier rather than a quantity, and rounding it helps nobody.
// The operator & is gnata's own and shows all digits of a number of 16 or more.

// decodeJSON makes of JSON text what expressions work on.
func decodeJSON(raw json.RawMessage) (any, error) {
	v, err := gnata.DecodeJSON(raw)
	if err != nil {
		return nil, err
	}
	return normalise(v), nil
}

// normalise turns numbers into doubles, in place.
func normalise(v any) any {
	switch v := v.(type) {
	case json.Number:
		return double(v)
	case []any:
		for i := range v {
			v[i] = normalise(v[i])
		}
	case object:
		for _, key := range v.Keys() {
			if member, _ := v.Get(key); mayHoldNumbers(member) {
				v.Set(key, normalise(member))
			}
		}
	}
	return v
}

func mayHoldNumbers(v any) bool {
	switch v.(type) {
	case string, bool:
		return false
	}
	return true
}

// double is a number as JavaScript reads it, infinity where it is too large, unless it
// would lose digits of a whole one.
func double(n json.Number) any {
	f, _ := n.Float64() // its only error is that of being too large
	if !strings.ContainsAny(string(n), ".eE") && math.Abs(f) >= 1<<53 {
		return n
	}
	return f + 0 // -0 is 0
}

// stringOf is $string (docs.jsonata.org, string functions).
func stringOf(args []any, focus any) (any, error) {
	v, pretty := focus, false
	if len(args) > 0 {
		v = args[0]
	}
	if len(args) == 2 && args[1] != nil { // $map gives three
		is := false
		if pretty, is = args[1].(bool); !is {
			return nil, errors.New(`T0410: Argument 2 of function "string" must be a boolean`)
		}
	}
	switch v = rounded(v); v := v.(type) {
	case nil, string:
		return v, nil
	}
	text, err := appendResult(nil, v)
	if err != nil {
		return nil, errors.New("D3001: Attempting to invoke string function on Infinity or NaN")
	}
	if pretty {
		var out bytes.Buffer
		if err := json.Indent(&out, text, "", "  "); err != nil {
			return nil, fmt.Errorf("indent what was just written: %w", err)
		}
		text = out.Bytes()
	}
	return string(text), nil
}

// rounded is a copy in which numbers have 15 significant digits, and functions are
// empty strings.
func rounded(v any) any {
	switch v := v.(type) {
	case nil, bool, string, json.Number:
		return v
	case float64:
		f, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
		if err != nil {
			return v // rounded up past the largest
		}
		return f
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = rounded(v[i])
		}
		return list
	case object:
		out := newObject()
		for _, key := range v.Keys() {
			member, _ := v.Get(key)
			out.Set(key, rounded(member))
		}
		return out
	}
	if gnata.IsNull(v) {
		return v
	}
	if plain := gnata.NormalizeValue(v); reflect.TypeOf(plain) != reflect.TypeOf(v) {
		return rounded(plain) // a sequence
	}
	return ""
}
