package cloud

import (
	"context"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline"
)

// target is an environment of a pipeline that has nothing else.
func target(parameters string) Target {
	return Target{
		Definition:  &pipeline.Definition{Name: "demo", Environments: map[string][]byte{"dev": []byte(parameters)}},
		Environment: "dev", Command: "demo",
	}
}

// in puts the process into an account.
func in(t *testing.T) *awsfake.World {
	t.Helper()
	w := awsfake.New(awsfake.Options{}, "data")
	server := w.Serve()
	t.Cleanup(server.Close)
	for _, v := range w.Env(server.URL) {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	return w
}

func TestOpenKnowsWhereItIs(t *testing.T) {
	w := in(t)
	p, err := Open(context.Background(), target(`[{"ParameterKey":"Region","ParameterValue":"eu-west-1"},{"ParameterKey":"Bucket","ParameterValue":"data"}]`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "arn:aws:states:eu-west-1:" + w.Account + ":execution:dev-demo:r1"; p.ExecutionARN("r1") != want {
		t.Errorf("execution is %s, want %s", p.ExecutionARN("r1"), want)
	}
	if got := p.Next("status"); got != "demo status --env dev" {
		t.Errorf("next is %q", got)
	}
}

func TestOpenRefusesAnotherAccount(t *testing.T) {
	w := in(t)
	_, err := Open(context.Background(), target(`[{"ParameterKey":"Region","ParameterValue":"eu-west-1"},{"ParameterKey":"Account","ParameterValue":"999999999999"}]`), Options{})
	if err == nil || !strings.Contains(err.Error(), "belongs to account 999999999999, and these credentials to "+w.Account) {
		t.Errorf("error is %v", err)
	}
}
