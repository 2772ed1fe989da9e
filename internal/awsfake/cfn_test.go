package awsfake_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/mlmax/mlmax/internal/awsfake"
)

// A bench is a world with its CloudFormation client.
type bench struct {
	t      *testing.T
	world  *awsfake.World
	client *cloudformation.Client
}

func newBench(t *testing.T) *bench {
	t.Helper()
	w := awsfake.New(awsfake.Options{}, "data")
	server := w.Serve()
	t.Cleanup(server.Close)
	return &bench{t, w, cloudformation.New(cloudformation.Options{
		Region: w.Region, BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIAFAKE", "fake", ""),
		RetryMaxAttempts: 1, HTTPClient: awsfake.HTTP(),
	})}
}

// census is a committed template and values for all of its parameters.
func census(t *testing.T, pipeline string) (string, map[string]string) {
	t.Helper()
	dir := filepath.Join("..", "..", "generated", pipeline, pipeline)
	body, err := os.ReadFile(filepath.Join(dir, "template.json"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "env", "dev.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ ParameterKey, ParameterValue string }
	if err := json.Unmarshal(file, &list); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, p := range list {
		values[p.ParameterKey] = p.ParameterValue
	}
	var template struct{ Parameters map[string]any }
	if err := json.Unmarshal(body, &template); err != nil {
		t.Fatal(err)
	}
	for name := range template.Parameters {
		if strings.HasSuffix(name, "Code") {
			values[name] = strings.Repeat("a", 64)
		}
	}
	return string(body), values
}

// plan makes a change set, and describes it.
func (b *bench) plan(kind types.ChangeSetType, name, body string, values map[string]string) *cloudformation.DescribeChangeSetOutput {
	b.t.Helper()
	if err := b.world.PutObject("data", "template.json", []byte(body)); err != nil {
		b.t.Fatal(err)
	}
	in := &cloudformation.CreateChangeSetInput{
		StackName: aws.String("dev-census"), ChangeSetName: &name, ChangeSetType: kind, ClientToken: aws.String(name),
		TemplateURL:  aws.String("https://data.s3.eu-west-1.amazonaws.com/template.json"),
		Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	}
	for key, value := range values {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(value)})
	}
	if _, err := b.client.CreateChangeSet(b.t.Context(), in); err != nil {
		b.t.Fatal(err)
	}
	out, err := b.client.DescribeChangeSet(b.t.Context(), &cloudformation.DescribeChangeSetInput{StackName: in.StackName, ChangeSetName: &name, IncludePropertyValues: aws.Bool(true)})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b *bench) execute(name string) {
	b.t.Helper()
	if _, err := b.client.ExecuteChangeSet(b.t.Context(), &cloudformation.ExecuteChangeSetInput{
		StackName: aws.String("dev-census"), ChangeSetName: &name, ClientRequestToken: aws.String("token-" + name), RetainExceptOnCreate: aws.Bool(true),
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) stack() types.Stack {
	b.t.Helper()
	out, err := b.client.DescribeStacks(b.t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("dev-census")})
	if err != nil {
		b.t.Fatal(err)
	}
	return out.Stacks[0]
}

// reaches runs an operation to its end and demands a status.
func (b *bench) reaches(want types.StackStatus) {
	b.t.Helper()
	if s := b.stack(); s.StackStatus != want {
		for _, e := range b.events() {
			b.t.Logf("%s %s: %s", aws.ToString(e.LogicalResourceId), e.ResourceStatus, aws.ToString(e.ResourceStatusReason))
		}
		b.t.Fatalf("stack is %s (%s), want %s", s.StackStatus, aws.ToString(s.StackStatusReason), want)
	}
}

func (b *bench) events() []types.StackEvent {
	b.t.Helper()
	var all []types.StackEvent
	pages := cloudformation.NewDescribeStackEventsPaginator(b.client, &cloudformation.DescribeStackEventsInput{StackName: aws.String("dev-census")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, page.StackEvents...)
	}
	return all
}

func code(err error) string {
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return refused.ErrorCode() + ": " + refused.ErrorMessage()
	}
	return ""
}

func TestStackIsMadeChangedAndDeleted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	body, values := census(t, "training")
	if set := b.plan(types.ChangeSetTypeCreate, "one", body, values); set.Status != types.ChangeSetStatusCreateComplete || len(set.Changes) < 6 {
		t.Fatalf("change set is %s (%s) with %d changes", set.Status, aws.ToString(set.StatusReason), len(set.Changes))
	}
	if got := b.stack().StackStatus; got != types.StackStatusReviewInProgress {
		t.Fatalf("stack is %s", got)
	}
	b.execute("one")
	b.reaches(types.StackStatusCreateComplete)
	if n := len(b.world.Machines()); n != 1 || b.world.Machines()[0].Name != "dev-census-training" {
		t.Fatalf("there are %d machines", n)
	}
	definition := string(b.world.Machines()[0].Definition)
	for _, want := range []string{"s3://acme-ml-dev/code/" + strings.Repeat("a", 64) + "/", "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn"} {
		if !strings.Contains(definition, want) {
			t.Errorf("the definition has no %s", want)
		}
	}
	if strings.Contains(definition, "${") {
		t.Error("the definition has a name that was not filled in")
	}

	set := b.plan(types.ChangeSetTypeUpdate, "same", body, values)
	if set.Status != types.ChangeSetStatusFailed || !strings.Contains(aws.ToString(set.StatusReason), "didn't contain changes") {
		t.Fatalf("a change set without changes is %s (%s)", set.Status, aws.ToString(set.StatusReason))
	}

	values["TrainCode"] = strings.Repeat("b", 64)
	set = b.plan(types.ChangeSetTypeUpdate, "two", body, values)
	if len(set.Changes) != 1 || *set.Changes[0].ResourceChange.LogicalResourceId != "Machine" || set.Changes[0].ResourceChange.Replacement != types.ReplacementFalse {
		t.Fatalf("other code changes %+v", set.Changes)
	}
	b.execute("two")
	b.reaches(types.StackStatusUpdateComplete)
	if !strings.Contains(string(b.world.Machines()[0].Definition), strings.Repeat("b", 64)) {
		t.Error("the machine has not the new code")
	}

	if _, err := b.client.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("dev-census")}); err != nil {
		t.Fatal(err)
	}
	_, err := b.client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("dev-census")})
	if err == nil {
		_, err = b.client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("dev-census")})
	}
	if got := code(err); got != "ValidationError: Stack with id dev-census does not exist" {
		t.Errorf("a deleted stack gives %q", got)
	}
	if len(b.world.Machines()) != 0 {
		t.Error("the machine is still there")
	}
}

func TestCreationThatFailsIsRolledBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	body, values := census(t, "training")
	b.world.FailResource("create", "TrainRole", "API: iam:CreateRole User is not authorized")
	b.plan(types.ChangeSetTypeCreate, "one", body, values)
	b.execute("one")
	b.reaches(types.StackStatusRollbackComplete)
	reasons := map[string]bool{}
	for _, e := range b.events() {
		if e.ResourceStatus == types.ResourceStatusCreateFailed {
			reasons[aws.ToString(e.ResourceStatusReason)] = true
		}
	}
	if !reasons["API: iam:CreateRole User is not authorized"] || !reasons["Resource creation cancelled"] {
		t.Errorf("reasons are %v", reasons)
	}
	_, err := b.client.CreateChangeSet(t.Context(), &cloudformation.CreateChangeSetInput{StackName: aws.String("dev-census"), ChangeSetName: aws.String("x"), TemplateBody: aws.String("{}")})
	if got := code(err); !strings.Contains(got, "is in ROLLBACK_COMPLETE state and can not be updated.") {
		t.Errorf("an update is refused with %q", got)
	}
}

func TestUpdateThatFailsGoesBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	body, values := census(t, "training")
	b.plan(types.ChangeSetTypeCreate, "one", body, values)
	b.execute("one")
	b.reaches(types.StackStatusCreateComplete)
	before := b.world.Machines()[0].Definition
	values["TrainCode"] = strings.Repeat("b", 64)
	values["LogRetentionDays"] = "60"

	b.world.FailResource("update", "Machine", "no")
	b.plan(types.ChangeSetTypeUpdate, "two", body, values)
	b.execute("two")
	b.reaches(types.StackStatusUpdateRollbackComplete)

	b.world.FailResource("update", "Machine", "no")
	b.world.FailResource("rollback", "MachineLogs", "no way back")
	b.plan(types.ChangeSetTypeUpdate, "three", body, values)
	b.execute("three")
	b.reaches(types.StackStatusUpdateRollbackFailed)
	if _, err := b.client.ContinueUpdateRollback(t.Context(), &cloudformation.ContinueUpdateRollbackInput{StackName: aws.String("dev-census"), ResourcesToSkip: []string{"MachineLogs"}}); err != nil {
		t.Fatal(err)
	}
	b.reaches(types.StackStatusUpdateRollbackComplete)
	if string(b.world.Machines()[0].Definition) != string(before) {
		t.Error("the machine is not what it was")
	}
}

func TestTokensHaveOneEffect(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	body, values := census(t, "training")
	b.plan(types.ChangeSetTypeCreate, "one", body, values)
	b.plan(types.ChangeSetTypeCreate, "one", body, values) // the same token
	b.execute("one")
	b.execute("one")
	b.reaches(types.StackStatusCreateComplete)
	started := 0
	for _, e := range b.events() {
		if e.ResourceStatus == types.ResourceStatusCreateInProgress && aws.ToString(e.ResourceType) == "AWS::CloudFormation::Stack" {
			started++
			if aws.ToString(e.ClientRequestToken) != "token-one" {
				t.Errorf("the event has token %q", aws.ToString(e.ClientRequestToken))
			}
		}
	}
	if started != 1 {
		t.Errorf("the stack was made %d times", started)
	}
}

func TestWhatIsUnknownIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, body := range map[string]string{
		"type":     `{"Resources":{"A":{"Type":"AWS::X::Y"}}}`,
		"property": `{"Resources":{"A":{"Type":"AWS::SQS::Queue","Properties":{"Nmae":"x"}}}}`,
		"section":  `{"Resorces":{}}`,
		"ref":      `{"Resources":{"A":{"Type":"AWS::SQS::Queue","Properties":{"QueueName":{"Ref":"B"}}}}}`,
	} {
		_, err := b.client.ValidateTemplate(context.Background(), &cloudformation.ValidateTemplateInput{TemplateBody: aws.String(body)})
		if !strings.HasPrefix(code(err), "ValidationError") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// TestEveryStatusCanBeReached walks through all of them, by operations where one leads there.
func TestEveryStatusCanBeReached(t *testing.T) {
	t.Parallel()
	seen := map[types.StackStatus]bool{}
	note := func(b *bench) {
		for _, e := range b.events() {
			if aws.ToString(e.ResourceType) == "AWS::CloudFormation::Stack" {
				seen[types.StackStatus(e.ResourceStatus)] = true
			}
		}
	}
	body, values := census(t, "training")
	created := func() *bench {
		b := newBench(t)
		b.plan(types.ChangeSetTypeCreate, "one", body, values)
		b.execute("one")
		b.stack()
		return b
	}
	other := map[string]string{}
	for k, v := range values {
		other[k] = v
	}
	other["TrainCode"] = strings.Repeat("c", 64)
	other["LogRetentionDays"] = "60"

	b := created()
	b.plan(types.ChangeSetTypeUpdate, "two", body, other)
	b.execute("two")
	b.stack()
	b.world.FailResource("delete", "TrainRole", "in use")
	id := b.stack().StackId
	for range 2 {
		if _, err := b.client.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: id}); err != nil {
			t.Fatal(err)
		}
		note(b)
		if out, err := b.client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: id}); err == nil {
			seen[out.Stacks[0].StackStatus] = true
		}
	}

	b = newBench(t)
	b.world.FailResource("create", "Machine", "no")
	b.world.FailResource("delete", "TrainRole", "no")
	b.plan(types.ChangeSetTypeCreate, "one", body, values)
	b.execute("one")
	b.stack()
	note(b)
	b = newBench(t)
	b.world.FailResource("create", "Machine", "no")
	b.plan(types.ChangeSetTypeCreate, "one", body, values)
	b.execute("one")
	b.stack()
	note(b)
	b = created()
	b.world.FailResource("update", "Machine", "no")
	b.plan(types.ChangeSetTypeUpdate, "two", body, other)
	b.execute("two")
	b.stack()
	b.world.FailResource("update", "Machine", "no")
	b.world.FailResource("rollback", "MachineLogs", "no")
	b.plan(types.ChangeSetTypeUpdate, "three", body, other)
	b.execute("three")
	b.stack()
	note(b)

	for _, status := range types.StackStatus("").Values() {
		if !seen[status] {
			b.world.SetStackStatus("dev-census", string(status), "set by hand")
			if out, err := b.client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: id}); err == nil && len(out.Stacks) == 1 {
				t.Logf("%s only by hand", status)
			}
			if got := b.world.StackStatus("dev-census"); got != string(status) {
				t.Errorf("status %s cannot be reached: stack is %s", status, got)
			}
		}
	}
	for _, status := range []types.StackStatus{types.StackStatusUpdateRollbackFailed, types.StackStatusRollbackFailed, types.StackStatusDeleteFailed, types.StackStatusUpdateCompleteCleanupInProgress} {
		if !seen[status] {
			t.Errorf("no operation leads to %s; seen are %v", status, slices.Sorted(func(yield func(types.StackStatus) bool) {
				for s := range seen {
					if !yield(s) {
						return
					}
				}
			}))
		}
	}
}
