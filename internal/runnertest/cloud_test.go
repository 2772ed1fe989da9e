package runnertest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/execution"
)

func TestCloud(t *testing.T) {
	t.Parallel()
	Run(t, func(t *testing.T, m *censustest.Module) Runner {
		p := deployed(t, m)
		return Runner{Runner: &execution.Runner{Place: p}, Tail: func(log string, lines int) []string {
			return execution.Tail(context.Background(), p, log, lines)
		}}
	})
}

// deployed is an account of its own in which a module's pipeline is deployed, and its
// sample data is in place.
func deployed(t *testing.T, m *censustest.Module) *cloud.Place {
	t.Helper()
	w := awsfake.New(awsfake.Options{Clock: steady{}}, "acme-ml-dev")
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	server := w.Serve()
	t.Cleanup(server.Close)
	p, err := cloud.Open(t.Context(), cloud.Target{Definition: m.Definition, Environment: "dev", Command: "training"}, cloud.Options{
		Clock: steady{},
		Load: []func(*config.LoadOptions) error{
			config.WithBaseEndpoint(server.URL), config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("AKIAFAKEFAKEFAKEFAKE", "fake", "")),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
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
	return p
}

// create makes the stack. Its template has the module's machine.
func create(t *testing.T, w *awsfake.World, p *cloud.Place, m *censustest.Module, digests map[string]string) {
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
	if _, err := p.CloudFormation().CreateStack(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for w.StackStatus(p.StackName()) == "CREATE_IN_PROGRESS" {
		if _, err := p.CloudFormation().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: in.StackName}); err != nil {
			t.Fatal(err)
		}
	}
	if status := w.StackStatus(p.StackName()); status != "CREATE_COMPLETE" {
		t.Fatalf("the stack is %s", status)
	}
}

// template is the committed template with the module's machine in it.
func template(t *testing.T, m *censustest.Module) []byte {
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
	return []byte(strings.TrimSpace(string(text)))
}
