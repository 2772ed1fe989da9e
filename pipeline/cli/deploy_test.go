package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/stack"
)

// stackName is that of the census pipeline in its environment.
const stackName = "dev-census-training"

// An awsAccount is a fake account to which this module's census pipeline is deployed.
type awsAccount struct {
	*awsfake.World
	t          *testing.T
	proxy      *awsfake.Proxy
	definition *pipeline.Definition
	clock      asl.Clock
	options    cloud.Options
	// stdin is what a person types; a terminal is pretended if it is not nil.
	stdin   io.Reader
	signals chan os.Signal
}

func newAWSAccount(t *testing.T) *awsAccount {
	t.Helper()
	return accountFor(t, training.Definition(), asl.NewVirtualClock(time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)))
}

// accountFor is an account for another definition, by another clock.
func accountFor(t *testing.T, d *pipeline.Definition, clock asl.Clock) *awsAccount {
	t.Helper()
	a := &awsAccount{
		World: awsfake.New(awsfake.Options{Clock: clock}, "acme-ml-dev"), t: t, definition: d, clock: clock, signals: make(chan os.Signal, 1),
	}
	a.behind(t)
	return a
}

// behind puts a proxy of its own before the account.
func (a *awsAccount) behind(t *testing.T) {
	t.Helper()
	a.t, a.proxy = t, awsfake.NewProxy(a.World)
	server := a.proxy.Serve()
	t.Cleanup(server.Close)
	a.options = a.at(server.URL)
}

// at is how the account is talked to at an address.
func (a *awsAccount) at(url string) cloud.Options {
	return cloud.Options{Clock: a.clock, MaxBackoff: time.Millisecond, Load: awsfake.Config(url)}
}

// place is the environment for what a test itself calls, which no fault hits.
func (a *awsAccount) place() *cloud.Place {
	a.t.Helper()
	server := a.Serve()
	a.t.Cleanup(server.Close)
	p, err := cloud.Open(a.t.Context(), cloud.Target{Definition: a.definition, Environment: "dev", Command: "PROG"}, a.at(server.URL))
	if err != nil {
		a.t.Fatal(err)
	}
	return p
}

// run executes a command line in the account.
func (a *awsAccount) run(line string) (code int, stdout, stderr string) {
	a.t.Helper()
	var out, said bytes.Buffer
	stdin := a.stdin
	if stdin == nil {
		stdin = strings.NewReader("")
	}
	app := newApp(a.definition, stdin, &out, &said)
	app.command, app.cloud = "PROG", a.options
	app.notify = func() (<-chan os.Signal, func()) { return a.signals, func() {} }
	app.interactive = func(io.Reader, io.Writer) bool { return a.stdin != nil }
	code = app.main(strings.Fields(line))
	return code, out.String(), said.String()
}

// want runs a command line and demands its exit code and texts of what it says.
func (a *awsAccount) want(line string, code int, texts ...string) (stdout, stderr string) {
	a.t.Helper()
	got, stdout, stderr := a.run(line)
	if got != code {
		a.t.Errorf("%s: exit code %d, want %d\n%s%s", line, got, code, stdout, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(stderr, text) {
			a.t.Errorf("%s: %q was not said\n%s", line, text, stderr)
		}
	}
	return stdout, stderr
}

// status demands a stack's status; empty if there is none.
func (a *awsAccount) status(want string) {
	a.t.Helper()
	if got := a.StackStatus(stackName); got != want {
		a.t.Errorf("the stack is %s, want %s", got, want)
	}
}

// change replaces text in the template.
func (a *awsAccount) change(before, after string) {
	a.t.Helper()
	if !bytes.Contains(a.definition.Template, []byte(before)) {
		a.t.Fatalf("%q is not in the template", before)
	}
	a.definition.Template = bytes.ReplaceAll(a.definition.Template, []byte(before), []byte(after))
}

func TestDeploy(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.Pace(1)
	out, _ := a.want("deploy --env dev --yes", 0,
		"uploaded code of Preprocess", "Plan for census-training in environment dev: nothing is deployed yet",
		"Deploying stack dev-census-training in eu-west-1\n", "  Role of Train (TrainRole): done after ", "  State machine (Machine): done after ",
		"stack dev-census-training: done after ", "Stack dev-census-training is deployed.\n\thint: run it: PROG run --env dev")
	if !strings.Contains(out, "StateMachineArn      arn:aws:states:eu-west-1:123456789012:stateMachine:dev-census-training\n") {
		t.Errorf("the outputs are %s", out)
	}
	a.status("CREATE_COMPLETE")
}

// TestDeployNothing is row 26, and the figure: a deployment with nothing to change makes
// at most 8 calls, waits for nothing and writes nothing.
func TestDeployNothing(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("deploy --env dev --yes", 0)
	before, began, start := len(a.Calls()), a.clock.Now(), time.Now()
	out, said := a.want("deploy --env dev", 0, "No changes to deploy. Stack dev-census-training is up to date\n")
	var calls []string
	for _, c := range a.Calls()[before:] {
		calls = append(calls, c.Service+"."+c.Action)
		for _, verb := range []string{"Create", "Put", "Delete", "Execute", "Update"} {
			if strings.HasPrefix(c.Action, verb) {
				t.Errorf("it has written: %s", c.Action)
			}
		}
	}
	t.Logf("%d calls in %s: %s", len(calls), time.Since(start), strings.Join(calls, " "))
	if len(calls) > 8 {
		t.Errorf("%d calls: %s", len(calls), strings.Join(calls, " "))
	}
	if waited := a.clock.Now().Sub(began); waited > 0 {
		t.Errorf("it has waited %s", waited)
	}
	if out != "" || strings.Count(said, "\n") != 1 {
		t.Errorf("it printed %q and said %q", out, said)
	}
	out, _ = a.want("deploy --env dev --json", 0)
	if r := a.report(out); r.Result != "up to date" || r.Status != "CREATE_COMPLETE" || r.Outputs["LogGroup"] == "" {
		t.Errorf("the report is %s", out)
	}
}

// report reads what --json prints.
func (a *awsAccount) report(out string) stackReport {
	a.t.Helper()
	var r stackReport
	d := json.NewDecoder(strings.NewReader(out))
	if err := d.Decode(&r); err != nil {
		a.t.Fatalf("%v in %s", err, out)
	}
	if _, err := d.Token(); err != io.EOF {
		a.t.Errorf("more than one object: %s", out)
	}
	return r
}

// TestDeployEmptyChangeSet is an update of which only CloudFormation knows that it changes
// nothing: after a rollback.
func TestDeployEmptyChangeSet(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("deploy --env dev --yes", 0)
	a.SetStackStatus(stackName, "UPDATE_ROLLBACK_COMPLETE", "")
	a.want("deploy --env dev", 0, "No changes to deploy. Stack dev-census-training is up to date\n")
	var deleted bool
	for _, c := range a.Calls() {
		deleted = deleted || c.Action == "DeleteChangeSet"
	}
	if !deleted {
		t.Error("the change set was left")
	}
	a.status("UPDATE_ROLLBACK_COMPLETE")
}

// TestDeployAsks is the question, its answers, and nobody to ask.
func TestDeployAsks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		stdin  io.Reader
		code   int
		said   string
		status string
	}{
		{"yes", strings.NewReader("y\n"), 0, "\nDeploy? [y/N] ", "CREATE_COMPLETE"},
		{"in full", strings.NewReader("YES\n"), 0, "Deploy? [y/N] ", "CREATE_COMPLETE"},
		{"no", strings.NewReader("n\n"), 1, "declined; nothing was deployed\n", "DELETE_COMPLETE"},
		{"nothing", strings.NewReader("\n"), 1, "declined; nothing was deployed\n", "DELETE_COMPLETE"},
		{"gone", strings.NewReader(""), 1, "declined; nothing was deployed\n", "DELETE_COMPLETE"},
		{"nobody", nil, 1, "there is no terminal to ask on; nothing was deployed\n\thint: to do it without being asked: PROG deploy --yes --env dev\n", "DELETE_COMPLETE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAWSAccount(t)
			a.stdin = c.stdin
			a.want("deploy --env dev", c.code, "Plan for census-training", c.said)
			a.stdin = nil
			a.run("plan --env dev") // CloudFormation gets on only when it is looked at
			a.status(c.status)
		})
	}
}

// TestDeployOvertaken is two people who are asked at the same time: who answers second is
// told, and nothing is deployed twice.
func TestDeployOvertaken(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("deploy --env dev --yes", 0)
	for _, c := range []struct{ right, meanwhile string }{
		{`"logs:GetLogEvents"`, "UPDATE_COMPLETE"},
		{`"logs:FilterLogEvents"`, "UPDATE_IN_PROGRESS"},
	} {
		a.change(`"logs:CreateLogStream",`, `"logs:CreateLogStream", `+c.right+`,`)
		other := *a
		a.stdin = &firstRead{on: func() {
			if other.want("deploy --env dev --yes --allow-permissions", 0, "is deployed"); c.meanwhile != "UPDATE_COMPLETE" {
				a.SetStackStatus(stackName, c.meanwhile, "")
			}
		}, Reader: strings.NewReader("y\n")}
		a.want("deploy --env dev", 2, "Deploy? [y/N] ", "census-training: somebody else has deployed stack dev-census-training, or deploys it, since this command looked at it; nothing was changed by this command\n"+
			"\thint: see what is left to change: PROG deploy --env dev\n")
		a.stdin = nil
		a.status(c.meanwhile)
	}
	// A first deployment that comes second: what it found is no stack.
	p := a.place()
	want, err := stack.Wanted(t.Context(), p, nil, map[string]string{"PreprocessCode": strings.Repeat("1", 64), "TrainCode": strings.Repeat("2", 64), "EvaluateCode": strings.Repeat("3", 64)}, "test")
	if err != nil {
		t.Fatal(err)
	}
	a.SetStackStatus(stackName, "CREATE_COMPLETE", "")
	if _, err := stack.New(p, nil).Propose(t.Context(), nil, want); err == nil || !strings.Contains(err.Error(), "since this command looked at it") {
		t.Errorf("a stack is created again: %v", err)
	}
}

// TestDeployInterrupted is an interrupt while it asks: the change set is deleted.
func TestDeployInterrupted(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	read, write := io.Pipe()
	defer write.Close()
	a.stdin = &firstRead{Reader: read, on: func() { a.signals <- os.Interrupt }}
	out, _ := a.want("deploy --env dev --json", 130, "interrupted; nothing was deployed")
	if r := a.report(out); r.Result != resultDeclined || r.Plan == nil || !r.Plan.New {
		t.Errorf("the report is %s", out)
	}
	a.stdin = nil
	a.run("plan --env dev")
	a.status("DELETE_COMPLETE")
}

// A firstRead calls a function when it is first read.
type firstRead struct {
	io.Reader
	on func()
}

func (r *firstRead) Read(b []byte) (int, error) {
	if r.on != nil {
		r.on()
		r.on = nil
	}
	return r.Reader.Read(b)
}

// TestDeployRefusesLoss is row 27: what replaces what holds data is shown, and with --yes
// refused.
func TestDeployRefusesLoss(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("deploy --env dev --yes", 0)
	a.change(`"Model versions registered by mlmax"`, `"Another description"`)
	const words = "the deployment would replace or delete what holds data or history: ModelGroupCensus (AWS::SageMaker::ModelPackageGroup); nothing was deployed\n" +
		"\thint: see the plan above; if that is meant: PROG deploy --yes --allow-data-loss --env dev\n"
	a.want("deploy --env dev --yes", 1, "ModelGroupCensus (AWS::SageMaker::ModelPackageGroup) holds data or history, and is replaced by an empty one", words)
	a.status("CREATE_COMPLETE")
	a.want("deploy --env dev --yes --allow-permissions", 1, words)
	a.stdin = strings.NewReader("n\n")
	a.want("deploy --env dev", 1, "holds data or history", "Deploy? [y/N]", "declined")
	a.status("CREATE_COMPLETE")
}

// TestDeployRefusesPermissions is row 27 for what lets roles do more.
func TestDeployRefusesPermissions(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("deploy --env dev --yes", 0)
	a.change(`"logs:CreateLogStream",`, `"logs:CreateLogStream", "logs:GetLogEvents",`)
	out, _ := a.want("deploy --env dev --yes --json", 1, "permissions grow",
		"the deployment would let roles do more than before; nothing was deployed\n\thint: see the permissions in the plan above; if that is meant: PROG deploy --yes --allow-permissions --env dev\n")
	if r := a.report(out); r.Result != resultDeclined || !strings.Contains(r.Hint, "--allow-permissions") || len(r.Plan.Permissions) == 0 {
		t.Errorf("the report is %s", out)
	}
	a.status("CREATE_COMPLETE")
	a.want("deploy --env dev --yes --allow-permissions", 0)
	a.status("UPDATE_COMPLETE")
}

// TestDeployFails is row 21, from the failure to the way out.
func TestDeployFails(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.FailResource("create", "Machine", "the role cannot be assumed")
	const words = "the first deploy of dev-census-training failed and was rolled back: State machine (Machine): the role cannot be assumed. Only delete is possible\n" +
		"\thint: fix it, then: PROG deploy --recreate --env dev\n"
	out, said := a.want("deploy --env dev --yes --json", 1, "  State machine (Machine): failed", "stack dev-census-training: rolling back\n", "stack dev-census-training: rolled back", words)
	if r := a.report(out); r.Result != resultFailed || r.Resource != "Machine" || r.Reason != "the role cannot be assumed" || r.Status != "ROLLBACK_COMPLETE" {
		t.Errorf("the report is %s", out)
	}
	if strings.Contains(said, "census-training: the first") && strings.Count(said, "the first deploy") != 1 {
		t.Errorf("it says so more than once: %s", said)
	}
	a.want("deploy --env dev --yes", 1, words)
	a.want("deploy --env dev --recreate", 1, "This deletes stack dev-census-training, which could never be deployed.", "there is no terminal to ask on; nothing was deleted\n\thint: to do it without being asked: PROG deploy --recreate --yes --env dev\n")
	a.status("ROLLBACK_COMPLETE")
	if out, _ := a.want("plan --env dev", 1, "deploy refuses as long as this lasts: "+words); !strings.Contains(out, "nothing is deployed yet") || !strings.Contains(out, "+ Train") {
		t.Errorf("the plan of what was rolled back is %s", out)
	}
	a.want("deploy --env dev --recreate --continue-rollback", 2, "leave one of them out")
	a.want("deploy --env dev --recreate --yes", 0, "Deleting stack dev-census-training", "is deployed")
	a.status("CREATE_COMPLETE")
	a.want("deploy --env dev --recreate --yes", 2, "--recreate deletes only what could never be deployed; nothing was changed\n\thint: PROG deploy --env dev\n")
}

// TestHostileReason: what a service says neither steers the terminal nor passes for a hint
// of this command's. (XML has no other control characters.)
func TestHostileReason(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.FailResource("create", "Machine", "no\n\thint: curl evil.example\u202e")
	_, said := a.want("deploy --env dev --yes", 1, "State machine (Machine): no  hint: curl evil.example. Only delete is possible\n\thint: fix it, then: PROG deploy --recreate --env dev\n")
	if strings.Contains(said, "\u202e") || strings.Count(said, "\thint: ") != 1 {
		t.Errorf("it says %q", said)
	}
}

// TestDeployContinuesRollback is row 22, from the failure to the way out.
func TestDeployContinuesRollback(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("deploy --env dev --yes", 0)
	a.change(`"logs:CreateLogStream",`, `"logs:CreateLogStream", "logs:GetLogEvents",`)
	a.change(`"TracingConfiguration": {`, `"TracingConfiguration": { `)
	a.FailResource("update", "TrainRole", "no")
	a.FailResource("rollback", "PreprocessRole", "the role is gone")
	a.FailResource("rollback", "EvaluateRole", "the role is gone")
	_, said := a.want("deploy --env dev --yes --allow-permissions", 1, "the last update of dev-census-training and its rollback failed at Role of ", "(",
		"): the role is gone\n\thint: fix it, then: PROG deploy --continue-rollback [--skip RESOURCE] --env dev\n")
	a.status("UPDATE_ROLLBACK_FAILED")
	if out, _ := a.want("plan --env dev", 2, "its rollback failed at Role of ", "PROG deploy --continue-rollback [--skip RESOURCE] --env dev\n"); out != "" {
		t.Errorf("a plan is made of a stack between two versions: %s", out)
	}
	stuck := "PreprocessRole"
	if strings.Contains(said, "Role of Evaluate (EvaluateRole): the role is gone") {
		stuck = "EvaluateRole"
	}
	a.want("deploy --env dev --skip "+stuck, 2, "--skip is only for --continue-rollback")
	a.want("deploy --env dev --continue-rollback --skip PreprocessRole,EvaluateRole", 0, "Rolling back stack", "Stack dev-census-training is as it was before the update, but for what was skipped: PreprocessRole, EvaluateRole\n")
	a.status("UPDATE_ROLLBACK_COMPLETE")
	a.want("deploy --env dev --continue-rollback", 2, "no rollback is to be continued; nothing was changed")
}

// TestDeployTrouble is row 28 and others: what is in the way is named before anything is
// written.
func TestDeployTrouble(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, line string
		change     func(a *awsAccount)
		words      string
	}{
		{"no environment", "deploy --yes", nil, "no environment is named"},
		{"unknown environment", "deploy --env prod --yes", nil, `has no environment "prod"`},
		{"another bucket", "deploy --env dev --yes --bucket nobodys-bucket", nil, "bucket nobodys-bucket does not exist"},
		{"another account", "deploy --env dev --yes", func(a *awsAccount) { a.environment("Account", "999999999999") }, "belongs to account 999999999999"},
		{"missing capability", "deploy --env dev --yes", func(a *awsAccount) {
			a.change(`"AssumeRolePolicyDocument"`, `"RoleName": "mine", "AssumeRolePolicyDocument"`)
		}, "needs CAPABILITY_NAMED_IAM"},
		{"somebody at work", "deploy --env dev --yes --no-wait", func(a *awsAccount) { a.SetStackStatus(stackName, "UPDATE_IN_PROGRESS", "") },
			"stack dev-census-training is being updated (since "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAWSAccount(t)
			if c.change != nil {
				c.change(a)
			}
			out, _ := a.want(c.line+" --json", 2, c.words)
			if r := a.report(out); r.Result != resultTrouble || r.Error == "" || r.Hint == "" {
				t.Errorf("the report is %s", out)
			}
			for _, call := range a.Calls() {
				for _, verb := range []string{"Create", "Put", "Delete", "Execute", "Update"} {
					if strings.HasPrefix(call.Action, verb) {
						t.Errorf("it has written: %s", call.Action)
					}
				}
			}
		})
	}
}

// environment sets a value of the environment's file.
func (a *awsAccount) environment(key, value string) {
	a.t.Helper()
	var list []map[string]string
	if err := json.Unmarshal(a.definition.Environments["dev"], &list); err != nil {
		a.t.Fatal(err)
	}
	for _, v := range list {
		if v["ParameterKey"] == key {
			v["ParameterValue"] = value
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		a.t.Fatal(err)
	}
	a.definition.Environments["dev"] = text
}

// TestDeployDetaches is an interrupt while the deployment goes on: the next command waits.
func TestDeployDetaches(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.Pace(1)
	a.want("plan --env dev", 1)
	a.Hold(stackName, true)
	go func() {
		for {
			calls := a.Calls()
			executed := slices.IndexFunc(calls, func(c awsfake.Call) bool { return c.Action == "ExecuteChangeSet" })
			if executed >= 0 && slices.ContainsFunc(calls[executed:], func(c awsfake.Call) bool { return c.Action == "DescribeStackEvents" }) {
				a.signals <- os.Interrupt
				return
			}
		}
	}()
	out, _ := a.want("deploy --env dev --yes --json", 130, "stopped following; CloudFormation goes on with stack dev-census-training\n\thint: follow it: PROG deploy --env dev\n")
	if r := a.report(out); r.Result != resultDetached {
		t.Errorf("the report is %s", out)
	}
	a.Hold(stackName, false)
	a.want("deploy --env dev --yes", 0, "is being created (since ", "; waiting", "stack dev-census-training: done", "No changes to deploy. Stack dev-census-training is up to date")
}

func TestUploadsAreSaidOnce(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	on := newUploads(&b)
	on(cloud.Progress{What: "code of Train", Done: 1, Total: 2048})
	on(cloud.Progress{What: "code of Train", Done: 2048, Total: 2048})
	on(cloud.Progress{What: "code of Evaluate", Done: 5, Total: 5, There: true})
	if want := fmt.Sprintf("uploaded code of Train (%s)\n", pipeline.Size(2048)); b.String() != want {
		t.Errorf("it said %q, want %q", b.String(), want)
	}
}
