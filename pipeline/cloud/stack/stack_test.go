package stack

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

const (
	bucket = "acme-ml-dev"
	name   = "dev-census-training"
)

// An account is a fake one with the census pipeline's environment, and a proxy that faults
// can be injected into. Nothing in it takes time.
type account struct {
	*awsfake.World
	t     *testing.T
	proxy *awsfake.Proxy
	place *cloud.Place
	shown *screen
}

// newAccount is an account in which nothing is but the bucket.
func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t}
	clock := asl.NewVirtualClock(noon)
	a.World = awsfake.New(awsfake.Options{Clock: clock}, bucket)
	a.proxy = awsfake.NewProxy(a.World)
	server := a.proxy.Serve()
	t.Cleanup(server.Close)
	a.place = a.open(server.URL)
	return a
}

// open is the environment at an address of the account.
func (a *account) open(url string) *cloud.Place {
	a.t.Helper()
	p, err := cloud.Open(a.t.Context(), cloud.Target{Definition: training.Definition(), Environment: "dev", Command: "PROG"}, cloud.Options{
		Clock: a.Clock, MaxBackoff: time.Millisecond,
		Load: awsfake.Config(url),
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return p
}

// deployer is that of another invocation.
func (a *account) deployer() *Deployer {
	a.shown = &screen{}
	return New(a.place, a.shown)
}

// A screen keeps what is shown.
type screen struct {
	mu    sync.Mutex
	tree  Tree
	lines []string
	// on is called at each event.
	on func(Event)
}

func (s *screen) Begin(t Tree) { s.tree = t }
func (s *screen) Event(e Event) {
	s.tree = Reduce(s.tree, e)
	if s.on != nil {
		s.on(e)
	}
}
func (s *screen) End()   {}
func (s *screen) Close() {}
func (s *screen) Say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

// digests are of code that nobody runs.
func (a *account) digests(of string) map[string]string {
	all := map[string]string{}
	for _, j := range a.place.Definition.Jobs {
		all[j.CodeName] = strings.Repeat(of, 64)
	}
	return all
}

// want is what the environment's stack is to be, with code of a digest.
func (a *account) want(state *State, code string) *Want {
	a.t.Helper()
	w, err := Wanted(a.t.Context(), a.place, state, a.digests(code), "test")
	if err != nil {
		a.t.Fatal(err)
	}
	return w
}

// deploy does what the command does once it has been told to.
func (a *account) deploy(code string) (*State, error) {
	a.t.Helper()
	ctx, d := a.t.Context(), a.deployer()
	state, err := d.Ready(ctx, true)
	if err != nil {
		return nil, err
	}
	set, err := d.Propose(ctx, state, a.want(state, code))
	if err != nil || set == nil {
		return state, err
	}
	return set.Execute(ctx)
}

// must deploys.
func (a *account) must(code string) *State {
	a.t.Helper()
	state, err := a.deploy(code)
	if err != nil {
		a.t.Fatal(err)
	}
	return state
}

// wantError compares an error's text.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error is %v\nwant     %s", err, want)
	}
}

func TestDeployFirst(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Pace(1)
	state := a.must("a")
	if state.Status != types.StackStatusCreateComplete || !strings.HasSuffix(state.Outputs["StateMachineArn"], ":stateMachine:"+name) {
		t.Errorf("the stack is %+v", state)
	}
	if state.Tags["mlmax:pipeline"] != "census-training" || state.Tags["mlmax:environment"] != "dev" {
		t.Errorf("its tags are %v", state.Tags)
	}
	if state.Parameters["TrainCode"] != strings.Repeat("a", 64) || state.Parameters["MachineLogsExists"] != "false" || state.Parameters["Region"] != "eu-west-1" {
		t.Errorf("its parameters are %v", state.Parameters)
	}
	for _, b := range a.shown.tree.Branches {
		if b.Phase != Done {
			t.Errorf("%s is shown as %s", b.Logical, b.Phase)
		}
	}
	if n := len(a.shown.tree.Branches); n != len(a.Stack(name)) {
		t.Errorf("%d resources are shown, of %d", n, len(a.Stack(name)))
	}
	if a.shown.tree.Phase != Done {
		t.Errorf("the stack is shown as %s", a.shown.tree.Phase)
	}
}

func TestDeployAgainIsUpToDate(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	state := a.must("a")
	side, err := Deployed(t.Context(), a.place, state)
	if err != nil {
		t.Fatal(err)
	}
	w := a.want(state, "a")
	if !w.Same(state, side) {
		t.Error("what was deployed is not the same")
	}
	if a.want(state, "b").Same(state, side) {
		t.Error("another code is the same")
	}
	// Where that is not known, CloudFormation finds it out, and nothing is left of asking.
	if set, err := a.deployer().Propose(t.Context(), state, w); set != nil || err != nil {
		t.Errorf("the change set is %v, error %v", set, err)
	}
	if left, err := leftovers(t.Context(), a.place); len(left) != 1 || err != nil { // the executed one's
		t.Errorf("left are %v, error %v", left, err)
	}
	if s := a.StackStatus(name); s != "CREATE_COMPLETE" {
		t.Errorf("the stack is %s", s)
	}
}

// TestEmptyReasons tells both reasons that AWS gives for nothing to change.
func TestEmptyReasons(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{
		"The submitted information didn't contain changes. Submit different information to create a change set.",
		"No updates are to be performed.",
	} {
		if !isEmpty(reason) {
			t.Errorf("%q is not recognized", reason)
		}
	}
	if isEmpty("Template error: instance of Fn::GetAtt references undefined resource") {
		t.Error("a mistake is taken for nothing to change")
	}
}

func TestDiscardLeavesNothing(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	d := a.deployer()
	set, err := d.Propose(t.Context(), nil, a.want(nil, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if s := a.StackStatus(name); s != "REVIEW_IN_PROGRESS" {
		t.Fatalf("the stack is %s", s)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if err := set.Discard(ctx); err != nil {
		t.Fatal(err)
	}
	if state, err := a.deployer().Ready(t.Context(), true); state != nil || err != nil {
		t.Errorf("the stack is %+v, error %v", state, err)
	}
}

// TestDiscardKeepsWhatIsOthers leaves another's change set, and the stack it needs, alone.
func TestDiscardKeepsWhatIsOthers(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	other, err := a.deployer().Propose(t.Context(), nil, a.want(nil, "a"))
	if err != nil {
		t.Fatal(err)
	}
	d := a.deployer()
	state, err := d.Ready(t.Context(), true)
	if err != nil || state.Status != types.StackStatusReviewInProgress {
		t.Fatalf("the stack is %+v, error %v", state, err)
	}
	if len(a.shown.lines) != 1 || !strings.Contains(a.shown.lines[0], "has no resources yet, but a change set mlmax-deploy-") || !strings.HasSuffix(a.shown.lines[0], " that nobody executed; deploying deletes it") {
		t.Errorf("it said %q", a.shown.lines)
	}
	mine, err := d.Propose(t.Context(), state, a.want(nil, "b"))
	if err != nil {
		t.Fatal(err)
	}
	if err := mine.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Execute(t.Context()); err != nil {
		t.Errorf("the other one: %v", err)
	}
}

// TestStatuses puts a stack into each status and asserts what deploy and destroy do.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, row := range Rows() {
		t.Run(string(row.Status), func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.SetStackStatus(name, string(row.Status), "because of a test")
			d := a.deployer()
			state, err := d.Ready(t.Context(), false)
			switch row.Deploy {
			case Create, Update:
				if err != nil || state != nil && state.Status != row.Status || state == nil && row.Destroy != Nothing {
					t.Errorf("deploy: %+v, error %v", state, err)
				}
			case Wait:
				if err == nil || !strings.Contains(err.Error(), "stack "+name+" "+row.Means+" (since ") || !strings.Contains(err.Error(), "leave --no-wait out") {
					t.Errorf("deploy: error %v", err)
				}
			case Refuse:
				var failure *Failure
				if !errors.As(err, &failure) || failure.Status != row.Status || !strings.Contains(failure.Fact, "because of a test") || !strings.Contains(failure.Next, firstWord(row.Next)) {
					t.Errorf("deploy: error %v", err)
				}
			}
			_, err = d.Standing(t.Context(), false)
			if waits := err != nil && strings.Contains(err.Error(), "(since "); waits != (row.Destroy == Wait) || err != nil && !waits {
				t.Errorf("destroy: error %v", err)
			}
			for _, c := range a.Calls() {
				if c.Service == "cloudformation" && !strings.HasPrefix(c.Action, "Describe") && !strings.HasPrefix(c.Action, "List") && !strings.HasPrefix(c.Action, "Get") {
					t.Errorf("looking has written: %+v", c)
				}
			}
		})
	}
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " RESOURCE")
	return word
}

// TestRollbackComplete is row 21: the words, and the way out.
func TestRollbackComplete(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Pace(1)
	a.FailResource("create", "Machine", "the role cannot be assumed")
	const want = "the first deploy of dev-census-training failed and was rolled back: State machine (Machine): the role cannot be assumed. Only delete is possible" +
		"\n\thint: fix it, then: PROG deploy --recreate --env dev"
	_, err := a.deploy("a")
	wantError(t, err, want)
	if s := a.StackStatus(name); s != "ROLLBACK_COMPLETE" {
		t.Errorf("the rollback was not followed to its end: %s", s)
	}
	_, err = a.deploy("a") // and whoever comes later is told the same
	wantError(t, err, want)

	state, err := Find(t.Context(), a.place)
	if err != nil {
		t.Fatal(err)
	}
	d := a.deployer()
	keeps, deletes, err := d.Remains(t.Context(), state)
	if err != nil || keeps != nil || deletes != nil {
		t.Errorf("it has %v and %v, error %v: what a first deployment made goes with it", keeps, deletes, err)
	}
	if err := d.Recreate(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	if s := a.must("a"); s.Status != types.StackStatusCreateComplete {
		t.Errorf("the stack is %s", s.Status)
	}
}

// TestRecreateDeletesNothingElse refuses for stacks that work, and for protected ones.
func TestRecreateDeletesNothingElse(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	err := a.deployer().Recreate(t.Context(), a.must("a"))
	wantError(t, err, "stack dev-census-training was created (CREATE_COMPLETE), and --recreate deletes only what could never be deployed; nothing was changed\n\thint: PROG deploy --env dev")
	err = CanRecreate(a.place, &State{Name: name, Status: types.StackStatusRollbackComplete, Protected: true})
	wantError(t, err, "stack dev-census-training is protected against deletion; nothing was deleted\n\thint: if it may go: aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name dev-census-training --region eu-west-1")
}

// TestUpdateRollback is an update that fails and goes back: the stack can be deployed to.
func TestUpdateRollback(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.must("a")
	a.FailResource("update", "Machine", "no such definition")
	_, err := a.deploy("b")
	wantError(t, err, "the update of dev-census-training failed and was rolled back, so that it is as before: State machine (Machine): no such definition\n\thint: fix it, then: PROG deploy --env dev")
	if s := a.must("b"); s.Status != types.StackStatusUpdateComplete {
		t.Errorf("the stack is %s", s.Status)
	}
}

// TestUpdateRollbackFailed is row 22.
func TestUpdateRollbackFailed(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.must("a")
	stick := func() {
		t.Helper()
		// The machine depends on the roles, so that it is the last to change.
		a.FailResource("rollback", "TrainRole", "the role is gone")
		a.FailResource("update", "Machine", "no such definition")
		_, err := a.deployTemplate(func(resources map[string]any) { widen(resources, "TrainRole") })
		wantError(t, err, "the last update of dev-census-training and its rollback failed at Role of Train (TrainRole): the role is gone"+
			"\n\thint: fix it, then: PROG deploy --continue-rollback [--skip RESOURCE] --env dev")
	}
	stick()
	if s := a.StackStatus(name); s != "UPDATE_ROLLBACK_FAILED" {
		t.Fatalf("the stack is %s", s)
	}
	state, err := Find(t.Context(), a.place)
	if err != nil {
		t.Fatal(err)
	}
	after, err := a.deployer().ContinueRollback(t.Context(), state, []string{"TrainRole"})
	if err != nil || after.Status != types.StackStatusUpdateRollbackComplete {
		t.Errorf("the stack is %+v, error %v", after, err)
	}
	_, err = a.deployer().ContinueRollback(t.Context(), after, nil)
	wantError(t, err, "stack dev-census-training could not be updated and was rolled back: it is as before (UPDATE_ROLLBACK_COMPLETE): no rollback is to be continued; nothing was changed\n\thint: PROG deploy --env dev")
}

// deployTemplate deploys another template than the generated one.
func (a *account) deployTemplate(change func(resources map[string]any)) (*State, error) {
	a.t.Helper()
	ctx, d := a.t.Context(), a.deployer()
	state, err := d.Ready(ctx, true)
	if err != nil {
		return nil, err
	}
	w := a.want(state, "a")
	var template map[string]any
	if err := json.Unmarshal(w.Template, &template); err != nil {
		a.t.Fatal(err)
	}
	change(template["Resources"].(map[string]any))
	// Without that the machine may stay as it is.
	template["Resources"].(map[string]any)["Machine"].(map[string]any)["Properties"].(map[string]any)["TracingConfiguration"] = map[string]any{"Enabled": false}
	if w.Template, err = json.Marshal(template); err != nil {
		a.t.Fatal(err)
	}
	set, err := d.Propose(ctx, state, w)
	if err != nil || set == nil {
		return state, err
	}
	return set.Execute(ctx)
}

// widen lets a role do one thing more.
func widen(resources map[string]any, role string) {
	properties := resources[role].(map[string]any)["Properties"].(map[string]any)
	properties["Policies"] = append(properties["Policies"].([]any), map[string]any{
		"PolicyName": "more", "PolicyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]any{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}}},
	})
}

// TestWaitsForOthers is row 24: no second writer.
func TestWaitsForOthers(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Pace(1)
	set, err := a.deployer().Propose(t.Context(), nil, a.want(nil, "a"))
	if err != nil {
		t.Fatal(err)
	}
	first, second := set.deployer, a.deployer()
	waiting := a.shown
	// The other one is interrupted in the middle, so that the deployment goes on alone.
	ctx, interrupt := context.WithCancel(t.Context())
	first.display = &screen{on: func(Event) { interrupt() }}
	_, err = set.Execute(ctx)
	wantError(t, err, "stopped following; CloudFormation goes on with stack dev-census-training\n\thint: follow it: PROG deploy --env dev")
	_, err = second.Ready(t.Context(), false)
	since := noon.Local().Format("15:04:0")
	if err == nil || !strings.Contains(err.Error(), "stack dev-census-training is being created (since "+since) ||
		!strings.Contains(err.Error(), ", by another deploy of mlmax); nothing was changed\n\thint: leave --no-wait out to wait for that") {
		t.Errorf("error is %v", err)
	}
	state, err := second.Ready(t.Context(), true)
	if err != nil || state.Status != types.StackStatusCreateComplete {
		t.Fatalf("the stack is %+v, error %v", state, err)
	}
	if len(waiting.lines) != 1 || !strings.HasSuffix(waiting.lines[0], "; waiting") || waiting.tree.Phase != Done || waiting.tree.Doing != "Deploying" {
		t.Errorf("it said %q and showed %s %s", waiting.lines, waiting.tree.Doing, waiting.tree.Phase)
	}
}

func TestBy(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{
		"": "somebody", "Console-CreateStack-7f59c3cf": "somebody in the console", "ci-42": "the request ci-42", "mlmax-destroy-0123": "another destroy of mlmax",
	} {
		if got := by(token); got != want {
			t.Errorf("%q is by %s, want %s", token, got, want)
		}
	}
}

// TestToken demands names that CloudFormation takes, of which no two are the same.
func TestToken(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	d, other := a.deployer(), a.deployer()
	seen := map[string]bool{}
	for _, token := range []string{d.token("deploy", "x"), d.token("deploy", "x", "y"), d.token("deploy", "xy"), d.token("execute", "x"), other.token("deploy", "x")} {
		if seen[token] || len(token) > 128 || strings.Trim(token, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("token %q", token)
		}
		seen[token] = true
	}
	if first, again := d.token("deploy", "x"), d.token("deploy", "x"); first != again {
		t.Errorf("the same request has two tokens, %s and %s", first, again)
	}
}
