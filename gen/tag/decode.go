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
	seen, meant := map[string]Pair{}, map[string]bool{}
	for _, p := range pairs {
		k := find(keys, p.Key.S)
		first, twice := seen[p.Key.S]
		switch {
		case k == nil:
			problem, near := unknown(p, keys)
			problems = append(problems, problem)
			meant[near] = true
			continue
		case twice:
			problems = append(problems, duplicate(p, first))
			continue
		}
		seen[p.Key.S] = p
		if p.Value.S == "" && !k.mayBeEmpty {
			hint := "give it a value, or remove the key"
			if k.required {
				hint = "give it a value"
			}
			problems = append(problems, *bad(p.Value, fmt.Sprintf("the value of %s is empty", k.name), hint))
			continue
		}
		if problem := k.into.set(p.Value); problem != nil {
			problem.Message = k.name + ": " + problem.Message
			problems = append(problems, *problem)
		}
	}
	var missing []string
	for _, k := range keys {
		if _, ok := seen[k.name]; k.required && !ok && !meant[k.name] {
			missing = append(missing, k.name)
		}
	}
	return append(problems, absent(missing)...)
}

// absent is the problem of the keys that are missing, if there are any.
func absent(names []string) []Problem {
	if len(names) == 0 {
		return nil
	}
	message, topic := fmt.Sprintf("tag key %q is missing", names[0]), names[0]
	if len(names) > 1 {
		message, topic = fmt.Sprintf("tag keys \"%s\" are missing", strings.Join(names, `" and "`)), "tags"
	}
	add := strings.Join(names, `:"…" `) + `:"…"`
	return []Problem{{Code: diag.MissingKey, Message: message, Hint: fmt.Sprintf("add %s to the tag; see mlmaxgen explain %s", add, topic)}}
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

// later are the keys that are to come; who has read of them is told so.
var later = map[string]string{
	"each":     "a step runs once in a pipeline",
	"retry":    "calls that AWS refuses for a moment are retried as it is, and a failed step fails the run",
	"catch":    "a failed step fails the run where it stands",
	"parallel": "steps run one after the other",
}

// unknown is the problem of a key that the directive does not have, and the key of
// the directive that was meant, if that can be guessed.
func unknown(p Pair, keys []key) (problem Problem, near string) {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	problem = Problem{
		Pos: p.Key.Pos(), End: p.Key.End(), Code: diag.UnknownKey,
		Message: fmt.Sprintf("unknown tag key %q", p.Key.S), Hint: diag.DidYouMean(p.Key.S, names),
	}
	why, planned := later[p.Key.S]
	switch {
	case len(keys) == 0:
		problem.Hint = "remove it: this field takes no keys"
	case planned:
		problem.Message = fmt.Sprintf("tag key %q does not exist yet: %s", p.Key.S, why)
		problem.Hint = "remove it"
	case elsewhere(p.Key.S):
		problem.Message = fmt.Sprintf("tag key %q belongs to another kind of field", p.Key.S)
		problem.Hint = "use one of " + strings.Join(names, ", ")
	default:
		near = diag.Nearest(p.Key.S, names)
	}
	return problem, near
}

// elsewhere reports whether any directive has the key.
func elsewhere(name string) bool {
	for _, d := range Directives() {
		for _, k := range d.Keys {
			if k.Name == name {
				return true
			}
		}
	}
	return false
}

func duplicate(p, first Pair) Problem {
	return Problem{
		Pos: p.Key.Pos(), End: p.Key.End(), Code: diag.DuplicateKey,
		Message: fmt.Sprintf("tag key %q is given twice", p.Key.S), Hint: "remove one of the two",
		Related: []Related{{first.Key.Pos(), "also here"}},
	}
}
