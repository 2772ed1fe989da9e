// Package pythontest gives tests the interpreter that the example's steps run with: one
// with the packages of their image, made where a local run makes it, so that it is made once.
package pythontest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/mlmax/mlmax/pipeline/images"
	"github.com/mlmax/mlmax/pipeline/local/pyenv"
	"github.com/mlmax/mlmax/pipeline/worktree"
)

// Interpreter is the path of Python with the packages of an image of the catalogue. On a
// machine that has no Python, or cannot get the packages, the test is skipped; on a CI
// machine that is a failure.
func Interpreter(t *testing.T, image string) string {
	t.Helper()
	img, ok := images.Lookup(image)
	if !ok {
		t.Fatalf("the catalogue has no image %q", image)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	module, err := worktree.Find(here, "github.com/mlmax/mlmax")
	if err != nil {
		t.Fatal(err)
	}
	m := pyenv.Manager{Dir: filepath.Join(module, ".mlmax", "envs"), Python: os.Getenv("MLMAX_PYTHON")}
	env, err := m.Ensure(t.Context(), img, "", func(message string) { t.Log(message) })
	lacking := errors.Is(err, pyenv.ErrNoPython) || errors.Is(err, pyenv.ErrNoInstaller) || errors.Is(err, pyenv.ErrUnreachable)
	if lacking && os.Getenv("CI") == "" {
		t.Skipf("no packages of %s here: %v", image, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return env.Python
}
