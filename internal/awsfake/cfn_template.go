package awsfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A template is a template that was read.
type template struct {
	Description string
	Parameters  map[string]*parameterSpec
	Rules       map[string]struct {
		RuleCondition any
		Assertions    []struct {
			Assert            any
			AssertDescription string
		}
	}
	Mappings   map[string]map[string]map[string]any
	Conditions map[string]any
	Resources  map[string]*resourceSpec
	Outputs    map[string]*struct {
		Description, Condition string
		Value                  any
		Export                 any
	}
}

// A parameterSpec is a parameter as declared.
type parameterSpec struct {
	Type, Description, AllowedPattern, ConstraintDescription string
	Default                                                  any
	AllowedValues                                            []any
	MaxLength, MinLength, MaxValue, MinValue                 *json.Number
	NoEcho                                                   bool
}

// A resourceSpec is a resource as declared.
type resourceSpec struct {
	Type, Condition, DeletionPolicy, UpdateReplacePolicy string
	Properties                                           map[string]any
	Metadata                                             map[string]any
	DependsOn                                            any
}

// maxBody is the largest template in a request, maxTemplate the largest from S3.
const (
	maxBody     = 51200
	maxTemplate = 1000000
)

// parseTemplate reads a template; what it does not know is an error.
func parseTemplate(body string) (*template, error) {
	var sections map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &sections); err != nil {
		return nil, ineligible("Template format error: JSON not well-formed. (%v)", err)
	}
	known := []string{"AWSTemplateFormatVersion", "Description", "Parameters", "Rules", "Mappings", "Conditions", "Resources", "Outputs", "Metadata"}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		if !slices.Contains(known, name) {
			return nil, ineligible("Invalid template property or properties [%s]", name)
		}
	}
	delete(sections, "AWSTemplateFormatVersion")
	delete(sections, "Metadata")
	text, err := json.Marshal(sections)
	if err != nil {
		return nil, err
	}
	var t template
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return nil, ineligible("Template format error: %v", err)
	}
	if len(t.Resources) == 0 {
		return nil, ineligible("Template format error: At least one Resources member must be defined.")
	}
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		k, ok := kinds[r.Type]
		if !ok {
			return nil, ineligible("Template format error: Unrecognized resource types: [%s]", r.Type)
		}
		for _, name := range slices.Sorted(maps.Keys(r.Properties)) {
			if !slices.Contains(k.properties, name) {
				return nil, ineligible("Properties validation failed for resource %s with message: #: extraneous key [%s] is not permitted", id, name)
			}
		}
		if r.Condition != "" && t.Conditions[r.Condition] == nil {
			return nil, ineligible("Template format error: Unresolved condition dependency %s in the Resources block of the template", r.Condition)
		}
		for _, name := range append(references(r.Properties), dependsOn(r)...) {
			if t.Resources[name] == nil && t.Parameters[name] == nil && !strings.HasPrefix(name, "AWS::") {
				return nil, ineligible("Template format error: Unresolved resource dependencies [%s] in the Resources block of the template", name)
			}
		}
	}
	return &t, nil
}

func dependsOn(r *resourceSpec) []string {
	switch v := r.DependsOn.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, fmt.Sprint(one))
		}
		return all
	}
	return nil
}

// subName finds the names in a text of Fn::Sub.
var subName = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// references are the logical names that a value refers to.
func references(v any) []string {
	var all []string
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			all = append(all, references(one)...)
		}
	case map[string]any:
		for key, one := range v {
			switch key {
			case "Ref":
				all = append(all, fmt.Sprint(one))
			case "Fn::GetAtt":
				if list, ok := one.([]any); ok && len(list) == 2 {
					all = append(all, fmt.Sprint(list[0]))
				} else if text, ok := one.(string); ok {
					name, _, _ := strings.Cut(text, ".")
					all = append(all, name)
				}
			case "Fn::Sub":
				all = append(all, subReferences(one)...)
			default:
				all = append(all, references(one)...)
			}
		}
	}
	return all
}

func subReferences(v any) []string {
	text, vars := "", map[string]any{}
	if list, ok := v.([]any); ok && len(list) == 2 {
		text, _ = list[0].(string)
		vars, _ = list[1].(map[string]any)
	} else {
		text, _ = v.(string)
	}
	all := references(map[string]any(vars))
	for _, match := range subName.FindAllStringSubmatch(text, -1) {
		if _, own := vars[match[1]]; !own {
			name, _, _ := strings.Cut(match[1], ".")
			all = append(all, name)
		}
	}
	return all
}

// values are the parameters' values as given over the defaults, or what is wrong with them.
func (t *template) values(given []map[string]string, previous map[string]string) (map[string]string, error) {
	values, seen := map[string]string{}, map[string]bool{}
	for _, g := range given {
		key := g["ParameterKey"]
		if t.Parameters[key] == nil {
			return nil, ineligible("Parameters: [%s] do not exist in the template", key)
		}
		if seen[key] {
			return nil, ineligible("Duplicate parameter %s", key)
		}
		seen[key] = true
		if g["UsePreviousValue"] == "true" {
			old, ok := previous[key]
			if !ok {
				return nil, ineligible("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", key)
			}
			values[key] = old
			continue
		}
		values[key] = g["ParameterValue"]
	}
	var missing []string
	for _, key := range slices.Sorted(maps.Keys(t.Parameters)) {
		spec := t.Parameters[key]
		if _, ok := values[key]; !ok {
			if spec.Default == nil {
				missing = append(missing, key)
				continue
			}
			values[key] = fmt.Sprint(spec.Default)
		}
		if err := spec.check(key, values[key]); err != nil {
			return nil, err
		}
	}
	if missing != nil {
		return nil, ineligible("Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	return values, nil
}

// check holds a value to what is declared.
func (s *parameterSpec) check(key, value string) error {
	switch s.Type {
	case "String", "CommaDelimitedList":
	case "Number":
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return ineligible("Parameter '%s' must be a number.", key)
		}
	default:
		return ineligible("Template format error: Unrecognized parameter type: %s", s.Type)
	}
	if s.AllowedValues != nil && !slices.ContainsFunc(s.AllowedValues, func(v any) bool { return fmt.Sprint(v) == value }) {
		return ineligible("Parameter '%s' must be one of AllowedValues", key)
	}
	if s.MaxLength != nil {
		if most, err := s.MaxLength.Int64(); err != nil || int64(len(value)) > most {
			return ineligible("Parameter '%s' must contain at most %s characters", key, s.MaxLength)
		}
	}
	if s.MinLength != nil {
		if least, err := s.MinLength.Int64(); err != nil || int64(len(value)) < least {
			return ineligible("Parameter '%s' must contain at least %s characters", key, s.MinLength)
		}
	}
	if len(value) > 4096 {
		return ineligible("Parameter '%s' must contain at most 4096 bytes", key)
	}
	if s.AllowedPattern == "" {
		return nil
	}
	whole, err := regexp.Compile("^(?:" + s.AllowedPattern + ")$")
	if err != nil {
		return ineligible("Template format error: %v", err)
	}
	each := []string{value}
	if s.Type == "CommaDelimitedList" && value != "" {
		each = strings.Split(value, ",")
	}
	for _, one := range each {
		if !whole.MatchString(one) {
			return ineligible("Parameter %s failed to satisfy constraint: Parameter %s must match pattern %s", key, key, s.AllowedPattern)
		}
	}
	return nil
}
