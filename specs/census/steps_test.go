package census_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/internal/pythontest"
)

// image is what all steps of the spec run in.
const image = "sklearn:1.4-2"

// TestSteps runs the Python tests of the step scripts, in the environment that a
// local run uses.
func TestSteps(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the tests of the step scripts take seconds and are not about Go")
	}
	python := pythontest.Interpreter(t, image)
	touch(t, "pytests", "steps", "testdata")
	files, err := filepath.Glob("pytests/test_*.py")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in pytests: %v", err)
	}
	for _, file := range files {
		module := strings.TrimSuffix(filepath.Base(file), ".py")
		t.Run(strings.TrimPrefix(module, "test_"), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), python, "-B", "-m", "unittest", module)
			cmd.Dir = "pytests"
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("run the tests of %s: %v\n%s", file, err, out)
			}
			if strings.Contains(string(out), "Ran 0 tests") {
				t.Errorf("%s holds no tests", file)
			}
		})
	}
}

// touch opens every file that the Python tests depend on: the go command keeps a
// result until a file changes that the test itself has opened.
func touch(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			return f.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
