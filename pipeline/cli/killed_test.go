package cli

import (
	"bufio"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
)

// TestRunnerKilledAnywhere kills the runner at each line that it says, one run
// after the other in one workspace: the record opens, what is visible is whole, and
// the last run ends as if nothing had been.
func TestRunnerKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, mode := range []sandbox.Mode{sandbox.Direct, sandbox.Namespace} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			if mode == sandbox.Namespace {
				if err := sandbox.Probe(t.Context()); err != nil {
					t.Skipf("no namespaces here: %v", err)
				}
			}
			dir := module(t)
			for lines := 1; killedAt(t, dir, mode, lines); lines++ {
				whole(t, filepath.Join(dir, ".mlmax"))
			}
			whole(t, filepath.Join(dir, ".mlmax"))
		})
	}
}

// module is one with the steps of testdata.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "specs/census"), os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"go.mod": "module github.com/mlmax/mlmax\n", "specs/census/testdata/census.csv": "age,income\n39,low\n"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// killedAt runs the pipeline and kills it when it has said so many lines. It returns
// false if the run ended before, which must be well.
func killedAt(t *testing.T, dir string, mode sandbox.Mode, lines int) bool {
	t.Helper()
	c := exec.Command("training", "--isolation", string(mode))
	c.Dir = dir
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(stderr)
	var text []string
	for said.Scan() {
		text = append(text, said.Text())
		if strings.HasPrefix(said.Text(), "warning: run ") {
			lines++ // of the run before
		}
		if len(text) == lines {
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = c.Wait()
	if len(text) >= lines {
		return true
	}
	if err != nil || len(text) == 0 || !strings.HasPrefix(text[len(text)-1], "census-training: done after") {
		t.Errorf("the last run ended with %v:\n%s", err, strings.Join(text, "\n"))
	}
	return false
}

// whole demands that every visible file of a run that is over is a recorded object
// with the content that was recorded, and that every object is there.
func whole(t *testing.T, workspace string) {
	t.Helper()
	db, err := record.Open(context.Background(), filepath.Join(workspace, "mlmax.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list, err := db.Objects(t.Context(), "local", "")
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(workspace, "s3/local")
	known := map[string]bool{}
	for _, o := range list {
		known[o.Key] = true
		if digest, err := objects.Digest(filepath.Join(root, filepath.FromSlash(o.Key))); err != nil || digest != o.Digest {
			t.Errorf("%s is not what was recorded: %v", o.Key, err)
		}
	}
	runs, err := db.Runs(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if r.Status == "RUNNING" {
			continue // what it left, the next run removes
		}
		dir := filepath.Join(root, "runs", r.Pipeline, r.ID)
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			if key, _ := filepath.Rel(root, name); !known[filepath.ToSlash(key)] {
				t.Errorf("%s is visible, and not recorded", key)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
