package progress

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/pipeline"
)

// A screen understands the four things that a live display sends besides text:
// cursor up, carriage return, erase to the end of the line, erase below.
type screen struct {
	lines  []string
	row    int
	writes int
	wrote  chan struct{} // if not nil, gets a token for each write
	t      *testing.T
}

var control = regexp.MustCompile(`^\x1b\[(\d*)([A-Za-z])`)

func (s *screen) Write(p []byte) (int, error) {
	s.writes++
	text := string(p)
	for text != "" {
		for s.row >= len(s.lines) {
			s.lines = append(s.lines, "")
		}
		switch m := control.FindStringSubmatch(text); {
		case m != nil:
			text = text[len(m[0]):]
			switch m[2] {
			case "A":
				n, _ := strconv.Atoi(m[1])
				if n > s.row {
					s.t.Errorf("the cursor goes up %d lines from line %d", n, s.row)
				}
				s.row = max(0, s.row-n)
			case "K": // what follows the cursor; the writer starts each line anew
			case "J":
				s.lines = s.lines[:s.row]
			default:
				s.t.Errorf("unknown sequence %q", m[0])
			}
		case text[0] == '\r':
			text = text[1:]
		default:
			line, rest, found := strings.Cut(text, "\n")
			if !found {
				s.t.Errorf("an unfinished line %q", line)
			}
			s.lines[s.row] = strings.ReplaceAll(line, "\x1b[K", "")
			s.row++
			text = rest
		}
	}
	if s.wrote != nil {
		s.wrote <- struct{}{}
	}
	return len(p), nil
}

func (s *screen) String() string { return strings.Join(s.lines, "\n") + "\n" }

func TestLive(t *testing.T) {
	t.Parallel()
	s := &screen{t: t, wrote: make(chan struct{}, 1)}
	tick := make(chan time.Time)
	l := Live(s, Start(definition("Preprocess", "Train")), LiveOptions{Width: func() int { return 60 }, Tick: tick})
	for _, e := range story()[:11] {
		l.Event(e)
		tick <- e.Time
		<-s.wrote
	}
	l.Say("Interrupt received")
	for _, e := range story()[11:] {
		l.Event(e)
	}
	go l.Close()
	<-s.wrote
	want := `Train: runs, code changed
  Train | epoch 1
warning: the log is capped
Interrupt received
census-training  run 3f2a  failed  14s
  Preprocess  cached     1.0s    run 11aa
  Train       timed out  2.0s    exit code 1
  Register    skipped            0.6 < 0.7
`
	if d := cmp.Diff(want, s.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestLiveCutsNoLink shows whole what is to be copied, and cuts what is in a log.
func TestLiveCutsNoLink(t *testing.T) {
	t.Parallel()
	s := &screen{t: t}
	l := Live(s, Start(definition("Train")), LiveOptions{Width: func() int { return 30 }, Tick: make(chan time.Time)})
	page := "Run r1 started: https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/arn"
	l.Say(page)
	l.Event(at(0, pipeline.Event{Kind: pipeline.Warned, Message: "AWS wants a new login: aws sso login --profile team-ml"}))
	l.Event(at(1, pipeline.Event{Kind: pipeline.StepLog, Step: "Train", Message: strings.Repeat("x", 50)}))
	l.Close()
	want := page + "\nwarning: AWS wants a new login: aws sso login --profile team-ml\n  Train | xxxxxxxxxxxxxxxxxx…\n"
	if got := s.String(); !strings.HasPrefix(got, want) {
		t.Errorf("screen:\n%s", got)
	}
}

func TestLiveFlood(t *testing.T) {
	t.Parallel()
	s := &screen{t: t}
	tick := make(chan time.Time)
	l := Live(s, Start(definition("Train")), LiveOptions{Width: func() int { return 80 }, Tick: tick})
	for i := range 10000 {
		l.Event(at(float64(i)/1000, pipeline.Event{Kind: pipeline.StepLog, Step: "Train", Message: fmt.Sprint("line ", i)}))
	}
	l.Close()
	if s.writes != 1 {
		t.Errorf("%d writes without a tick", s.writes)
	}
	got := s.String()
	if !strings.HasPrefix(got, "  … 9800 lines not shown; they are in the log\n  Train | line 9800\n") || !strings.Contains(got, "line 9999\n") {
		t.Errorf("screen:\n%s", got[:200])
	}
	l.Event(pipeline.Event{Kind: pipeline.StepLog}) // late events are dropped, and do not block
}

func TestLiveQuietAndIdle(t *testing.T) {
	t.Parallel()
	s := &screen{t: t}
	tick := make(chan time.Time)
	l := Live(s, Start(definition("Train")), LiveOptions{Width: func() int { return 80 }, Tick: tick, Quiet: true})
	for range 3 {
		tick <- noon // nothing has happened, so that nothing is drawn
	}
	l.Event(at(0, pipeline.Event{Kind: pipeline.StepLog, Step: "Train", Message: "secret"}))
	l.Close()
	if s.writes != 1 || strings.Contains(s.String(), "secret") {
		t.Errorf("%d writes:\n%s", s.writes, s)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	succeeded := &pipeline.Outcome{
		Run: "3f2a", Pipeline: "census-training", Status: pipeline.Succeeded, Seconds: 75,
		Metrics: map[string]any{"Evaluate.Report.Rows": 400.0, "Evaluate.Report.ROCAUC": 0.9012, "Evaluate.Report.Note": "a\x1b[2Jb", "Evaluate.Report.OK": true},
		Steps: []pipeline.StepOutcome{
			{Name: "Preprocess", Status: pipeline.Succeeded, Seconds: 4.25, Cached: true, Why: "run 11aa"},
			{Name: "Train", Status: pipeline.Succeeded, Seconds: 70, Attempts: 2, Why: "code\x1b[2J changed"},
			{Name: "Register", Status: pipeline.Skipped},
		},
		Artifacts: []pipeline.Artifact{
			{Name: "Train.Model", URI: "s3://local/m/model.tar.gz", Bytes: 12345, Path: "/w/m/model.tar.gz"},
			{Name: "Data", URI: "s3://local/data/x", Bytes: 7},
		},
		NotRegistered: "0.62 < 0.7", Parity: []string{"IAM was not asked", "Python 3.13 stood for 3.10"},
	}
	registered := &pipeline.Outcome{Run: "r", Pipeline: "p", Status: pipeline.Succeeded,
		Model: &pipeline.ModelVersion{Group: "census", Version: 3, Status: "PendingManualApproval"},
		Next:  []pipeline.Suggestion{{Command: "./training models approve 3", Why: "let others take it"}}}
	started := &pipeline.Outcome{Run: "r", Pipeline: "p", Status: pipeline.Succeeded, Versions: map[string]pipeline.ModelVersion{
		"Model": {Group: "local-census", Version: 3, Status: "Approved"}, "Before": {Group: "local-census", Version: 1, Status: "Approved"}}}
	unapproved := &pipeline.Outcome{Run: "r", Pipeline: "p", Status: pipeline.Failed, FailedStep: "No version of Model", Error: "NoApprovedModel",
		Cause: "none is approved", Next: []pipeline.Suggestion{{Command: "./training models approve 1", Why: "approve it"}}}
	part := &pipeline.Outcome{Run: "r", Pipeline: "p", Status: pipeline.Succeeded, Resumes: "q", Partial: "until Train"}
	stopped := &pipeline.Outcome{Run: "r", Pipeline: "p", Status: pipeline.Aborted, FailedStep: "Train", Cause: "stopped with the run",
		Steps: []pipeline.StepOutcome{{Name: "Train", Status: pipeline.Aborted}}}
	failed := &pipeline.Outcome{Run: "r", Pipeline: "p", Status: pipeline.Failed, Seconds: 2, FailedStep: "Train",
		Error: "States.TaskFailed", Cause: "one\ntwo\x07", Log: "/w/runs/r/Train/0.log"}
	tests := []struct {
		name    string
		outcome *pipeline.Outcome
		want    string
	}{
		{"succeeded", succeeded, `
census-training SUCCEEDED in 1m15s (run 3f2a)

Metrics
  Evaluate.Report.Note    ab
  Evaluate.Report.OK      true
  Evaluate.Report.ROCAUC  0.9012
  Evaluate.Report.Rows    400

Model
  not registered: 0.62 < 0.7

Steps
  Preprocess  cached   4.2s   run 11aa
  Train       done     1m10s  2 tries; code changed
  Register    skipped

Artifacts
  Train.Model  12.3 kB  m/model.tar.gz
  Data         7 B      s3://local/data/x

Not proved by this run
  - IAM was not asked
  - Python 3.13 stood for 3.10

Next
  ./training logs 3f2a  what its steps wrote
  ./training runs       all runs of this workspace
`},
		{"registered", registered, `
p SUCCEEDED in 0.0s (run r)

Model
  registered as version 3 of census, PendingManualApproval

Next
  ./training models approve 3  let others take it
  ./training logs r            what its steps wrote
  ./training runs              all runs of this workspace
`},
		{"started from versions", started, `
p SUCCEEDED in 0.0s (run r)

Started from
  Before: version 1 of local-census, Approved
  Model: version 3 of local-census, Approved

Next
  ./training logs r  what its steps wrote
  ./training runs    all runs of this workspace
`},
		{"no version", unapproved, `
p FAILED in 0.0s (run r)
  in state No version of Model: none is approved
  (NoApprovedModel)

Next
  ./training models approve 1  approve it
  ./training                   run again
  ./training runs              all runs of this workspace
`},
		{"part", part, `
p SUCCEEDED in 0.0s (run r)
  resumes run q
  until Train: it did a part of the pipeline, and gave no output

Next
  ./training logs r    what its steps wrote
  ./training resume r  go on with the other steps
  ./training runs      all runs of this workspace
`},
		{"stopped", stopped, `
p ABORTED in 0.0s (run r)
  in step Train: stopped with the run

Steps
  Train  stopped  0.0s

Next
  ./training resume r  go on with it; what is complete is kept
  ./training runs      all runs of this workspace
`},
		{"failed", failed, `
p FAILED in 2.0s (run r)
  in step Train: one
  two; log: runs/r/Train/0.log
  (States.TaskFailed)
    | last
    | lines

Next
  ./training logs r Train  what the step wrote
  ./training               run again
  ./training runs          all runs of this workspace
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			err := Summary(&b, tt.outcome, SummaryOptions{Command: "./training", Path: func(p string) string { return strings.TrimPrefix(p, "/w/") },
				Tail: func(string, int) []string { return []string{"last", "lines\x07"} }})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, b.String()); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}
