package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/failpoint"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
)

// interrupted marks runs whose process is gone: we hold the lock, so none of them
// can still be running.
func (r *run) interrupted(ctx context.Context) error {
	found, err := r.db.Interrupted(ctx, r.clock.Now())
	if err != nil {
		return r.store.Explain(err, 0, "reading the record")
	}
	for _, old := range found {
		steps, err := r.db.Steps(ctx, old.ID)
		if err != nil {
			return err
		}
		where, complete, attempt := "before its first step", 0, 1
		for _, s := range steps {
			if s.Status == string(pipeline.Succeeded) && (s.Kind == processingKind || s.Kind == trainingKind) {
				complete++
				where = "after step " + s.Name
			}
			if s.Name == old.FailedStep {
				attempt = s.Attempt + 1
			}
		}
		if old.FailedStep != "" {
			where = fmt.Sprintf("in step %s (attempt %d)", old.FailedStep, attempt)
		}
		// What was renamed into place, and not recorded any more, was never visible.
		if err := r.store.Sweep(ctx, bucket, path.Join("runs", old.Pipeline, old.ID)); err != nil {
			return err
		}
		text := fmt.Sprintf("run %s was interrupted %s; %d of %d steps complete", old.ID, where, complete, old.TotalSteps)
		if old.ID != r.reuse.Resumes {
			text += fmt.Sprintf(". Continue: %s resume %s", r.command(path.Dir(old.Package)), old.ID)
		}
		r.warn("", text)
	}
	return nil
}

// source says what the module's code was.
type source struct {
	commit string
	dirty  bool
}

// warm settles how jobs are kept apart, and starts the helper of the first jobs without
// waiting for it, unless the last run gives reason to believe that none will run.
func (r *run) warm(ctx context.Context) (err error) {
	if err := r.chooseIsolation(ctx); err != nil {
		return err
	}
	// A folder that stays: every helper mounts its root there, out of others' sight.
	if err := os.MkdirAll(filepath.Join(r.dir, mounts), 0o700); err != nil {
		return r.store.Explain(err, 0, "making the folder for mounts")
	}
	if r.last, err = r.expected(ctx); err != nil {
		return err
	}
	if r.last == nil && len(r.definition.Jobs) > 0 {
		r.helpers.get(r.newHelpers)
	}
	return nil
}

// prepare does what else comes before the first step: code, Python environments,
// the machine with its names filled in, and the record of the run.
func (r *run) prepare(ctx context.Context, in *inputs) (*asl.Machine, error) {
	values := map[string]string{
		"Env": "local", "Bucket": bucket, "Prefix": "", "Region": region, "Account": account, "Partition": "aws",
		"KmsKey": "", "Subnets": "", "SecurityGroups": "", "Readable": "", "Tags": "",
	}
	var jobs []record.Job
	for i := range r.definition.Jobs {
		j := &r.definition.Jobs[i]
		values[j.RoleName], values[j.ImageName], values[j.InstanceName] = roleOf(j.RoleName), j.Image, j.Instance
		if j.Pin != "" {
			continue // its code is that of a version
		}
		digest, err := r.snapshot(ctx, j)
		if err != nil {
			return nil, err
		}
		values[j.CodeName] = digest
		if !settledLate(j) {
			jobs = append(jobs, record.Job{Step: j.Name, Code: digest, Image: j.Image})
		}
	}
	delete(values, "") // of jobs that leave a name out
	machine, err := r.machine(values)
	if err != nil {
		return nil, err
	}
	if err := r.plan(ctx, machine); err != nil {
		return nil, err
	}
	for i := range jobs {
		if err := r.python(ctx, r.definition.Job(jobs[i].Step), &jobs[i]); err != nil {
			return nil, err
		}
		r.made[jobs[i].Step] = jobs[i]
	}
	if err := r.unexpected(ctx, in, jobs); err != nil {
		return nil, err
	}
	definition := sha256.Sum256(r.definition.ASL)
	shown, err := json.Marshal(in.shown)
	if err != nil {
		return nil, err
	}
	var from source
	late := false
	select {
	case from = <-r.source:
	default:
		late = true
	}
	err = r.db.StartRun(ctx, record.Run{
		ID: r.id, Pipeline: r.definition.Name, Package: r.definition.Package, Execution: r.execution, Status: string(pipeline.Running),
		Input: in.machine, Parameters: shown, Definition: hex.EncodeToString(definition[:]), Commit: from.commit, Dirty: from.dirty,
		Isolation: string(r.mode), TotalSteps: len(r.definition.Jobs), PID: os.Getpid(), PIDStart: processStart(), Started: r.started,
		Resumes: r.reuse.Resumes, Partial: r.reuse.partial(),
	}, jobs, in.data)
	if err != nil {
		return nil, r.store.Explain(err, 0, "recording the run")
	}
	r.recorded = true
	failpoint.Hit(failpoint.RunRecorded)
	go r.recordSource(context.WithoutCancel(ctx), late)
	return machine, nil
}

// recordSource adds to the record what git said after the run had been recorded.
func (r *run) recordSource(ctx context.Context, late bool) {
	defer close(r.sourced)
	if late {
		if from := <-r.source; from != (source{}) {
			r.sourced <- r.db.SetSource(ctx, r.id, from.commit, from.dirty)
		}
	}
}

// plan settles which part of the machine is done, and what is taken from earlier runs.
func (r *run) plan(ctx context.Context, machine *asl.Machine) (err error) {
	if r.scope, err = newScope(machine, r.reuse, r.own()+r.given); err != nil || r.reuse.Resumes == "" {
		return err
	}
	steps, err := r.db.Steps(ctx, r.reuse.Resumes)
	r.scope.resumed(steps)
	return err
}

// roleOf is the ARN that stands for a role; nothing checks what it may do.
func roleOf(name string) string { return "arn:aws:iam::" + account + ":role/local-" + name }

// machine fills in the names and reads the state machine.
func (r *run) machine(values map[string]string) (*asl.Machine, error) {
	text, err := asl.Substitute(r.definition.ASL, values)
	if err != nil {
		return nil, err
	}
	if left := asl.Unresolved(text); len(left) > 0 {
		return nil, fmt.Errorf("the state machine of %s names %s, which a local run has no value for; generate it again", r.definition.Name, strings.Join(left, ", "))
	}
	machine, err := asl.Decode(r.definition.Name+".asl.json", text)
	if err != nil {
		return nil, err
	}
	return machine, checkResources(machine)
}

// chooseIsolation settles how jobs are kept apart.
func (r *run) chooseIsolation(ctx context.Context) error {
	switch r.mode {
	case sandbox.Direct:
		return nil
	case sandbox.Namespace:
		if err := sandbox.Probe(ctx); err != nil {
			return fmt.Errorf("namespace isolation does not work here: %w; use --isolation=direct", err)
		}
		return nil
	}
	r.mode = sandbox.Namespace
	if err := sandbox.Probe(ctx); err != nil {
		r.mode, r.modeNote = sandbox.Direct, err.Error()
	}
	return nil
}
