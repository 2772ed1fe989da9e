// Package limits is what the AWS APIs accept: how long a name may be, how many
// inputs a job may have, which instance types there are. The name of a shape of
// the service model goes in, its bounds or values come out. The table is made
// from the service models that botocore ships (`make limits`), not typed by
// hand; [Source] says from which. The package imports nothing but the standard
// library and reads nothing but its embedded table.
package limits

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sync"
)

//go:embed limits.json
var data []byte

// A Bound is what a shape allows: the length of a string, the number of members
// of a list or map, or the value of a number.
type Bound struct {
	// Min and Max are inclusive; a nil one is not bounded.
	Min *int64 `json:"min,omitempty"`
	Max *int64 `json:"max,omitempty"`
	// Pattern is a regular expression for the whole of a string, or empty.
	Pattern string `json:"pattern,omitempty"`
	// Enum are the values there are, sorted, or nil.
	Enum []string `json:"enum,omitempty"`
}

// Allows reports whether n, a length, a count or a value, is within the bound.
func (b Bound) Allows(n int) bool {
	return (b.Min == nil || int64(n) >= *b.Min) && (b.Max == nil || int64(n) <= *b.Max)
}

// Matches reports whether the whole of a string matches the pattern, if there is
// one.
func (b Bound) Matches(s string) bool {
	if b.Pattern == "" {
		return true
	}
	re, ok := compiled.Load(b.Pattern)
	if !ok {
		re, _ = compiled.LoadOrStore(b.Pattern, regexp.MustCompile(`^(?:`+b.Pattern+`)$`))
	}
	return re.(*regexp.Regexp).MatchString(s)
}

var compiled sync.Map // pattern to *regexp.Regexp

// table is the file limits.json.
type table struct {
	Source string           `json:"source"`
	Shapes map[string]Bound `json:"shapes"`
}

var load = sync.OnceValue(func() *table {
	t := new(table)
	if err := json.Unmarshal(data, t); err != nil {
		panic(fmt.Sprintf("limits: the embedded table is broken: %v", err))
	}
	return t
})

// Source names what the table was made from, such as "botocore 1.43.11".
func Source() string { return load().Source }

// Of returns the bounds of a shape: of SageMaker's by its name in the service
// model ("ProcessingJobName"), of another service's with the service before it
// ("stepfunctions.Name"). A shape that is not in the table is a mistake of the
// caller's, and panics.
func Of(shape string) Bound {
	b, ok := load().Shapes[shape]
	if !ok {
		panic(fmt.Sprintf("limits: shape %q is not in the table; is it in gen/limits/internal/model?", shape))
	}
	return b
}

// Enum returns the values of a shape, such as "TrainingInstanceType", sorted.
func Enum(shape string) []string { return Of(shape).Enum }

// InEnum reports whether the value is one of the shape's.
func InEnum(shape, value string) bool {
	_, ok := slices.BinarySearch(Of(shape).Enum, value)
	return ok
}
