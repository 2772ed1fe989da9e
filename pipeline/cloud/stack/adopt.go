package stack

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// The types of resources that hold what people want to keep.
const (
	logGroupType   = "AWS::Logs::LogGroup"
	modelGroupType = "AWS::SageMaker::ModelPackageGroup"
	machineType    = "AWS::StepFunctions::StateMachine"
)

// existsSuffix ends the parameter that says that a resource outlived an earlier stack.
const existsSuffix = "Exists"

// A Retained is a resource that outlives the stack.
type Retained struct {
	// Logical is its id in the template, Type its type, Name its name on AWS.
	Logical string `json:"logical"`
	Type    string `json:"type"`
	Name    string `json:"name"`
}

func (k Retained) String() string {
	switch k.Type {
	case logGroupType:
		return "log group " + k.Name
	case modelGroupType:
		return "model group " + k.Name
	}
	return readable(k.Logical, k.Type) + " " + k.Name
}

// kept are the resources of a template that outlive its stack, by logical id.
func (t *document) kept(p *cloud.Place, values map[string]string) ([]Retained, error) {
	var all []Retained
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		if r.DeletionPolicy != "Retain" {
			continue
		}
		property := map[string]string{logGroupType: "LogGroupName", modelGroupType: "ModelPackageGroupName"}[r.Type]
		if property == "" {
			continue // whatever it is, no parameter adopts it
		}
		name, err := filled(p, r.Properties[property], values)
		if err != nil {
			return nil, fmt.Errorf("read the name of %s in the template: %w", id, err)
		}
		all = append(all, Retained{id, r.Type, name})
	}
	return all, nil
}

// placeholder is a reference in a text of Fn::Sub.
var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9:]+)\}`)

// filled is a text of a template, or an Fn::Sub of one, with its values.
func filled(p *cloud.Place, v any, values map[string]string) (string, error) {
	if object, ok := v.(map[string]any); ok && len(object) == 1 {
		v = object["Fn::Sub"]
	}
	text, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%v is neither a text nor Fn::Sub of one", v)
	}
	pseudo := map[string]string{"AWS::Region": p.Region, "AWS::AccountId": p.Account, "AWS::Partition": p.Partition, "AWS::StackName": p.StackName()}
	var unknown []string
	text = placeholder.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		for _, from := range []map[string]string{values, pseudo} {
			if value, ok := from[name]; ok {
				return value
			}
		}
		unknown = append(unknown, name)
		return match
	})
	if unknown != nil {
		return "", fmt.Errorf("%s has no value here", strings.Join(unknown, ", "))
	}
	return text, nil
}

// adopt sets for each resource that outlives stacks whether it exists. What the stack
// knows of stays as it is: a parameter that turned would make CloudFormation delete or
// make the resource.
func (w *Want) adopt(ctx context.Context, p *cloud.Place, t *document, state *State) error {
	all, err := t.kept(p, w.Parameters)
	if err != nil {
		return err
	}
	for _, k := range all {
		name := k.Logical + existsSuffix
		if _, ok := t.Parameters[name]; !ok {
			continue
		}
		if state.holds() {
			if value, ok := state.Parameters[name]; ok {
				w.Parameters[name] = value
				continue
			}
		}
		there, err := k.exists(ctx, p)
		if err != nil {
			return err
		}
		w.Parameters[name] = fmt.Sprint(there)
		if there {
			w.Adopted = append(w.Adopted, k)
		}
	}
	return nil
}

// exists looks whether the resource is there.
func (k Retained) exists(ctx context.Context, p *cloud.Place) (bool, error) {
	doing := "looking whether there is a " + k.String()
	if k.Type == modelGroupType {
		err := p.SageMaker(ctx, "DescribeModelPackageGroup", map[string]any{"ModelPackageGroupName": k.Name}, nil)
		if cloud.IsNoGroup(err) {
			return false, nil
		}
		return err == nil, p.Explain(err, doing)
	}
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(cloud.DescribeLogGroups(cloud.Logs(p).DescribeLogGroups), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(k.Name)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, p.Explain(err, doing)
		}
		for _, g := range page.LogGroups {
			if aws.ToString(g.LogGroupName) == k.Name {
				return true, nil
			}
		}
	}
	return false, nil
}
