package awsfake

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestReadablePlaces: data may lie in a place that the environment names, and each statement
// for that is needed.
func TestReadablePlaces(t *testing.T) {
	t.Parallel()
	a, machine := ready(t, "training", "reaching", "inference")
	input := fmt.Sprintf(`{"Data": %q}`, lake)
	if got := a.outcome(machine, "lake", input); got != "SUCCEEDED" {
		t.Fatal(got, a.Denied())
	}
	if got := a.outcome(machine, "other", `{"Data": "s3://lake/out/census.csv"}`); got != "FAILED BadParameters" {
		t.Errorf("data beside the place: %s", got)
	}
	seen := 0
	for _, role := range a.rolesOf("dev-census-training") {
		for _, s := range a.statements(role) {
			if strings.HasSuffix(s.Sid, "Outside1") {
				seen++
				a.needs(role, s.Sid, machine, fmt.Sprint("run-", seen), input)
			}
		}
	}
	if seen != 2 {
		t.Errorf("%d statements for the place", seen)
	}
}

// TestRolesAreBounded: every role has the environment's boundary, so that what this does not allow
// breaks a run.
func TestRolesAreBounded(t *testing.T) {
	t.Parallel()
	a, machine := ready(t, "training", "training", "inference")
	for _, stack := range []string{"dev-census-training", "dev-census-inference"} {
		for _, role := range a.rolesOf(stack) {
			if role.Boundary != boundary {
				t.Errorf("role %s has the boundary %q", role.Name, role.Boundary)
			}
		}
	}
	for denied, want := range map[string]string{
		"sagemaker:Create*": "FAILED SageMaker.AmazonSageMakerException", "s3:GetObject": "FAILED States.TaskFailed",
	} {
		a.AddPolicy(boundary, fmt.Appendf(nil, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": %q, "Resource": "*"}]}`, denied))
		if got := a.outcome(machine, "without-"+strings.Trim(denied[strings.Index(denied, ":"):], ":*"), "{}"); got != want {
			t.Errorf("bounded without %s: %s, want %s", denied, got, want)
		}
	}
}

// TestScheduleStarts: the schedule starts its machine for its time, and each statement of
// its role is needed: without the first the start is kept in the queue, and without either
// of the others it is lost.
func TestScheduleStarts(t *testing.T) {
	t.Parallel()
	a, _ := ready(t, "inference", "training", "scheduled")
	fire := func() string {
		t.Helper()
		fired, err := a.Fire("dev-census-inference", time.Date(2026, 1, 2, 5, 0, 0, 0, time.UTC))
		switch {
		case err != nil:
			t.Fatal(err)
		case fired.Kept != "":
			return "kept"
		case fired.Execution == "":
			return "lost"
		}
		e := a.ended(fired.Execution)
		return string(e.Status) + " " + aws.ToString(e.Input)
	}
	const started = `SUCCEEDED {"ScheduledTime":"2026-01-02T05:00:00Z"}`
	if got := fire(); got != started {
		t.Fatal(got, a.Denied())
	}
	i := slices.IndexFunc(a.rolesOf("dev-census-inference"), func(r *Role) bool { return strings.Contains(r.Name, "ScheduleRole") })
	role := a.rolesOf("dev-census-inference")[i]
	for _, s := range a.statements(role) {
		want, alone := map[string]string{"StartMachine": "kept", "KeepFailures": "lost", "UseKey": "lost"}[s.Sid], s.Sid == "StartMachine"
		restore := func() {}
		if !alone { // what it is for happens when a start fails
			restore = a.without(role, "StartMachine")
		}
		again := a.without(role, s.Sid)
		if got := fire(); got != want {
			t.Errorf("without %s: %s, want %q", s.Sid, got, want)
		}
		again()
		restore()
	}
	if got := fire(); got != started {
		t.Error(got)
	}
	// A role that anybody else could take, or for another account, is not taken.
	a.mu.Lock()
	trusted := a.mayAssume(role, "scheduler.amazonaws.com", "arn:aws:scheduler:eu-west-1:999999999999:schedule-group/default")
	other := a.mayAssume(role, "states.amazonaws.com", "arn:aws:states:eu-west-1:123456789012:stateMachine:dev-census-inference")
	a.mu.Unlock()
	if trusted == nil || other == nil {
		t.Errorf("the schedule's role may be taken: by another account's schedule %v, by a machine %v", trusted, other)
	}
}

// TestStepsKeepToTheirFolders: a step writes neither into the folder of another step, though
// an output there is called as it is, nor where code, data and manifests are.
func TestStepsKeepToTheirFolders(t *testing.T) {
	t.Parallel()
	a, _, _ := newCensus(t, "training", "inference")
	const runs = "arn:aws:s3:::bucket/runs/census-training/"
	for _, role := range a.rolesOf("dev-census-training") {
		for key, want := range map[string]bool{
			runs + "0123456789ab/Train/0-0/job/output/model.tar.gz": strings.Contains(role.Name, "TrainRole"),
			runs + "0123456789ab/Preprocess/0-0/Train/train.csv":    strings.Contains(role.Name, "PreprocessRole"),
			runs + "0123456789ab/manifest.json":                     strings.Contains(role.Name, "MachineRole"),
			runs + "0123456789ab/Train/0-0/manifest.json":           strings.Contains(role.Name, "TrainRole"),
			"arn:aws:s3:::bucket/code/0123/train.py":                false,
			"arn:aws:s3:::bucket/data/census.csv":                   false,
		} {
			if got := a.Allowed(role.ARN, "s3:PutObject", key, nil) == nil; got != want {
				t.Errorf("role %s may write %s: %v", role.Name, key, got)
			}
		}
	}
}
