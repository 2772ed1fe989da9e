// Package runnertest is what every [pipeline.Runner] has to do: one suite, which the
// runner of this machine passes, and the one of AWS against the account of awsfake. In go a
// function that makes a runner of a module, out come a test's failures.
package runnertest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline"
)

// A Runner is a runner and what a test has to know of it besides.
type Runner struct {
	pipeline.Runner
	// Tail gives the last lines of a log that an outcome names.
	Tail func(log string, lines int) []string
}

// steps is where the scripts of the steps are, from the folder of a test beside this one.
const steps = "../../pipeline/cli/testdata/steps"

// Run makes the suite's tests. NewRunner makes a runner for a module whose files and
// definition are as they are to be run.
func Run(t *testing.T, newRunner func(t *testing.T, m *censustest.Module) Runner) {
	for _, c := range []struct {
		name string
		test func(*subject)
	}{
		{"a run succeeds", succeeds},
		{"a condition leaves the model out", gates},
		{"a script fails", fails},
		{"bad parameters start nothing", badParameters},
		{"a context ends a run", aborts},
		{"a refusal is tried again", retries},
		{"data is given", takesData},
		{"data is missing", missesData},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(&subject{Module: censustest.From(t, steps), t: t, newRunner: newRunner})
		})
	}
}

// A subject is a runner under test, with its module.
type subject struct {
	*censustest.Module
	t         *testing.T
	newRunner func(*testing.T, *censustest.Module) Runner
	runner    Runner

	mu     sync.Mutex
	events []string
}

// run runs the pipeline, and notes its events.
func (s *subject) run(ctx context.Context, input string, on func(pipeline.Event)) (*pipeline.Outcome, error) {
	s.t.Helper()
	s.runner = s.newRunner(s.t, s.Module)
	return s.runner.Run(ctx, s.Definition, json.RawMessage(input), func(e pipeline.Event) {
		s.mu.Lock()
		switch e.Kind {
		case pipeline.StepLog, pipeline.Preparing, pipeline.StepExplained: // of the laptop alone
		default:
			s.events = append(s.events, strings.TrimSpace(string(e.Kind)+" "+e.Step))
		}
		if e.Kind == pipeline.Warned {
			s.t.Errorf("warned: %s", e.Message)
		}
		s.mu.Unlock()
		if on != nil {
			on(e)
		}
	})
}

// ends runs the pipeline, which must end with a status.
func (s *subject) ends(ctx context.Context, input string, want pipeline.Status, on func(pipeline.Event)) *pipeline.Outcome {
	s.t.Helper()
	o, err := s.run(ctx, input, on)
	if err != nil {
		s.t.Fatal(err)
	}
	if o.Status != want || o.Run == "" || o.Pipeline != s.Definition.Name {
		s.t.Fatalf("run %q of %q ended %s, want %s: %s %s", o.Run, o.Pipeline, o.Status, want, o.Error, o.Cause)
	}
	return o
}

// saw demands the events of a run.
func (s *subject) saw(want ...string) {
	s.t.Helper()
	if !slices.Equal(s.events, want) {
		s.t.Errorf("events are\n\t%s\nwant\n\t%s", strings.Join(s.events, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// stepsAre demands the statuses of the steps.
func (s *subject) stepsAre(o *pipeline.Outcome, want ...pipeline.Status) {
	s.t.Helper()
	var got []pipeline.Status
	for _, step := range o.Steps {
		got = append(got, step.Status)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("steps are %v, want %v", got, want)
	}
}

func succeeds(s *subject) {
	o := s.ends(s.t.Context(), `{"Train.Strength": 0.5}`, pipeline.Succeeded, nil)
	s.saw("RunStarted", "StepStarted Preprocess", "StepSucceeded Preprocess", "StepStarted Train", "StepSucceeded Train",
		"StepStarted Evaluate", "StepSucceeded Evaluate", "StepStarted Register", "StepSucceeded Register", "RunEnded")
	s.stepsAre(o, pipeline.Succeeded, pipeline.Succeeded, pipeline.Succeeded, pipeline.Succeeded)
	if o.Metrics["Evaluate.Report.ROCAUC"] != 0.9 || len(o.Metrics) != 5 {
		s.t.Errorf("metrics are %v", o.Metrics)
	}
	if o.Model == nil || o.Model.Version != 1 || o.Model.Status != pipeline.PendingManualApproval || !strings.HasSuffix(o.Model.Group, "-census") || o.NotRegistered != "" {
		s.t.Errorf("model is %+v, not registered %q", o.Model, o.NotRegistered)
	}
	if len(o.Next) != 1 || !strings.Contains(o.Next[0].Command, "models approve 1") {
		s.t.Errorf("next are %+v", o.Next)
	}
	if o.Parameters["Train.Strength"] != 0.5 || o.Parameters["MinROCAUC"] != 0.8 || !strings.HasPrefix(o.Parameters["Data"].(string), "s3://") {
		s.t.Errorf("parameters are %v", o.Parameters)
	}
	var names []string
	for _, a := range o.Artifacts {
		names = append(names, a.Name)
		if !strings.HasPrefix(a.URI, "s3://") || a.Name != "Data" && a.Bytes == 0 {
			s.t.Errorf("artifact is %+v", a)
		}
	}
	if want := []string{"Data", "Preprocess.Train", "Preprocess.Test", "Preprocess.Transformer", "Train.Model", "Evaluate.Report"}; !slices.Equal(names, want) {
		s.t.Errorf("artifacts are %q, want %q", names, want)
	}
	var output struct{ Run string }
	if err := json.Unmarshal(o.Output, &output); err != nil || output.Run != o.Run {
		s.t.Errorf("the machine's output names run %q, the outcome %q (%v)", output.Run, o.Run, err)
	}
	if o.Seconds <= 0 || o.Steps[0].Attempts != 1 || o.Error != "" || o.Cause != "" || o.FailedStep != "" || o.Log != "" {
		s.t.Errorf("outcome is %+v", o)
	}
}

func gates(s *subject) {
	o := s.ends(s.t.Context(), `{"MinROCAUC": 0.95}`, pipeline.Succeeded, nil)
	if want := "Evaluate.Report.ROCAUC >= MinROCAUC is false: 0.9 >= 0.95"; o.Model != nil || o.NotRegistered != want {
		s.t.Errorf("model is %+v, not registered %q, want %q", o.Model, o.NotRegistered, want)
	}
	s.stepsAre(o, pipeline.Succeeded, pipeline.Succeeded, pipeline.Succeeded, pipeline.Skipped)
	if s.events[len(s.events)-2] != "StepSkipped Register" {
		s.t.Errorf("events are %q", s.events)
	}
}

func fails(s *subject) {
	s.Write("specs/census/steps/train/train.sh", "#!/bin/sh\necho reading\necho 'ValueError: no column age' >&2\nexit 1\n", 0o755)
	o := s.ends(s.t.Context(), `{}`, pipeline.Failed, nil)
	s.saw("RunStarted", "StepStarted Preprocess", "StepSucceeded Preprocess", "StepStarted Train", "StepFailed Train", "RunEnded")
	s.stepsAre(o, pipeline.Succeeded, pipeline.Failed, pipeline.Pending, pipeline.Pending)
	if o.FailedStep != "Train" || o.Error != "States.TaskFailed" || !strings.Contains(o.Cause, "ValueError: no column age") || strings.Contains(o.Cause, "{") {
		s.t.Errorf("failed in %q: %s: %s", o.FailedStep, o.Error, o.Cause)
	}
	if lines := s.runner.Tail(o.Log, 10); !slices.Contains(lines, "reading") || !slices.Contains(lines, "ValueError: no column age") {
		s.t.Errorf("log %q ends in %q", o.Log, lines)
	}
	var names []string
	for _, a := range o.Artifacts {
		names = append(names, a.Name)
	}
	if want := []string{"Data", "Preprocess.Train", "Preprocess.Test", "Preprocess.Transformer"}; !slices.Equal(names, want) {
		s.t.Errorf("kept are %q, want %q", names, want)
	}
	if o.Model != nil || len(o.Metrics) > 0 || o.Output != nil {
		s.t.Errorf("outcome is %+v", o)
	}
}

func badParameters(s *subject) {
	for input, want := range map[string]string{
		`{"MinROCAUC": 2}`: `parameter "MinROCAUC" is 2, above its maximum 1`,
		`{"MinRocAuc": 1}`: `has no parameter "MinRocAuc"`,
		`[]`:               "JSON object",
	} {
		o, err := s.run(s.t.Context(), input, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			s.t.Errorf("%s: outcome is %+v, error %v", input, o, err)
		}
		for _, e := range s.events {
			if strings.HasPrefix(e, "Step") {
				s.t.Errorf("%s: %s", input, e)
			}
		}
	}
}

func aborts(s *subject) {
	beat := filepath.Join(s.Dir, "beat")
	s.Write("specs/census/steps/preprocess/preprocess.sh", "while :; do echo x >> '"+beat+"'; sleep 0.05; done\n", 0o644)
	ctx, stop := context.WithCancelCause(s.t.Context())
	defer stop(nil)
	o := s.ends(ctx, `{}`, pipeline.Aborted, func(e pipeline.Event) {
		if e.Kind == pipeline.StepStarted {
			go func() {
				for size(beat) == 0 && ctx.Err() == nil {
					time.Sleep(10 * time.Millisecond) // a process that we did not start
				}
				stop(pipeline.ErrInterrupted)
			}()
		}
	})
	s.saw("RunStarted", "StepStarted Preprocess", "StepFailed Preprocess", "RunEnded")
	s.stepsAre(o, pipeline.Aborted, pipeline.Pending, pipeline.Pending, pipeline.Pending)
	if o.FailedStep != "Preprocess" {
		s.t.Errorf("it was stopped in %q", o.FailedStep)
	}
	// Its job is stopped, at the latest a moment later.
	for deadline := time.Now().Add(20 * time.Second); ; {
		before := size(beat)
		time.Sleep(300 * time.Millisecond)
		if size(beat) == before {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("the step goes on")
		}
	}
}

// size is that of a file, 0 if there is none.
func size(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}

func retries(s *subject) {
	s.Definition.ASL = []byte(strings.ReplaceAll(string(s.Definition.ASL), `"SageMaker.ResourceLimitExceededException"`, `"States.TaskFailed"`))
	s.Write("specs/census/steps/preprocess/preprocess.sh",
		"case $PROCESSING_JOB_NAME in *-0-0) echo 'first try' >&2; exit 4 ;; esac\n"+s.script("preprocess"), 0o644)
	o := s.ends(s.t.Context(), `{}`, pipeline.Succeeded, nil)
	if o.Steps[0].Attempts != 2 || o.Steps[0].Status != pipeline.Succeeded || !slices.Contains(s.events, "StepRetried Preprocess") {
		s.t.Errorf("step is %+v, events are %q", o.Steps[0], s.events)
	}
	for _, a := range o.Artifacts {
		if strings.HasPrefix(a.Name, "Preprocess.") && !strings.Contains(a.URI, "/Preprocess/0-1/") {
			s.t.Errorf("%s is at %s", a.Name, a.URI)
		}
	}
}

// script is a step's script as it is.
func (s *subject) script(step string) string {
	text, err := os.ReadFile(filepath.Join(steps, step, step+".sh"))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func takesData(s *subject) {
	s.Write("my data.csv", "age\n77\n", 0o644)
	in, err := json.Marshal(map[string]any{"Data": filepath.Join(s.Dir, "my data.csv")})
	if err != nil {
		s.t.Fatal(err)
	}
	o := s.ends(s.t.Context(), string(in), pipeline.Succeeded, nil)
	const length = len("sha256:") + 64
	if a := o.Artifacts[0]; a.Name != "Data" || len(a.Digest) != length || !strings.HasSuffix(a.URI, "/data/"+a.Digest[len("sha256:"):]+"/my data.csv") ||
		o.Parameters["Data"] != a.URI {
		s.t.Errorf("data is %+v, parameter %v", a, o.Parameters["Data"])
	}
}

func missesData(s *subject) {
	in, err := json.Marshal(map[string]any{"Data": filepath.Join(s.Dir, "none.csv")})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.run(s.t.Context(), string(in), nil)
	if err == nil || !strings.Contains(err.Error(), `data for "Data" is missing: `) || !strings.Contains(err.Error(), "--data") {
		s.t.Errorf("error is %v", err)
	}
}
