package cloud

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// A Parameter is one value of a template's parameter file, as the AWS CLI reads it.
type Parameter struct {
	Key   string `json:"ParameterKey"`
	Value string `json:"ParameterValue"`
}

// ParameterFile is the value of every parameter of a pipeline's template, in the template's
// order: those of an environment ([Values]), the digests of the steps' code ([Digests]), and
// else the template's own defaults.
func ParameterFile(d *pipeline.Definition, values, digests map[string]string) ([]Parameter, error) {
	parameters, err := defaults(d)
	if err != nil {
		return nil, err
	}
	all := make([]Parameter, 0, len(parameters))
	known := map[string]bool{}
	for _, m := range parameters {
		known[m.Key] = true
		value, ok := digests[m.Key]
		if !ok {
			value, ok = values[m.Key]
		}
		if properties, is := m.Value.(asl.Object); is && !ok {
			if byDefault, has := properties.Get("Default"); has {
				value, ok = fmt.Sprint(byDefault), true
			}
		}
		if !ok {
			return nil, fmt.Errorf("nothing gives the template's parameter %s a value\n\thint: generate again, since template and environment do not fit: go generate ./...", m.Key)
		}
		all = append(all, Parameter{m.Key, value})
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !known[key] {
			return nil, fmt.Errorf("the template has no parameter %s, for which the environment has a value\n\thint: generate again, since template and environment do not fit: go generate ./...", key)
		}
	}
	return all, nil
}

// defaults are the template's parameters with their properties, in order.
func defaults(d *pipeline.Definition) (asl.Object, error) {
	var template struct{ Parameters json.RawMessage }
	var parameters asl.Object
	err := json.Unmarshal(d.Template, &template)
	if err == nil {
		err = parameters.UnmarshalJSON(template.Parameters)
	}
	if err != nil {
		return nil, fmt.Errorf("read the template of %s: %w", d.Name, err)
	}
	return parameters, nil
}
