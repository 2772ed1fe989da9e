// Package model turns botocore's service models into the table of limits. The
// content of service-2.json files goes in, the table's bytes come out; the
// package reads no file and no network.
package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// A Service is a service model to read, and what to take of it.
type Service struct {
	// Name is the folder below botocore/data.
	Name string
	// Prefix is put before the shapes' names; SageMaker's have none.
	Prefix string
	// Operations are those whose requests the table covers, with every shape that
	// can be reached from them.
	Operations []string
}

// Services are what the table is made from: the calls that generated machines,
// templates and the checks before them are about.
var Services = []Service{
	{Name: "sagemaker", Operations: []string{
		"CreateProcessingJob", "CreateTrainingJob", "CreateTransformJob",
		"CreateModelPackage", "CreateModelPackageGroup",
	}},
	{Name: "stepfunctions", Prefix: "stepfunctions.", Operations: []string{"CreateStateMachine", "StartExecution", "SendTaskFailure", "TestState"}},
	{Name: "iam", Prefix: "iam.", Operations: []string{"CreateRole", "PutRolePolicy"}},
	{Name: "logs", Prefix: "logs.", Operations: []string{"CreateLogGroup", "PutRetentionPolicy"}},
	{Name: "cloudformation", Prefix: "cloudformation.", Operations: []string{"CreateChangeSet"}},
}

type serviceModel struct {
	Operations map[string]struct {
		Input struct{ Shape string }
	}
	Shapes map[string]shape
}

type shape struct {
	Type          string
	Min, Max      *float64
	Pattern       string
	Enum          []string
	Documentation string
	Members       map[string]ref
	Member        *ref
	Key, Value    *ref
}

type ref struct{ Shape string }

// entry is one shape of the table, with its members in the order of the file.
type entry struct {
	Min     *int64   `json:"min,omitempty"`
	Max     *int64   `json:"max,omitempty"`
	Pattern string   `json:"pattern,omitempty"`
	Enum    []string `json:"enum,omitempty"`
}

// Table makes the table from the content of each service's model, by its name.
// The same models give the same bytes.
func Table(source string, models map[string][]byte) ([]byte, error) {
	shapes := map[string]entry{}
	for _, s := range Services {
		b, ok := models[s.Name]
		if !ok {
			return nil, fmt.Errorf("make the table of limits: the model of %s is missing", s.Name)
		}
		if err := add(shapes, s, b); err != nil {
			return nil, fmt.Errorf("make the table of limits of %s: %w", s.Name, err)
		}
	}
	return encode(source, shapes)
}

func add(shapes map[string]entry, s Service, b []byte) error {
	var m serviceModel
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	seen := map[string]bool{}
	var visit func(name string) error
	visit = func(name string) error {
		if name == "" || seen[name] {
			return nil
		}
		seen[name] = true
		sh, ok := m.Shapes[name]
		if !ok {
			return fmt.Errorf("shape %s is missing", name)
		}
		e := entryOf(sh)
		if e.Min != nil || e.Max != nil || e.Pattern != "" || e.Enum != nil {
			shapes[s.Prefix+name] = e
		}
		next := []*ref{sh.Member, sh.Key, sh.Value}
		for _, member := range sh.Members {
			next = append(next, &member)
		}
		for _, r := range next {
			if r == nil {
				continue
			}
			if err := visit(r.Shape); err != nil {
				return err
			}
		}
		return nil
	}
	for _, op := range s.Operations {
		o, ok := m.Operations[op]
		if !ok {
			return fmt.Errorf("operation %s is missing", op)
		}
		if err := visit(o.Input.Shape); err != nil {
			return err
		}
	}
	return nil
}

func entryOf(sh shape) entry {
	e := entry{Min: whole(sh.Min), Max: whole(sh.Max), Enum: slices.Clone(sh.Enum)}
	if _, err := regexp.Compile(`^(?:` + sh.Pattern + `)$`); err == nil {
		e.Pattern = sh.Pattern
	}
	if e.Enum == nil {
		e.Enum = documented(sh.Documentation)
	}
	slices.Sort(e.Enum)
	if e.Min != nil && *e.Min == 0 {
		e.Min = nil
	}
	return e
}

// whole is a bound as a whole number. Bounds of floats that are none are left out.
func whole(f *float64) *int64 {
	if f == nil || *f != float64(int64(*f)) {
		return nil
	}
	n := int64(*f)
	return &n
}

var possible = regexp.MustCompile(`Possible values are: ([0-9, and]+)\.`)

// documented reads the values of a number that the model lists in its
// documentation only, as it does for the days that logs are kept.
func documented(text string) []string {
	m := possible.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	return strings.FieldsFunc(m[1], func(r rune) bool { return r < '0' || r > '9' })
}

// encode writes one line a shape, sorted, so that a new version of the model
// shows as a readable difference.
func encode(source string, shapes map[string]entry) ([]byte, error) {
	names := make([]string, 0, len(shapes))
	for name := range shapes {
		names = append(names, name)
	}
	sort.Strings(names)
	var b bytes.Buffer
	head, err := json.Marshal(source)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "{\n  \"source\": %s,\n  \"shapes\": {\n", head)
	for i, name := range names {
		var line bytes.Buffer
		enc := json.NewEncoder(&line)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(shapes[name]); err != nil {
			return nil, err
		}
		comma := ","
		if i == len(names)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, "    %q: %s%s\n", name, bytes.TrimSpace(line.Bytes()), comma)
	}
	b.WriteString("  }\n}\n")
	return b.Bytes(), nil
}
