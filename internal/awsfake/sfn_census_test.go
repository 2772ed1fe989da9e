package awsfake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// censusCode is the digest that stands for a step's code.
func censusCode(step string) string {
	sum := sha256.Sum256([]byte(step))
	return hex.EncodeToString(sum[:])
}

// inShell makes the steps of a template the shell scripts of pipeline/cli's tests.
func inShell(template string) string {
	template = strings.ReplaceAll(template, `"python3"`, `"/bin/sh"`)
	for _, step := range []string{"preprocess", "train", "evaluate", "predict"} {
		template = strings.ReplaceAll(template, step+".py", step+".sh")
	}
	return template
}

// goldens are templates which have what those of generated/ do without: readable places, and
// a schedule.
var goldens = map[string]string{"reaching": "training", "scheduled": "inference"}

// templateOf is the file of a committed template, and the pipeline that it is of.
func templateOf(name string) (file, pipeline string) {
	switch name {
	case "reaching":
		return "../../gen/emitcfn/testdata/reaching.template.json", goldens[name]
	case "scheduled":
		return "../../gen/emitcfn/testdata/inference.template.json", goldens[name]
	}
	return filepath.Join("..", "..", "generated", name, name, "template.json"), name
}

// censusTemplate is a committed template, and the values of its parameters.
func censusTemplate(t *testing.T, name string, values map[string]string) (string, map[string]string) {
	t.Helper()
	file, _ := templateOf(name)
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var template struct{ Parameters map[string]any }
	if err := json.Unmarshal(body, &template); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for name := range template.Parameters {
		if step, ok := strings.CutSuffix(name, "Code"); ok {
			all[name] = censusCode(step)
		}
	}
	maps.Copy(all, values)
	return string(body), all
}

// deploy makes a stack of a template, by a change set, after edit has changed it.
func (a *account) deploy(template string, values map[string]string, edit func(string) string) (machine string) {
	a.t.Helper()
	body, all := censusTemplate(a.t, template, values)
	_, pipeline := templateOf(template)
	if err := a.PutObject("bucket", "templates/"+pipeline, []byte(edit(body))); err != nil {
		a.t.Fatal(err)
	}
	c := cloudformation.NewFromConfig(configuration(a.World, a.url))
	name := aws.String("dev-census-" + pipeline)
	in := &cloudformation.CreateChangeSetInput{
		StackName: name, ChangeSetName: aws.String("first"), ChangeSetType: types.ChangeSetTypeCreate,
		TemplateURL: aws.String("https://bucket.s3.eu-west-1.amazonaws.com/templates/" + pipeline), Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(all[key])})
	}
	if _, err := c.CreateChangeSet(a.t.Context(), in); err != nil {
		a.t.Fatal(err)
	}
	// An operation goes on when it is looked at.
	var last any
	for range 100 {
		set, err := c.DescribeChangeSet(a.t.Context(), &cloudformation.DescribeChangeSetInput{StackName: name, ChangeSetName: in.ChangeSetName})
		if err != nil {
			a.t.Fatal(err)
		}
		if last = set.Status; set.Status == types.ChangeSetStatusCreateComplete {
			break
		}
	}
	if _, err := c.ExecuteChangeSet(a.t.Context(), &cloudformation.ExecuteChangeSetInput{StackName: name, ChangeSetName: in.ChangeSetName}); err != nil {
		a.t.Fatal(last, err)
	}
	for range 100 {
		out, err := c.DescribeStacks(a.t.Context(), &cloudformation.DescribeStacksInput{StackName: name})
		if err != nil {
			a.t.Fatal(err)
		}
		s := out.Stacks[0]
		if s.StackStatus == types.StackStatusCreateComplete {
			for _, o := range s.Outputs {
				if *o.OutputKey == "StateMachineArn" {
					return *o.OutputValue
				}
			}
			a.t.Fatal("the stack has no output StateMachineArn")
		}
		if last = fmt.Sprint(s.StackStatus, aws.ToString(s.StackStatusReason)); s.StackStatus != types.StackStatusCreateInProgress && s.StackStatus != types.StackStatusReviewInProgress {
			break
		}
	}
	a.t.Fatalf("the stack is %v", last)
	return ""
}

// Where data lies that is not below the environment's prefix, and the policy that bounds roles.
const (
	lake     = "s3://lake/in/census.csv"
	boundary = "arn:aws:iam::123456789012:policy/boundary"
)

// newCensus is an account with both pipelines deployed from these templates, policies
// enforced, and everything in use that an environment can have: a key, a network, a boundary,
// a place of other people's, a schedule.
func newCensus(t *testing.T, first, second string) (a *account, training, inference string) {
	t.Helper()
	a = newAccount(t, Options{Enforce: true, Clock: asl.NewVirtualClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))})
	for _, step := range []string{"preprocess", "train", "evaluate", "predict"} {
		script, err := os.ReadFile("../../pipeline/cli/testdata/steps/" + step + "/" + step + ".sh")
		if err != nil {
			t.Fatal(err)
		}
		text := string(script)
		if step == "evaluate" { // which can be told to leave its report out
			text = strings.Replace(text, "echo '{", "! grep -q noreport \"$test/test.csv\" || exit 0\necho '{", 1)
		}
		code := censusCode(strings.ToUpper(step[:1]) + step[1:])
		a.put(map[string]string{
			"code/" + code + "/" + step + ".sh": text, "code/" + code + ".tar.gz": string(codeArchive(t, step+".sh", text)),
		})
	}
	a.put(map[string]string{
		"data/census.csv": "age,income\n39,low\n50,high\n", "data/noreport.csv": "noreport\n", "incoming/census.csv": "age\n39\n",
	})
	a.AddBucket("lake", a.Region, a.Account)
	if err := a.PutObject("lake", "in/census.csv", []byte("age,income\n39,low\n50,high\n")); err != nil {
		t.Fatal(err)
	}
	a.AddPolicy(boundary, []byte(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`))
	values := map[string]string{
		"Env": "dev", "Bucket": "bucket", "KmsKey": "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555", "Subnets": "subnet-00000001,subnet-00000002", "SecurityGroups": "sg-00000001",
		"PermissionsBoundary": boundary,
	}
	own := func(template string, more map[string]string) map[string]string {
		all := maps.Clone(values)
		if goldens[template] != "" {
			maps.Copy(all, more)
		}
		return all
	}
	// The second place has no data in it: a statement for it is not missed.
	training = a.deploy(first, own(first, map[string]string{"ReadableBucket1": "lake", "ReadablePrefix1": "in/"}), inShell)
	return a, training, a.deploy(second, own(second, map[string]string{"ScheduleState": "ENABLED", "ScheduleTimeZone": "Europe/Berlin"}), inShell)
}

// approve approves the newest version of the model.
func (a *account) approve() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, g := range a.packages {
		for _, v := range g.versions {
			v.Approval = "Approved"
		}
	}
}

// statements are a role's, each with the document and the place where it stands.
func (a *account) statements(role *Role) (all []statement) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(role.Policies)) {
		p, err := readPolicy(role.Policies[name])
		if err != nil {
			a.t.Fatal(err)
		}
		all = append(all, p.Statement...)
	}
	return all
}

// without takes a statement from a role until it is put back.
func (a *account) without(role *Role, sid string) (putBack func()) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	before := role.Policies
	role.Policies = map[string]json.RawMessage{}
	for name, text := range before {
		var document map[string]any
		if err := json.Unmarshal(text, &document); err != nil {
			a.t.Fatal(err)
		}
		list, _ := document["Statement"].([]any)
		document["Statement"] = slices.DeleteFunc(list, func(s any) bool { return s.(map[string]any)["Sid"] == sid })
		changed, err := json.Marshal(document)
		if err != nil {
			a.t.Fatal(err)
		}
		role.Policies[name] = changed
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		role.Policies = before
	}
}

// losses are what happens without a statement: the machine cannot be made, a run fails, or it
// goes on and loses what only the refused calls tell of.
var losses = map[string]string{
	"ProcessingJobs": "FAILED SageMaker.AmazonSageMakerException", "TrainingJobs": "FAILED SageMaker.AmazonSageMakerException",
	"PassJobRoles": "FAILED SageMaker.AmazonSageMakerException", "JobEvents": "no machine", "DeliverLogs": "no machine",
	"WriteManifest": "FAILED S3.S3Exception", "ReadReports": "FAILED S3.S3Exception", "RegisterModels": "FAILED SageMaker.SageMakerException",
	"ReadModels": "FAILED SageMaker.SageMakerException", "Trace": "SUCCEEDED, and lost",

	"ReadInputs": "FAILED States.TaskFailed", "FindInputs": "FAILED States.TaskFailed", "WriteOutputs": "FAILED States.TaskFailed",
	"GrantKey": "FAILED States.TaskFailed", "PullImage": "FAILED States.TaskFailed", "EnterRegistry": "FAILED States.TaskFailed",
	"UseNetwork": "FAILED States.TaskFailed", "WriteLogs": "SUCCEEDED, and lost", "PutMetrics": "SUCCEEDED, and lost",

	"MachineRole UseKey": "FAILED S3.S3Exception", "UseKey": "FAILED States.TaskFailed",
	// A report that is missing is told from one that may not be read.
	"FindReports":  "FAILED S3.S3Exception",
	"ReadOutside1": "FAILED States.TaskFailed", "FindOutside1": "FAILED States.TaskFailed",
}

// outcome runs a machine and says in short what came of it.
func (a *account) outcome(machine, name, input string) string {
	a.t.Helper()
	a.mu.Lock()
	m := a.machines[machine]
	err := a.checkMachine(m) // as it is made anew
	before := len(a.states.denied)
	a.mu.Unlock()
	if err != nil {
		return "no machine"
	}
	ended := a.ended(a.start(machine, name, input))
	text := strings.TrimSpace(fmt.Sprintf("%s %s", ended.Status, aws.ToString(ended.Error)))
	if text == "SUCCEEDED" && len(a.Denied()) > before {
		text += ", and lost"
	}
	return text
}

// TestEachStatementIsNeeded runs both pipelines with the policies of the committed templates
// enforced: every call is allowed; and then without each statement in turn: a run breaks.
func TestEachStatementIsNeeded(t *testing.T) {
	t.Parallel()
	for _, pipeline := range []string{"training", "inference"} {
		t.Run(pipeline, func(t *testing.T) {
			t.Parallel()
			a, machine := ready(t, pipeline, "training", "inference")
			n := 0
			for _, role := range a.rolesOf("dev-census-" + pipeline) {
				for _, s := range a.statements(role) {
					n++
					if testing.Short() && !strings.Contains(role.Name, "MachineRole") {
						continue // which are many, and much alike
					}
					a.needs(role, s.Sid, machine, fmt.Sprint("run-", n), "{}")
				}
			}
			if n < 20 {
				t.Errorf("only %d statements", n)
			}
		})
	}
}

// ready is an account in which the machine of a pipeline has run, and was allowed all that it
// did.
func ready(t *testing.T, pipeline, first, second string) (a *account, machine string) {
	t.Helper()
	a, machine, inference := newCensus(t, first, second)
	if got := a.outcome(machine, "first", "{}"); got != "SUCCEEDED" {
		t.Fatal(got, a.Denied(), verdict(a.ended(strings.Replace(machine, "stateMachine", "execution", 1)+":first")))
	}
	if pipeline == "inference" {
		a.approve()
		machine = inference
		if got := a.outcome(machine, "first", "{}"); got != "SUCCEEDED" {
			t.Fatal(got, a.Denied(), verdict(a.ended(strings.Replace(machine, "stateMachine", "execution", 1)+":first")))
		}
	} else if got := a.outcome(machine, "noreport", `{"Data": "s3://bucket/data/noreport.csv"}`); got != "FAILED S3.NoSuchKeyException" {
		t.Error(got)
	}
	if denied := a.Denied(); len(denied) > 0 {
		t.Fatalf("refused: %v", denied)
	}
	return a, machine
}

// rolesOf are the roles of a stack, by name.
func (a *account) rolesOf(stack string) (all []*Role) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(a.roles)) {
		if strings.HasPrefix(name, stack+"-") {
			all = append(all, a.roles[name])
		}
	}
	return all
}

// needs demands that the loss of a statement shows in a run with this input.
func (a *account) needs(role *Role, sid, machine, run, input string) {
	a.t.Helper()
	want, ok := losses[sid]
	if other := losses["MachineRole "+sid]; other != "" && strings.Contains(role.Name, "MachineRole") {
		want = other
	}
	if !ok {
		a.t.Errorf("role %s has the statement %q: say in this test what is lost without it", role.Name, sid)
		return
	}
	if sid == "FindReports" {
		input = `{"Data": "s3://bucket/data/noreport.csv"}`
	}
	defer a.without(role, sid)()
	if got := a.outcome(machine, run, input); got != want {
		a.t.Errorf("role %s without %s: %s, want %s", role.Name, sid, got, want)
	}
	if len(a.Denied()) == 0 {
		a.t.Errorf("role %s without %s: nothing was refused", role.Name, sid)
	}
}

// TestDeniedStopLeavesTheJobRunning: without permission to stop it a job outlives its
// execution, as on AWS.
func TestDeniedStopLeavesTheJobRunning(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{Enforce: true})
	job, machine := a.roleFor("job", "sagemaker.amazonaws.com"), a.roleFor("machine", "states.amazonaws.com")
	a.mu.Lock()
	all := json.RawMessage(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`)
	a.roles["job"].Policies["all"], a.roles["machine"].Policies["all"] = all, all
	a.roles["machine"].Policies["not"] = json.RawMessage(`{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sagemaker:Stop*", "Resource": "*"}]}`)
	a.mu.Unlock()
	a.put(map[string]string{"code/slow.sh": "echo begun; exec sleep 600", "data/x.txt": "x"})
	m := &Machine{Name: "m", RoleARN: machine, Definition: []byte(`{"QueryLanguage": "JSONata", "StartAt": "Slow", "States": {` + processing("Slow", job, "slow.sh", "", `"End": true`) + `}}`)}
	if err := a.make(m); err != nil {
		t.Fatal(err)
	}
	run := a.start(m.ARN, "r1", "{}")
	for len(a.lines("/aws/sagemaker/ProcessingJobs")) == 0 {
		if e := a.history(run, 100, false); len(e) > 5 {
			t.Fatalf("ended: %v", typesOf(e))
		}
	}
	if _, err := a.c.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: &run}); err != nil {
		t.Fatal(err)
	}
	if got := verdict(a.ended(run)); got != "ABORTED" {
		t.Error(got)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if status := a.jobs["processing-job/Slow-r1-0-0"]["ProcessingJobStatus"]; status != "InProgress" {
		t.Errorf("the job is %v", status)
	}
	if n := len(a.states.denied); n != 1 || a.states.denied[0].Action != "sagemaker:StopProcessingJob" {
		t.Errorf("refused: %v", a.states.denied)
	}
}
