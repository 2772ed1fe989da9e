package local

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
)

// mounts is the folder of the workspace that helpers mount on.
const mounts = "mnt"

// helpers are the processes that run jobs, which are started when they are needed: a run
// that is cached as a whole needs none.
type helpers struct {
	mu  sync.Mutex
	all *sandbox.Helpers
}

// get returns the helpers, and starts the first where that has not been done.
func (s *helpers) get(start func() *sandbox.Helpers) *sandbox.Helpers {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = start()
	}
	return s.all
}

// Close ends them.
func (s *helpers) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all.Close()
}

func (r *run) newHelpers() *sandbox.Helpers {
	return sandbox.NewHelpers(r.mode, filepath.Join(r.dir, mounts))
}

// startEarly starts a helper as soon as the workspace is locked, without waiting for it,
// where it is sure to be needed. What is in its way will be told by who needs it.
func (r *run) startEarly(w *workspace) {
	_, err := os.Stat(filepath.Join(w.dir, recordName))
	if len(r.definition.Jobs) == 0 || r.mayReuse() && err == nil {
		return
	}
	// The choice is soon made again, and costs nothing then.
	if r.chooseIsolation(context.Background()) != nil || os.MkdirAll(filepath.Join(w.dir, mounts), 0o700) != nil {
		return
	}
	r.helpers.get(func() *sandbox.Helpers { return sandbox.NewHelpers(r.mode, filepath.Join(w.dir, mounts)) })
}

// mayReuse says that the run may be one whose every job is in the cache.
func (r *run) mayReuse() bool {
	u := r.reuse
	return !u.NoCache && u.From == "" && u.Only == "" && u.Resumes == ""
}

// expected is the pipeline's last run, if that did all of it and this one may take what
// it did; else nil. It is a guess, and only saves or costs the time of a helper's start.
func (r *run) expected(ctx context.Context) (*record.Run, error) {
	if !r.mayReuse() {
		return nil, nil
	}
	last, err := r.db.Last(ctx, r.definition.Name)
	if err != nil || last == nil || last.Status != string(pipeline.Succeeded) || last.Partial != "" {
		return nil, err
	}
	return last, nil
}

// unexpected starts a helper, without waiting for it, if the jobs are not those of the
// last run: one of them is going to run.
func (r *run) unexpected(ctx context.Context, in *inputs, jobs []record.Job) error {
	if r.last == nil || len(r.definition.Jobs) == 0 {
		return nil
	}
	before, err := r.db.Jobs(ctx, r.last.ID)
	if err != nil {
		return err
	}
	same := func(a record.Job) bool {
		return slices.ContainsFunc(before, func(b record.Job) bool {
			return a.Step == b.Step && a.Code == b.Code && a.Image == b.Image && a.Environment == b.Environment
		})
	}
	changed := func(j record.Job) bool { return !same(j) }
	if !bytes.Equal(in.machine, r.last.Input) || slices.ContainsFunc(jobs, changed) {
		r.helpers.get(r.newHelpers)
	}
	return nil
}
