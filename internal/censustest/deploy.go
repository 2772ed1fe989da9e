package censustest

import (
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/execution"
)

// An Account is an AWS account in which a module's pipeline is deployed as environment dev,
// with its code and its sample data. Who talks to it through Options waits in no time.
type Account struct {
	*awsfake.World
	Module  *Module
	Place   *cloud.Place
	Options cloud.Options
}

// Deploy makes the account.
func (m *Module) Deploy() *Account {
	m.T.Helper()
	w := awsfake.New(awsfake.Options{}, "acme-ml-dev")
	m.T.Cleanup(func() {
		if err := w.Close(); err != nil {
			m.T.Error(err)
		}
	})
	server := w.Serve()
	m.T.Cleanup(server.Close)
	a := &Account{World: w, Module: m, Options: cloud.Options{Clock: asl.NewVirtualClock(time.Now()), Load: []func(*config.LoadOptions) error{
		config.WithBaseEndpoint(server.URL), config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("AKIAFAKEFAKEFAKEFAKE", "fake", "")),
	}}}
	var err error
	if a.Place, err = cloud.Open(m.T.Context(), cloud.Target{Definition: m.Definition, Environment: "dev", Command: "training"}, a.Options); err != nil {
		m.T.Fatal(err)
	}
	tree, err := cloud.Tree(m.Definition, m.Dir)
	if err != nil {
		m.T.Fatal(err)
	}
	if err := a.Place.Upload(m.T.Context(), tree, nil); err != nil {
		m.T.Fatal(err)
	}
	if err := w.PutObject(a.Place.Bucket, a.Place.Prefix+"data/census.csv", []byte("age,income\n39,low\n")); err != nil {
		m.T.Fatal(err)
	}
	a.create(cloud.Digests(tree))
	return a
}

// create makes the stack. Its template has the module's machine.
func (a *Account) create(digests map[string]string) {
	t, p := a.Module.T, a.Place
	t.Helper()
	in := &cloudformation.CreateStackInput{
		StackName: aws.String(p.StackName()), Capabilities: []types.Capability{types.CapabilityCapabilityIam},
		TemplateURL: aws.String("https://" + p.Bucket + ".s3." + p.Region + ".amazonaws.com/template.json"),
	}
	if err := a.PutObject(p.Bucket, "template.json", a.Module.template()); err != nil {
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
	for a.StackStatus(p.StackName()) == "CREATE_IN_PROGRESS" { // it goes on when it is looked at
		if _, err := cloud.CloudFormation(p).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: in.StackName}); err != nil {
			t.Fatal(err)
		}
	}
	if status := a.StackStatus(p.StackName()); status != "CREATE_COMPLETE" {
		t.Fatalf("the stack is %s", status)
	}
}

// template is the committed template with the module's machine in it.
func (m *Module) template() []byte {
	m.T.Helper()
	var all map[string]any
	var machine any
	if err := json.Unmarshal(m.Definition.Template, &all); err != nil {
		m.T.Fatal(err)
	}
	if err := json.Unmarshal(m.Definition.ASL, &machine); err != nil {
		m.T.Fatal(err)
	}
	for _, r := range all["Resources"].(map[string]any) {
		if resource := r.(map[string]any); resource["Type"] == "AWS::StepFunctions::StateMachine" {
			resource["Properties"].(map[string]any)["Definition"] = machine
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		m.T.Fatal(err)
	}
	return text
}

// Start starts an execution.
func (a *Account) Start(name, input string) {
	a.Module.T.Helper()
	if _, err := execution.Start(a.Module.T.Context(), a.Place, name, json.RawMessage(input)); err != nil {
		a.Module.T.Fatal(err)
	}
}

// End waits until an execution has ended, and returns its status.
func (a *Account) End(name string) string {
	a.Module.T.Helper()
	status, err := a.Ended(a.Module.T.Context(), a.Place.ExecutionARN(name))
	if err != nil {
		a.Module.T.Fatal(err)
	}
	return status
}
