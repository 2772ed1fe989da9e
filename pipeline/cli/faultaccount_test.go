package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// A faultAccount is an account in which the census pipeline runs with shell scripts.
type faultAccount struct {
	*awsAccount
	// release lets jobs end that are held.
	release chan struct{}
}

func newFaultAccount(t *testing.T) *faultAccount {
	t.Helper()
	a := &faultAccount{accountFor(t, shellCensus(t), censustest.Steady{}), make(chan struct{})}
	t.Cleanup(func() {
		a.free()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// again is the same account behind another proxy.
func (a *faultAccount) again(t *testing.T) *faultAccount {
	b := *a.awsAccount
	b.behind(t)
	return &faultAccount{&b, a.release}
}

// run executes a command line in a workspace of its own, in which nothing is remembered.
func (a *faultAccount) run(line string) (code int, stdout, stderr string) {
	switch strings.Fields(line)[0] {
	case "logs", "models", "lineage", "report":
		line += " --workspace " + a.t.TempDir()
	}
	return a.awsAccount.run(line)
}

// must runs a command line that no fault hits.
func (a *faultAccount) must(line string, code int) {
	a.t.Helper()
	if got, out, said := a.again(a.t).run(line); got != code {
		a.t.Fatalf("%s: exit code %d\n%s%s", line, got, out, said)
	}
}

func (a *faultAccount) nothing() {
	if err := a.PutObject("acme-ml-dev", "data/census.csv", []byte("age,income\n39,low\n")); err != nil {
		a.t.Fatal(err)
	}
}

func (a *faultAccount) deployed() {
	a.nothing()
	a.must("deploy --env dev --yes", 0)
}

func (a *faultAccount) changed() {
	a.deployed()
	a.change(`"Level":"ALL"`, `"Level":"ERROR"`)
}

func (a *faultAccount) rolledBack() {
	a.nothing()
	a.FailResource("create", "Machine", "no")
	a.must("deploy --env dev --yes", exitFailed)
}

func (a *faultAccount) ran() {
	a.deployed()
	a.must("run --env dev --run r1", 0)
}

// failed is a run of which the first step failed at once.
func (a *faultAccount) failed() {
	a.deployed()
	a.Interfere(func(c awsfake.TaskCall) error {
		if c.N == 1 {
			return awsfake.JobFails("AlgorithmError: no")
		}
		return nil
	})
	a.must("run --env dev --run r1", exitFailed)
}

func (a *faultAccount) started() {
	a.deployed()
	a.start()
}

// running is a run whose first job does not end by itself.
func (a *faultAccount) running() {
	a.deployed()
	held := make(chan struct{})
	a.Interfere(func(awsfake.TaskCall) error {
		close(held)
		<-a.release
		return awsfake.JobFails("AlgorithmError: it was not stopped")
	})
	a.start()
	<-held
}

func (a *faultAccount) start() {
	a.t.Helper()
	p := a.place()
	_, err := cloud.StepFunctions(p).StartExecution(a.t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(p.MachineARN()), Name: aws.String("r1"), Input: aws.String("{}"),
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

// pending takes back what was decided of the model's version.
func (a *faultAccount) pending() {
	a.t.Helper()
	err := a.place().SageMaker(a.t.Context(), "UpdateModelPackage", map[string]any{
		"ModelPackageArn": a.ARN("sagemaker", "model-package/dev-census/1"), "ModelApprovalStatus": pipeline.PendingManualApproval, "ApprovalDescription": "-",
	}, &struct{}{})
	if err != nil {
		a.t.Fatal(err)
	}
}

// free lets held jobs end.
func (a *faultAccount) free() {
	select {
	case <-a.release:
	default:
		close(a.release)
	}
}

// effects are those in the account, once what was started has ended.
func (a *faultAccount) effects() []string {
	a.t.Helper()
	a.free()
	_, _ = a.Ended(a.t.Context(), a.ARN("states", "execution:dev-census-training:r1")) // of most commands there is none
	return a.Effects()
}

// shellCensus is the census pipeline with the shell scripts of testdata for its steps.
func shellCensus(t *testing.T) *pipeline.Definition {
	t.Helper()
	d := training.Definition()
	d.ASL = bytes.ReplaceAll(d.ASL, []byte(`"python3"`), []byte(`"/bin/sh"`))
	for i := range d.Jobs {
		j := &d.Jobs[i]
		shell := strings.TrimSuffix(j.Script, ".py") + ".sh"
		d.ASL = bytes.ReplaceAll(d.ASL, []byte(j.Script), []byte(shell))
		j.Script, j.CodeDir = shell, strings.Replace(j.CodeDir, "specs/census/steps", "pipeline/cli/testdata/steps", 1)
	}
	var template struct {
		Resources map[string]struct{ Type string }
	}
	var all map[string]any
	if err := json.Unmarshal(d.Template, &template); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(d.Template, &all); err != nil {
		t.Fatal(err)
	}
	for id, r := range template.Resources {
		if r.Type == "AWS::StepFunctions::StateMachine" {
			all["Resources"].(map[string]any)[id].(map[string]any)["Properties"].(map[string]any)["Definition"] = json.RawMessage(d.ASL)
		}
	}
	var err error
	if d.Template, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	return d
}
