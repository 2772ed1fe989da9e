package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/pyenv"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
)

// A Repro says which step of which run is to be laid out, and where.
type Repro struct {
	// Workspace is the folder of the workspace, Run the run's id, Step the step's name.
	Workspace, Run, Step string
	// Dir is the folder to make; it is not there, or empty.
	Dir string
	// Now is the time.
	Now func() time.Time
}

// A Reproduced is a step that has been laid out.
type Reproduced struct {
	// Dir is the folder, absolute, and Script the file in it that runs the step.
	Dir, Script string
	// Step is the try that was laid out: the one that a cached step's outputs were taken
	// from.
	Step record.Step
	// Inputs are what it reads.
	Inputs []record.Artifact
	// Files counts what its outputs are compared with; 0 if the run has none of it.
	Files int
	// Python is the interpreter, or empty for a script that needs none; Gone says that
	// the environment of the run is not there any more.
	Python string
	Gone   bool
}

// Reproduce lays out one step of a run: its inputs, verified and free to be changed, code,
// arguments, variables, configuration files, and a script that runs it alone. It is the
// last try of the step. The workspace must not be in use.
func Reproduce(ctx context.Context, r Repro) (*Reproduced, error) {
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return nil, err
	}
	if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
		return nil, fmt.Errorf("the folder %s is not empty; name another one", r.Dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("make the folder for the step: %w", err)
	}
	w, err := openWorkspace(ctx, r.Workspace, owner{PID: os.Getpid(), Start: processStart(), Run: r.Run, Since: r.Now()}, r.Now, nil)
	if err != nil {
		return nil, err
	}
	out, err := reproduce(ctx, w, r, dir)
	return out, errors.Join(err, w.close(new(sync.WaitGroup)))
}

func reproduce(ctx context.Context, w *workspace, r Repro, dir string) (*Reproduced, error) {
	step, err := w.lastTry(ctx, r.Run, r.Step)
	if err != nil {
		return nil, err
	}
	h := &handler{&run{workspace: w, definition: &pipeline.Definition{}, id: step.Run, mode: sandbox.Direct}}
	p := &layout{handler: h, dir: dir, out: &Reproduced{Dir: dir, Script: filepath.Join(dir, scriptName), Step: *step}}
	if err := p.request(); err != nil {
		return nil, fmt.Errorf("read the request of step %s: %w", step.Name, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for the step: %w", err)
	}
	if err := p.inputs(ctx); err != nil {
		return nil, err
	}
	if err := p.python(ctx); err != nil {
		return nil, err
	}
	if err := p.expect(ctx); err != nil {
		return nil, err
	}
	return p.out, p.write(ctx)
}

// lastTry finds the last try of a step that is a job; for a cached one, the try whose
// outputs were taken.
func (w *workspace) lastTry(ctx context.Context, run, name string) (*record.Step, error) {
	steps, err := w.db.Steps(ctx, run)
	if err != nil {
		return nil, err
	}
	var jobs []string
	var found *record.Step
	for i, s := range steps {
		if s.Kind != processingKind && s.Kind != trainingKind {
			continue
		}
		if !slices.Contains(jobs, s.Name) {
			jobs = append(jobs, s.Name)
		}
		if s.Name == name {
			found = &steps[i]
		}
	}
	switch {
	case found == nil && len(jobs) == 0:
		return nil, fmt.Errorf("run %s came to no step that is a job", run)
	case found == nil:
		return nil, fmt.Errorf("run %s has no job of a step %q; it has %s", run, name, strings.Join(jobs, ", "))
	case found.CachedFrom == 0:
		return found, nil
	}
	origin, err := w.db.StepsByID(ctx, []int64{found.CachedFrom}, true)
	if err == nil && len(origin) == 0 {
		err = fmt.Errorf("the record has lost the step that the outputs of %s were taken from", name)
	}
	if err != nil {
		return nil, err
	}
	// With all that is known of it.
	steps, err = w.db.Steps(ctx, origin[0].Run)
	if err != nil {
		return nil, err
	}
	for i := range steps {
		if steps[i].ID == origin[0].ID {
			return &steps[i], nil
		}
	}
	return nil, fmt.Errorf("step %s of run %s: %w", name, origin[0].Run, record.ErrNotFound)
}

// A layout is a step that is being laid out.
type layout struct {
	*handler
	dir string
	job *job
	out *Reproduced
	// submit is where a training job's code is, and written where a processing job's
	// outputs are in the local S3, in the order of the job's.
	submit  string
	written []string
	// environment is what stood for the image, if the script is Python.
	environment *record.Job
	// expected are the files that its outputs hold, by name below outputs/, with their
	// hex SHA-256.
	expected map[string]string
	// folders are where outputs are in the container, by folder below outputs/.
	folders []output
}

// request makes the job that the try's request asked for.
func (p *layout) request() (err error) {
	step := &p.out.Step
	t := asl.Task{State: step.Name, Attempt: step.Attempt, Arguments: step.Request}
	if step.Kind == processingKind {
		var request processingJob
		if err := decode(step.Request, processingRequest, sageMakerRefused, &request); err != nil {
			return err
		}
		for _, out := range request.ProcessingOutputConfig.Outputs {
			p.written = append(p.written, out.S3Output.S3Uri)
		}
		p.job, err = p.processingJob(t, &request)
		return err
	}
	var request trainingJob
	if err := decode(step.Request, trainingRequest, sageMakerRefused, &request); err != nil {
		return err
	}
	p.submit = newScript(request.HyperParameters, request.Environment).submit
	p.job, _, err = p.trainingJob(t, &request)
	return err
}

// inputs puts what the step reads into the folder inputs, verified.
func (p *layout) inputs(ctx context.Context) error {
	j := p.job
	for _, in := range j.inputs {
		source, err := p.store.Materialise(ctx, in.uri)
		if err != nil {
			return fmt.Errorf("read input %q of step %s: %w", in.port, j.task.State, err)
		}
		j.sandbox.Mounts = append(j.sandbox.Mounts, sandbox.Mount{Target: in.target, Kind: sandbox.Input, Source: source.Path, Name: source.Name})
		name := in.port
		if name == "" {
			name = codeInput
		}
		p.out.Inputs = append(p.out.Inputs, record.Artifact{Name: name, URI: in.uri, Digest: source.Digest, Bytes: source.Bytes})
	}
	for _, out := range j.outputs {
		j.sandbox.Mounts = append(j.sandbox.Mounts, sandbox.Mount{Target: out.target, Kind: sandbox.Output})
	}
	if j.kind != trainingKind {
		return nil
	}
	code, err := p.store.Temp()
	if err != nil {
		return err
	}
	if err := p.unpackCode(ctx, j, p.submit, code); err != nil {
		return p.store.Explain(err, 0, fmt.Sprintf("unpacking the code of step %s from %s", j.task.State, j.code))
	}
	if err := allowProgram(code, j.script); err != nil {
		return fmt.Errorf("make the script of step %s executable: %w", j.task.State, err)
	}
	p.out.Inputs = append(p.out.Inputs, record.Artifact{Name: codeInput, URI: j.code})
	j.sandbox.Mounts = append(j.sandbox.Mounts, sandbox.Mount{Target: codeDir, Kind: sandbox.Input, Source: code})
	return nil
}

// python finds the environment that the run had for the step.
func (p *layout) python(ctx context.Context) error {
	if path.Ext(p.job.script) != ".py" {
		return nil
	}
	jobs, err := p.db.Jobs(ctx, p.out.Step.Run)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(jobs, func(j record.Job) bool { return j.Step == p.job.task.State })
	if i < 0 || jobs[i].Environment == "" {
		return fmt.Errorf("run %s has not noted the Python environment of step %s", p.out.Step.Run, p.job.task.State)
	}
	p.environment = &jobs[i]
	manager := pyenv.Manager{Dir: filepath.Join(p.workspace.dir, "envs")}
	if env := manager.Find(jobs[i].Environment); env != nil {
		p.out.Python = env.Python
	} else {
		p.out.Gone = true
	}
	return nil
}
