package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/record"
)

// matches fails the test unless text matches the pattern.
func matches(t *testing.T, what, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(text) {
		t.Errorf("%s is\n\t%s\nwant a match of\n\t%s", what, text, pattern)
	}
}

// nothingOf fails the test if anything of a step is visible: in the tree of the
// local S3, in its index, or as an artifact.
func nothingOf(t *testing.T, p *project, run, step string) {
	t.Helper()
	root := filepath.Join(p.workspace(), "s3/local/runs/census-training", run, step)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s is visible", name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	db := p.record()
	list, err := db.Objects(t.Context(), "local", "runs/census-training/"+run+"/"+step+"/")
	if err != nil || len(list) > 0 {
		t.Errorf("objects of %s: %v, %v", step, list, err)
	}
	artifacts, err := db.Artifacts(t.Context(), run)
	if err != nil {
		t.Error(err)
	}
	for _, a := range artifacts {
		if a.Step == step {
			t.Errorf("artifact %s is recorded", a.Name)
		}
	}
}

// noProcess fails the test if a process lives whose command line holds the marker.
func noProcess(t *testing.T, marker string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lines {
		text, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(text), marker) {
			t.Errorf("%s lives: %q", filepath.Dir(name), text)
		}
	}
}

func TestBadDataIsRefusedBeforeTheFirstStep(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, input, want string
		change            func(p *project)
	}{
		{"missing", `{}`, `^data for "Data" is missing: .*/data/census.csv does not exist; give another place with --data$`, func(p *project) {
			if err := os.Remove(filepath.Join(p.dir, "data/census.csv")); err != nil {
				p.t.Fatal(err)
			}
		}},
		{"empty", `{}`, `^data for "Data" is empty: .*census.csv; give another place with --data$`, func(p *project) {
			p.write("data/census.csv", "", 0o644)
		}},
		{"directory", `{"Data": "."}`, `^data for "Data" is one file, but .* is a directory; give another place with --data$`, nil},
		{"file for a folder", `{}`, `^data for "Data" is a folder, but .* is a file; give another place with --data$`, func(p *project) {
			p.definition.Parameters[0].File = false
		}},
		{"no such object", `{"Data": "s3://local/data/none.csv"}`, `^data for "Data": s3://local/data/none.csv is not in the local store; give another place with --data$`, nil},
		{"bound", `{"MinROCAUC": 2}`, `parameter "MinROCAUC" is 2, above its maximum 1`, nil},
		{"unknown", `{"Min": 2}`, `has no parameter "Min"`, nil},
		{"a schedule's time", `{"ScheduledTime": "2026-01-02T03:04:05Z"}`, `has no parameter "ScheduledTime"`, nil},
		{"no time", `{"ScheduledTime": "today"}`, `^ScheduledTime is today, not a time such as 2026-01-02T03:04:05Z$`, func(p *project) {
			p.definition.Schedule = "rate(1 day)"
		}},
		{"no code", `{}`, `^the code of step Train is missing: .*/steps/train does not exist$`, func(p *project) {
			if err := os.RemoveAll(filepath.Join(p.dir, "steps/train")); err != nil {
				p.t.Fatal(err)
			}
		}},
		{"link in code", `{}`, `^the code of step Train in .*: "link" is a symbolic link, which a step's code may not hold$`, func(p *project) {
			if err := os.Symlink("/etc/hostname", filepath.Join(p.dir, "steps/train/link")); err != nil {
				p.t.Fatal(err)
			}
		}},
		{"unknown name", `{}`, `names Lost, which a local run has no value for`, func(p *project) {
			p.definition.ASL = []byte(strings.Replace(string(p.definition.ASL), "${TrainImage}", "${Lost}", 1))
		}},
		{"unknown call", `{}`, `^state "Train" calls arn:aws:states:::lambda:invoke, which has no local counterpart`, func(p *project) {
			p.definition.ASL = []byte(strings.Replace(string(p.definition.ASL), "sagemaker:createTrainingJob.sync", "lambda:invoke", 1))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := training(t, "direct")
			if c.change != nil {
				c.change(p)
			}
			_, err := p.run(t.Context(), c.input)
			if err == nil {
				t.Fatal("it ran")
			}
			matches(t, "the error", err.Error(), c.want)
			if steps := p.said(pipeline.StepStarted); len(steps) > 0 {
				t.Errorf("steps started: %v", steps)
			}
		})
	}
}

func TestStepFails(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, file, script string
		step, cause        string
	}{
		{"exits 1", "preprocess/preprocess.sh", "echo trying; echo 'no column age' >&2; exit 1\n", "Preprocess",
			`^exit code 1: no column age$`},
		{"is killed", "preprocess/preprocess.sh", "kill -9 $$\n", "Preprocess",
			`^killed by signal 9 \(SIGKILL\); possibly out of memory \(peak .*\)$`},
		{"training exits 3", "train/train.sh", "#!/bin/sh\necho partial > \"$SM_MODEL_DIR/model.txt\"\necho bad >&2; exit 3\n", "Train",
			`^exit code 3: bad$`},
		{"training leaves a failure file", "train/train.sh", "#!/bin/sh\necho 'did not converge' > \"$SM_OUTPUT_DIR/failure\"; exit 1\n", "Train",
			`^did not converge$`},
		{"writes no model", "train/train.sh", "#!/bin/sh\ntrue\n", "Train",
			`^step Train exited 0 but did not write output "Model" \(expected files in /opt/ml/model\)$`},
		{"writes no report", "evaluate/evaluate.sh", "true\n", "Evaluate",
			`^step Evaluate exited 0 but did not write output "Report" \(expected /opt/ml/processing/output/Report/report\.json\)$`},
		{"writes a folder for a report", "evaluate/evaluate.sh", "while [ $# -gt 0 ]; do [ \"$1\" = --report ] && mkdir -p \"$2\"; shift; done\n", "Evaluate",
			`^step Evaluate exited 0 but output "Report" is not a file \(expected /opt/ml/processing/output/Report/report\.json\)$`},
		{"writes links only", "preprocess/preprocess.sh", "while [ $# -gt 0 ]; do case $1 in --train|--test|--transformer) ln -s /etc/hostname \"$2/x\" ;; esac; shift; done\n", "Preprocess",
			`^step Preprocess exited 0 but did not write output "Train" \(expected files in /opt/ml/processing/output/Train\)$`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			modes(t, func(t *testing.T, isolation string) {
				p := training(t, isolation)
				p.write("steps/"+c.file, c.script, 0o755)
				o := p.fails(t.Context(), `{}`)
				if o.Status != pipeline.Failed || o.Error != asl.ErrorTaskFailed || o.FailedStep != c.step {
					t.Errorf("%s, %s in %s", o.Status, o.Error, o.FailedStep)
				}
				matches(t, "the cause", o.Cause, c.cause)
				if _, err := os.Stat(o.Log); err != nil {
					t.Error(err)
				}
				failed := p.said(pipeline.StepFailed)
				if len(failed) != 1 || failed[0] != c.step+" "+o.Cause {
					t.Errorf("events of failure: %q", failed)
				}
				nothingOf(t, p, o.Run, c.step)
			})
		})
	}
}

func TestFailureHasTheShapeOfTheDescribeCall(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.write("steps/train/train.sh", "#!/bin/sh\necho 'ValueError: bad' >&2; exit 1\n", 0o755)
	o := p.fails(t.Context(), `{}`)
	steps, err := p.record().Steps(t.Context(), o.Run)
	if err != nil {
		t.Fatal(err)
	}
	last := steps[len(steps)-1]
	if last.Name != "Train" || last.Status != "FAILED" || last.ExitCode != 1 || last.MaxRSS == 0 {
		t.Errorf("step is %+v", last)
	}
	matches(t, "the response", string(last.Response),
		`"FailureReason":"AlgorithmError: ExecuteUserScriptError:\\nExitCode 1\\nErrorMessage \\"ValueError: bad\\"\\nCommand .*"TrainingJobStatus":"Failed"`)
}

func TestLogFloodIsCapped(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		p.write("steps/preprocess/preprocess.sh", "yes 'all work and no play' | head -c 30000000\n"+preprocessScript, 0o644)
		o := p.succeed(`{}`)
		info, err := os.Stat(filepath.Join(p.workspace(), "runs", o.Run, "Preprocess.0.log"))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > logLimit+200 || info.Size() < logLimit {
			t.Errorf("the log has %d bytes", info.Size())
		}
		matches(t, "the warnings", strings.Join(p.said(pipeline.Warned), "\n"), `^Preprocess step Preprocess: log capped at 10 MB: 19\d* more bytes were dropped$`)
	})
}

// waiting is a script that blocks until it is killed, heedless of SIGTERM; the
// marker is in the command line of its child.
func waiting(marker string) string {
	return "trap '' TERM\necho ready\nsleep 1000." + marker + "\nsleep 1000." + marker + "\n"
}

// onReady calls f, once, when a step says that it is ready.
func (p *project) onReady(f func()) {
	var once sync.Once
	p.watch = func(e pipeline.Event) {
		if e.Kind == pipeline.StepLog && e.Message == "ready" {
			once.Do(f)
		}
	}
}

func TestInterruptEndsStepThatIgnoresIt(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		marker := "71" + fmt.Sprint(os.Getpid()) + isolation[:1]
		marker = strings.NewReplacer("d", "1", "n", "2").Replace(marker)
		p.write("steps/preprocess/preprocess.sh", waiting(marker), 0o644)
		p.options.Grace = time.Millisecond
		ctx, cancel := context.WithCancelCause(t.Context())
		p.onReady(func() { cancel(pipeline.ErrInterrupted) })
		o := p.fails(ctx, `{}`)
		if o.Status != pipeline.Aborted || o.FailedStep != "Preprocess" {
			t.Errorf("%s in %s", o.Status, o.FailedStep)
		}
		noProcess(t, marker)
		nothingOf(t, p, o.Run, "Preprocess")
		run, err := p.record().Run(t.Context(), "latest")
		if err != nil || run.Status != "ABORTED" {
			t.Errorf("recorded: %+v, %v", run, err)
		}
		p.write("steps/preprocess/preprocess.sh", preprocessScript, 0o644)
		p.watch = nil
		p.succeed(`{}`)
	})
}

func TestInterruptBeforeTheFirstStep(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	ctx, cancel := context.WithCancelCause(t.Context())
	p.watch = func(e pipeline.Event) {
		if e.Kind == pipeline.RunStarted {
			cancel(pipeline.ErrInterrupted)
		}
	}
	o := p.fails(ctx, `{}`)
	if o.Status != pipeline.Aborted || o.Cause != "stopped before its first step" || len(o.Steps) != 0 {
		t.Errorf("%s: %q, steps %v", o.Status, o.Cause, o.Steps)
	}
}

func TestSecondInterruptSkipsTheGrace(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		marker := "72" + fmt.Sprint(os.Getpid()) + isolation[:1]
		marker = strings.NewReplacer("d", "1", "n", "2").Replace(marker)
		p.write("steps/preprocess/preprocess.sh", waiting(marker), 0o644)
		p.options.Grace = time.Hour
		parent, quit := pipeline.WithQuit(t.Context())
		ctx, cancel := context.WithCancelCause(parent)
		p.onReady(func() {
			cancel(pipeline.ErrInterrupted)
			quit()
		})
		o := p.fails(ctx, `{}`)
		if o.Status != pipeline.Aborted {
			t.Errorf("status %s", o.Status)
		}
		noProcess(t, marker)
	})
}

// alarmClock is the system's, but for one alarm: that of a given length goes off
// when the test says so.
type alarmClock struct {
	asl.Clock
	length time.Duration
	mu     sync.Mutex
	fire   func()
}

func (c *alarmClock) AfterFunc(d time.Duration, f func()) (stop func()) {
	if d == c.length {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.fire = f
	}
	return func() {}
}

func (c *alarmClock) ring() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fire()
}

func TestStepExceedsItsTime(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		marker := "73" + fmt.Sprint(os.Getpid()) + isolation[:1]
		marker = strings.NewReplacer("d", "1", "n", "2").Replace(marker)
		p.write("steps/preprocess/preprocess.sh", waiting(marker), 0o644)
		p.options.Grace = time.Millisecond
		clock := &alarmClock{Clock: asl.SystemClock, length: 8400 * time.Second}
		p.options.Clock = clock
		p.onReady(clock.ring)
		o := p.fails(t.Context(), `{}`)
		if o.Status != pipeline.Failed || o.Error != asl.ErrorTimeout {
			t.Errorf("%s, %s", o.Status, o.Error)
		}
		matches(t, "the cause", o.Cause, `^stopped after 140m, its state's TimeoutSeconds$`)
		noProcess(t, marker)
		nothingOf(t, p, o.Run, "Preprocess")
	})
}

func TestJobExceedsItsMaxRuntime(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		p := training(t, isolation)
		// As the generated machines do, this one looks at the status.
		p.definition.ASL = []byte(strings.Replace(string(p.definition.ASL), `"Assign": {
        "Preprocess": "{% {'Job'`, `"Assign": {
        "Preprocess": "{% ($assert($states.result.ProcessingJobStatus = 'Completed', 'Preprocess did not complete'); {'Job'`, 1))
		p.definition.ASL = []byte(strings.Replace(string(p.definition.ASL), `OutputName='Transformer'].S3Output.S3Uri} %}`, `OutputName='Transformer'].S3Output.S3Uri}) %}`, 1))
		p.write("steps/preprocess/preprocess.sh", waiting("74"), 0o644)
		p.options.Grace = time.Millisecond
		clock := &alarmClock{Clock: asl.SystemClock, length: 1200 * time.Second}
		p.options.Clock = clock
		p.onReady(clock.ring)
		o := p.fails(t.Context(), `{}`)
		if o.Status != pipeline.Failed || o.Error != asl.ErrorQueryEvaluation {
			t.Errorf("%s, %s", o.Status, o.Error)
		}
		matches(t, "the cause", o.Cause, `^stopped after 20m, its MaxRuntimeInSeconds$`)
		nothingOf(t, p, o.Run, "Preprocess")
	})
}

func TestSecondRunIsRefused(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.write("steps/preprocess/preprocess.sh", waiting("75"), 0o644)
	p.options.Grace = time.Millisecond
	ctx, cancel := context.WithCancelCause(t.Context())
	var second error
	p.onReady(func() {
		other, err := New(p.options)
		if err != nil {
			t.Error(err)
		}
		_, second = other.Run(ctx, p.definition, nil, nil)
		cancel(pipeline.ErrInterrupted)
	})
	o := p.fails(ctx, `{}`)
	var busy *BusyError
	if !errors.As(second, &busy) {
		t.Fatalf("the second run ended with %v", second)
	}
	if busy.PID != os.Getpid() || busy.Run != o.Run {
		t.Errorf("busy with %+v", busy)
	}
	matches(t, "the error", second.Error(), `^workspace is in use by PID \d+ \(run [0-9a-f]{12}, since \d\d:\d\d\)\. Wait, or use --workspace$`)
}

func TestPathWithSpacesAndUnicode(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, isolation string) {
		dir := filepath.Join(t.TempDir(), "my modèles", "目录 %20?#")
		p := trainingIn(t, isolation, dir)
		p.write("more data/ünï code.csv", "age,income\n1,low\n", 0o644)
		p.write("steps/preprocess/preprocess.sh", strings.ReplaceAll(preprocessScript, "census.csv", "ünï code.csv"), 0o644)
		p.succeed(`{"Data": "` + filepath.Join(dir, "more data/ünï code.csv") + `"}`)
	})
}

func TestCorruptArtifactIsNotGivenToAStep(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.watch = func(e pipeline.Event) {
		if e.Kind != pipeline.StepSucceeded || e.Step != "Preprocess" {
			return
		}
		file := filepath.Join(p.workspace(), "s3/local/runs/census-training", e.Run, "Preprocess/0-0/Train/train.csv")
		if err := os.Chmod(file, 0o644); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(file, []byte("age,income\n"), 0o644); err != nil {
			t.Error(err)
		}
	}
	o, err := p.run(t.Context(), `{}`)
	if err == nil {
		t.Fatal("it ran")
	}
	matches(t, "the error", err.Error(),
		`^artifact train\.csv of run [0-9a-f]{12} is corrupt \(sha256 expected [0-9a-f]{12}, found [0-9a-f]{12}\); step Preprocess must run again: go run example\.com/census/generated/training resume [0-9a-f]{12} --from Preprocess$`)
	if o.Status != pipeline.Failed {
		t.Errorf("status %s", o.Status)
	}
	p.watch = nil
	p.succeed(`{}`) // the same content, stored anew
}

func TestInterruptedRunIsTold(t *testing.T) {
	t.Parallel()
	p := training(t, "direct")
	p.succeed(`{}`)
	db := p.record()
	if err := db.StartRun(t.Context(), record.Run{ID: "dead00000000", Package: p.definition.Package, Status: "RUNNING", TotalSteps: 3, Started: time.Now()}, nil, nil); err != nil {
		t.Fatal(err)
	}
	done := record.Step{Run: "dead00000000", Name: "Preprocess", Kind: "processing", Status: "SUCCEEDED"}
	going := record.Step{Run: "dead00000000", Name: "Train", Kind: "training", Status: "RUNNING", Attempt: 1}
	for _, s := range []record.Step{done, going} {
		if _, err := db.StartStep(t.Context(), s, nil); err != nil {
			t.Fatal(err)
		}
	}
	left := filepath.Join(p.workspace(), "tmp", "7", "outputs")
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	p.succeed(`{}`)
	want := []string{"run dead00000000 was interrupted in step Train (attempt 2); 1 of 3 steps complete. Continue: go run example.com/census/generated/training resume dead00000000"}
	if diff := cmp.Diff(want, p.said(pipeline.Warned)); diff != "" {
		t.Error(diff)
	}
	run, err := db.Run(t.Context(), "dead")
	if err != nil || run.Status != "ABORTED" || run.FailedStep != "Train" {
		t.Errorf("recorded: %+v, %v", run, err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("the interrupted run's files are still there")
	}
}
