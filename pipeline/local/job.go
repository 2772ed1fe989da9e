package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/failpoint"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
)

// errMaxRuntime is the cause of a job's context when its StoppingCondition is met.
var errMaxRuntime = errors.New("the job's MaxRuntimeInSeconds are over")

// A job is what a processing and a training job have in common: one process, with
// inputs from the local S3 and outputs to it.
type job struct {
	task asl.Task
	kind string // processing or training
	name string
	// What the request says that it is made from: the image, the URI of the code, and
	// the script in it.
	image, code, script string
	// python is its interpreter, where the step has none of its own in the run.
	python string
	// inputs are mounted; those with a port are artifacts, the others are code.
	inputs  []input
	outputs []output
	files   []sandbox.File
	argv    []string
	workDir string
	// service are the variables that the service sets, declared those of the request.
	service, declared map[string]string
	maxRuntime        time.Duration
	// recipe is what its result depends on; begin adds the inputs to it.
	recipe recipe
	// line, if not nil, sees each line that the job prints.
	line func(string)

	// What is known while it runs and after.
	step    record.Step
	sources []record.Port
	sandbox sandbox.Job
	log     *logWriter
	logPath string
	started time.Time
	result  *sandbox.Result
	expired bool // it was stopped for its MaxRuntimeInSeconds
}

// An input is an artifact, or code, at a container path.
type input struct {
	port, uri, target, contentType string
}

// An output is a container folder whose content goes to S3.
type output struct {
	port, target string
}

// recipe begins what a job's result depends on.
func (h *handler) recipe(j *job, image string) recipe {
	return recipe{Version: keyVersion, Kind: j.kind, Image: image, Packages: h.madeOf(j.task.State).Environment, Variables: j.declared}
}

// inputs finds what a job reads, and where it writes.
func (h *handler) inputs(ctx context.Context, j *job) error {
	for _, in := range j.inputs {
		source, err := h.store.Materialise(ctx, in.uri)
		if again, failed := h.restored(ctx, j.task.State, err); failed != nil {
			return failed
		} else if again {
			source, err = h.store.Materialise(ctx, in.uri)
		}
		if err != nil {
			return h.inputError(ctx, j, in, err)
		}
		j.sandbox.Mounts = append(j.sandbox.Mounts, sandbox.Mount{
			Target: in.target, Kind: sandbox.Input, Source: source.Path, Name: source.Name,
		})
		if in.port == "" {
			j.recipe.Code = source.Digest
			continue
		}
		j.recipe.Inputs = append(j.recipe.Inputs, recipeInput{in.port, in.target, source.Name, in.contentType, source.Digest})
		j.sources = append(j.sources, record.Port{Name: in.port, Artifact: record.Artifact{
			Name: in.port, Kind: record.External, URI: in.uri, Digest: source.Digest, Bytes: source.Bytes,
		}})
	}
	for _, out := range j.outputs {
		j.sandbox.Mounts = append(j.sandbox.Mounts, sandbox.Mount{Target: out.target, Kind: sandbox.Output})
	}
	return nil
}

// makeLog names a job's log, and makes the folder that it is in.
func (h *handler) makeLog(j *job) error {
	j.step.Log = path.Join("runs", h.id, url.PathEscape(j.task.State)+"."+strconv.Itoa(j.task.Attempt)+".log")
	j.logPath = filepath.Join(h.workspace.dir, filepath.FromSlash(j.step.Log))
	if err := os.MkdirAll(filepath.Dir(j.logPath), 0o700); err != nil {
		return h.store.Explain(err, 0, "making the log folder of step "+j.task.State)
	}
	return nil
}

// start records that a job has begun.
func (h *handler) start(ctx context.Context, j *job, resource string) error {
	j.step.Status = string(pipeline.Running)
	id, err := h.db.StartStep(ctx, j.step, j.sources)
	if errors.Is(err, record.ErrJobExists) {
		return inUse(resource, j.name)
	}
	j.step.ID = id
	failpoint.Hit(failpoint.StepRecorded)
	return h.store.Explain(err, 0, "recording the start of step "+j.task.State)
}

// inputError is what a job fails with whose input cannot be had.
func (h *handler) inputError(ctx context.Context, j *job, in input, err error) error {
	var corrupt *objects.CorruptError
	switch {
	case errors.As(err, &corrupt):
		// Not the step's doing, and no retry mends it.
		return h.mend(ctx, corrupt)
	case errors.Is(err, record.ErrNotFound):
		text := fmt.Sprintf("ClientError: No S3 objects found under S3 URL %q given in input data source", in.uri)
		return h.failUnstarted(j, text)
	}
	return h.store.Explain(err, 0, fmt.Sprintf("reading input %q of step %s", in.port, j.task.State))
}

// failUnstarted fails a job that was accepted and did not come to run.
func (h *handler) failUnstarted(j *job, text string) error {
	h.reasons.set(j.task.State, text)
	if j.started.IsZero() {
		j.started = h.clock.Now()
	}
	resource := strings.ToUpper(j.kind[:1]) + j.kind[1:]
	describe, err := h.describe(j, resource)
	if err != nil {
		return err
	}
	describe[resource+"JobStatus"], describe["FailureReason"] = "Failed", text
	cause, err := json.Marshal(describe)
	if err != nil {
		return err
	}
	return asl.Fail(asl.ErrorTaskFailed, string(cause))
}

// execute runs the job's process to its end, and leaves how it ended in j.
func (h *handler) execute(ctx context.Context, j *job) error {
	dir := h.folders.Take()
	var err error
	if dir == "" {
		dir, err = h.store.Temp()
	}
	if err != nil {
		return err
	}
	j.log, err = newLog(j.logPath, func(line string) {
		h.emit(pipeline.Event{Kind: pipeline.StepLog, Step: j.task.State, Attempt: j.task.Attempt, Message: line})
	})
	if err != nil {
		return h.store.Explain(err, 0, "making the log of step "+j.task.State)
	}
	j.log.watch = j.line
	python := h.pythons[j.task.State]
	if j.python != "" {
		python = j.python
	}
	s := &j.sandbox
	s.Dir, s.Mode, s.Helpers, s.Folders = dir, h.mode, h.helpers.get(h.newHelpers), &h.folders
	s.Files, s.Argv, s.WorkDir = j.files, j.argv, j.workDir
	s.Env = variables(python, h.home(s), j.service, j.declared)
	if python != "" {
		s.Keep = []string{filepath.Dir(filepath.Dir(python))}
	}
	s.Stdout, s.LogLimit = j.log, 1<<62 // the log has a limit of its own
	s.Grace, s.Quit = h.grace, pipeline.Quit(ctx)

	limited, stop := h.limit(ctx, j.maxRuntime)
	failpoint.Hit(failpoint.BeforeSpawn)
	j.result, err = sandbox.Run(limited, *s)
	failpoint.Hit(failpoint.AfterExit)
	j.expired = context.Cause(limited) == errMaxRuntime
	stop()
	logErr := j.log.close()
	if notice := j.log.notice(); notice != "" {
		h.warn(j.task.State, "step "+j.task.State+": "+notice)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return h.store.Explain(err, 0, "starting step "+j.task.State)
	case logErr != nil:
		return h.store.Explain(logErr, 0, "writing the log of step "+j.task.State)
	}
	j.step.ExitCode, j.step.MaxRSS = j.result.ExitCode, j.result.MaxRSS
	return nil
}

// home is the job's own temporary folder, as the job sees it.
func (h *handler) home(s *sandbox.Job) string {
	if s.Mode == sandbox.Direct {
		return s.HostPath("/tmp")
	}
	return "/tmp"
}

// limit is a context that ends after d, by the injected clock; 0 never ends it.
func (h *handler) limit(ctx context.Context, d time.Duration) (context.Context, func()) {
	limited, cancel := context.WithCancelCause(ctx)
	if d <= 0 {
		return limited, func() { cancel(nil) }
	}
	stop := h.clock.AfterFunc(d, func() { cancel(errMaxRuntime) })
	return limited, func() { stop(); cancel(nil) }
}

// verdict says how the process of a job ended.
func (h *handler) verdict(j *job) endOf {
	r := j.result
	if j.expired {
		text := fmt.Sprintf("stopped after %s, its MaxRuntimeInSeconds", secondsText(int64(j.maxRuntime/time.Second)))
		return endOf{service: text, person: text}
	}
	if r.OK() {
		return endOf{}
	}
	text := r.String()
	service := "AlgorithmError: " + text
	if last := j.log.last(); last != "" && r.Signal == "" {
		service += ": " + last
		text += ": " + last
	}
	if r.Hint != "" {
		text += "; " + r.Hint
	}
	if hint := h.moduleHint(j); hint != "" {
		text += "; " + hint
	}
	if h.store.Free() < lowSpace {
		text += "; the disk of the workspace is full"
	}
	return endOf{service: clip(service, reasonLimit), person: text}
}

// lowSpace is how little space on the disk may be why a step failed.
const lowSpace = 1 << 20

// end records how a job ended, with what it made visible, and removes its folder.
func (h *handler) end(ctx context.Context, j *job, status pipeline.Status, describe map[string]any, name, person string,
	outputs []record.Port, batch *objects.Batch) (json.RawMessage, error) {
	response, err := json.Marshal(describe)
	if err != nil {
		return nil, err
	}
	j.step.Status, j.step.Response, j.step.Error, j.step.Reason = string(status), response, name, person
	j.step.Ended = h.clock.Now()
	// What has ended is recorded even when the run is being stopped.
	ctx = context.WithoutCancel(ctx)
	if batch == nil {
		err = h.db.EndStep(ctx, j.step, outputs, nil)
	} else {
		err = batch.Commit(ctx, func(ctx context.Context, list []record.Object) error {
			return h.db.EndStep(ctx, j.step, outputs, list)
		})
	}
	if err != nil {
		return nil, h.store.Explain(err, 0, "recording the end of step "+j.task.State)
	}
	return response, nil
}

// aborted records a job that the run's own end, or its state's time-out, stopped.
func (h *handler) aborted(ctx context.Context, j *job, cause error) error {
	status, name, person := pipeline.Aborted, "Aborted", "stopped with the run"
	if errors.Is(cause, asl.ErrTimeout) {
		status, name = pipeline.TimedOut, asl.ErrorTimeout
		person = fmt.Sprintf("stopped after %s, its state's TimeoutSeconds", secondsText(int64(j.task.Timeout/time.Second)))
	}
	h.reasons.set(j.task.State, person)
	if _, err := h.end(ctx, j, status, map[string]any{}, name, person, nil, nil); err != nil {
		return err
	}
	return cause
}

// discard empties a job's folder for another job, while the run goes on. What cannot
// be emptied is removed; what cannot be removed goes at the next start.
func (h *handler) discard(j *job) {
	if dir := j.sandbox.Dir; dir != "" {
		h.cleaning.Go(func() { h.folders.Give(dir) })
	}
}
