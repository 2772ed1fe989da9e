package stack

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/mlmax/mlmax/internal/awsfake"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	return ctx, stop
}

// begun are the operations that a stack's events tell of.
func (a *account) begun(t *testing.T, id string) (operations []string) {
	t.Helper()
	d := a.deployer()
	seen := map[string]bool{}
	_, _, err := d.events(t.Context(), id, "", func(e Event) bool {
		if e.Own && e.Reason == "User Initiated" && e.Status != "REVIEW_IN_PROGRESS" {
			operations = append(operations, e.Status)
			seen[e.Token] = true
		}
		return false
	}, never)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != len(operations) {
		t.Errorf("%d operations have %d tokens", len(operations), len(seen))
	}
	return operations
}

// TestLostAnswers is row 20: the service does what it is asked to, and the answer is lost.
// The stack is created once, updated once and deleted once, whatever is lost.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, fault := range []awsfake.Fault{awsfake.LostAnswer, awsfake.Truncated, awsfake.ServerError, awsfake.Throttle, awsfake.Reset} {
		for _, action := range []string{"CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DescribeStackEvents", "DescribeStacks", "DeleteStack"} {
			t.Run(string(fault)+" at "+action, func(t *testing.T) {
				t.Parallel()
				a := newAccount(t)
				a.proxy.Inject(awsfake.Rule{On: "cloudformation." + action, Fault: fault})
				state := a.must("a")
				a.proxy.Inject(awsfake.Rule{On: "cloudformation." + action, Nth: 2, Fault: fault})
				a.must("b")
				if err := a.deployer().Delete(t.Context(), state, nil); err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(a.begun(t, state.ID), " "); got != "DELETE_IN_PROGRESS UPDATE_IN_PROGRESS CREATE_IN_PROGRESS" {
					t.Errorf("the stack's operations, newest first: %s", got)
				}
				if len(a.proxy.Struck()) == 0 {
					t.Error("nothing was hit")
				}
			})
		}
	}
}

// TestLostForGood is an answer that never comes, though the call had its effect: the
// events tell that it had.
func TestLostForGood(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.proxy.Inject(awsfake.Rule{On: "cloudformation.ExecuteChangeSet", Times: -1, Fault: awsfake.LostAnswer})
	if state := a.must("a"); state.Status != types.StackStatusCreateComplete {
		t.Errorf("the stack is %s", state.Status)
	}
	if got := a.begun(t, name); len(got) != 1 {
		t.Errorf("begun were %v", got)
	}
}

// TestFollowsThroughTrouble is row 19 and credentials that run out: what is followed is
// never lost.
func TestFollowsThroughTrouble(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Pace(1)
	a.proxy.Inject(awsfake.Rule{On: "cloudformation.DescribeStackEvents", Nth: 3, Times: 2, Fault: awsfake.Expired})
	state := a.must("a")
	if state.Status != types.StackStatusCreateComplete {
		t.Errorf("the stack is %s", state.Status)
	}
	if len(a.shown.lines) != 1 || !strings.Contains(a.shown.lines[0], "waiting for new credentials; CloudFormation goes on meanwhile") {
		t.Errorf("it said %q", a.shown.lines)
	}
}

// TestDenied is a call that nobody's policy allows: that is no failure of the deployment.
func TestDenied(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Pace(1)
	a.proxy.Inject(awsfake.Rule{On: "cloudformation.DescribeStackEvents", Nth: 2, Fault: awsfake.Denied})
	_, err := a.deploy("a")
	var failure *Failure
	if errors.As(err, &failure) || err == nil || !strings.Contains(err.Error(), "following stack dev-census-training") || !strings.Contains(err.Error(), "CloudFormation goes on; follow it: PROG deploy --env dev") {
		t.Errorf("error is %v", err)
	}
}
