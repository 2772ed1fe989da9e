package awsfake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// An account is a world with a client of Step Functions.
type account struct {
	t *testing.T
	*World
	c   *sfn.Client
	url string
}

func newAccount(t *testing.T, o Options) *account {
	w := New(o, "bucket")
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	url := serve(t, w)
	return &account{t, w, sfn.NewFromConfig(configuration(w, url)), url}
}

// trustOf is the trust policy of a role for a service.
func trustOf(service string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": %q}, "Action": "sts:AssumeRole"}]}`, service))
}

// roleFor makes a role that a service may take.
func (a *account) roleFor(name, service string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := &Role{Name: name, ARN: "arn:aws:iam::" + a.Account + ":role/" + name, Trust: trustOf(service), Policies: map[string]json.RawMessage{}}
	a.roles[name] = r
	return r.ARN
}

// make makes a machine, with a role if it names none.
func (a *account) make(m *Machine) error {
	if m.RoleARN == "" {
		m.RoleARN = a.roleFor("machine", "states.amazonaws.com")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.createMachine(m)
}

// machine makes a machine of states, and returns its ARN.
func (a *account) machineOf(start, states string) string {
	a.t.Helper()
	m := &Machine{Name: "m", Definition: fmt.Appendf(nil, `{"QueryLanguage": "JSONata", "StartAt": %q, "States": {%s}}`, start, states)}
	if err := a.make(m); err != nil {
		a.t.Fatal(err)
	}
	return m.ARN
}

// start starts an execution, which must be possible.
func (a *account) start(machine, name, input string) string {
	a.t.Helper()
	out, err := a.c.StartExecution(a.t.Context(), &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &name, Input: &input})
	if err != nil {
		a.t.Fatal(err)
	}
	return *out.ExecutionArn
}

// ended waits for the end of an execution and describes it.
func (a *account) ended(execution string) *sfn.DescribeExecutionOutput {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), time.Minute)
	defer cancel()
	if _, err := a.Ended(ctx, execution); err != nil {
		a.t.Fatal(err)
	}
	out, err := a.c.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// verdict is how an execution ended, in a line.
func verdict(e *sfn.DescribeExecutionOutput) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s%s", e.Status, aws.ToString(e.Error), aws.ToString(e.Cause), aws.ToString(e.Output)))
}

// history reads all events, by pages of a size.
func (a *account) history(execution string, size int32, reverse bool) []types.HistoryEvent {
	a.t.Helper()
	var all []types.HistoryEvent
	pages := sfn.NewGetExecutionHistoryPaginator(a.c, &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, MaxResults: size, ReverseOrder: reverse})
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		if len(page.Events) > int(size) {
			a.t.Errorf("a page of %d has %d events", size, len(page.Events))
		}
		all = append(all, page.Events...)
	}
	return all
}

// typesOf are the types of events.
func typesOf(events []types.HistoryEvent) (all []string) {
	for i, e := range events {
		if e.Id != int64(i+1) {
			all = append(all, fmt.Sprintf("(number %d)", e.Id))
		}
		all = append(all, string(e.Type))
	}
	return all
}

const passing = `"A": {"Type": "Pass", "Output": {"at": "{% $states.context.Execution.StartTime %}", "in": "{% $states.input %}"}, "End": true}`

func TestStartIsIdempotentWhileItRuns(t *testing.T) {
	t.Parallel()
	clock := asl.NewVirtualClock(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))
	a := newAccount(t, Options{Clock: clock})
	hold := make(chan struct{})
	a.Interfere(func(TaskCall) error {
		<-hold
		return asl.Fail("Held", "")
	})
	arn := a.machineOf("T", `"T": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject", "Arguments": {"Bucket": "bucket", "Key": "k"}, "End": true}`)
	first, err := a.c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &arn, Name: aws.String("r1")})
	if err != nil {
		t.Fatal(err)
	}
	if want := "arn:aws:states:eu-west-1:123456789012:execution:m:r1"; *first.ExecutionArn != want || !first.StartDate.Equal(clock.Now()) {
		t.Errorf("started %s at %s", *first.ExecutionArn, first.StartDate)
	}
	again, err := a.c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &arn, Name: aws.String("r1"), Input: aws.String("{}")})
	if err != nil || *again.ExecutionArn != *first.ExecutionArn || !again.StartDate.Equal(*first.StartDate) {
		t.Errorf("started again: %v, %v", again, err)
	}
	exists := "400 ExecutionAlreadyExists: Execution Already Exists: '" + *first.ExecutionArn + "'"
	_, err = a.c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &arn, Name: aws.String("r1"), Input: aws.String("{ }")})
	if got := answered(t, err); got != exists {
		t.Errorf("other bytes: %s", got)
	}
	running, err := a.c.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: first.ExecutionArn})
	if err != nil || running.Status != types.ExecutionStatusRunning || running.StopDate != nil || running.RedriveStatus != types.ExecutionRedriveStatusNotRedrivable ||
		aws.ToString(running.RedriveStatusReason) != "Execution is RUNNING and cannot be redriven" {
		t.Errorf("running: %+v, %v", running, err)
	}
	close(hold)
	if got := verdict(a.ended(*first.ExecutionArn)); got != "FAILED Held" {
		t.Errorf("ended %s", got)
	}
	_, err = a.c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &arn, Name: aws.String("r1")})
	if got := answered(t, err); got != exists {
		t.Errorf("after its end: %s", got)
	}
}

func TestStartRefusals(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{})
	arn := a.machineOf("A", passing)
	for _, test := range []struct {
		name, machine, execution, input, want string
	}{
		{"machine", arn + "x", "r", "{}", "400 StateMachineDoesNotExist: State Machine Does Not Exist: '" + arn + "x'"},
		{"ARN", "m", "r", "{}", "400 InvalidArn: Invalid Arn: 'Resource type not valid in this context: m'"},
		{"long name", arn, strings.Repeat("x", 81), "{}", "400 ValidationException: 1 validation error detected: Value at 'name' failed to satisfy constraint: Member must have length less than or equal to 80"},
		{"blank in name", arn, "r 1", "{}", "400 InvalidName: Invalid Name: 'r 1'"},
		{"colon in name", arn, "r:1", "{}", "400 InvalidName: Invalid Name: 'r:1'"},
		{"input", arn, "r", "{", "400 InvalidExecutionInput: Invalid State Machine Execution Input: 'the input is not JSON'"},
		{"large input", arn, "r", `"` + strings.Repeat("é", maxInput/2) + `"`, "400 ValidationException: 1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := a.c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &test.machine, Name: &test.execution, Input: &test.input})
			if got := answered(t, err); got != test.want {
				t.Error(got)
			}
		})
	}
}

func TestHistoryInPages(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{Clock: asl.NewVirtualClock(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))})
	arn := a.start(a.machineOf("A", passing), "r1", `{"x": 1}`)
	want := `SUCCEEDED  {"at":"2026-01-02T03:04:05.678Z","in":{"x":1}}`
	if got := verdict(a.ended(arn)); got != want {
		t.Errorf("ended %s", got)
	}
	all := []string{"ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"}
	for _, size := range []int32{1, 3, 4, 1000} {
		if diff := cmp.Diff(all, typesOf(a.history(arn, size, false))); diff != "" {
			t.Errorf("by %d: %s", size, diff)
		}
	}
	back := a.history(arn, 3, true)
	if len(back) != 4 || back[0].Id != 4 || back[3].Id != 1 || aws.ToString(back[0].ExecutionSucceededEventDetails.Output) != want[len("SUCCEEDED  "):] {
		t.Errorf("backwards: %+v", back)
	}
	page, err := a.c.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 1, IncludeExecutionData: aws.Bool(false)})
	if err != nil || page.Events[0].ExecutionStartedEventDetails.Input != nil || page.Events[0].ExecutionStartedEventDetails.RoleArn == nil {
		t.Errorf("without data: %+v, %v", page, err)
	}
	_, err = a.c.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 2, NextToken: page.NextToken})
	if got := answered(t, err); got != "400 InvalidToken: Invalid Token: 'Invalid token'" {
		t.Errorf("another request's token: %s", got)
	}
	_, err = a.c.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 1001})
	if got := answered(t, err); !strings.HasPrefix(got, "400 ValidationException") {
		t.Error(got)
	}
	_, err = a.c.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: aws.String(arn + "x")})
	if got := answered(t, err); got != "400 ExecutionDoesNotExist: Execution Does Not Exist: '"+arn+"x'" {
		t.Error(got)
	}
}

func TestListsOfExecutions(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{})
	arn := a.machineOf("A", `"A": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.ok %}", "Next": "B"}], "Default": "C"},
		"B": {"Type": "Succeed"}, "C": {"Type": "Fail", "Error": "No"}`)
	for i := range 5 {
		a.ended(a.start(arn, fmt.Sprint("r", i), fmt.Sprintf(`{"ok": %t}`, i%2 == 0)))
	}
	list := func(in sfn.ListExecutionsInput) (names []string) {
		in.StateMachineArn = &arn
		pages := sfn.NewListExecutionsPaginator(a.c, &in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Executions {
				names = append(names, *e.Name)
			}
		}
		return names
	}
	for want, in := range map[string]sfn.ListExecutionsInput{
		"[r4 r3 r2 r1 r0]": {MaxResults: 2}, "[r3 r1]": {StatusFilter: types.ExecutionStatusFailed, MaxResults: 1}, "[]": {StatusFilter: types.ExecutionStatusRunning},
	} {
		if got := fmt.Sprint(list(in)); got != want {
			t.Errorf("%s instead of %s", got, want)
		}
	}
	machines, err := a.c.ListStateMachines(t.Context(), &sfn.ListStateMachinesInput{})
	if err != nil || len(machines.StateMachines) != 1 || *machines.StateMachines[0].StateMachineArn != arn {
		t.Errorf("%v, %v", machines, err)
	}
}

func TestMachinesAreCheckedAsStepFunctionsDoes(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{})
	good := []byte(`{"QueryLanguage": "JSONata", "StartAt": "A", "States": {` + passing + `}}`)
	for _, test := range []struct {
		name string
		m    *Machine
		want string
	}{
		{
			"next", &Machine{Name: "m", Definition: []byte(`{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}`)},
			"InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: unknown state \"B\" at /States/A/Next'",
		},
		{
			"resource", &Machine{Name: "m", Definition: []byte(`{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:${P}:states:::x:y", "End": true}}}`)},
			"InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The resource provided arn:${P}:states:::x:y is not recognized. " +
				"The value is not a valid resource ARN, or the resource is not available in this region. at /States/A/Resource'",
		},
		{"name", &Machine{Name: "a b", Definition: good}, "InvalidName: Invalid Name: 'a b'"},
		{
			"no role", &Machine{Name: "m", Definition: good, RoleARN: "arn:aws:iam::123456789012:role/none"},
			"AccessDeniedException: Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.",
		},
		{
			"another's role", &Machine{Name: "m", Definition: good, RoleARN: a.roleFor("job", "sagemaker.amazonaws.com")},
			"AccessDeniedException: Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.",
		},
		{
			"log group", &Machine{Name: "m", Definition: good, LogGroup: "/aws/vendedlogs/states/m", LogLevel: "ALL"},
			"InvalidLoggingConfiguration: Invalid Logging Configuration: The log group /aws/vendedlogs/states/m does not exist.",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := a.make(test.m)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			var refused *apiError
			if !errors.As(err, &refused) || refused.status != 400 {
				t.Errorf("%T", err)
			}
		})
	}
	valid, err := a.c.ValidateStateMachineDefinition(t.Context(), &sfn.ValidateStateMachineDefinitionInput{Definition: aws.String(string(good))})
	if err != nil || valid.Result != types.ValidateStateMachineDefinitionResultCodeOk {
		t.Errorf("%v, %v", valid, err)
	}
	wrong, err := a.c.ValidateStateMachineDefinition(t.Context(), &sfn.ValidateStateMachineDefinitionInput{Definition: aws.String(`{"QueryLanguage": "JSONata"}`)})
	if err != nil || wrong.Result != types.ValidateStateMachineDefinitionResultCodeFail || len(wrong.Diagnostics) == 0 || *wrong.Diagnostics[0].Code != "SCHEMA_VALIDATION_FAILED" {
		t.Errorf("%v, %v", wrong, err)
	}
}

func TestMachineIsUpdatedAndDeleted(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{})
	arn := a.machineOf("A", passing)
	describe := func() *sfn.DescribeStateMachineOutput {
		out, err := a.c.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if m := describe(); m.RevisionId != nil || m.Status != types.StateMachineStatusActive || m.LoggingConfiguration.Level != types.LogLevelOff {
		t.Errorf("%+v", m)
	}
	update := func(m Machine) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if err := a.updateMachine(&m); err != nil {
			t.Fatal(err)
		}
	}
	same := *a.Machines()[0]
	update(same)
	if m := describe(); m.RevisionId != nil {
		t.Errorf("revision %s after no change", *m.RevisionId)
	}
	ran := a.start(arn, "old", "{}")
	a.ended(ran)
	same.Definition = []byte(strings.ReplaceAll(string(same.Definition), `"End"`, `"Comment": "changed", "End"`))
	update(same)
	if m := describe(); m.RevisionId == nil || !strings.Contains(*m.Definition, "changed") {
		t.Errorf("%+v", m)
	}
	of, err := a.c.DescribeStateMachineForExecution(t.Context(), &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: &ran})
	if err != nil || of.RevisionId != nil || strings.Contains(*of.Definition, "changed") {
		t.Errorf("%+v, %v", of, err)
	}
	a.mu.Lock()
	err = a.deleteMachine(arn)
	a.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.c.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &arn})
	if got := answered(t, err); got != "400 StateMachineDoesNotExist: State Machine Does Not Exist: '"+arn+"'" {
		t.Error(got)
	}
	_, err = a.c.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &ran})
	if got := answered(t, err); !strings.HasPrefix(got, "400 ExecutionDoesNotExist") {
		t.Error(got)
	}
}
