package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/pyenv"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/track"
)

// JobsOptions are what [Jobs] can be told.
type JobsOptions struct {
	// Dir is a folder of the caller's, in which each job has a workspace while it runs, and
	// Python environments stay.
	Dir string
	// Isolation, Python, Packages, Clock and Grace are as in [Options].
	Isolation, Python, Packages string
	Clock                       asl.Clock
	Grace                       time.Duration
	// Region, Account and Partition are those of the jobs' ARNs.
	Region, Account, Partition string
}

// Jobs runs SageMaker's jobs on this machine for an engine that is not a [Runner]'s: the same
// handlers, with inputs from and outputs to a store of the caller's.
type Jobs struct {
	options JobsOptions
	count   atomic.Int64
	// environments is made once, and guards itself.
	environments *pyenv.Manager
}

// A JobStore is the S3 that a job reads and writes. An error that is a *[RefusedError] fails
// the job, with its text as the reason; any other is trouble of the world.
type JobStore interface {
	// List returns the keys that begin with a prefix, in order.
	List(ctx context.Context, bucket, prefix string) ([]string, error)
	// Get returns an object's content.
	Get(ctx context.Context, bucket, key string) ([]byte, error)
	// Put stores an object.
	Put(ctx context.Context, bucket, key string, content []byte) error
}

// A RefusedError says why a job could not read or write.
type RefusedError struct{ Reason string }

// Error is the reason.
func (e *RefusedError) Error() string { return e.Reason }

// A JobCall is one call of a Task state that makes a job.
type JobCall struct {
	Task  asl.Task
	Store JobStore
	// Accept, if not nil, is called when the request has been found good and nothing of the
	// job has been done yet. Its error is then the call's.
	Accept func() error
	// Log, if not nil, gets each line that the job prints.
	Log func(line string)
}

// NewJobs makes what runs jobs. Nothing is written before the first.
func NewJobs(o JobsOptions) (*Jobs, error) {
	if !filepath.IsAbs(o.Dir) {
		return nil, fmt.Errorf("the folder of jobs %q is not an absolute path", o.Dir)
	}
	// The same options are right or wrong here.
	r, err := New(Options{Isolation: o.Isolation, Packages: o.Packages, Clock: o.Clock, Grace: o.Grace})
	if err != nil {
		return nil, err
	}
	o.Clock, o.Grace = r.options.Clock, r.options.Grace
	return &Jobs{options: o, environments: &pyenv.Manager{
		Dir: filepath.Join(o.Dir, "envs"), Python: o.Python, Installed: o.Packages == installedPackages,
	}}, nil
}

// Does says whether a Task's resource is a job that Do can run.
func (*Jobs) Does(resource string) bool {
	a, ok := actionOf(resource)
	return ok && (a.kind == processingKind || a.kind == trainingKind)
}

// Do runs a job to its end and returns what the Describe call says of it. Errors are those
// of [asl.Handler]. Calls may come at once.
func (j *Jobs) Do(ctx context.Context, c JobCall) (json.RawMessage, error) {
	if !j.Does(c.Task.Resource) {
		return nil, fmt.Errorf("state %q calls %s, which is no job that can run here", c.Task.State, c.Task.Resource)
	}
	dir := filepath.Join(j.options.Dir, "job-"+fmt.Sprint(j.count.Add(1)))
	defer os.RemoveAll(dir)
	r, err := j.open(ctx, dir, c)
	if err != nil {
		return nil, err
	}
	a, _ := actionOf(c.Task.Resource)
	response, err := a.do(&handler{r}, ctx, c.Task)
	if told := r.bring(context.WithoutCancel(ctx), a.kind); told != nil && err == nil {
		response, err = nil, r.undelivered(a.kind, response, told)
	}
	r.cleaning.Go(func() {
		r.helpers.Close()
		r.folders.Close()
	})
	return response, errors.Join(err, r.close(&r.cleaning))
}

// open makes a workspace and a run in it that is nothing but one job.
func (j *Jobs) open(ctx context.Context, dir string, c JobCall) (*run, error) {
	o := j.options
	r := &run{
		definition: &pipeline.Definition{Name: "jobs"}, id: "job", started: o.Clock.Now(), mode: sandbox.Mode(o.Isolation), grace: o.Grace,
		place: place{o.Region, o.Account, o.Partition}, guest: &guest{c, map[string]string{}}, environments: j.environments,
		clock: &clock{Clock: o.Clock, waits: func(time.Duration) {}}, reuse: Reuse{NoCache: true},
		pythons: map[string]string{}, made: map[string]record.Job{}, versions: map[string]pipeline.ModelVersion{},
	}
	r.on = func(e pipeline.Event) {
		if e.Kind == pipeline.StepLog && c.Log != nil {
			c.Log(e.Message)
		}
	}
	var err error
	r.workspace, err = openWorkspace(ctx, dir, owner{PID: os.Getpid(), Start: processStart(), Run: r.id, Since: r.started}, r.clock.Now, nil)
	if err != nil {
		return nil, err
	}
	if err := r.alone(ctx); err != nil {
		return nil, errors.Join(err, r.close(new(sync.WaitGroup)))
	}
	return r, nil
}

// alone prepares a run that has no machine of its own.
func (r *run) alone(ctx context.Context) (err error) {
	none := &asl.Machine{}
	if r.scope, err = newScope(none, r.reuse, ""); err != nil {
		return err
	}
	r.tracker = track.New(track.Options{Beyond: r.scope.after, Emit: r.emit, Why: r.reasons.get})
	if err := r.chooseIsolation(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(r.dir, mounts), 0o700); err != nil {
		return r.store.Explain(err, 0, "making the folder for mounts")
	}
	return r.db.StartRun(ctx, record.Run{
		ID: r.id, Pipeline: r.definition.Name, Status: string(pipeline.Running), Isolation: string(r.mode), PID: os.Getpid(), Started: r.started,
	}, nil, nil)
}
