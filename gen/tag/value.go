package tag

import (
	"fmt"
	"go/token"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mlmax/mlmax/gen/diag"
)

// A Val is one value of a tag. One that was not written has no position.
type Val[T any] struct {
	V    T
	Text Text // as written
}

// Set reports whether the value was written.
func (v Val[T]) Set() bool { return v.Text.Pos().IsValid() }

// Pos is the position of the value's first character.
func (v Val[T]) Pos() token.Pos { return v.Text.Pos() }

// End is the position just past the value.
func (v Val[T]) End() token.Pos { return v.Text.End() }

// GiB is the size of a volume.
type GiB int

// An Assignment is one Left=Right.
type Assignment struct{ Left, Right Val[string] }

// Assignments are the value of set or bind: "A=B,C=D".
type Assignments []Assignment

// Names are the value of after: "A,B".
type Names []Val[string]

// Only is the value of only: "Mode=infer".
type Only Assignment

// setter is what a field of a directive can do: take a value.
type setter interface {
	set(Text) *Problem
	written() bool
}

func (v *Val[T]) written() bool      { return v.Set() }
func (a *Assignments) written() bool { return len(*a) > 0 }
func (n *Names) written() bool       { return len(*n) > 0 }
func (o *Only) written() bool        { return o.Left.Set() }

// set leaves a value that cannot be read as if it had not been written: nobody is
// to judge it any further.
func (v *Val[T]) set(t Text) *Problem {
	problem := v.parse(t)
	if problem == nil {
		v.Text = t
	}
	return problem
}

func (v *Val[T]) parse(t Text) *Problem {
	switch p := any(&v.V).(type) {
	case *string:
		*p = t.S
	case *bool:
		return setBool(p, t)
	case *int:
		return setInt(p, t)
	case *float64:
		return setFloat(p, t)
	case *time.Duration:
		return setDuration(p, t)
	case *GiB:
		return setSize(p, t)
	case *[]string:
		return setList(p, t)
	default:
		panic(fmt.Sprintf("tag: no way to read a %T", p))
	}
	return nil
}

func setBool(p *bool, t Text) *Problem {
	if t.S != "true" && t.S != "false" {
		return bad(t, "%q is neither true nor false", `write "true" or "false"`)
	}
	*p = t.S == "true"
	return nil
}

func setInt(p *int, t Text) *Problem {
	n, err := strconv.Atoi(t.S)
	if err != nil {
		return bad(t, "%q is not a whole number", `write digits, such as "2"`)
	}
	*p = n
	return nil
}

func setFloat(p *float64, t Text) *Problem {
	f, err := strconv.ParseFloat(t.S, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return bad(t, "%q is not a number", `write a decimal number, such as "0.5"`)
	}
	*p = f
	return nil
}

func setDuration(p *time.Duration, t Text) *Problem {
	d, err := time.ParseDuration(t.S)
	switch {
	case err != nil:
		return bad(t, "%q is not a duration", `write a number and h, m or s, such as "20m" or "1h30m"`)
	case d <= 0:
		return bad(t, "duration %q is not positive", `write a duration above zero, such as "20m"`)
	case d%time.Second != 0:
		return bad(t, "duration %q is no whole number of seconds", `round it to a second, such as "90s"`)
	}
	*p = d
	return nil
}

func setSize(p *GiB, t Text) *Problem {
	digits, unit := t.S, 0
	if s, ok := strings.CutSuffix(t.S, "GiB"); ok {
		digits, unit = s, 1
	} else if s, ok := strings.CutSuffix(t.S, "TiB"); ok {
		digits, unit = s, 1024
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || unit == 0 || n == 0 || n > math.MaxInt32/1024 {
		return bad(t, "%q is not a size", `write a whole number with GiB or TiB, such as "50GiB"`)
	}
	*p = GiB(int(n) * unit)
	return nil
}

func setList(p *[]string, t Text) *Problem {
	seen := map[string]bool{}
	for _, part := range t.Split(',') {
		if part.S == "" {
			return bad(part, "the list has an empty member", "remove the comma that has nothing beside it")
		}
		if seen[part.S] {
			return bad(part, "%q is there twice", "remove one of the two")
		}
		seen[part.S] = true
		*p = append(*p, part.S)
	}
	return nil
}

func (n *Names) set(t Text) *Problem {
	for _, part := range t.Split(',') {
		if part.S == "" {
			return bad(part, "the list has an empty member", "remove the comma that has nothing beside it")
		}
		if slices.ContainsFunc(*n, func(v Val[string]) bool { return v.V == part.S }) {
			return bad(part, "%q is there twice", "remove one of the two")
		}
		*n = append(*n, Val[string]{part.S, part})
	}
	return nil
}

func (a *Assignments) set(t Text) *Problem {
	for _, part := range t.Split(',') {
		one, problem := assignment(part)
		if problem != nil {
			return problem
		}
		*a = append(*a, one)
	}
	return nil
}

func (o *Only) set(t Text) *Problem {
	one, problem := assignment(t.Trim())
	if problem == nil && strings.ContainsAny(one.Right.V, ",=") {
		problem = bad(one.Right.Text, "%q is more than one value", `name one field and one value, such as "Mode=infer"`)
	}
	*o = Only(one)
	return problem
}

func assignment(t Text) (Assignment, *Problem) {
	left, right, ok := t.Cut('=')
	if !ok || left.S == "" || right.S == "" {
		return Assignment{}, bad(t, "%q is not of the form Name=value", `write the two sides of an equals sign, such as "Mode=infer"`)
	}
	return Assignment{Val[string]{left.S, left}, Val[string]{right.S, right}}, nil
}

// bad is a value that is not of its key's type. An empty one is pointed at by its
// closing quote.
func bad(t Text, format, hint string) *Problem {
	message := format
	if strings.Contains(format, "%q") {
		message = fmt.Sprintf(format, t.S)
	}
	return &Problem{Pos: t.Pos(), End: t.End(), Code: diag.BadValue, Message: message, Hint: hint}
}
