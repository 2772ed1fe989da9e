package tag

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
)

// Decode reads pairs into a directive, a pointer to a struct of this package.
// Pairs of several tags may be given one after the other. It reports keys that
// the directive does not have, that are given twice, that are missing, and
// values that are not of their key's type; what is right is set all the same.
func Decode(pairs []Pair, directive any) []Problem {
	keys := keysOf(reflect.ValueOf(directive).Elem())
	var problems []Problem
	seen := map[string]Pair{}
	for _, p := range pairs {
		k := find(keys, p.Key.S)
		first, twice := seen[p.Key.S]
		switch {
		case k == nil:
			problems = append(problems, unknown(p, keys))
			continue
		case twice:
			problems = append(problems, duplicate(p, first))
			continue
		}
		seen[p.Key.S] = p
		if p.Value.S == "" && !k.mayBeEmpty {
			problems = append(problems, *bad(p.Value, fmt.Sprintf("the value of %s is empty", k.name), "give it a value, or remove the key"))
			continue
		}
		if problem := k.into.set(p.Value); problem != nil {
			problem.Message = k.name + ": " + problem.Message
			problems = append(problems, *problem)
		}
	}
	for _, k := range keys {
		if _, ok := seen[k.name]; k.required && !ok {
			problems = append(problems, Problem{
				Code:    diag.MissingKey,
				Message: fmt.Sprintf("tag key %q is missing", k.name),
				Hint:    fmt.Sprintf("add %s:\"…\" to the tag; see mlmaxgen explain %s", k.name, k.name),
			})
		}
	}
	return problems
}

// A key of a directive. Its field is tagged `tag:"name,required,empty"`.
type key struct {
	name                 string
	required, mayBeEmpty bool
	into                 setter
}

func keysOf(v reflect.Value) []key {
	var keys []key
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			keys = append(keys, keysOf(v.Field(i))...)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("tag"), ",")
		keys = append(keys, key{
			name:       name,
			required:   strings.Contains(options, "required"),
			mayBeEmpty: strings.Contains(options, "empty"),
			into:       v.Field(i).Addr().Interface().(setter),
		})
	}
	return keys
}

func find(keys []key, name string) *key {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

func unknown(p Pair, keys []key) Problem {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	hint := diag.DidYouMean(p.Key.S, names)
	if hint == "" {
		hint = "remove it: this field takes no keys"
	}
	return Problem{
		Pos: p.Key.Pos(), End: p.Key.End(), Code: diag.UnknownKey,
		Message: fmt.Sprintf("unknown tag key %q", p.Key.S), Hint: hint,
	}
}

func duplicate(p, first Pair) Problem {
	return Problem{
		Pos: p.Key.Pos(), End: p.Key.End(), Code: diag.DuplicateKey,
		Message: fmt.Sprintf("tag key %q is given twice", p.Key.S), Hint: "remove one of the two",
		Related: []Related{{first.Key.Pos(), "also here"}},
	}
}
