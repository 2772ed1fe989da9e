package track

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// a moment is an event of a history, in short.
type moment struct {
	kind, state string
	cause       string
}

// told are the events of a history whose moments are a second apart.
func told(steps []string, moments ...moment) ([]string, *Tracker) {
	var lines []string
	t := New(Options{Steps: steps, Emit: func(e pipeline.Event) {
		line := fmt.Sprintf("%d %s %s", e.Time.Unix(), e.Kind, e.Step)
		if e.Attempt > 0 {
			line += fmt.Sprintf(" try %d", e.Attempt)
		}
		if e.Message != "" {
			line += ": " + e.Message
		}
		lines = append(lines, line)
	}})
	for i, m := range moments {
		e := asl.HistoryEvent{ID: int64(i + 1), Type: m.kind, State: m.state, Timestamp: time.Unix(int64(i+1), 0)}
		if m.cause != "" {
			e.Details = asl.Object{{Key: "error", Value: "States.TaskFailed"}, {Key: "cause", Value: m.cause}}
		}
		t.Observe(e)
	}
	return lines, t
}

func TestRetriesThatNobodyAnnounced(t *testing.T) {
	t.Parallel()
	got, tracker := told([]string{"Train"},
		moment{kind: "TaskStateEntered", state: "Train"}, moment{kind: "TaskScheduled", state: "Train"}, moment{"TaskFailed", "Train", `{"FailureReason":"no room"}`},
		moment{kind: "TaskScheduled", state: "Train"}, moment{kind: "TaskSucceeded", state: "Train"}, moment{kind: "TaskStateExited", state: "Train"},
		moment{kind: "TaskStateEntered", state: "Read Evaluate.Report"}, moment{kind: "TaskStateExited", state: "Read Evaluate.Report"})
	want := []string{"1 StepStarted Train", "4 StepRetried Train try 1: States.TaskFailed: no room", "6 StepSucceeded Train try 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if o := tracker.Outcome("Train"); o.Attempts != 2 || o.Seconds != 5 || o.Status != pipeline.Succeeded {
		t.Errorf("outcome is %+v", o)
	}
}

func TestWhatWasCompleteIsKeptByARedrive(t *testing.T) {
	t.Parallel()
	got, tracker := told([]string{"Preprocess", "Train", "Evaluate"},
		moment{kind: "TaskStateEntered", state: "Preprocess"}, moment{kind: "TaskScheduled", state: "Preprocess"}, moment{kind: "TaskStateExited", state: "Preprocess"},
		moment{kind: "TaskStateEntered", state: "Train"}, moment{kind: "TaskScheduled", state: "Train"}, moment{"TaskFailed", "Train", "killed"},
		moment{kind: "ExecutionFailed"}, moment{kind: "ExecutionRedriven"},
		moment{kind: "TaskScheduled", state: "Train"}, moment{kind: "TaskStateExited", state: "Train"})
	want := []string{"1 StepStarted Preprocess", "3 StepSucceeded Preprocess", "4 StepStarted Train",
		"8 StepSucceeded Preprocess: " + Kept, "9 StepStarted Train", "10 StepSucceeded Train"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	outcomes := tracker.Outcomes()
	if !outcomes[0].Cached || outcomes[1].Cached || outcomes[1].Seconds != 1 || outcomes[2].Status != pipeline.Pending {
		t.Errorf("outcomes are %+v", outcomes)
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	state := func(name, resource string) *asl.State {
		return &asl.State{Name: name, Type: asl.TaskState, Resource: resource}
	}
	m := &asl.Machine{States: []*asl.State{
		{Name: "Merge parameters", Type: asl.PassState},
		state("Train", "arn:aws-cn:states:::sagemaker:createTrainingJob.sync"),
		state("Evaluate", "arn:${Partition}:states:::sagemaker:createProcessingJob.sync"),
		state("Read Evaluate.Report", "arn:aws:states:::aws-sdk:s3:getObject"),
		state("Register", "arn:aws:states:::aws-sdk:sagemaker:createModelPackage"),
		state("Describe", "arn:aws:states:::aws-sdk:sagemaker:describeModelPackage"),
	}}
	if got, want := Steps(m), []string{"Train", "Evaluate", "Register"}; !slices.Equal(got, want) {
		t.Errorf("steps are %q, want %q", got, want)
	}
}
