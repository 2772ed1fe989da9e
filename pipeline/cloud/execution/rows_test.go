package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// wantError compares an error's text.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error is\n\t%v\nwant\n\t%s", err, want)
	}
}

func TestRow29NotDeployed(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.noneYet = true
	const want = "pipeline demo is not deployed in eu-west-1/123456789012\n\thint: demo deploy --env dev"
	_, err := Start(t.Context(), p, "r1", nil)
	wantError(t, err, want)
	_, err = Deployed(t.Context(), p)
	wantError(t, err, want)
}

func TestRow30TheNameExists(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").ends(time.Minute, "SUCCEEDED", "", "")
	started, err := Start(t.Context(), p, "r1", json.RawMessage(` {"Rounds" :5} `))
	if err != nil || !started.Attached {
		t.Errorf("the same run is %+v, %v", started, err)
	}
	_, err = Start(t.Context(), p, "r1", json.RawMessage(`{"Rounds":6}`))
	wantError(t, err, "run r1 exists with other inputs; choose another --run\n\thint: what it was given: demo status r1 --json --env dev")
}

func TestNamesAreChecked(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	for _, name := range []string{"", "a b", "ä", strings.Repeat("x", 81), "a:b", "a\n"} {
		if _, err := Start(t.Context(), p, name, nil); err == nil || !strings.Contains(err.Error(), "cannot be the name of a run") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := Start(t.Context(), p, "latest", nil); err == nil || !strings.Contains(err.Error(), "every command takes it for the newest") {
		t.Error(err)
	}
	if s.calls["StartExecution"] != 0 {
		t.Error("it was started")
	}
	name, err := NewName(begin, strings.NewReader("abcd"))
	if err != nil || name != "20260301-120000-61626364" {
		t.Errorf("a new name is %q, %v", name, err)
	}
}

// TestAStartIsOneWhateverIsLost loses requests and answers of StartExecution.
func TestAStartIsOneWhateverIsLost(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{{}, {effect: true}, {status: 200, effect: true}, {status: 500, code: "InternalFailure", effect: true}, {status: 400, code: "ThrottlingException"}} {
		s, p := open(t)
		var inputs []string
		s.fault = func(action string, n int, _ time.Duration) *fault {
			inputs = append(inputs, fmt.Sprint(s.got[action]["name"], s.got[action]["input"]))
			if n == 1 {
				return &f
			}
			return nil
		}
		if _, err := Start(t.Context(), p, "r1", nil); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
		if len(s.started) != 1 || s.started["r1"] != "{}" || len(inputs) != 2 || inputs[0] != inputs[1] {
			t.Errorf("%+v: started %v by %q", f, s.started, inputs)
		}
	}
}

func TestAStartThatMayHaveHappenedSaysHowToLook(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.fault = func(string, int, time.Duration) *fault {
		return &fault{status: 400, code: "ExecutionLimitExceeded", message: "too many"}
	}
	_, err := Start(t.Context(), p, "r1", nil)
	if err == nil || !strings.Contains(err.Error(), "see whether it started: demo status r1 --env dev; to try again, and never start two: demo run --run r1 --env dev") {
		t.Errorf("error is %v", err)
	}
}

func TestAStartThatWasRefusedSaysWhatToDoFirst(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ code, message, want string }{
		{"ExpiredTokenException", "The security token included in the request is expired",
			"starting run r1: AWS credentials expired\n\thint: aws sso login; then, so that never two are started: demo run --run r1 --env dev"},
		{"AccessDeniedException", "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: states:StartExecution on resource: arn:m because no identity-based policy allows the states:StartExecution action",
			"starting run r1: arn:aws:iam::123456789012:user/ada may not states:StartExecution on arn:m (no identity-based policy allows it)\n" +
				"\thint: let that identity do states:StartExecution on arn:m; docs/aws.md, \"Before you begin\", has everything that deploying takes; then, so that never two are started: demo run --run r1 --env dev"},
	} {
		s, p := open(t)
		s.fault = func(string, int, time.Duration) *fault {
			return &fault{status: 400, code: tt.code, message: tt.message}
		}
		_, err := Start(t.Context(), p, "r1", nil)
		wantError(t, err, tt.want)
	}
}

func TestRow31WhatIsShownOfAFailedRun(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"FAILED", "TIMED_OUT", "ABORTED"} {
		s, p := open(t)
		s.opening("0123456789ab").step("Preprocess", 0, time.Minute).enter("Train", time.Minute)
		if status == "FAILED" {
			s.fails(2*time.Minute, "States.TaskFailed", `{"TrainingJobName":"dev-demo-train","FailureReason":"AlgorithmError: no column age"}`)
		} else {
			s.ends(2*time.Minute, status, "Stopped", "by ada")
			s.events[len(s.events)-1]["previousEventId"] = 0 // as AWS may
		}
		s.world.Log("/aws/sagemaker/TrainingJobs", "dev-demo-train/algo-1-1", awsfake.LogLine{Time: begin, Message: "reading"}, awsfake.LogLine{Time: begin, Message: "no \x1b[31mcolumn"})
		o, err := Watch(t.Context(), p, "r1", WatchOptions{}, func(e pipeline.Event) {
			if e.Kind == pipeline.Warned {
				t.Errorf("%s: %s", status, e.Message)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if string(o.Status) != status || o.FailedStep != "Train" || o.ResumableUntil == nil || !o.ResumableUntil.Equal(begin.Add(2*time.Minute+14*24*time.Hour)) {
			t.Errorf("%s: outcome is %+v", status, o)
		}
		if status == "FAILED" && o.Cause != "AlgorithmError: no column age" {
			t.Errorf("cause is %q", o.Cause)
		}
		want := []pipeline.Link{
			{Name: "execution", URL: "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/arn:aws:states:eu-west-1:123456789012:execution:dev-demo:r1"},
			{Name: "job", URL: "https://eu-west-1.console.aws.amazon.com/sagemaker/home?region=eu-west-1#/jobs/dev-demo-train"},
			{Name: "log", URL: "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Ddev-demo-train$252F"},
		}
		if !slices.Equal(o.Links, want) {
			t.Errorf("links are %q", o.Links)
		}
		if got := Tail(t.Context(), p, o.Log, 5); !slices.Equal(got, []string{"reading", "no column"}) {
			t.Errorf("log %q ends in %q", o.Log, got)
		}
		if s.world.GetObject("data", "p/runs/demo/0123456789ab/manifest.json") == nil {
			t.Error("no manifest was left")
		}
	}
}

func TestRow31WhatCannotBeResumedSaysWhy(t *testing.T) {
	t.Parallel()
	_, p := open(t)
	for _, tt := range []struct {
		d    Description
		want string
	}{
		{Description{Name: "r1", Status: pipeline.Succeeded}, "run r1 succeeded: nothing of it is left to do\n\thint: start another: demo run --env dev"},
		{Description{Name: "r1", Status: pipeline.Running, Started: begin}, "run r1 is still running, since " + begin.Local().Format("15:04") + "\n\thint: demo watch r1 --env dev"},
		{Description{Name: "r1", Status: pipeline.Failed, Stopped: begin.Add(-20 * 24 * time.Hour), NotRedrivable: "Execution exceeded 14 days redrivable period"},
			"run r1 cannot be resumed: Execution exceeded 14 days redrivable period (it ended 2026-02-09, and 14 days were over on 2026-02-23)\n\thint: start another with the same values: demo run --env dev"},
		{Description{Name: "r1", Status: pipeline.Failed, Stopped: begin, NotRedrivable: "Execution history event limit exceeded"},
			"run r1 cannot be resumed: Execution history event limit exceeded\n\thint: start another with the same values: demo run --env dev"},
		{Description{Name: "r1", Status: pipeline.Failed, Error: "BadParameters", Redrivable: true},
			"run r1 cannot be resumed: it ended where the machine gives up (BadParameters), and would end there again\n\thint: put right what its cause says, and start another: demo run --env dev"},
		{Description{Name: "r1", Status: pipeline.Failed, Error: "States.TaskFailed", Redrivable: true}, ""},
		{Description{Name: "r1", Status: pipeline.PendingRedrive}, ""},
	} {
		err := Resumable(p, &tt.d)
		if tt.want == "" && err != nil {
			t.Error(err)
		}
		if tt.want != "" {
			wantError(t, err, tt.want)
		}
	}
}

// TestARedriveIsOneWhateverIsLost loses requests and answers of RedriveExecution.
func TestARedriveIsOneWhateverIsLost(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{{}, {effect: true}, {status: 200, effect: true}, {status: 503, code: "ServiceUnavailable"}} {
		s, p := open(t)
		s.opening("0123456789ab").enter("Train", 0).fails(time.Second, "States.TaskFailed", "no")
		if err := s.clock.Wait(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		d, err := Find(t.Context(), p, "r1")
		if err != nil {
			t.Fatal(err)
		}
		var tokens []any
		s.fault = func(action string, n int, _ time.Duration) *fault {
			if action != "RedriveExecution" {
				return nil
			}
			tokens = append(tokens, s.got[action]["clientToken"])
			if n == 1 {
				return &f
			}
			return nil
		}
		redrives, err := Redrive(t.Context(), p, d)
		if err != nil || redrives != 1 {
			t.Errorf("%+v: %d, %v", f, redrives, err)
		}
		if len(tokens) != 2 || tokens[0] != tokens[1] || !regexp.MustCompile(`^[!-~]{1,64}$`).MatchString(tokens[0].(string)) {
			t.Errorf("%+v: tokens are %q", f, tokens)
		}
	}
}

func TestStopWaitsForTheEnd(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").enter("Train", 0).ends(20*time.Second, "ABORTED", Stopped, "x")
	d, err := Stop(t.Context(), p, "r1", "demo stop r1 --env dev")
	if err != nil || d.Status != pipeline.Aborted || s.clock.Now().Sub(begin) < 20*time.Second {
		t.Errorf("it is %+v, %v", d, err)
	}
	if got := s.got["StopExecution"]; got["error"] != "Stopped" || got["cause"] != "stopped by arn:aws:iam::123456789012:user/ada: demo stop r1 --env dev" {
		t.Errorf("it was asked for with %v", got)
	}
	if _, err := Stop(t.Context(), p, "r1", "again"); err != nil || s.calls["StopExecution"] != 1 {
		t.Errorf("it was stopped %d times, %v", s.calls["StopExecution"], err)
	}
}

func TestRow34QuotaCapacityAndSpot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, cause, want string }{
		{"SageMaker.ResourceLimitExceededException", awsfake.ResourceLimitExceeded("ml.m5.xlarge").(interface{ Error() string }).Error(),
			`(?s)^a quota of the account is used up|^SageMaker.*quota.*ask for a higher quota: https://eu-west-1.console.aws.amazon.com/servicequotas`},
		{"States.TaskFailed", `{"FailureReason":"` + awsfake.CapacityError + `"}`, `^CapacityError: Unable to provision(?s).*the Region has no such instance free: run it again later, or choose another instance`},
		{"States.QueryEvaluationError", "$assert: the training job of Train ended Stopped: Interrupted", `the Spot instance was taken back(?s).*quotas of both are apart`},
		{"States.QueryEvaluationError", "$assert: the training job of Train ended Stopped: MaxWaitTimeExceeded", `no Spot instance was free within the time`},
		{"States.QueryEvaluationError", "$assert: the training job of Train ended Stopped: MaxRuntimeExceeded", `took longer than its step allows`},
	} {
		s, p := open(t)
		s.opening("0123456789ab").enter("Train", 0).fails(time.Second, tt.name, tt.cause)
		o, err := Watch(t.Context(), p, "r1", WatchOptions{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(tt.want).MatchString(o.Cause) {
			t.Errorf("%s: cause is %q, want %s", tt.name, o.Cause, tt.want)
		}
	}
}

func TestRow35CausesAreSafe(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 40_000)
	for _, tt := range []struct{ name, cause, want string }{
		{"not JSON", "it broke", `^it broke$`},
		{"half JSON", `{"TrainingJobName":"x","FailureReason":"AlgorithmError: \"no\"\ncolumn","Cut`, "^AlgorithmError: \"no\"\ncolumn$"},
		{"JSON without a reason", `{"a":1}`, `^{"a":1}$`},
		{"long", long, `^ü+… \(40000 characters; all of them are in the console\)$`},
		{"control characters", "\x1b]0;owned\x07red\x1b[31m\u202ealert\x00", `^redalert$`},
		{"lines", "one\r\ntwo\n", "^one\ntwo$"},
		{"reason with an escape", `{"FailureReason":"bad \u001b[2Jvalue 日本"}`, `^bad value 日本$`},
		{"null", `null`, `^null$`},
		{"empty", "", `^States.TaskFailed$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := open(t)
			s.opening("0123456789ab").enter("Train", 0).fails(time.Second, "States.TaskFailed", tt.cause)
			var seen lines
			o, err := Watch(t.Context(), p, "r1", WatchOptions{}, seen.take)
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(tt.want).MatchString(o.Cause) || utf8.RuneCountInString(o.Cause) > shown || !utf8.ValidString(o.Cause) {
				t.Errorf("cause is %d characters: %.80q", utf8.RuneCountInString(o.Cause), o.Cause)
			}
			for _, l := range append(seen, o.Cause) {
				if strings.ContainsFunc(l, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
					t.Errorf("%q holds a control character", l)
				}
			}
		})
	}
}

func TestLinksOfOtherPartitions(t *testing.T) {
	t.Parallel()
	for partition, want := range map[string]string{
		"aws":        "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#",
		"aws-cn":     "https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1#",
		"aws-us-gov": "https://us-gov-west-1.console.amazonaws-us-gov.com/states/home?region=us-gov-west-1#",
	} {
		region := map[string]string{"aws": "eu-west-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}[partition]
		p := &cloud.Place{Target: cloud.Target{Definition: demo(), Environment: "dev"}, Partition: partition, Region: region, Account: "123456789012"}
		if got := Page(p, "r1"); !strings.HasPrefix(got, want+"/v2/executions/details/arn:"+partition+":states:"+region+":") {
			t.Errorf("%s: %s", partition, got)
		}
	}
	p := &cloud.Place{Target: cloud.Target{Definition: demo()}, Region: "eu-west-1"}
	if got := jobPage(p, pipeline.KindProcessing, "j"); got != "https://eu-west-1.console.aws.amazon.com/sagemaker/home?region=eu-west-1#/processing-jobs/j" {
		t.Error(got)
	}
}

func TestCompareNamesStepsAndDigests(t *testing.T) {
	t.Parallel()
	_, p := open(t)
	tree := []cloud.Code{{Digest: codeOne, Steps: []string{"Preprocess"}}, {Digest: strings.Repeat("e", 64), Steps: []string{"Train"}}}
	deployed, err := Deployed(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, RefuseRun(p, Compare(deployed, p, tree, "deployed")),
		"what is deployed in dev is not what this work tree has; nothing was started\n\tstep Train: deployed c2c2c2c2c2c2, here eeeeeeeeeeee\n\thint: deploy it: demo deploy --env dev; or run what is deployed: demo run --deployed --env dev")
	tree[1].Digest = codeTwo
	if err := RefuseRun(p, Compare(deployed, p, tree, "deployed")); err != nil {
		t.Error(err)
	}
	deployed.Definition = "d0d0d0"
	wantError(t, RefuseResume(p, "r1", Compare(deployed, p, tree, "started with")),
		"run r1 goes on with what it was started with, which is not what this work tree has; nothing was done\n\tthe state machine: started with d0d0d0, here dddddddddddd\n\thint: go on with it all the same: demo resume r1 --same-code --env dev; or start another with what is here: demo deploy --env dev, then demo run --env dev")
}

func TestFind(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	_, err := Find(t.Context(), p, "latest")
	wantError(t, err, "demo has no runs in eu-west-1/123456789012\n\thint: start one with: demo run --env dev")
	s.opening("0123456789ab").ends(time.Minute, "SUCCEEDED", "", "")
	arn := p.ExecutionARN("r1")
	s.list = []map[string]any{{"executionArn": arn, "name": "r1", "stateMachineArn": "arn", "status": "RUNNING", "startDate": float64(begin.UnixMilli()) / 1000}}
	for _, ref := range []string{"latest", "r1", "0123456789ab"} {
		d, err := Find(t.Context(), p, ref)
		if err != nil || d.Name != "r1" || d.ARN != arn {
			t.Errorf("%s is %+v, %v", ref, d, err)
		}
	}
	s.world.DeleteObject("data", "p/runs/demo/0123456789ab/manifest.json")
	made := "no id"
	if id := redriveToken(&Description{ARN: arn, Started: begin}); strings.HasPrefix(id, "redrive-") {
		made = id[len("redrive-") : len("redrive-")+12]
	}
	for _, ref := range []string{made, made[:4]} {
		if d, err := Find(t.Context(), p, ref); err != nil || d.Name != "r1" {
			t.Errorf("%s is %+v, %v", ref, d, err)
		}
	}
	if _, err := Find(t.Context(), p, made[:3]); !errors.Is(err, ErrNotFound) {
		t.Errorf("three digits found a run, or %v", err)
	}
	_, err = Find(t.Context(), p, "nobody")
	if !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	wantError(t, err, "demo has no run \"nobody\" in dev (eu-west-1/123456789012)\n\thint: see demo runs --env dev; Step Functions forgets a run 90 days after its end, and when its machine is deleted")
	if _, err := Find(t.Context(), p, "../x"); err == nil || !strings.Contains(err.Error(), "cannot be the name of a run") {
		t.Error(err)
	}
}

func TestARunThatIsGivenUpLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").enter("Train", 0)
	stopped := false
	s.fault = func(action string, _ int, now time.Duration) *fault {
		if action == "StopExecution" && !stopped {
			stopped = true
			s.ends(now, "ABORTED", Stopped, "x")
		}
		return nil
	}
	if err := s.world.PutObject("data", "p/data/in.csv", []byte("x")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	r := &Runner{Place: p, Name: "r1"}
	o, err := r.Run(ctx, p.Definition, json.RawMessage(`{"Rounds":5}`), func(e pipeline.Event) {
		if e.Kind == pipeline.StepStarted {
			stop(pipeline.ErrInterrupted)
		}
	})
	if err != nil || o.Status != pipeline.Aborted || o.Steps[1].Status != pipeline.Aborted || s.got["StopExecution"]["cause"] != "interrupted" {
		t.Errorf("outcome is %+v, error %v", o, err)
	}
}

func TestDataThatIsNotThereStartsNothing(t *testing.T) {
	t.Parallel()
	_, p := open(t)
	_, err := Input(t.Context(), p, json.RawMessage(`{}`), nil)
	wantError(t, err, "data for \"Data\" is missing: there is no s3://data/p/data/in.csv; nothing was started\n\thint: upload what is on this machine: "+p.Next("run")+" --data FILE")
	_, err = Input(t.Context(), p, json.RawMessage(`{"Data":"s3://data/p/data/other.csv"}`), nil)
	if err == nil || !strings.Contains(err.Error(), "there is no s3://data/p/data/other.csv") {
		t.Error(err)
	}
	if in, err := Input(t.Context(), p, json.RawMessage(`{"Data":"s3://somebody-elses/x"}`), nil); err == nil && string(in) != `{"Data":"s3://somebody-elses/x"}` {
		t.Errorf("%s, %v", in, err)
	}
}
