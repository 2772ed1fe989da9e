package delta

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// A deployment is one side, decoded: what its template says for its parameters.
type deployment struct {
	region string
	// values are the parameters', those of the template's defaults included.
	values   map[string]string
	defaults map[string]string

	conditions, mappings, outputs asl.Object
	// resources are those whose condition holds, in the template's order.
	resources []*resource
	// machine is the state machine with what belongs to steps filled in, named the same as
	// it was generated.
	machine, named asl.Object
	// names are the substitutions of the machine's ${Name} that belong to a step.
	names map[string]string
	// deciding are the conditions being evaluated, against a circle.
	deciding map[string]bool
}

// A resource is one of the template, with its intrinsic functions resolved as far as
// the parameters go.
type resource struct {
	id, kind         string
	properties       asl.Object
	deletion, update string
	reasons          asl.Object
	// all is everything of it that CloudFormation would compare.
	all string
}

// machineType is the type of the one state machine.
const machineType = "AWS::StepFunctions::StateMachine"

// common are the substitutions that are the same for all steps. They stay names, so
// that another bucket is told once and not for every step.
var common = map[string]bool{
	"Env": true, "Bucket": true, "Prefix": true, "KmsKey": true, "Subnets": true, "SecurityGroups": true, "Tags": true,
	"Region": true, "Account": true, "Partition": true,
}

// read decodes a side.
func read(s *Side) (*deployment, error) {
	var template asl.Object
	if err := json.Unmarshal(s.Template, &template); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	d := &deployment{
		region: s.Region, values: map[string]string{}, defaults: map[string]string{}, names: map[string]string{},
		conditions: member(template, "Conditions"), mappings: member(template, "Mappings"), outputs: member(template, "Outputs"),
		deciding: map[string]bool{},
	}
	for _, p := range member(template, "Parameters") {
		body, _ := p.Value.(asl.Object)
		if v, ok := body.Get("Default"); ok {
			d.defaults[p.Key] = plain(v)
			d.values[p.Key] = plain(v)
		} else {
			d.values[p.Key] = ""
		}
		if v, ok := s.Parameters[p.Key]; ok {
			d.values[p.Key] = v
		}
	}
	if d.region == "" {
		d.region = d.values["Region"]
	}
	for _, r := range member(template, "Resources") {
		body, _ := r.Value.(asl.Object)
		if on := text(body, "Condition"); on != "" && !d.holds(on) {
			continue
		}
		d.resources = append(d.resources, d.resource(r.Key, body))
	}
	return d, d.findMachine()
}

// resource resolves one resource.
func (d *deployment) resource(id string, body asl.Object) *resource {
	r := &resource{
		id: id, kind: text(body, "Type"), deletion: text(body, "DeletionPolicy"), update: text(body, "UpdateReplacePolicy"),
		reasons: member(member(member(body, "Metadata"), "mlmax"), "reasons"),
	}
	r.properties, _ = d.resolve(member(body, "Properties")).(asl.Object)
	r.all = encode(asl.Object{
		{Key: "Type", Value: r.kind}, {Key: "Properties", Value: sorted(r.properties)},
		{Key: "Metadata", Value: sorted(member(body, "Metadata"))}, {Key: "DeletionPolicy", Value: r.deletion},
		{Key: "UpdateReplacePolicy", Value: r.update},
	})
	return r
}

// findMachine takes the state machine's definition, with what belongs to steps filled in.
func (d *deployment) findMachine() error {
	for _, r := range d.resources {
		if r.kind != machineType {
			continue
		}
		for _, m := range member(r.properties, "DefinitionSubstitutions") {
			if value, ok := m.Value.(string); ok && !common[m.Key] && !strings.HasPrefix(value, "${") {
				d.names[m.Key] = value
			}
		}
		pairs := make([]string, 0, 2*len(d.names))
		for _, name := range sortedKeys(d.names) {
			pairs = append(pairs, "${"+name+"}", d.names[name])
		}
		definition := member(r.properties, "Definition")
		if definition == nil {
			return errors.New("read the template: its state machine has no Definition, and mlmax always writes one")
		}
		d.named = definition
		d.machine, _ = replaced(definition, strings.NewReplacer(pairs...)).(asl.Object)
		return nil
	}
	return errors.New("read the template: it has no state machine, so that mlmax has not made it")
}

// find returns a resource by its logical id, or nil.
func (d *deployment) find(id string) *resource {
	for _, r := range d.resources {
		if r.id == id {
			return r
		}
	}
	return nil
}

// replaced is a JSON value with the texts in it replaced.
func replaced(v any, by *strings.Replacer) any {
	switch v := v.(type) {
	case string:
		return by.Replace(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = replaced(item, by)
		}
		return list
	case asl.Object:
		o := make(asl.Object, len(v))
		for i, m := range v {
			o[i] = asl.Member{Key: m.Key, Value: replaced(m.Value, by)}
		}
		return o
	}
	return v
}
