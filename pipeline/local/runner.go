package local

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/failpoint"
	"github.com/mlmax/mlmax/pipeline/local/pyenv"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/track"
	"github.com/mlmax/mlmax/pipeline/worktree"
)

// Options are what a runner can be told. The zero value is ready.
type Options struct {
	// Module is the root folder of the module that holds code and data. If it is
	// empty, the module is looked for from the working directory upwards.
	Module string
	// Workspace is the folder for everything that runs leave; "" is .mlmax in the
	// module's root.
	Workspace string
	// Isolation is auto (or ""), direct or namespace.
	Isolation string
	// Python is the interpreter that Python steps start from: a path or a name. If it is
	// empty, MLMAX_PYTHON names it, else it is looked for on the PATH, for each image.
	Python string
	// Packages is image (or ""): each image's packages, and a training step's
	// requirements, are installed into an environment; or installed: steps run with
	// the interpreter as it is, and the packages that it has.
	Packages string
	// Clock is the machine's own if nil.
	Clock asl.Clock
	// Grace is how long a stopped step has to end by itself; 0 is 10 seconds.
	// (SageMaker gives a training job 120.)
	Grace time.Duration
	// Reuse says what runs take from earlier ones, and which part of a pipeline they do.
	Reuse Reuse
	// Rand makes the names of executions; nil is the system's.
	Rand io.Reader
	// Command says how a person runs a generated main, by its import path; nil is
	// "go run" and that path.
	Command func(main string) string
	// Given are the values of the run as the command line has them, with a blank before
	// each, for commands that are to have the same.
	Given string
}

// installedPackages are those that the interpreter has.
const installedPackages = "installed"

// Runner runs pipelines on this machine, one at a time in a workspace.
type Runner struct {
	options Options
}

var _ pipeline.Runner = (*Runner)(nil)

// New makes a runner. Nothing is opened or written before [Runner.Run].
func New(o Options) (*Runner, error) {
	if !slices.Contains([]string{"", "auto", string(sandbox.Direct), string(sandbox.Namespace)}, o.Isolation) {
		return nil, fmt.Errorf("isolation %q is not auto, direct or namespace", o.Isolation)
	}
	if !slices.Contains([]string{"", "image", installedPackages}, o.Packages) {
		return nil, fmt.Errorf("packages %q is not image or installed", o.Packages)
	}
	if o.Clock == nil {
		o.Clock = asl.SystemClock
	}
	if o.Grace == 0 {
		o.Grace = sandbox.DefaultGrace
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Command == nil {
		o.Command = func(main string) string { return "go run " + main }
	}
	return &Runner{options: o}, nil
}

// Close lets go of what the runner holds. Between runs that is nothing.
func (r *Runner) Close() error { return nil }

// run is one run of a pipeline.
type run struct {
	*workspace
	definition *pipeline.Definition
	module     string
	clock      *clock
	grace      time.Duration

	id, execution string
	started       time.Time
	place         place
	guest         *guest // of a job that is another's, else nil
	mode          sandbox.Mode
	modeNote      string
	command       func(main string) string
	given         string
	environments  *pyenv.Manager
	pythons       map[string]string // a step's interpreter
	reuse         Reuse
	scope         *scope
	recorded      bool // the record knows the run
	reasons       reasons
	notes         []string // for the parity note
	tracker       *track.Tracker
	helpers       helpers
	last          *record.Run // the run whose every job is expected in the cache, or nil
	folders       sandbox.Folders
	source        chan source    // answers once
	sourced       chan error     // that an answer which came late is recorded
	cleaning      sync.WaitGroup // what goes on beside the run

	mu sync.Mutex
	on func(pipeline.Event)
	// made is what each job is made from, versions what the run started from, both as
	// far as it has come; mu guards them.
	made     map[string]record.Job
	versions map[string]pipeline.ModelVersion
}

// emit sends an event: in order, and never two at once.
func (r *run) emit(e pipeline.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.on == nil {
		return
	}
	e.Run, e.Time = r.id, r.clock.Now()
	r.on(e)
}

func (r *run) warn(step, text string) {
	r.emit(pipeline.Event{Kind: pipeline.Warned, Step: step, Message: text})
}

// Run implements [pipeline.Runner].
func (r *Runner) Run(ctx context.Context, d *pipeline.Definition, input json.RawMessage, on func(pipeline.Event)) (*pipeline.Outcome, error) {
	x, err := r.begin(ctx, d, on)
	if err != nil {
		return nil, trouble(err, "")
	}
	outcome, err := x.run(ctx, input)
	x.cleaning.Go(x.helpers.Close)
	if closed := x.close(&x.cleaning); err == nil && closed != nil {
		err = fmt.Errorf("close the workspace: %w", closed)
	}
	return outcome, err
}

// begin names a run and opens its workspace.
func (r *Runner) begin(ctx context.Context, d *pipeline.Definition, on func(pipeline.Event)) (*run, error) {
	module := r.options.Module
	if module == "" {
		here, err := os.Getwd()
		if err != nil {
			return nil, fmt.Errorf("find the module: %w", err)
		}
		if module, err = worktree.Find(here, d.Module); err != nil {
			return nil, err
		}
	}
	module, err := filepath.Abs(module)
	if err != nil {
		return nil, fmt.Errorf("find the module: %w", err)
	}
	dir := r.options.Workspace
	if dir == "" {
		dir = filepath.Join(module, ".mlmax")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("find the workspace: %w", err)
	}
	name := make([]byte, 8)
	if _, err := io.ReadFull(r.options.Rand, name); err != nil {
		return nil, fmt.Errorf("name the execution: %w", err)
	}
	x := &run{
		definition: d, module: module, grace: r.options.Grace, command: r.options.Command, given: r.options.Given, reuse: r.options.Reuse, on: on,
		pythons: map[string]string{}, made: map[string]record.Job{}, versions: map[string]pipeline.ModelVersion{},
	}
	x.place = place{region: region, account: account, partition: "aws"}
	x.clock = &clock{Clock: r.options.Clock, waits: func(time.Duration) {}}
	// To the millisecond, since that is all of it that the machine sees.
	x.started = x.clock.Now().Truncate(time.Millisecond)
	x.execution = "arn:aws:states:" + region + ":" + account + ":execution:" + d.Name + ":" + hex.EncodeToString(name)
	x.id = runID(x.execution, x.started)
	x.mode = sandbox.Mode(r.options.Isolation)
	x.environments = &pyenv.Manager{Dir: filepath.Join(dir, "envs"), Python: r.options.Python, Installed: r.options.Packages == installedPackages}
	// Git may take longer than all that comes before the first step, which does not
	// wait for it.
	x.source, x.sourced = make(chan source, 1), make(chan error, 1)
	x.cleaning.Go(func() {
		id, dirty := worktree.Commit(ctx, module)
		x.source <- source{id, dirty}
	})
	x.workspace, err = openWorkspace(ctx, dir, owner{PID: os.Getpid(), Start: processStart(), Run: x.id, Since: x.started}, x.clock.Now, x.startEarly)
	if err != nil {
		x.helpers.Close()
		x.cleaning.Wait()
		return nil, err
	}
	return x, nil
}

// runID is what the machine makes of execution id and start time, by the first
// state of every pipeline: $substring($hash(Id & StartTime, 'SHA-256'), 0, 12).
func runID(execution string, started time.Time) string {
	sum := sha256.Sum256([]byte(execution + asl.Timestamp(started)))
	return hex.EncodeToString(sum[:])[:12]
}

// run does everything from the first event to the last.
func (r *run) run(ctx context.Context, input json.RawMessage) (*pipeline.Outcome, error) {
	r.emit(pipeline.Event{Kind: pipeline.RunStarted, Status: pipeline.Running})
	outcome := &pipeline.Outcome{Run: r.id, Pipeline: r.definition.Name, Parameters: map[string]any{}, Metrics: map[string]any{},
		Steps: []pipeline.StepOutcome{}, Artifacts: []pipeline.Artifact{}}
	err := r.do(ctx, input, outcome)
	if err != nil {
		outcome.Status = pipeline.Failed
		if ctx.Err() != nil && (errors.Is(err, context.Cause(ctx)) || errors.Is(err, ctx.Err())) {
			outcome.Status, err = pipeline.Aborted, nil
			if outcome.FailedStep == "" && outcome.Cause == "" {
				outcome.Cause = "stopped before its first step"
			}
		} else {
			err = trouble(err, r.resume())
			outcome.Cause = err.Error()
		}
	}
	outcome.Seconds = r.clock.Now().Sub(r.started).Seconds()
	r.emit(pipeline.Event{Kind: pipeline.RunEnded, Status: outcome.Status, Message: outcome.Cause, Seconds: outcome.Seconds})
	return outcome, err
}

// do prepares the run, executes the machine, and fills in the outcome.
func (r *run) do(ctx context.Context, input json.RawMessage, outcome *pipeline.Outcome) error {
	if err := r.warm(ctx); err != nil {
		return err
	}
	if err := r.interrupted(ctx); err != nil {
		return err
	}
	if r.unclean {
		if err := r.tidy(ctx); err != nil {
			return err
		}
		r.clean = true
	}
	in, err := r.resolve(ctx, input)
	if err != nil {
		return err
	}
	outcome.Parameters = in.shown
	machine, err := r.prepare(ctx, in)
	if err != nil {
		return err
	}
	r.tracker = track.New(track.Options{Steps: track.Steps(machine), Beyond: r.scope.after, Emit: r.emit, Why: r.reasons.get})
	r.clock.waits = r.tracker.Wait
	result, err := asl.Run(ctx, machine, in.machine, asl.Options{
		Handler: &handler{r},
		Clock:   r.clock,
		Observe: r.tracker.Observe,
		Context: asl.ExecutionContext{
			ExecutionID: r.execution, ExecutionName: filepath.Base(r.execution), StartTime: r.started,
			RoleARN:   roleOf("Machine"),
			MachineID: "arn:aws:states:" + region + ":" + account + ":stateMachine:" + r.definition.Name, MachineName: r.definition.Name,
		},
	})
	r.cleaning.Go(func() { // there will be no more jobs
		r.helpers.Close()
		r.folders.Close()
	})
	outcome.Resumes, outcome.Partial = r.reuse.Resumes, r.reuse.partial()
	if errors.Is(err, errPartDone) {
		result, err = &asl.Result{Status: asl.Succeeded}, nil
	}
	return r.conclude(context.WithoutCancel(ctx), result, err, outcome)
}

// conclude records how the execution ended and fills in the outcome.
func (r *run) conclude(ctx context.Context, result *asl.Result, failure error, outcome *pipeline.Outcome) error {
	end := record.Run{ID: r.id, Ended: r.clock.Now(), Status: string(pipeline.Failed)}
	if result != nil {
		outcome.Status = pipeline.Status(result.Status)
		outcome.FailedStep = result.State
		if result.Err != nil {
			outcome.Error, outcome.Cause = result.Err.Name, track.Decoded(result.Err.Cause)
		}
		if why := r.reasons.get(result.State); why != "" && result.State != "" {
			outcome.Cause = why
		}
		outcome.Output = result.Output
		if err := r.advise(ctx, outcome); err != nil {
			failure = errors.Join(failure, err)
		}
	}
	if failure != nil {
		outcome.Status, outcome.Cause = pipeline.Failed, trouble(failure, r.resume()).Error()
	}
	if outcome.Status == pipeline.TimedOut && outcome.Error == "" {
		outcome.Error = asl.ErrorTimeout
	}
	if outcome.Status != pipeline.Succeeded {
		r.cleaning.Wait() // the record may need the space
	}
	r.tracker.Finish(r.clock.Now(), outcome.Status, outcome.FailedStep, outcome.Cause)
	outcome.Steps = r.tracker.Outcomes()
	end.Status, end.Error, end.Cause, end.FailedStep, end.Output = string(outcome.Status), outcome.Error, outcome.Cause, outcome.FailedStep, outcome.Output
	failpoint.Hit(failpoint.RunEnding)
	if err := errors.Join(r.db.EndRun(ctx, end), <-r.sourced); err != nil {
		return errors.Join(failure, r.store.Explain(err, 0, "recording the end of the run"))
	}
	failpoint.Hit(failpoint.RunEnded)
	r.leaveManifest(ctx)
	outcome.Parity = r.parity()
	return errors.Join(failure, r.report(ctx, outcome))
}
