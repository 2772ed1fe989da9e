package runnertest

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// Deploy brings a module's pipeline into an account: its code, its sample data, and a stack
// whose template has the module's machine.
func Deploy(t testing.TB, w *awsfake.World, p *cloud.Place, m *censustest.Module) {
	t.Helper()
	tree, err := cloud.Tree(m.Definition, m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Upload(t.Context(), tree, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.PutObject(p.Bucket, p.Prefix+"data/census.csv", []byte("age,income\n39,low\n")); err != nil {
		t.Fatal(err)
	}
	create(t, w, p, m, cloud.Digests(tree))
}

// create makes the stack. Its template has the module's machine.
func create(t testing.TB, w *awsfake.World, p *cloud.Place, m *censustest.Module, digests map[string]string) {
	t.Helper()
	in := &cloudformation.CreateStackInput{
		StackName: aws.String(p.StackName()), Capabilities: []types.Capability{types.CapabilityCapabilityIam},
		TemplateURL: aws.String("https://" + p.Bucket + ".s3." + p.Region + ".amazonaws.com/template.json"),
	}
	if err := w.PutObject(p.Bucket, "template.json", template(t, m)); err != nil {
		t.Fatal(err)
	}
	for _, values := range []map[string]string{p.Parameters, digests} {
		for name, value := range values {
			in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)})
		}
	}
	if _, err := cloud.CloudFormation(p).CreateStack(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for w.StackStatus(p.StackName()) == "CREATE_IN_PROGRESS" {
		if _, err := cloud.CloudFormation(p).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: in.StackName}); err != nil {
			t.Fatal(err)
		}
	}
	if status := w.StackStatus(p.StackName()); status != "CREATE_COMPLETE" {
		t.Fatalf("the stack is %s", status)
	}
}

// template is the committed template with the module's machine in it.
func template(t testing.TB, m *censustest.Module) []byte {
	t.Helper()
	var all map[string]any
	var machine any
	if err := json.Unmarshal(m.Definition.Template, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(m.Definition.ASL, &machine); err != nil {
		t.Fatal(err)
	}
	for _, r := range all["Resources"].(map[string]any) {
		if resource := r.(map[string]any); resource["Type"] == "AWS::StepFunctions::StateMachine" {
			resource["Properties"].(map[string]any)["Definition"] = machine
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
