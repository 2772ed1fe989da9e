package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/mlmax/mlmax/internal/awsfake"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// trained puts what a run has written into the bucket.
func (a *awsAccount) trained() {
	a.t.Helper()
	for key, body := range map[string]string{
		"runs/census-training/0123456789ab/manifest.json": `{"environment":"dev"}`,
		"runs/census-training/0123456789ab/Train/0-0/m":   "m",
		"runs/census-inference/0123456789ab/x":            "x",
		"data/census.csv":                                 "d",
	} {
		if err := a.PutObject("acme-ml-dev", key, []byte(body)); err != nil {
			a.t.Fatal(err)
		}
	}
}

func TestDestroy(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("destroy --env dev", 0, "Nothing to destroy: there is no stack dev-census-training in eu-west-1\n")
	a.want("deploy --env dev --yes", 0)
	a.trained()
	a.want("destroy --env dev", 1, "This deletes stack dev-census-training in eu-west-1: the machine, its roles and its schedule.\n",
		"there is no terminal to ask on; nothing was deleted\n\thint: to do it without being asked: PROG destroy --yes --env dev\n")
	a.stdin = strings.NewReader("n\n")
	a.want("destroy --env dev", 1, "Delete it? [y/N] ", "declined; nothing was deleted\n")
	a.status("CREATE_COMPLETE")
	a.stdin = strings.NewReader("y\n")
	a.want("destroy --env dev", 0,
		"Deleting stack dev-census-training in eu-west-1\n", "  Model group Census (ModelGroupCensus): kept\n", "stack dev-census-training: deleted after ", "Stack dev-census-training is deleted\n",
		"Kept, since it may be wanted again:\n  log group /aws/vendedlogs/states/dev-census-training\n    delete it by hand: aws logs delete-log-group --log-group-name ",
		"  model group dev-census\n", "  results of runs below s3://acme-ml-dev/runs/census-training/\n    delete it by hand: aws s3 rm --recursive s3://acme-ml-dev/runs/census-training/ --region eu-west-1\n",
		"Code and data below s3://acme-ml-dev/ stay as well: other pipelines may use the same.\n")
	a.status("DELETE_COMPLETE")
	if len(a.Machines()) != 0 {
		t.Error("the machine is there")
	}
	out, _ := a.want("destroy --env dev --json", 0, "Nothing to destroy", "Kept, since it may be wanted again")
	if r := a.report(out); r.Result != "destroyed" || len(r.Kept) != 3 {
		t.Errorf("the report is %s", out)
	}
	a.want("deploy --env dev --yes", 0,
		"log group /aws/vendedlogs/states/dev-census-training outlived an earlier stack and is taken over\n", "model group dev-census outlived an earlier stack and is taken over\n")
	a.want("deploy --env dev --yes", 0, "is up to date")
}

// TestDestroyData asks for data twice: by a flag, and by the stack's name.
func TestDestroyData(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("deploy --env dev --yes", 0)
	a.trained()
	before := a.Keys("acme-ml-dev", "")
	a.want("destroy --env dev --delete-data --yes", 1, "  to be deleted for good: model group dev-census\n",
		"data is deleted only if it is asked for twice; nothing was deleted\n\thint: name the stack whose data is meant: PROG destroy --yes --delete-data --confirm dev-census-training --env dev\n")
	a.want("destroy --env dev --delete-data --yes --confirm prod-census-training", 2, `--confirm says "prod-census-training", and the stack is "dev-census-training"; nothing was deleted`)
	a.stdin = strings.NewReader("y\n")
	a.want("destroy --env dev --delete-data", 1, "To delete it with its data, type the stack's name: ", "that is not the stack's name; nothing was deleted")
	a.status("CREATE_COMPLETE")
	if after := a.Keys("acme-ml-dev", ""); !slices.Equal(after, before) {
		t.Errorf("objects are %v, were %v", after, before)
	}
	a.stdin = strings.NewReader("dev-census-training\n")
	_, said := a.want("destroy --env dev --delete-data", 0, "Stack dev-census-training is deleted", "deleted log group ", "deleted model group dev-census", "deleted results of runs below s3://acme-ml-dev/runs/census-training/")
	if strings.Contains(said, "Kept") {
		t.Errorf("something was kept: %s", said)
	}
	for _, key := range a.Keys("acme-ml-dev", "") {
		if strings.HasPrefix(key, "runs/census-training/") {
			t.Errorf("%s is there", key)
		}
	}
	for _, key := range []string{"data/census.csv", "runs/census-inference/0123456789ab/x"} {
		if a.GetObject("acme-ml-dev", key) == nil {
			t.Errorf("%s is gone", key)
		}
	}
	a.stdin = nil
	a.trained()
	a.want("destroy --env dev --delete-data --yes --confirm dev-census-training", 0, "deleted results of runs") // data that outlived its stack
	a.want("destroy --env dev --delete-data --yes --confirm dev-census-training", 0, "Nothing to destroy")
}

// TestDestroyRunning is an execution that is running: it is named, and only stopped if
// that is asked for.
func TestDestroyRunning(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("deploy --env dev --yes", 0)
	stopped := make(chan struct{})
	a.Interfere(func(awsfake.TaskCall) error {
		<-stopped
		return awsfake.JobFails("it was stopped")
	})
	defer func() {
		close(stopped)
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	p := a.place()
	_, err := cloud.StepFunctions(p).StartExecution(t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(p.MachineARN()), Name: aws.String("r1"), Input: aws.String("{}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	a.want("destroy --env dev --yes", 2, "1 execution is running: r1; nothing was deleted\n\thint: wait for them, or stop them: PROG destroy --stop --env dev\n")
	a.status("CREATE_COMPLETE")
	a.want("destroy --env dev --yes --stop", 0, "stopping execution r1\n", "Stack dev-census-training is deleted\n")
	a.status("DELETE_COMPLETE")
}

func TestDestroyFails(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("deploy --env dev --yes", 0)
	a.FailResource("delete", "TrainRole", "it is in use")
	out, _ := a.want("destroy --env dev --yes --json", 1, "stack dev-census-training could not be deleted (DELETE_FAILED): Role of Train (TrainRole): it is in use\n",
		"or leave it behind: PROG destroy --retain TrainRole --env dev\n")
	if r := a.report(out); r.Result != resultFailed || r.Resource != "TrainRole" || r.Status != "DELETE_FAILED" {
		t.Errorf("the report is %s", out)
	}
	a.want("destroy --env dev --yes --retain TrainRole", 0, "Stack dev-census-training is deleted\n")
	a.status("DELETE_COMPLETE")
}

// TestDestroyBusy does not get into another's way.
func TestDestroyBusy(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.SetStackStatus(stackName, "UPDATE_IN_PROGRESS", "")
	a.want("destroy --env dev --yes --no-wait", 2, "stack dev-census-training is being updated (since ", "nothing was changed\n\thint: leave --no-wait out")
}

// TestDestroyProtected is row 28 for a stack that may not be deleted.
func TestDestroyProtected(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t)
	a.want("deploy --env dev --yes", 0)
	p := a.place()
	_, err := cloud.CloudFormation(p).UpdateTerminationProtection(t.Context(), &cloudformation.UpdateTerminationProtectionInput{
		StackName: aws.String(stackName), EnableTerminationProtection: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	a.want("destroy --env dev --yes", 2, "stack dev-census-training is protected against deletion; nothing was deleted\n"+
		"\thint: if it may go: aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name dev-census-training --region eu-west-1\n")
	a.status("CREATE_COMPLETE")
}
