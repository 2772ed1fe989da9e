package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/delta"
)

// The limits on a template's size, in bytes (LIMITS.md, section 2).
const (
	inlineLimit   = 51_200
	templateLimit = 1_000_000
)

// A Want is what a stack is to be.
type Want struct {
	// Template is as it was generated, Parameters the values of all its parameters.
	Template   []byte
	Parameters map[string]string
	Tags       map[string]string
	// Description is that of the change set.
	Description string
	// Adopted are the resources that outlived an earlier stack and are taken over.
	Adopted []Retained
	Region  string
}

// Side is what is wanted, for a comparison.
func (w *Want) Side() delta.Side {
	return delta.Side{Template: w.Template, Parameters: w.Parameters, Region: w.Region}
}

// A document is what of a template is read here.
type document struct {
	Parameters map[string]struct {
		Default any
	}
	Transform any
	Resources map[string]described
}

// described is a resource of a template.
type described struct {
	Type                string
	DeletionPolicy      string
	UpdateReplacePolicy string
	Properties          map[string]any
}

// read reads a template.
func read(template []byte) (*document, error) {
	var t document
	decoder := json.NewDecoder(bytes.NewReader(template))
	decoder.UseNumber()
	if err := decoder.Decode(&t); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return &t, nil
}

// compact is a template without white space, as it is sent.
func compact(template []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, template); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	if b.Len() > templateLimit {
		return nil, fmt.Errorf("the template has %d bytes, and CloudFormation takes at most %d\n\thint: split the pipeline", b.Len(), templateLimit)
	}
	return b.Bytes(), nil
}

// Wanted is what the stack of a place is to be: the generated template with the
// environment's values, the digests of the steps' code, and for each resource that
// outlives stacks whether it exists. state is the stack as it is, nil if there is none.
// Nothing is written.
func Wanted(ctx context.Context, p *cloud.Place, state *State, digests map[string]string, description string) (*Want, error) {
	t, err := read(p.Definition.Template)
	if err != nil {
		return nil, err
	}
	if err := t.capabilities(); err != nil {
		return nil, err
	}
	if _, err := compact(p.Definition.Template); err != nil {
		return nil, err
	}
	w := &Want{Template: p.Definition.Template, Parameters: map[string]string{}, Description: description, Region: p.Region}
	values, err := cloud.ParameterFile(p.Definition, p.Parameters, digests)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		w.Parameters[v.Key] = v.Value
	}
	w.Tags, err = tags(p, w.Parameters["Tags"])
	if err != nil {
		return nil, err
	}
	return w, w.adopt(ctx, p, t, state)
}

// capabilities refuses a template that needs more than deploy acknowledges, which is roles
// with names of CloudFormation's choice: no generated template does.
func (t *document) capabilities() error {
	if t.Transform != nil {
		return fmt.Errorf("the template has a transform, which needs CAPABILITY_AUTO_EXPAND; deploy acknowledges CAPABILITY_IAM alone, and nothing was written\n\thint: run go generate ./... and build anew")
	}
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		for _, property := range []string{"RoleName", "ManagedPolicyName", "UserName", "GroupName", "InstanceProfileName"} {
			if _, named := r.Properties[property]; named && strings.HasPrefix(r.Type, "AWS::IAM::") {
				return fmt.Errorf("the template names %s itself, which needs CAPABILITY_NAMED_IAM; deploy acknowledges CAPABILITY_IAM alone, and nothing was written\n\thint: run go generate ./... and build anew", id)
			}
		}
	}
	return nil
}

// tagLimit is how many tags a stack may have.
const tagLimit = 50

// tags are the stack's: the environment's, which are "k=v,k2=v2", and what it is.
func tags(p *cloud.Place, text string) (map[string]string, error) {
	all := map[string]string{}
	for _, pair := range strings.Split(text, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("tag %q of environment %s is not key=value; nothing was written\n\thint: correct Tags in the environment", pair, p.Environment)
		}
		all[key] = value
	}
	all["mlmax:pipeline"], all["mlmax:environment"] = p.Definition.Name, p.Environment
	if len(all) > tagLimit {
		return nil, fmt.Errorf("environment %s has %d tags with those of mlmax, and a stack takes at most %d; nothing was written\n\thint: remove some", p.Environment, len(all), tagLimit)
	}
	return all, nil
}

// Deployed is the stack's template with the values it was deployed with, for a
// comparison; nil if nothing is deployed: a stack that could not be created has a template
// all the same.
func Deployed(ctx context.Context, p *cloud.Place, state *State) (*delta.Side, error) {
	if !state.holds() {
		return nil, nil
	}
	out, err := cloud.CloudFormation(p).GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String(state.ID), TemplateStage: types.TemplateStageOriginal})
	if err != nil {
		return nil, p.Explain(err, "reading the template of stack "+state.Name)
	}
	return &delta.Side{Template: []byte(aws.ToString(out.TemplateBody)), Parameters: state.Parameters, Region: p.Region}, nil
}

// Same reports whether a stack is known to be what is wanted, without asking for a change
// set. Only a deployment that ended well tells: after a rollback CloudFormation decides.
func (w *Want) Same(state *State, deployed *delta.Side) bool {
	if deployed == nil || state.Status != types.StackStatusCreateComplete && state.Status != types.StackStatusUpdateComplete {
		return false
	}
	body, err := compact(w.Template)
	if err != nil {
		return false
	}
	have, err := compact(deployed.Template)
	return err == nil && bytes.Equal(body, have) && maps.Equal(w.Parameters, state.Parameters) && maps.Equal(w.Tags, state.Tags)
}
