package progress

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/pipeline"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// at is an event so many seconds after noon.
func at(seconds float64, e pipeline.Event) pipeline.Event {
	e.Time = noon.Add(time.Duration(seconds * float64(time.Second)))
	return e
}

func definition(steps ...string) *pipeline.Definition {
	d := &pipeline.Definition{Name: "census-training"}
	for _, s := range steps {
		d.Jobs = append(d.Jobs, pipeline.Job{Name: s})
	}
	d.Registrations = []pipeline.Registration{{Name: "Register"}}
	return d
}

// story is a run with one of everything.
func story() []pipeline.Event {
	return []pipeline.Event{
		at(0, pipeline.Event{Kind: pipeline.RunStarted, Run: "3f2a"}),
		at(1, pipeline.Event{Kind: pipeline.Preparing, Message: "installing packages", Done: 20, Total: 80}),
		at(1.5, pipeline.Event{Kind: pipeline.Preparing, Message: "installing packages", Done: 40, Total: 80}),
		at(4, pipeline.Event{Kind: pipeline.StepStarted, Step: "Preprocess"}),
		at(5, pipeline.Event{Kind: pipeline.StepSucceeded, Step: "Preprocess", Seconds: 1, Cached: true, Message: "run 11aa"}),
		at(5, pipeline.Event{Kind: pipeline.StepStarted, Step: "Train"}),
		at(5, pipeline.Event{Kind: pipeline.StepExplained, Step: "Train", Message: "code\x1b[2J changed"}),
		at(6, pipeline.Event{Kind: pipeline.StepLog, Step: "Train", Message: "epoch \x1b[31m1"}),
		at(7, pipeline.Event{Kind: pipeline.StepRetried, Step: "Train", Attempt: 1, Message: "throttled", Wait: 5 * time.Second}),
		at(12, pipeline.Event{Kind: pipeline.StepStarted, Step: "Train", Attempt: 1}),
		at(13, pipeline.Event{Kind: pipeline.Warned, Message: "the log is capped"}),
		at(14, pipeline.Event{Kind: pipeline.StepFailed, Step: "Train", Attempt: 1, Seconds: 2, Message: "exit code 1", Status: pipeline.TimedOut}),
		at(14, pipeline.Event{Kind: pipeline.StepSkipped, Step: "Register", Message: "0.6 < 0.7"}),
		at(14, pipeline.Event{Kind: pipeline.RunEnded, Status: pipeline.Failed, Seconds: 14}),
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	// What is drawn after so many events of the story, and how many seconds later.
	tests := []struct {
		name   string
		events int
		later  float64
		want   string
	}{
		{"nothing yet", 0, 0, `
census-training  waiting
  Preprocess  waiting
  Train       waiting
  Register    waiting
`},
		{"preparing", 3, 1, `
census-training  run 3f2a  running  2.5s
  Preprocess  waiting
  Train       waiting
  Register    waiting
  installing packages (50%)
`},
		{"running", 8, 100, `
census-training  run 3f2a  running  1m46s
  Preprocess  cached     1.0s    run 11aa
  Train       running    1m41s
  Register    waiting
`},
		{"retrying", 9, 2, `
census-training  run 3f2a  running  9.0s
  Preprocess  cached     1.0s    run 11aa
  Train       retrying   3.0s    try 1 failed: throttled
  Register    waiting
`},
		{"second try", 10, 0, `
census-training  run 3f2a  running  12s
  Preprocess  cached     1.0s    run 11aa
  Train       running    0.0s    try 2
  Register    waiting
`},
		{"ended", 14, 99, `
census-training  run 3f2a  failed  14s
  Preprocess  cached     1.0s    run 11aa
  Train       timed out  2.0s    exit code 1
  Register    skipped            0.6 < 0.7
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := Start(definition("Preprocess", "Train"))
			for _, e := range story()[:tt.events] {
				s = Reduce(s, e)
			}
			if tt.events > 0 {
				s = s.At(s.Now.Add(time.Duration(tt.later * float64(time.Second))))
			}
			if d := cmp.Diff(tt.want[1:], Render(s, 80, false)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestReduceIsPure(t *testing.T) {
	t.Parallel()
	s := Start(definition("Train"))
	before := Render(s, 80, false)
	next := Reduce(s, at(1, pipeline.Event{Kind: pipeline.StepStarted, Step: "Train"}))
	if Render(s, 80, false) != before || next.Current() != "Train" || s.Current() != "" {
		t.Error("Reduce changed the state that it was given")
	}
	// A step that the definition does not have is shown all the same.
	if got := Reduce(s, at(1, pipeline.Event{Kind: pipeline.StepStarted, Step: "WriteManifest"})); len(got.Steps) != len(s.Steps)+1 {
		t.Errorf("steps = %+v", got.Steps)
	}
}

func TestRenderColors(t *testing.T) {
	t.Parallel()
	s := Reduce(Start(definition("Train")), at(0, pipeline.Event{Kind: pipeline.StepSucceeded, Step: "Train", Seconds: 1}))
	if got := Render(s, 80, true); !strings.Contains(got, "\x1b[32mdone\x1b[0m") {
		t.Errorf("%q", got)
	}
}

// TestRenderFits: whatever the names, messages and width, a drawing has at most 24
// lines, none wider than asked for, and nothing that steers the terminal.
func TestRenderFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var names []string
		for i := range rapid.IntRange(0, 60).Draw(t, "steps") {
			names = append(names, rapid.String().Draw(t, "name")+fmt.Sprint(i))
		}
		s := Start(definition(names...))
		kinds := []pipeline.EventKind{pipeline.RunStarted, pipeline.Preparing, pipeline.StepStarted, pipeline.StepRetried,
			pipeline.StepSucceeded, pipeline.StepFailed, pipeline.StepSkipped, pipeline.RunEnded}
		for range rapid.IntRange(0, 8).Draw(t, "events") {
			e := pipeline.Event{
				Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Run: rapid.String().Draw(t, "run"),
				Message: rapid.String().Draw(t, "message"), Attempt: rapid.IntRange(0, 9).Draw(t, "attempt"),
				Done: rapid.Int64Range(0, 9).Draw(t, "done"), Total: rapid.Int64Range(0, 9).Draw(t, "total"),
			}
			if len(names) > 0 {
				e.Step = rapid.SampledFrom(names).Draw(t, "step")
			}
			s = Reduce(s, at(rapid.Float64Range(0, 1e6).Draw(t, "time"), e))
		}
		width := rapid.IntRange(20, 200).Draw(t, "width")
		drawing := Render(s, width, false)
		lines := strings.Split(strings.TrimSuffix(drawing, "\n"), "\n")
		if len(lines) > 24 {
			t.Fatalf("%d lines:\n%s", len(lines), drawing)
		}
		for _, l := range lines {
			if Width(l) > width {
				t.Fatalf("%d columns of %d: %q", Width(l), width, l)
			}
			if strings.ContainsFunc(l, unicode.IsControl) || !utf8.ValidString(l) {
				t.Fatalf("control characters: %q", l)
			}
		}
	})
}

func TestRenderManySteps(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("Step%02d", i))
	}
	s := Reduce(Start(definition(names...)), at(0, pipeline.Event{Kind: pipeline.StepStarted, Step: "Step50"}))
	got := Render(s, 80, false)
	for _, want := range []string{"  … 41 steps before\n", "  Step50", "running", "  … 41 steps after\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the drawing lacks %q:\n%s", want, got)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text  string
		width int
		want  string
	}{
		{"short", 10, "short"}, {"exactly", 7, "exactly"}, {"too long", 5, "too …"}, {"日本語", 5, "日本…"}, {"日本語", 4, "日…"}, {"x", 0, ""},
		{"e\u0301e\u0301", 2, "e\u0301e\u0301"},
	}
	for _, tt := range tests {
		if got := Cut(tt.text, tt.width); got != tt.want {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

// TestPlainHeartbeat: long silence is broken, by what goes on.
func TestPlainHeartbeat(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	tick := make(chan time.Time)
	p := Plain(&b, Start(definition("Train")), PlainOptions{Tick: tick, Silence: 30 * time.Second, Quiet: true})
	story := []any{
		5.0, // nothing has begun
		at(10, pipeline.Event{Kind: pipeline.RunStarted, Run: "r"}),
		at(11, pipeline.Event{Kind: pipeline.Preparing, Message: "installing packages"}),
		at(12, pipeline.Event{Kind: pipeline.Preparing, Message: "installing packages"}),
		40.0, 45.0, 60.0, 76.0,
		at(80, pipeline.Event{Kind: pipeline.StepStarted, Step: "Train"}),
		at(100, pipeline.Event{Kind: pipeline.StepLog, Step: "Train", Message: "quiet"}),
		109.0, 110.0, 111.0,
		at(115, pipeline.Event{Kind: pipeline.StepRetried, Step: "Train", Attempt: 1, Message: "throttled", Wait: time.Hour}),
		160.0,
		at(170, pipeline.Event{Kind: pipeline.RunEnded, Status: pipeline.Succeeded, Seconds: 160}),
		300.0,
	}
	for _, s := range story {
		switch s := s.(type) {
		case float64:
			tick <- at(s, pipeline.Event{}).Time
		case pipeline.Event:
			p.Event(s)
		}
	}
	p.Close()
	want := `census-training: run r started
installing packages
installing packages
installing packages: still busy after 34s
installing packages: still busy after 1m05s
Train: started
Train: still running after 30s
Train: try 1 failed, the next one starts in 1h00m: throttled
census-training: done after 2m40s
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := Plain(&b, Start(definition("Preprocess", "Train")), PlainOptions{Every: 2 * time.Second, Lines: 2})
	for _, e := range story() {
		p.Event(e)
	}
	for range 5 {
		p.Event(at(15, pipeline.Event{Kind: pipeline.StepLog, Step: "Train", Message: "more"}))
	}
	p.Say("Interrupt received")
	p.Close()
	want := `census-training: run 3f2a started
installing packages (25%)
Preprocess: started
Preprocess: cached in 1.0s (run 11aa)
Train: started
Train: runs, code changed
  Train | epoch 1
Train: try 1 failed, the next one starts in 5.0s: throttled
Train: started, try 2
warning: the log is capped
Train: timed out after 2.0s: exit code 1
Register: skipped: 0.6 < 0.7
census-training: failed after 14s
  Train | more
  Train | … more than 2 lines; the rest is in the log
Interrupt received
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
