package execution

import (
	"context"
	"errors"

	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/track"
)

const minute = time.Minute

func TestWatchTellsWhatTheLaptopTells(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").step("Preprocess", time.Second, minute).step("Train", minute, 3*minute).ends(3*minute, "SUCCEEDED", "", "")
	var seen lines
	o, err := Watch(context.Background(), p, "r1", WatchOptions{}, seen.take)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"RunStarted", "StepStarted Preprocess", "StepSucceeded Preprocess", "StepStarted Train", "StepSucceeded Train", "RunEnded"}
	if !slices.Equal(seen, want) {
		t.Errorf("events are %q, want %q", seen, want)
	}
	if o.Status != pipeline.Succeeded || o.Run != "0123456789ab" || o.Execution != "r1" || o.Seconds != 180 || o.Parameters["Rounds"] != int64(5) || o.Parameters["Data"] != "s3://data/p/data/in.csv" {
		t.Errorf("outcome is %+v", o)
	}
	if len(o.Steps) != 2 || o.Steps[1].Seconds != 120 || o.Steps[1].Attempts != 1 {
		t.Errorf("steps are %+v", o.Steps)
	}
}

// TestWatchMakesFewCalls watches an execution of 1,000 events: in bursts, and with long
// silences.
func TestWatchMakesFewCalls(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab")
	now := time.Second
	for n := 0; len(s.events) < 1000; n++ {
		s.step("Preprocess", now, now+time.Duration(n%7)*time.Second)
		now += time.Duration(n%7) * time.Second
		if n%40 == 0 {
			now += 10 * minute
		}
	}
	s.ends(now, "SUCCEEDED", "", "")
	started := 0
	o, err := Watch(context.Background(), p, "r1", WatchOptions{}, func(e pipeline.Event) {
		if e.Kind == pipeline.StepStarted {
			started++
		}
	})
	if err != nil || o.Status != pipeline.Succeeded {
		t.Fatal(o, err)
	}
	calls := s.calls["GetExecutionHistory"] + s.calls["DescribeExecution"]
	t.Logf("%d events in %s: %d calls, one in %s", len(s.events), now, calls, now/time.Duration(calls))
	if limit := int(now / (2 * time.Second)); calls > limit {
		t.Errorf("%d calls in %s, want at most %d", calls, now, limit)
	}
	if want := (len(s.events) - 4) / 4; started != want {
		t.Errorf("%d steps were seen to start, want %d", started, want)
	}
	for i := 1; i < len(s.log); i++ {
		if gap := s.log[i] - s.log[i-1]; gap > longest {
			t.Errorf("the history was not asked for between %s and %s", s.log[i-1], s.log[i])
		}
	}
}

// TestABurstIsReadInPagesAndPaidFor has 1,000 events appear at once.
func TestABurstIsReadInPagesAndPaidFor(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab")
	for len(s.events) < 1000 {
		s.step("Preprocess", minute, minute)
	}
	s.ends(3*minute, "SUCCEEDED", "", "")
	if _, err := Watch(context.Background(), p, "r1", WatchOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if calls := s.calls["GetExecutionHistory"]; calls > 90 {
		t.Errorf("%d calls in 3 minutes", calls)
	}
}

func TestWatchBearsWhatPasses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault fault
		told  string // none, or a part of a warning
	}{
		{"row 19: throttled", fault{status: 400, code: "ThrottlingException", message: "Rate exceeded"}, ""},
		{"their trouble", fault{status: 500, code: "InternalFailure", message: "oops"}, "Warned watching run r1: "},
		{"not available", fault{status: 503, code: "ServiceUnavailable", message: "later"}, "Warned watching run r1: "},
		{"reset", fault{}, "the connection was cut"},
		{"torn answer", fault{status: 200}, "Warned watching run r1: "},
		{"row 32: expired", fault{status: 400, code: "ExpiredTokenException", message: "The security token included in the request is expired"},
			"Warned watching run r1: AWS credentials expired: aws sso login; the run goes on, and is watched again after that"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := open(t)
			s.opening("0123456789ab").step("Preprocess", time.Second, 4*minute).step("Train", 4*minute, 6*minute).ends(6*minute, "SUCCEEDED", "", "")
			s.fault = func(action string, _ int, now time.Duration) *fault {
				if now > 10*time.Second && now < 5*minute {
					return &tt.fault
				}
				return nil
			}
			var seen lines
			o, err := Watch(context.Background(), p, "r1", WatchOptions{}, seen.take)
			if err != nil || o.Status != pipeline.Succeeded {
				t.Fatalf("outcome is %+v, error %v", o, err)
			}
			var warned []string
			for _, l := range seen {
				if strings.HasPrefix(l, "Warned") {
					warned = append(warned, l)
				}
			}
			switch {
			case tt.told == "" && len(warned) > 0:
				t.Errorf("told %q", warned)
			case tt.told != "" && (len(warned) != 2 || !strings.Contains(warned[0], tt.told) || warned[1] != "Warned run r1 is watched again"):
				t.Errorf("told %q, want %q and the end of it", warned, tt.told)
			}
			during := 0
			for _, at := range s.log {
				if at > 10*time.Second && at < 5*minute {
					during++
				}
			}
			if during > 25 || during < 4 {
				t.Errorf("%d calls while it lasted", during)
			}
			if !slices.Contains(seen, "StepStarted Train") || !slices.Contains(seen, "StepSucceeded Train") {
				t.Errorf("events are %q", seen)
			}
		})
	}
}

func TestThrottlingGrowsThePause(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").ends(10*minute, "SUCCEEDED", "", "")
	s.fault = func(string, int, time.Duration) *fault {
		if s.clock.Now().Sub(begin) < 8*minute {
			return &fault{status: 400, code: "ThrottlingException"}
		}
		return nil
	}
	if _, err := Watch(context.Background(), p, "r1", WatchOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	for i := 2; i < 6; i++ {
		if before, after := s.log[i-1]-s.log[i-2], s.log[i]-s.log[i-1]; after != min(2*before, throttled) {
			t.Errorf("pauses are %s and %s", before, after)
		}
	}
}

func TestAnExecutionMayNotBeSeenAtOnce(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").ends(10*time.Second, "SUCCEEDED", "", "")
	for _, e := range s.events {
		e["at"] = 10 * time.Second
	}
	o, err := Watch(context.Background(), p, "r1", WatchOptions{Started: begin}, nil)
	if err != nil || o.Status != pipeline.Succeeded {
		t.Errorf("outcome is %+v, error %v", o, err)
	}
	s, p = open(t)
	_, err = Watch(context.Background(), p, "r1", WatchOptions{Started: begin}, nil)
	if !errors.Is(err, ErrNotFound) || s.clock.Now().Sub(begin) < invisible {
		t.Errorf("after %s the error is %v", s.clock.Now().Sub(begin), err)
	}
}

func TestWatchingEndsAndTheRunGoesOn(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").enter("Preprocess", time.Second)
	ctx, stop := context.WithCancel(context.Background())
	o, err := Watch(ctx, p, "r1", WatchOptions{}, func(e pipeline.Event) {
		if e.Kind == pipeline.StepStarted {
			stop()
		}
	})
	if !errors.Is(err, ErrDetached) || o.Status != pipeline.Running || o.Steps[0].Status != pipeline.Running {
		t.Errorf("outcome is %+v, error %v", o, err)
	}
	if s.calls["StopExecution"] != 0 {
		t.Error("the run was stopped")
	}
}

func TestALookSaysHowLongAStepHasTaken(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").step("Preprocess", 0, 20*time.Second).enter("Train", 20*time.Second)
	s.started["r1"] = `{"Rounds":5}`
	if err := s.clock.Wait(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	d, err := Describe(t.Context(), p, "r1")
	if err != nil {
		t.Fatal(err)
	}
	o, err := Look(t.Context(), p, d, nil)
	if err != nil || o.Steps[0].Seconds != 20 || o.Steps[1].Seconds != 40 || o.Seconds != 60 {
		t.Errorf("outcome is %+v, error %v", o, err)
	}
}

func TestAccessDeniedEndsTheWatchNotTheRun(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.fault = func(string, int, time.Duration) *fault {
		return &fault{status: 400, code: "AccessDeniedException", message: "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: states:GetExecutionHistory on resource: arn"}
	}
	_, err := Watch(context.Background(), p, "r1", WatchOptions{}, nil)
	if err == nil || !strings.Contains(err.Error(), "watching run r1, which goes on: ") || !strings.Contains(err.Error(), "states:GetExecutionHistory") {
		t.Errorf("error is %v", err)
	}
}

func TestAResumedRunDoesNotTellItsPastAgain(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").step("Preprocess", 0, minute).enter("Train", minute).fails(2*minute, "States.TaskFailed", "no")
	before := s.describe
	resumed := 5 * minute
	s.at(resumed, "ExecutionRedriven", "executionRedrivenEventDetails")
	s.try("Train", resumed)
	s.events[len(s.events)-1]["previousEventId"] = len(s.events) - 3 // the failed execution
	s.at(6*minute, "TaskStateExited", "stateExitedEventDetails", "name", "Train").ends(6*minute, "SUCCEEDED", "", "")
	after := s.describe
	s.describe = func(now time.Duration) map[string]any {
		if now < resumed {
			out := before(now)
			out["redriveCount"] = 1 // the history comes later
			return out
		}
		out := after(now)
		if out == nil {
			out = map[string]any{}
		}
		out["redriveCount"] = 1
		return out
	}
	if err := s.clock.Wait(context.Background(), 4*minute); err != nil {
		t.Fatal(err)
	}
	var seen lines
	o, err := Watch(context.Background(), p, "r1", WatchOptions{Redrives: 1}, seen.take)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"RunStarted", "StepSucceeded Preprocess " + track.Kept, "StepStarted Train", "StepSucceeded Train", "RunEnded"}
	if !slices.Equal(seen, want) {
		t.Errorf("events are %q, want %q", seen, want)
	}
	if o.Status != pipeline.Succeeded || !o.Steps[0].Cached || o.Steps[1].Cached {
		t.Errorf("outcome is %+v", o)
	}
}

func TestAPendingRedriveIsWaitedFor(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").enter("Train", 0).fails(minute, "States.TaskFailed", "no")
	ended := s.describe
	s.describe = func(now time.Duration) map[string]any {
		out := ended(now)
		if now < 3*minute && out != nil {
			out["status"] = "PENDING_REDRIVE"
		}
		return out
	}
	o, err := Watch(context.Background(), p, "r1", WatchOptions{}, nil)
	if err != nil || o.Status != pipeline.Failed || s.clock.Now().Sub(begin) < 3*minute {
		t.Errorf("outcome after %s is %+v, error %v", s.clock.Now().Sub(begin), o, err)
	}
	s, p = open(t)
	s.opening("0123456789ab").enter("Train", 0).fails(minute, "States.TaskFailed", "no")
	s.describe = func(time.Duration) map[string]any { return map[string]any{"status": "PENDING_REDRIVE"} }
	if err := s.clock.Wait(context.Background(), 2*minute); err != nil {
		t.Fatal(err)
	}
	d, err := Find(context.Background(), p, "r1")
	if err != nil {
		t.Fatal(err)
	}
	o, err = Look(context.Background(), p, d, nil)
	if err != nil || o.Status != pipeline.PendingRedrive {
		t.Errorf("outcome is %+v, error %v", o, err)
	}
}

func TestADeletedRunSaysWhatIsKept(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").enter("Train", 0)
	s.fault = func(action string, _ int, now time.Duration) *fault {
		if now > minute {
			return &fault{status: 400, code: "ExecutionDoesNotExist", message: "Execution Does Not Exist: 'arn'"}
		}
		return nil
	}
	_, err := Watch(context.Background(), p, "r1", WatchOptions{Started: begin}, nil)
	want := "run r1 is gone: its state machine was deleted\n\thint: what it wrote is kept below s3://data/p/runs/demo/0123456789ab/"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestARetryIsToldWhenItIsSeen(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").enter("Train", 0)
	s.at(time.Second, "TaskFailed", "taskFailedEventDetails", "resourceType", "sagemaker", "resource", "createTrainingJob.sync",
		"error", "SageMaker.ResourceLimitExceededException", "cause", "The account-level service limit 'ml.m5.xlarge for training job usage' is 0 Instances (Service: SageMaker; Status Code: 400; Error Code: ResourceLimitExceeded; Request ID: x)")
	s.try("Train", 2*minute).at(3*minute, "TaskStateExited", "stateExitedEventDetails", "name", "Train").ends(3*minute, "SUCCEEDED", "", "")
	var at time.Duration
	var retried pipeline.Event
	if _, err := Watch(context.Background(), p, "r1", WatchOptions{}, func(e pipeline.Event) {
		if e.Kind == pipeline.StepRetried {
			at, retried = s.clock.Now().Sub(begin), e
		}
	}); err != nil {
		t.Fatal(err)
	}
	if at > 10*time.Second || retried.Wait != minute || retried.Attempt != 1 || !strings.Contains(retried.Message, "a quota of the account is used up: The account-level service limit") ||
		!strings.Contains(retried.Message, "ask for a higher quota") {
		t.Errorf("after %s: %+v", at, retried)
	}
}
