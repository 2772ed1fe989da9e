package stack

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// TestDestroyKeepsData deletes a stack; what holds data stays, is named, and is taken over
// by the next one.
func TestDestroyKeepsData(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.must("a")
	if err := a.PutObject(bucket, "runs/census-training/0123456789ab/Train/0-0/model.tar.gz", []byte("model")); err != nil {
		t.Fatal(err)
	}
	d := a.deployer()
	state, err := d.Standing(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(t.Context(), state, nil); err != nil {
		t.Fatal(err)
	}
	if b := branch(a.shown.tree, "ModelGroupCensus"); b.Phase != Kept {
		t.Errorf("the model group is shown as %s", b.Phase)
	}
	if gone, err := d.Standing(t.Context(), true); gone != nil || err != nil {
		t.Errorf("there is %+v, error %v", gone, err)
	}
	kept, err := d.Holdings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Holding{
		{What: "log group /aws/vendedlogs/states/dev-census-training", Command: "aws logs delete-log-group --log-group-name /aws/vendedlogs/states/dev-census-training --region eu-west-1"},
		{What: "model group dev-census", Command: "aws sagemaker delete-model-package-group --model-package-group-name dev-census --region eu-west-1 (after its versions)"},
		{What: "results of runs below s3://acme-ml-dev/runs/census-training/", Command: "aws s3 rm --recursive s3://acme-ml-dev/runs/census-training/ --region eu-west-1"},
	}
	for i := range kept {
		kept[i].retained = Retained{}
	}
	if !slices.Equal(kept, want) {
		t.Errorf("kept are %+v", kept)
	}

	w := a.want(nil, "a")
	if len(w.Adopted) != 2 || w.Parameters["MachineLogsExists"] != "true" || w.Parameters["ModelGroupCensusExists"] != "true" {
		t.Errorf("taken over are %v, %v", w.Adopted, w.Parameters)
	}
	again := a.must("a")
	if _, made := a.Stack(name)["ModelGroupCensus"]; made || again.Parameters["ModelGroupCensusExists"] != "true" {
		t.Error("the group that was there was made again")
	}
	// An update keeps what the stack was created with.
	if updated := a.must("b"); updated.Parameters["MachineLogsExists"] != "true" || updated.Status != types.StackStatusUpdateComplete {
		t.Errorf("the stack is %+v", updated)
	}
}

// TestDeleteFailed is a resource that cannot be deleted, and that is then left behind.
func TestDeleteFailed(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	state := a.must("a")
	d := a.deployer()
	err := d.Delete(t.Context(), state, []string{"TrainRole"})
	wantError(t, err, "stack dev-census-training was created (CREATE_COMPLETE), and CloudFormation leaves resources behind only when deleting has failed; nothing was deleted\n\thint: PROG destroy --env dev")

	a.FailResource("delete", "TrainRole", "it is in use")
	err = d.Delete(t.Context(), state, nil)
	const fact = "stack dev-census-training could not be deleted (DELETE_FAILED): Role of Train (TrainRole): it is in use\n\thint: "
	wantError(t, err, fact+"fix it, then: PROG destroy --env dev; or leave it behind: PROG destroy --retain TrainRole --env dev")
	_, err = a.deploy("a")
	wantError(t, err, fact+"fix it, then: PROG destroy --env dev; or leave it behind: PROG destroy --retain TrainRole --env dev")

	d = a.deployer()
	if state, err = d.Standing(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(t.Context(), state, []string{"TrainRole"}); err != nil {
		t.Fatal(err)
	}
	if s := a.StackStatus(name); s != "DELETE_COMPLETE" {
		t.Errorf("the stack is %s", s)
	}
}

// TestProtected is a stack that may not be deleted.
func TestProtected(t *testing.T) {
	t.Parallel()
	err := protection(newAccount(t).place, &State{Name: name, Protected: true})
	if err == nil || !strings.Contains(err.Error(), "stack "+name+" is protected against deletion; nothing was deleted") {
		t.Errorf("error is %v", err)
	}
}

// TestDeleteData deletes what is this pipeline's in this environment, and nothing else.
func TestDeleteData(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	state := a.must("a")
	for key, body := range map[string]string{
		"runs/census-training/0123456789ab/manifest.json":  `{"environment":"dev"}`,
		"runs/census-training/0123456789ab/Train/model":    "m",
		"runs/census-training/0123456789ac/Train/model":    "no manifest",
		"runs/census-training/ba9876543210/manifest.json":  `{"environment":"prod"}`,
		"runs/census-training/ba9876543210/Train/model":    "m",
		"runs/census-inference/0123456789ab/manifest.json": `{"environment":"dev"}`,
		"runs/census-training-two/0123456789ab/x":          "x",
		"code/aa/train.py": "code",
		"data/census.csv":  "data",
	} {
		if err := a.PutObject(bucket, key, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	for _, of := range []string{"census-training", "another"} {
		err := a.place.SageMaker(ctx, "CreateModelPackage", map[string]any{
			"ModelPackageGroupName": "dev-census", "CustomerMetadataProperties": map[string]string{"mlmax.pipeline": of}, "ModelApprovalStatus": "Approved",
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	d := a.deployer()
	if err := d.Delete(ctx, state, nil); err != nil {
		t.Fatal(err)
	}
	holdings, err := d.Holdings(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing left to do
		if err := d.DeleteData(ctx, holdings); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"code/aa/train.py", "data/census.csv", "runs/census-inference/0123456789ab/manifest.json", "runs/census-training-two/0123456789ab/x",
		"runs/census-training/ba9876543210/Train/model", "runs/census-training/ba9876543210/manifest.json",
	}
	if keys := a.Keys(bucket, ""); !slices.Equal(keys, want) {
		t.Errorf("left are %q", keys)
	}
	versions, err := d.place.ModelVersions(ctx, "dev-census")
	if err != nil || len(versions) != 1 || !strings.HasSuffix(versions[0], "/dev-census/2") {
		t.Errorf("left are %v, error %v", versions, err)
	}
	said := strings.Join(a.shown.lines, "\n")
	for _, text := range []string{
		"deleted log group /aws/vendedlogs/states/dev-census-training", `dev-census/2: pipeline "another" registered it`,
		"kept model group dev-census: it has 1 versions of others", "kept run ba9876543210: it is of environment prod",
	} {
		if !strings.Contains(said, text) {
			t.Errorf("%q was not said:\n%s", text, said)
		}
	}
	if left, err := d.Holdings(ctx); err != nil || len(left) != 2 { // of others: the group and the run
		t.Errorf("left are %v, error %v", left, err)
	}
}

// TestSharedPlace keeps runs without a manifest where another environment writes to the
// same place.
func TestSharedPlace(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.place.Definition.Environments["prod"] = a.place.Definition.Environments["dev"]
	for _, key := range []string{"runs/census-training/0123456789ab/x", "runs/census-training/0123456789ac/manifest.json"} {
		if err := a.PutObject(bucket, key, []byte(`{"environment":"dev"}`)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.deployer().deleteRuns(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys := a.Keys(bucket, ""); !slices.Equal(keys, []string{"runs/census-training/0123456789ab/x"}) {
		t.Errorf("left are %q", keys)
	}
	if text := strings.Join(a.shown.lines, "\n"); !strings.Contains(text, "kept run 0123456789ab: it has no manifest, and environment prod writes to the same place") {
		t.Errorf("it said %s", text)
	}
}

// TestDetachedDestroy says how to follow a deletion.
func TestDetachedDestroy(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	state := a.must("a")
	a.Pace(1)
	ctx, interrupt := contextOf(t)
	d := New(a.place, &screen{on: func(Event) { interrupt() }})
	d.Verb = "destroy"
	err := d.Delete(ctx, state, nil)
	var left *Detached
	if !errors.As(err, &left) || left.Next != "PROG destroy --env dev" {
		t.Errorf("error is %v", err)
	}
}
