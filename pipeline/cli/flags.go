package cli

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/spf13/cobra"
)

// A flagValue is what the command line says of one parameter. What is wrong with
// it is told with what is wrong with the others, so that Set takes any text.
type flagValue struct {
	parameter *pipeline.Parameter
	text      string
	given     bool
}

// String is the text given. It is empty while none is, so that the help shows
// no default of its own.
func (v *flagValue) String() string { return v.text }

// Type is the word that stands for the value in the help.
func (v *flagValue) Type() string {
	switch p := v.parameter; {
	case p.Location:
		return "PATH|S3-URI"
	case p.Type == "float64":
		return "number"
	default:
		return p.Type
	}
}

// Set notes the text.
func (v *flagValue) Set(text string) error {
	v.text, v.given = text, true
	return nil
}

// parse is the value of the text in the parameter's type.
func (v *flagValue) parse() (any, error) {
	p := v.parameter
	switch p.Type {
	case "bool":
		b, err := strconv.ParseBool(v.text)
		if err != nil {
			return nil, fmt.Errorf("parameter %q is %q, not true or false", p.Key, v.text)
		}
		return b, nil
	case "int":
		i, err := strconv.ParseInt(v.text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("parameter %q is %q, not a whole number", p.Key, v.text)
		}
		return i, nil
	case "float64":
		f, err := strconv.ParseFloat(v.text, 64)
		if err != nil {
			return nil, fmt.Errorf("parameter %q is %q, not a number", p.Key, v.text)
		}
		return f, nil
	}
	if p.Location && v.text != "" && !strings.Contains(v.text, "://") {
		// The runner does not know the folder that a relative path starts from.
		abs, err := filepath.Abs(v.text)
		if err != nil {
			return nil, fmt.Errorf("parameter %q: %w", p.Key, err)
		}
		return abs, nil
	}
	return v.text, nil
}

// flagValues are the values of all parameters, in their order.
type flagValues []*flagValue

// addFlags defines a flag of the command for every parameter.
func addFlags(d *pipeline.Definition, c *cobra.Command) flagValues {
	var all flagValues
	for i := range d.Parameters {
		v := &flagValue{parameter: &d.Parameters[i]}
		all = append(all, v)
		f := c.Flags().VarPF(v, v.parameter.Flag, "", usage(v.parameter))
		if v.parameter.Type == "bool" {
			f.NoOptDefVal = "true"
		}
	}
	return all
}

// required reports whether a local run has no value unless it is given one.
func required(p *pipeline.Parameter) bool {
	if p.Location {
		return p.Local == ""
	}
	return p.Default == nil
}

// usage is the help of a flag: what it means, its default and what is allowed.
func usage(p *pipeline.Parameter) string {
	var facts []string
	switch {
	case p.Location && p.Local != "":
		facts = append(facts, "default "+p.Local)
	case required(p):
		facts = append(facts, "required")
	case p.Type == "string":
		facts = append(facts, fmt.Sprintf("default %q", p.Default))
	default:
		facts = append(facts, fmt.Sprintf("default %v", p.Default))
	}
	bound := func(v *float64) string { return strconv.FormatFloat(*v, 'f', -1, 64) }
	switch {
	case p.Min != nil && p.Max != nil:
		facts = append(facts, bound(p.Min)+" to "+bound(p.Max))
	case p.Min != nil:
		facts = append(facts, "at least "+bound(p.Min))
	case p.Max != nil:
		facts = append(facts, "at most "+bound(p.Max))
	}
	if len(p.Enum) > 0 {
		facts = append(facts, "one of "+strings.Join(p.Enum, ", "))
	}
	if p.Pattern != "" {
		facts = append(facts, "pattern "+p.Pattern)
	}
	// The help takes a word in back quotes for the value's name.
	doc := strings.ReplaceAll(strings.TrimSuffix(p.Doc, "."), "`", "'")
	return strings.TrimSpace(doc + " (" + strings.ReplaceAll(strings.Join(facts, "; "), "`", "'") + ")")
}

// values are the parameters given, by key, or everything that is wrong with them, for a
// run on this machine or on AWS.
func (all flagValues) values(onAWS bool) (map[string]any, []error) {
	values := map[string]any{}
	var problems []error
	for _, v := range all {
		if !v.given {
			switch p := v.parameter; {
			case onAWS && p.Default == nil:
				problems = append(problems, fmt.Errorf("parameter %q has no default: give --%s", p.Key, p.Flag))
			case !onAWS && required(p):
				problems = append(problems, fmt.Errorf("parameter %q has no default on this machine: give --%s", p.Key, p.Flag))
			}
			continue
		}
		value, err := v.parse()
		if err == nil {
			err = v.parameter.Check(value)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("--%s: %w", v.parameter.Flag, err))
			continue
		}
		values[v.parameter.Key] = value
	}
	return values, problems
}
