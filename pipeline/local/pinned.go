package local

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/images"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// settledLate says that it is the request of a job, and not the definition, that
// names the code or the image that it runs.
func settledLate(j *pipeline.Job) bool { return j.Pin != "" || j.ImageOf != "" }

// settle finds out what a job is made from, when it is about to start: its code in
// the local S3, and the Python environment of its image, which is made if there is
// none yet. What the definition says has been settled before the first step, so this
// is about jobs that run what a model version was made with.
func (h *handler) settle(ctx context.Context, j *job) error {
	of := h.definition.Job(j.task.State)
	if of == nil || !settledLate(of) {
		return nil
	}
	folder, digest := codeFolder(j.code)
	source, err := h.store.Materialise(ctx, folder)
	if err != nil {
		return h.codeError(ctx, j, of, err)
	}
	made := record.Job{Run: h.id, Step: of.Name, Code: digest, Image: j.image}
	if path.Ext(j.script) == ".py" {
		img, ok := images.Lookup(j.image)
		if !ok {
			return h.imageError(j, of)
		}
		if j.python, err = h.ensure(ctx, of, img, source.Path, &made); err != nil {
			return err
		}
	}
	j.recipe.Packages = made.Environment
	h.mu.Lock()
	h.made[of.Name] = made
	h.mu.Unlock()
	return h.store.Explain(h.db.PutJob(ctx, made), 0, "recording what step "+of.Name+" is made from")
}

// madeOf is what a step is made from, as far as that is settled.
func (r *run) madeOf(step string) record.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.made[step]
}

// codeFolder is where the files of a job's code are, by the URI of the folder or of
// the archive, and the digest that names it.
func codeFolder(uri string) (folder, digest string) {
	folder = strings.TrimSuffix(strings.TrimSuffix(uri, "/"), ".tar.gz")
	return folder + "/", path.Base(folder)
}

// scriptIn is the script that an entry point runs: what lies in the code's folder,
// by its name there.
func scriptIn(folder string, entrypoint []string) string {
	for _, word := range entrypoint {
		if below, ok := strings.CutPrefix(path.Clean(word), folder+"/"); ok {
			return below
		}
	}
	return ""
}

// codeError is what a job fails with whose code cannot be had.
func (h *handler) codeError(ctx context.Context, j *job, of *pipeline.Job, err error) error {
	if of.Pin == "" { // the run's own, put there as it began
		return h.inputError(ctx, j, input{port: codeInput, uri: j.code}, err)
	}
	var corrupt *objects.CorruptError
	if !errors.Is(err, record.ErrNotFound) && !errors.As(err, &corrupt) {
		return h.store.Explain(err, 0, "reading the code of step "+of.Name)
	}
	failure := h.failUnstarted(j, fmt.Sprintf("ClientError: No S3 objects found under S3 URL %q given in input data source", j.code))
	what := "is no longer in this workspace"
	if corrupt != nil {
		what = "was changed since"
	}
	h.otherVersion(j, of, fmt.Sprintf("the code %s that %s was made with %s", j.code, h.version(of.Pin), what))
	return failure
}

// imageError is what a job fails with whose image this mlmax does not know.
func (h *handler) imageError(j *job, of *pipeline.Job) error {
	failure := h.failUnstarted(j, fmt.Sprintf("ClientError: Cannot find repository of image %q", j.image))
	h.otherVersion(j, of, fmt.Sprintf("%s was made in image %q, which the catalogue of this mlmax does not have", h.version(of.Pin+of.ImageOf), j.image))
	return failure
}

// otherVersion explains why a version cannot be used, and how to get one that can.
func (h *handler) otherVersion(j *job, of *pipeline.Job, why string) {
	v := h.wanted(of.Pin + of.ImageOf)
	if v == nil {
		h.reasons.set(j.task.State, why+". Train again, and approve the version that it registers")
		return
	}
	next := h.trainFirst(v)
	text := fmt.Sprintf("%s. Train again: %s; then approve the version that it registers: %s", why, next[0].Command, next[1].Command)
	if p := h.definition.Parameter(v.Param); p != nil {
		text += fmt.Sprintf(". Or ask for another version with --%s", p.Flag)
	}
	h.reasons.explain(j.task.State, text, next...)
}
