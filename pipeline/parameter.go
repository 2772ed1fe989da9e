package pipeline

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Parameter finds a parameter by its key, or returns nil.
func (d *Definition) Parameter(key string) *Parameter {
	for i := range d.Parameters {
		if d.Parameters[i].Key == key {
			return &d.Parameters[i]
		}
	}
	return nil
}

// Check reports everything that is wrong with an execution input, joined, in the
// order of the parameters: unknown keys, missing values, values that break type,
// bounds, enum or pattern.
func (d *Definition) Check(input map[string]any) error {
	var problems []error
	for i := range d.Parameters {
		p := &d.Parameters[i]
		value, given := input[p.Key]
		switch {
		case given:
			problems = append(problems, p.Check(value))
		case p.Default == nil && p.Local == "":
			problems = append(problems, fmt.Errorf("parameter %q has no default and no value was given", p.Key))
		}
	}
	var unknown []string
	for key, value := range input {
		switch {
		case key == ScheduledTime && d.Schedule != "":
			problems = append(problems, checkScheduledTime(value))
		case d.Parameter(key) == nil:
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	for _, key := range unknown {
		problems = append(problems, fmt.Errorf("%s has no parameter %q", d.Name, key))
	}
	return errors.Join(problems...)
}

// timeText is how EventBridge Scheduler writes a time.
var timeText = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$`)

func checkScheduledTime(value any) error {
	if text, ok := value.(string); !ok || !timeText.MatchString(text) {
		return fmt.Errorf("%s is %v, not a time such as 2026-01-02T03:04:05Z", ScheduledTime, value)
	}
	return nil
}

// Check reports what is wrong with a value for the parameter: a string, bool,
// int, int64 or float64.
func (p *Parameter) Check(value any) error {
	var problem string
	switch v := value.(type) {
	case string:
		problem = p.checkString(v)
	case bool:
		problem = p.checkType("bool")
	case int:
		problem = p.checkNumber(float64(v), strconv.Itoa(v))
	case int64:
		problem = p.checkNumber(float64(v), strconv.FormatInt(v, 10))
	case float64:
		problem = p.checkNumber(v, strconv.FormatFloat(v, 'g', -1, 64))
	default:
		problem = fmt.Sprintf("takes type %s, not %T", p.Type, value)
	}
	if problem == "" {
		return nil
	}
	return fmt.Errorf("parameter %q %s", p.Key, problem)
}

func (p *Parameter) checkType(types ...string) string {
	if slices.Contains(types, p.Type) {
		return ""
	}
	return fmt.Sprintf("takes type %s, not %s", p.Type, types[0])
}

func (p *Parameter) checkNumber(v float64, text string) string {
	if problem := p.checkType("float64", "int"); problem != "" {
		return problem
	}
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "is " + text + ", which is not a number that JSON can hold"
	case p.Type == "int" && v != math.Trunc(v):
		return "is " + text + ", which is not a whole number"
	case p.Min != nil && v < *p.Min:
		return fmt.Sprintf("is %s, below its minimum %s", text, strconv.FormatFloat(*p.Min, 'g', -1, 64))
	case p.Max != nil && v > *p.Max:
		return fmt.Sprintf("is %s, above its maximum %s", text, strconv.FormatFloat(*p.Max, 'g', -1, 64))
	case len(p.Enum) > 0 && !slices.Contains(p.Enum, text):
		return fmt.Sprintf("is %s, not one of %s", text, strings.Join(p.Enum, ", "))
	}
	return ""
}

func (p *Parameter) checkString(v string) string {
	if problem := p.checkType("string"); problem != "" {
		return problem
	}
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Sprintf("is %q, which holds a control character", v)
	}
	if p.Location {
		return checkLocation(v)
	}
	if len(p.Enum) > 0 && !slices.Contains(p.Enum, v) {
		return fmt.Sprintf("is %q, not one of %s", v, strings.Join(p.Enum, ", "))
	}
	if p.Pattern != "" {
		re, err := regexp.Compile(`^(?:` + p.Pattern + `)$`)
		if err != nil {
			panic(fmt.Sprintf("pattern of parameter %s: %v", p.Key, err)) // checked when generating
		}
		if !re.MatchString(v) {
			return fmt.Sprintf("is %q, which does not match %s", v, p.Pattern)
		}
	}
	return ""
}

// checkLocation accepts a path, or s3://bucket/key.
func checkLocation(v string) string {
	if v == "" {
		return "is empty: give a path or an s3:// URI"
	}
	scheme, rest, ok := strings.Cut(v, "://")
	if !ok {
		return ""
	}
	bucket, key, _ := strings.Cut(rest, "/")
	if scheme != "s3" || bucket == "" || key == "" {
		return fmt.Sprintf("is %q, which is neither a path nor s3://bucket/key", v)
	}
	return ""
}
