package asl

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// substitutable is what a value may hold so that plain, repeated replacement in
// the JSON text cannot break it: no quote, backslash, newline, dollar or brace.
var substitutable = regexp.MustCompile(`^[A-Za-z0-9:/._,@+=-]*$`)

var substitutionName = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// Substitute replaces each ${Name} in a definition's text by its value, as
// CloudFormation does with DefinitionSubstitutions: in keys, in values, within
// strings, without JSON escapes. A name without a value stays as it is; see
// [Unresolved].
//
// CloudFormation replaces again what the replacement brought, and rewrites the
// machine where a value holds a quote. So only values of [A-Za-z0-9:/._,@+=-]*
// are taken, for which once and repeatedly are the same.
func Substitute(b []byte, values map[string]string) ([]byte, error) {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	pairs := make([]string, 0, 2*len(names))
	for _, name := range names {
		if !substitutionName.MatchString(name) {
			return nil, fmt.Errorf("substitute %q: a name has only letters and digits", name)
		}
		if !substitutable.MatchString(values[name]) {
			return nil, fmt.Errorf("substitute ${%s}: %q has characters other than A-Z a-z 0-9 : / . _ , @ + = -", name, values[name])
		}
		pairs = append(pairs, "${"+name+"}", values[name])
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(b))), nil
}

// Unresolved lists the names of the form ${Name} in a definition's text, sorted.
// CloudFormation leaves them as they are without an error.
func Unresolved(b []byte) []string {
	var names []string
	for _, match := range substitution.FindAll(b, -1) {
		names = append(names, string(match[2:len(match)-1]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
