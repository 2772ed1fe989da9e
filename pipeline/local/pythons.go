package local

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/images"
	"github.com/mlmax/mlmax/pipeline/record"
)

// python makes sure that there is a Python environment for a step that is a Python
// script, and notes what stands for its image.
func (r *run) python(ctx context.Context, j *pipeline.Job, made *record.Job) error {
	if path.Ext(j.Script) != ".py" {
		return nil
	}
	img, ok := images.Lookup(j.Image)
	if !ok {
		return fmt.Errorf("step %s runs in image %q, which the catalogue does not have", j.Name, j.Image)
	}
	interpreter, err := r.ensure(ctx, j, img, filepath.Join(r.module, filepath.FromSlash(j.CodeDir)), made)
	r.pythons[j.Name] = interpreter
	return err
}

// ensure makes sure of the Python environment of an image for a step's code, notes
// it in made, and returns its interpreter.
func (r *run) ensure(ctx context.Context, j *pipeline.Job, img images.Image, codeDir string, made *record.Job) (string, error) {
	requirements := ""
	if j.Kind == trainingKind {
		// The toolkit installs a training job's requirements; nobody a processing job's.
		if file := filepath.Join(codeDir, "requirements.txt"); isFile(file) {
			requirements = file
		}
	}
	env, err := r.environments.Ensure(ctx, img, requirements, func(message string) {
		r.emit(pipeline.Event{Kind: pipeline.Preparing, Step: j.Name, Message: message})
	})
	if err != nil {
		return "", fmt.Errorf("prepare Python for step %s: %w", j.Name, err)
	}
	made.Python, made.Packages, made.Environment = env.Version, env.Packages, env.Digest
	if env.Note != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.notes = append(r.notes, env.Note)
	}
	return env.Python, nil
}

// isFile says whether there is a regular file of that name.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
