package asl

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxDefinition is the most characters a definition may have (Step Functions
// quota; shape Definition).
const maxDefinition = 1 << 20

// Decode reads a state machine strictly and validates it. An unknown field or
// type of state, a value of the wrong type, a duplicate key, a field that the
// type of state does not have, and all that [Validate] finds come together in
// one [DecodeError], each with its path, line and column.
//
// Names ${Name} that are not yet substituted are accepted in strings and
// expressions.
func Decode(file string, b []byte) (*Machine, error) {
	d := &decoder{src: b}
	root, err := parseJSON(b)
	if err != nil {
		var syntax *syntaxError
		errors.As(err, &syntax)
		d.at(syntax.offset, "/", "the definition must be a JSON object: %s", syntax.message)
		return nil, d.err(file)
	}
	if root.kind != kindObject {
		d.at(root.offset, "/", "the definition must be a JSON object, not %s", root.kind)
		return nil, d.err(file)
	}
	m := &Machine{}
	d.root = root
	d.members(root, m.fields(false), "a machine")
	if m.QueryLanguage == "JSONPath" {
		// Its fields would only give many errors that all say the same.
		d.found = nil
		d.report(root.find("/QueryLanguage"), "QueryLanguage JSONPath is not supported: write the machine in JSONata")
		return nil, d.err(file)
	}
	m.programs = &programs{}
	d.merge(validate(m, &validator{programs: m.programs, torn: len(d.found) > 0}))
	if len(d.found) > 0 {
		return nil, d.err(file)
	}
	return m, nil
}

// A decoder collects what is wrong, and goes on.
type decoder struct {
	src   []byte
	root  *node
	found []found
}

type found struct {
	offset  int
	path    string
	message string
}

func (d *decoder) at(offset int, path, format string, args ...any) {
	if path == "" {
		path = "/"
	}
	d.found = append(d.found, found{offset, path, fmt.Sprintf(format, args...)})
}

func (d *decoder) report(n *node, format string, args ...any) {
	d.at(n.offset, n.path(), format, args...)
}

// merge adds what Validate found, unless it only follows from what the decoder
// has reported at the same place or just below.
func (d *decoder) merge(problems []Problem) {
	reported := map[string]bool{}
	for _, f := range d.found {
		reported[f.path] = true
		reported[f.path[:strings.LastIndexByte(f.path, '/')]] = true
	}
	for _, p := range problems {
		path := p.Path
		if path == "/" {
			path = ""
		}
		if !reported[path] && !(path == "" && reported["/"]) {
			d.at(d.root.find(path).offset, p.Path, "%s", p.Message)
		}
	}
}

func (d *decoder) err(file string) error {
	slices.SortStableFunc(d.found, func(a, b found) int { return a.offset - b.offset })
	e := &DecodeError{File: file}
	for i, f := range d.found {
		if i > 0 && f == d.found[i-1] {
			continue
		}
		line, column := lineColumn(d.src, f.offset)
		e.Problems = append(e.Problems, Problem{f.path, f.message, line, column})
	}
	return e
}

// members decodes an object by the table of its fields. what names it.
func (d *decoder) members(n *node, fields []field, what string) {
	d.object(n, what, func(m *node) bool {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == m.key })
		if i < 0 {
			return false
		}
		d.into(m, fields[i].ref)
		return true
	})
}

// object calls take for each member, reports those it does not know, and
// duplicates.
func (d *decoder) object(n *node, what string, take func(*node) bool) {
	if !d.want(n, kindObject) {
		return
	}
	seen := map[string]bool{}
	for _, m := range n.members {
		if seen[m.key] {
			d.at(m.keyAt, m.path(), "duplicate key %q", m.key)
			continue
		}
		seen[m.key] = true
		switch {
		case take(m):
		case isJSONPath(m.key):
			d.at(m.keyAt, m.path(), "QueryLanguage JSONPath is not supported: %q is a field of JSONPath", m.key)
		default:
			d.at(m.keyAt, m.path(), "unknown field %q in %s", m.key, what)
		}
	}
}

func isJSONPath(key string) bool {
	if slices.Contains(jsonPathFields, key) || strings.HasSuffix(key, ".$") {
		return true
	}
	for _, prefix := range []string{"StringEquals", "StringLess", "StringGreater", "StringMatches", "Numeric", "Boolean", "Timestamp"} {
		if strings.HasPrefix(key, prefix) && key != "Timestamp" {
			return true
		}
	}
	return false
}

func (d *decoder) want(n *node, k kind) bool {
	if n.kind != k {
		d.report(n, "%q must be %s, not %s", n.key, k, n.kind)
	}
	return n.kind == k
}

// into decodes a value to a place of the model.
func (d *decoder) into(n *node, ref any) {
	switch ref := ref.(type) {
	case *any:
		*ref = d.payload(n)
	case *string:
		if d.want(n, kindString) {
			*ref = n.scalar.(string)
			if *ref == "" && n.key != "Comment" {
				d.report(n, "%q is empty: leave it out", n.key)
			}
		}
	case *bool:
		if d.want(n, kindBool) {
			*ref = n.scalar.(bool)
			if !*ref {
				d.report(n, "%q must be true: leave it out where it is not", n.key)
			}
		}
	case *int:
		d.integer(n, ref)
		if n.kind == kindNumber && *ref == 0 {
			d.report(n, "%q must be a positive integer", n.key)
		}
	case **int:
		*ref = new(int)
		d.integer(n, *ref)
	case **float64:
		*ref = new(float64)
		if d.want(n, kindNumber) {
			f, err := strconv.ParseFloat(numberText(n), 64)
			if err != nil {
				d.report(n, "%q is out of range", n.key)
			}
			**ref = f
		}
	case *Object:
		if d.want(n, kindObject) {
			*ref = d.payload(n).(Object)
		}
	case *[]string:
		d.strings(n, ref)
	case *stateList:
		d.states(n, ref)
	default:
		d.list(n, ref)
	}
}
