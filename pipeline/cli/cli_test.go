package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/progress"
)

// census is a definition to run.
func census() *pipeline.Definition {
	return &pipeline.Definition{
		Name: "census-training", Doc: "Training fits a classifier.",
		Package: "example.com/m/generated/training/training", Module: "example.com/m", Graph: "flowchart TD\n",
		Parameters: []pipeline.Parameter{
			{Key: "Data", Flag: "data", Doc: "Data is the extract.", Type: "string", Location: true, Local: "specs/census/testdata/census.csv", Default: "data/census.csv"},
			{Key: "MinROCAUC", Flag: "min-rocauc", Doc: "MinROCAUC is the gate.", Type: "float64", Default: 0.8, Min: new(0.0), Max: new(1.0)},
			{Key: "Preprocess.Seed", Flag: "preprocess.seed", Type: "int", Default: int64(0), Max: new(4294967295.0)},
			{Key: "Train.Balanced", Flag: "train.balanced", Type: "bool", Default: true},
			{Key: "Train.Mode", Flag: "train.mode", Type: "string", Default: "fast", Enum: []string{"fast", "slow"}},
		},
		Jobs: []pipeline.Job{
			{Name: "Preprocess", Kind: "processing", Image: "sklearn:1.4-2", Outputs: []pipeline.Output{{Name: "Train", Artifact: "TrainSet"}}},
			{Name: "Train", Kind: "training", Image: "sklearn:1.4-2"},
		},
		Registrations: []pipeline.Registration{{Name: "Register", Group: "census", When: "x > 1"}},
	}
}

// A fakeRunner does what its function does.
type fakeRunner struct {
	run    func(ctx context.Context, input string, on func(pipeline.Event)) (*pipeline.Outcome, error)
	closed bool
}

func (f *fakeRunner) Run(ctx context.Context, _ *pipeline.Definition, in json.RawMessage, on func(pipeline.Event)) (*pipeline.Outcome, error) {
	return f.run(ctx, string(in), on)
}

func (f *fakeRunner) Close() error {
	f.closed = true
	return nil
}

// A fixture is an app whose world is in memory.
type fixture struct {
	*app
	out, err lockedBuffer
	runner   *fakeRunner
	place    place
	signals  chan os.Signal
}

// A lockedBuffer is a buffer that a test may read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newFixture(run func(context.Context, string, func(pipeline.Event)) (*pipeline.Outcome, error)) *fixture {
	f := &fixture{runner: &fakeRunner{run: run}, signals: make(chan os.Signal)}
	f.app = &app{
		definition: census(), stdin: strings.NewReader(""), stdout: &f.out, stderr: &f.err,
		command: "go run ./generated/training",
		newRunner: func(_ *pipeline.Definition, p place) (runner, error) {
			f.place = p
			if f.runner == nil {
				return nil, errors.New("workspace is in use by PID 123 (run r1, since 12:03). Wait, or use --workspace")
			}
			return f.runner, nil
		},
		notify:   func() (<-chan os.Signal, func()) { return f.signals, func() {} },
		display:  newDisplay,
		patience: time.Millisecond,
		now:      time.Now,
	}
	return f
}

// outcome is that of a run that succeeded.
func outcome() *pipeline.Outcome {
	return &pipeline.Outcome{Run: "r1", Pipeline: "census-training", Status: pipeline.Succeeded, Seconds: 1.5,
		Metrics: map[string]any{"Evaluate.Report.ROCAUC": 0.9}, NotRegistered: "0.9 < 1"}
}

func succeed(context.Context, string, func(pipeline.Event)) (*pipeline.Outcome, error) {
	return outcome(), nil
}

func TestRun(t *testing.T) {
	t.Parallel()
	abs, err := filepath.Abs("my data/ü.csv")
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(abs)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		args  []string
		code  int
		input string
		err   []string // that standard error contains
	}{
		{"default", nil, 0, `{}`, nil},
		{"by name", []string{"run"}, 0, `{}`, nil},
		{"all types", []string{"--min-rocauc", "0.5", "--preprocess.seed=7", "--train.balanced=false", "--train.mode", "slow", "--data", "s3://b/k"}, 0,
			`{"Data":"s3://b/k","MinROCAUC":0.5,"Preprocess.Seed":7,"Train.Balanced":false,"Train.Mode":"slow"}`, nil},
		{"bool alone", []string{"run", "--train.balanced"}, 0, `{"Train.Balanced":true}`, nil},
		{"path", []string{"--data", "my data/ü.csv"}, 0, `{"Data":` + string(quoted) + `}`, nil},
		{"every problem is told", []string{"--min-rocauc=2", "--preprocess.seed=x", "--train.mode=medium", "--train.balanced=perhaps"}, 1, "", []string{
			`--min-rocauc: parameter "MinROCAUC" is 2, above its maximum 1`,
			`--preprocess.seed: parameter "Preprocess.Seed" is "x", not a whole number`,
			`--train.balanced: parameter "Train.Balanced" is "perhaps", not true or false`,
			`--train.mode: parameter "Train.Mode" is "medium", not one of fast, slow`,
			"hint: see go run ./generated/training --help; nothing was started"}},
		{"not a number", []string{"--min-rocauc=NaN"}, 1, "", []string{"is NaN, which is not a number that JSON can hold"}},
		{"unknown flag", []string{"--min-rocaux=1"}, 2, "", []string{"unknown flag --min-rocaux\n\thint: did you mean --min-rocauc?"}},
		{"unknown flag of run", []string{"run", "--quite"}, 2, "", []string{"did you mean --quiet?"}},
		{"unknown command", []string{"lgos"}, 2, "", []string{"unknown command \"lgos\"\n\thint: did you mean go run ./generated/training logs?"}},
		{"unknown command that is like none", []string{"frobnicate"}, 2, "", []string{"hint: see go run ./generated/training --help"}},
		{"unknown isolation", []string{"--isolation=docker"}, 2, "", []string{`isolation is "docker", not one of auto, direct, namespace`}},
		{"arguments", []string{"run", "x"}, 2, "", []string{`run takes no argument, but was given "x"`, "hint: see go run ./generated/training run --help"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			f := newFixture(func(_ context.Context, in string, _ func(pipeline.Event)) (*pipeline.Outcome, error) {
				got = in
				return outcome(), nil
			})
			if code := f.main(tt.args); code != tt.code {
				t.Errorf("exit code %d, want %d\n%s", code, tt.code, f.err.String())
			}
			if got != tt.input {
				t.Errorf("input %s, want %s", got, tt.input)
			}
			for _, want := range tt.err {
				if !strings.Contains(f.err.String(), want) {
					t.Errorf("standard error lacks %q:\n%s", want, f.err.String())
				}
			}
			if tt.code != 0 && f.out.String() != "" {
				t.Errorf("standard output: %s", f.out.String())
			}
			if tt.code == 0 && (!strings.Contains(f.out.String(), "census-training SUCCEEDED in 1.5s (run r1)") || !f.runner.closed) {
				t.Errorf("closed %v, standard output: %s", f.runner.closed, f.out.String())
			}
		})
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	f := newFixture(succeed)
	if code := f.main([]string{"--workspace", "w", "--isolation", "direct"}); code != 0 {
		t.Fatal(f.err.String())
	}
	if want := (place{workspace: "w", isolation: "direct", command: "go run ./generated/training"}); f.place != want {
		t.Errorf("place = %+v", f.place)
	}
}

func TestRequired(t *testing.T) {
	t.Parallel()
	f := newFixture(succeed)
	f.definition.Parameters = append(f.definition.Parameters,
		pipeline.Parameter{Key: "Label", Flag: "label", Type: "string"},
		pipeline.Parameter{Key: "More", Flag: "more", Type: "string", Location: true, Default: "data/more"})
	if code := f.main(nil); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{`"Label" has no default on this machine: give --label`, `"More" has no default on this machine: give --more`} {
		if !strings.Contains(f.err.String(), want) {
			t.Errorf("standard error lacks %q:\n%s", want, f.err.String())
		}
	}
	if code := f.main([]string{"--label=x", "--more=y"}); code != 0 {
		t.Errorf("exit code %d: %s", code, f.err.String())
	}
}

func TestRunJSON(t *testing.T) {
	t.Parallel()
	failed := &pipeline.Outcome{Run: "r1", Pipeline: "census-training", Status: pipeline.Failed, FailedStep: "Train", Error: "States.TaskFailed", Cause: "exit 1"}
	tests := []struct {
		name    string
		args    []string
		run     func(context.Context, string, func(pipeline.Event)) (*pipeline.Outcome, error)
		none    bool // no runner can be made
		code    int
		status  pipeline.Status
		errName string
	}{
		{name: "succeeded", run: succeed, code: 0, status: pipeline.Succeeded},
		{name: "failed", run: func(context.Context, string, func(pipeline.Event)) (*pipeline.Outcome, error) { return failed, nil }, code: 1, status: pipeline.Failed, errName: "States.TaskFailed"},
		{name: "trouble", run: func(context.Context, string, func(pipeline.Event)) (*pipeline.Outcome, error) {
			return nil, errors.New("disk full")
		}, code: 2, status: pipeline.Failed, errName: "Trouble"},
		{name: "no runner", none: true, code: 2, status: pipeline.Failed, errName: "Trouble"},
		{name: "unknown flag", args: []string{"--nosuch"}, run: succeed, code: 2, status: pipeline.Failed, errName: "Usage"},
		{name: "unknown isolation", args: []string{"--isolation=x"}, run: succeed, code: 2, status: pipeline.Failed, errName: "Usage"},
		{name: "argument", args: []string{"x"}, run: succeed, code: 2, status: pipeline.Failed, errName: "Usage"},
		{name: "trouble in the run", run: func(context.Context, string, func(pipeline.Event)) (*pipeline.Outcome, error) {
			return &pipeline.Outcome{Run: "r1", Status: pipeline.Failed, Cause: "no space left"}, errors.New("no space left")
		}, code: 2, status: pipeline.Failed, errName: "Trouble"},
		{name: "invalid", args: []string{"--min-rocauc=7"}, run: succeed, code: 1, status: pipeline.Failed, errName: "BadParameters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(tt.run)
			if tt.none {
				f.runner = nil
			}
			if code := f.main(append([]string{"run", "--json"}, tt.args...)); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			dec := json.NewDecoder(strings.NewReader(f.out.String()))
			var o map[string]any
			if err := dec.Decode(&o); err != nil {
				t.Fatalf("%v in %s", err, f.out.String())
			}
			if dec.More() {
				t.Errorf("more than one object:\n%s", f.out.String())
			}
			if o["status"] != string(tt.status) || tt.errName != "" && o["error"] != tt.errName {
				t.Errorf("outcome = %v", o)
			}
			for _, key := range []string{"run", "status", "parameters", "metrics", "steps", "artifacts", "model"} {
				value, ok := o[key]
				if !ok || value == nil && key != "model" {
					t.Errorf("%s is missing or null", key)
				}
			}
			if tt.code != 0 && tt.name != "failed" && f.err.String() == "" {
				t.Error("standard error is empty")
			}
		})
	}
}

func TestFailedRunIsToldOnStandardError(t *testing.T) {
	t.Parallel()
	f := newFixture(func(context.Context, string, func(pipeline.Event)) (*pipeline.Outcome, error) {
		return &pipeline.Outcome{Run: "r1", Pipeline: "census-training", Status: pipeline.Failed, FailedStep: "Train",
			Error: "States.TaskFailed", Cause: "exit code 1\x1b[31m", Log: "/w/log"}, nil
	})
	if code := f.main(nil); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"FAILED", "in step Train: exit code 1; log: /w/log\n  (States.TaskFailed)\n", "go run ./generated/training logs r1 Train"} {
		if !strings.Contains(f.err.String(), want) {
			t.Errorf("standard error lacks %q:\n%s", want, f.err.String())
		}
	}
	if f.out.String() != "" {
		t.Errorf("standard output: %s", f.out.String())
	}
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		first  os.Signal
		second bool
		deaf   bool // the runner never ends
		code   int
		err    string
	}{
		{"once", os.Interrupt, false, false, 130, "Interrupt received; stopping step Train (press again to quit at once)\n"},
		{"terminated", syscall.SIGTERM, false, false, 143, "stopping step Train"},
		{"hung up", syscall.SIGHUP, false, false, 130, "stopping step Train"},
		{"twice", os.Interrupt, true, false, 130, "Quitting at once\n"},
		{"a runner that does not end", os.Interrupt, true, true, 130, "the run did not end in time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			running, release := make(chan struct{}), make(chan struct{})
			defer close(release)
			f := newFixture(func(ctx context.Context, _ string, on func(pipeline.Event)) (*pipeline.Outcome, error) {
				on(pipeline.Event{Kind: pipeline.RunStarted, Run: "r1"})
				on(pipeline.Event{Kind: pipeline.StepStarted, Step: "Train"})
				close(running)
				<-ctx.Done()
				if cause := context.Cause(ctx); cause != pipeline.ErrInterrupted {
					t.Errorf("cause = %v", cause)
				}
				if tt.second {
					<-pipeline.Quit(ctx)
				}
				if tt.deaf {
					<-release
				}
				return &pipeline.Outcome{Run: "r1", Pipeline: "census-training", Status: pipeline.Aborted}, nil
			})
			if !tt.deaf {
				f.patience = time.Hour
			}
			go func() {
				<-running
				f.signals <- tt.first
				if tt.second {
					f.signals <- os.Interrupt
				}
			}()
			if code := f.main(nil); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(f.err.String(), tt.err) {
				t.Errorf("standard error lacks %q:\n%s", tt.err, f.err.String())
			}
		})
	}
}

func TestOneInterruptSignalledTwice(t *testing.T) {
	t.Parallel()
	running, heard := make(chan struct{}), make(chan struct{})
	f := newFixture(func(ctx context.Context, _ string, _ func(pipeline.Event)) (*pipeline.Outcome, error) {
		close(running)
		<-heard
		select {
		case <-pipeline.Quit(ctx):
			t.Error("one interrupt, signalled twice, quits")
		default:
		}
		return &pipeline.Outcome{Status: pipeline.Aborted}, nil
	})
	f.settle = time.Hour
	go func() {
		<-running
		f.signals <- os.Interrupt
		f.signals <- os.Interrupt
		close(heard)
	}()
	if code := f.main(nil); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
}

func TestProgressGoesToStandardError(t *testing.T) {
	t.Parallel()
	run := func(_ context.Context, _ string, on func(pipeline.Event)) (*pipeline.Outcome, error) {
		on(pipeline.Event{Kind: pipeline.StepStarted, Step: "Train"})
		on(pipeline.Event{Kind: pipeline.StepLog, Step: "Train", Message: "epoch 1"})
		on(pipeline.Event{Kind: pipeline.StepSucceeded, Step: "Train", Seconds: 2})
		return outcome(), nil
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--json"}, "Train: started\n  Train | epoch 1\nTrain: done in 2.0s\n"},
		{[]string{"--json", "--quiet"}, "Train: started\nTrain: done in 2.0s\n"},
	} {
		f := newFixture(run)
		if code := f.main(tt.args); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if d := cmp.Diff(tt.want, f.err.String()); d != "" {
			t.Errorf("%v (-want +got):\n%s", tt.args, d)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	f := newFixture(succeed)
	if code := f.main([]string{"--help"}); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	for _, want := range []string{
		"go run ./generated/training [flags]",
		"--data PATH|S3-URI", "Data is the extract (default specs/census/testdata/census.csv)",
		"--min-rocauc number", "MinROCAUC is the gate (default 0.8; 0 to 1)",
		"(default 0; at most 4294967295)", `(default "fast"; one of fast, slow)`,
		"--json", "--quiet", "--workspace FOLDER", "--isolation MODE", `"go run" turns every failure into 1`,
	} {
		if !strings.Contains(f.out.String(), want) {
			t.Errorf("the help lacks %q:\n%s", want, f.out.String())
		}
	}
	for _, c := range f.root().Commands() {
		if c.Example == "" && c.Name() != "help" && c.Name() != "completion" {
			t.Errorf("%s has no example", c.Name())
		}
	}
}

func TestGraph(t *testing.T) {
	t.Parallel()
	f := newFixture(succeed)
	if code := f.main([]string{"graph"}); code != 0 || f.out.String() != "flowchart TD\n" {
		t.Errorf("exit code %d, %q", code, f.out.String())
	}
	f = newFixture(succeed)
	if code := f.main([]string{"graph", "--json"}); code != 0 {
		t.Errorf("exit code %d", code)
	}
	var g graphJSON
	if err := json.Unmarshal([]byte(f.out.String()), &g); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(graphOf(census()), g); d != "" {
		t.Error(d)
	}
}

func TestNewDisplayIsPlainForAFile(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "err"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, stop := newDisplay(f, progress.Start(census()), false)
	d.Event(pipeline.Event{Kind: pipeline.RunStarted, Run: "r1"})
	stop()
	b, err := os.ReadFile(f.Name())
	if err != nil || string(b) != "census-training: run r1 started\n" {
		t.Errorf("%v: %q", err, b)
	}
}

func TestMadeByGoRun(t *testing.T) {
	t.Parallel()
	for exe, want := range map[string]bool{
		"/tmp/go-build171239397/b001/exe/training":            true,
		"/home/u/.cache/go-build/aa/" + hex64 + "-d/training": true,
		"/ci/cache/aa/" + hex64 + "-d/training":               true,
		"/usr/local/bin/training":                             false,
		"/home/go-builder/training":                           false,
		"/home/u/" + hex64 + "/training":                      false,
	} {
		if got := madeByGoRun(exe); got != want {
			t.Errorf("%s: %v", exe, got)
		}
	}
}

var hex64 = strings.Repeat("0a", 32)
