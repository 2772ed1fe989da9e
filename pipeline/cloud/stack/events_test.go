package stack

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/mlmax/mlmax/internal/awsfake"
)

// TestEventsWithoutAToken follows an operation in an account whose events have no token:
// those that came after its request are its own.
func TestEventsWithoutAToken(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.must("a")
	bare := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, action := awsfake.Identify(r); action != "DescribeStackEvents" {
			a.ServeHTTP(rw, r)
			return
		}
		answer := httptest.NewRecorder()
		a.ServeHTTP(answer, r)
		rw.WriteHeader(answer.Code)
		_, _ = rw.Write(regexp.MustCompile(`<ClientRequestToken>[^<]*</ClientRequestToken>`).ReplaceAll(answer.Body.Bytes(), nil))
	}))
	t.Cleanup(bare.Close)
	a.place = a.open(bare.URL)
	if state := a.must("b"); state.Status != types.StackStatusUpdateComplete {
		t.Errorf("the stack is %s", state.Status)
	}
	for _, b := range a.shown.tree.Branches {
		if b.Logical != "Machine" {
			t.Errorf("%s is of an earlier deployment", b.Logical)
		}
	}
	state, err := Find(t.Context(), a.place)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.deployer().Delete(t.Context(), state, nil); err != nil || a.StackStatus(name) != "DELETE_COMPLETE" {
		t.Errorf("the stack is %s: %v", a.StackStatus(name), err)
	}
}

// TestForeignEventsWithoutAToken leaves out those of an operation without a token that came
// before one with it.
func TestForeignEventsWithoutAToken(t *testing.T) {
	t.Parallel()
	o := stackOperation{token: "mine", unstamped: true}
	others, mine := Event{ID: "1", Own: true}, Event{ID: "2", Own: true, Token: "mine"}
	if got := o.settle([]Event{others, mine}); len(got) != 1 || got[0].ID != "2" || o.has(others) {
		t.Errorf("events are %+v, and the operation %+v", got, o)
	}
}

// TestInterruptedBeforeTheRequest deletes the change set, and says that nothing was done.
func TestInterruptedBeforeTheRequest(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	d := a.deployer()
	set, err := d.Propose(t.Context(), nil, a.want(nil, "a"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err = set.Execute(ctx)
	wantError(t, err, "interrupted; nothing was changed")
	for _, c := range a.Calls() {
		if c.Action == "ExecuteChangeSet" {
			t.Error("it was executed")
		}
	}
	if state, err := Find(t.Context(), a.place); err != nil || state != nil && !strings.HasPrefix(string(state.Status), "DELETE_") {
		t.Errorf("the stack is %+v (%v)", state, err)
	}
}
