package check

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// valueRules judge parameters: their bounds, their defaults, and what set and
// only say of them.
var valueRules = []Rule{
	{Code: diag.OutOfRange, Doc: "bounds leave room for a value", run: emptyRange},
	{Code: diag.BadDefault, Doc: "a default obeys its own type, enum, bounds and pattern", run: badDefault},
	{Code: diag.BadPattern, Doc: "a pattern means the same here and in JSONata", run: badPattern},
	{Code: diag.BadSet, Doc: "set names a parameter of the step and a value that fits it", run: badSet},
	{Code: diag.BadOnly, Doc: "only names a parameter with an enum and one of its values", run: badOnly},
	{Code: diag.OpenMode, Doc: "a step with modes is used in one of them", run: openMode},
	{Code: diag.MisplacedBound, Doc: "enum and pattern bound strings, min and max numbers", run: misplacedBound},
}

// params calls f for every parameter that the package declares.
func (p *pass) params(f func(x *ir.Param)) {
	for _, s := range p.spec.Steps {
		for _, x := range s.Params {
			f(x)
		}
	}
	for _, pipe := range p.spec.Pipelines {
		for _, x := range pipe.Params {
			f(x)
		}
	}
}

// parse reads text as a value of the type, as the tag's reader does.
func parse(t ir.Type, text string) (any, bool) {
	switch t {
	case ir.String:
		return text, true
	case ir.Bool:
		return text == "true", text == "true" || text == "false"
	case ir.Int:
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	case ir.Float:
		f, err := strconv.ParseFloat(text, 64)
		return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	return nil, false
}

// exact is the greatest whole number up to which all are exact in JSON as every
// reader has it, JSONata's included: 2^53 - 1.
const exact = 1<<53 - 1

// misfit says why the text cannot be a value of the parameter, or nothing.
func misfit(x *ir.Param, text string) (message, hint string) {
	v, ok := parse(x.Type, text)
	if !ok {
		return fmt.Sprintf("%q is not %s", text, article(x.Type)), example(x.Type)
	}
	n, number := 0.0, false
	switch v := v.(type) {
	case int64:
		if v > exact || v < -exact {
			return fmt.Sprintf("%s cannot be held exactly in JSON", text), fmt.Sprintf("stay between -%d and %d", exact, exact)
		}
		n, number = float64(v), true
	case float64:
		n, number = v, true
	case string:
		if x.Enum.Written() && !slices.Contains(x.Enum.V, v) {
			return fmt.Sprintf("%q is not one of %s", v, strings.Join(x.Enum.V, ", ")), diag.DidYouMean(v, x.Enum.V)
		}
		if re, err := wholePattern(x.Pattern.V); x.Pattern.Written() && err == nil && !re.MatchString(v) {
			return fmt.Sprintf("%q does not match the pattern %q", v, x.Pattern.V), ""
		}
	}
	if number && emptyBounds(x) {
		return "", "" // no number fits, which is what is wrong
	}
	if number && x.Min.Written() && n < x.Min.V {
		return fmt.Sprintf("%s is less than the minimum %v", text, x.Min.V), ""
	}
	if number && x.Max.Written() && n > x.Max.V {
		return fmt.Sprintf("%s is more than the maximum %v", text, x.Max.V), ""
	}
	return "", ""
}

// article is a type with its article.
func article(t ir.Type) string {
	if t == ir.Int {
		return "an int"
	}
	return "a " + string(t)
}

func example(t ir.Type) string {
	switch t {
	case ir.Bool:
		return `write "true" or "false"`
	case ir.Int:
		return `write a whole number, such as "2"`
	case ir.Float:
		return `write a decimal number, such as "0.5"`
	}
	return ""
}

func wholePattern(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile(`^(?:` + pattern + `)$`)
}

func badDefault(p *pass) {
	p.params(func(x *ir.Param) {
		if !x.Default.Written() || x.Type == "" {
			return
		}
		if message, hint := misfit(x, x.Default.V); message != "" {
			p.report(at(x.Default), fmt.Sprintf("default of %q: %s", x.Name, message), hint)
		}
	})
}

// emptyBounds reports whether no number can lie within the bounds.
func emptyBounds(x *ir.Param) bool {
	return x.Min.Written() && x.Max.Written() && x.Min.V > x.Max.V
}

func emptyRange(p *pass) {
	p.params(func(x *ir.Param) {
		if emptyBounds(x) {
			p.report(at(x.Min), fmt.Sprintf("the minimum %v of %q is above its maximum %v", x.Min.V, x.Name, x.Max.V),
				"swap the two", related(at(x.Max), "the maximum"))
		}
	})
}

func misplacedBound(p *pass) {
	p.params(func(x *ir.Param) {
		number, text := x.Type == ir.Int || x.Type == ir.Float, x.Type == ir.String
		odd := func(key string, where place, good bool, takes string) {
			if where.pos.IsValid() && !good && x.Type != "" {
				p.report(where, fmt.Sprintf("%q is %s, and %s is for %s", x.Name, article(x.Type), key, takes), "remove "+key)
			}
		}
		odd("min", at(x.Min), number, "numbers")
		odd("max", at(x.Max), number, "numbers")
		odd("pattern", at(x.Pattern), text, "strings")
		odd("enum", at(x.Enum), text, "strings")
	})
}

// foreign is what Go's regular expressions have and JavaScript's, which JSONata's
// are, do not have or read otherwise.
var foreign = regexp.MustCompile(`^(?:[^\\([]|\\[^AzQECpPaxUv]|\((?:[^?]|$|\?:)|\[(?:[^:]|$))*`)

func badPattern(p *pass) {
	p.params(func(x *ir.Param) {
		if !x.Pattern.Written() {
			return
		}
		if _, err := wholePattern(x.Pattern.V); err != nil {
			why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
			p.report(at(x.Pattern), fmt.Sprintf("pattern of %q is no regular expression: %s", x.Name, why),
				"write it as Go's package regexp takes it")
			return
		}
		if good := foreign.FindString(x.Pattern.V); good != x.Pattern.V {
			p.report(at(x.Pattern), fmt.Sprintf("pattern of %q holds %q, which JSONata does not know", x.Name, tail(x.Pattern.V[len(good):])),
				"use only what Go and JavaScript share: no (?i), \\A, \\z, \\Q, \\p or [[:alpha:]]")
		}
	})
}

// tail is the beginning of what is left, enough to see where it is.
func tail(s string) string {
	if r := []rune(s); len(r) > 4 {
		return string(r[:4])
	}
	return s
}
