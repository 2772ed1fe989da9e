//go:build linux

package legacytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mlmax/mlmax/pipeline/local/sandbox"
)

// A project is a module with the scripts and their spec, generated and built.
type project struct {
	t    *testing.T
	dir  string
	main string
	// user, if not 0, is who runs it.
	user uint32
}

// newProject makes one for an image. more are further files of the spec's package.
func newProject(t *testing.T, image string, more map[string]string) *project {
	t.Helper()
	if testing.Short() {
		t.Skip("installs packages of earlier years; not in short mode")
	}
	if err := sandbox.Probe(t.Context()); err != nil {
		t.Skipf("scripts with fixed paths need namespaces, which do not work here: %v", err)
	}
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir, which another user cannot enter.
	dir, err := os.MkdirTemp("", "legacy-")
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, dir: dir, main: filepath.Join(dir, "main")}
	t.Cleanup(p.remove)
	if err := os.CopyFS(filepath.Join(dir, "income"), os.DirFS("testdata/income")); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	p.write("income/testdata/census-income.csv", read(filepath.Join(repository, "specs/census/testdata/census.csv")))
	p.write("income/income.go", strings.ReplaceAll(read("testdata/income/income.go"), "sklearn:0.20.0", image))
	module := strings.Replace(read(filepath.Join(repository, "go.mod")), "module github.com/mlmax/mlmax", "module example.com/legacy", 1)
	module = strings.Replace(module, "tool github.com/mlmax/mlmax/cmd/mlmaxgen", "", 1)
	p.write("go.mod", module+"\nrequire github.com/mlmax/mlmax v0.0.0\n\nreplace github.com/mlmax/mlmax => "+repository+"\n")
	p.write("go.sum", read(filepath.Join(repository, "go.sum")))
	for name, text := range more {
		p.write(name, text)
	}
	p.command(repository, "go", "build", "-o", filepath.Join(dir, "mlmaxgen"), "./cmd/mlmaxgen")
	p.command(dir, filepath.Join(dir, "mlmaxgen"), "generate", "./income")
	p.command(dir, "go", "build", "-mod=mod", "-o", p.main, "./generated/training")
	return p
}

func (p *project) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) command(dir, name string, args ...string) {
	p.t.Helper()
	c := exec.CommandContext(p.t.Context(), name, args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		p.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// remove removes the project, whose objects are read-only.
func (p *project) remove() {
	_ = filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	if err := os.RemoveAll(p.dir); err != nil {
		p.t.Error(err)
	}
}

// An outcome is what run --json prints.
type outcome struct {
	Status, Cause string
	Metrics       map[string]float64
	Artifacts     []struct{ Name string }
}

// run runs the pipeline in namespace mode, and returns its outcome and what it said.
func (p *project) run(workspace string, args ...string) (*outcome, string) {
	p.t.Helper()
	at := filepath.Join(p.dir, workspace)
	if err := os.MkdirAll(at, 0o755); err != nil {
		p.t.Fatal(err)
	}
	c := exec.CommandContext(p.t.Context(), p.main, append([]string{"run", "--json", "--isolation", "namespace", "--workspace", at}, args...)...)
	c.Dir = p.dir
	if p.user != 0 {
		for _, dir := range []string{p.dir, at} {
			if err := errors.Join(os.Chown(dir, int(p.user), int(p.user)), os.Chmod(dir, 0o755)); err != nil {
				p.t.Fatal(err)
			}
		}
		c.Env = append(os.Environ(), "HOME="+p.dir, "TMPDIR="+p.dir, "XDG_CACHE_HOME="+filepath.Join(p.dir, "cache"))
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: p.user, Gid: p.user}}
	}
	var out, said strings.Builder
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	if strings.Contains(said.String(), "the package index cannot be reached") || strings.Contains(said.String(), "no wheel could be installed") {
		p.t.Skipf("the packages cannot be had here: %s", said.String())
	}
	o := &outcome{}
	if decoded := json.Unmarshal([]byte(out.String()), o); err != nil || decoded != nil || o.Status != "SUCCEEDED" {
		p.t.Fatalf("%v, %v: %s\n%s", err, decoded, out.String(), said.String())
	}
	return o, said.String()
}

// check looks at what the scripts made, and at what they said.
func (p *project) check(o *outcome, said string, want ...string) {
	p.t.Helper()
	if auc := o.Metrics["Evaluate.Report.ROCAUC"]; auc < 0.7 || auc > 1 {
		p.t.Errorf("ROC AUC is %v", auc)
	}
	var names []string
	for _, a := range o.Artifacts {
		names = append(names, a.Name)
	}
	if got := strings.Join(names, " "); got != "Data Preprocess.Train Preprocess.Test Preprocess.Transformer Train.Model Evaluate.Report" {
		p.t.Errorf("artifacts: %s", got)
	}
	for _, w := range append(want, " in /\n", "unpacked: ['model.joblib', 'preprocess.joblib']", "transformer: ColumnTransformer") {
		if !strings.Contains(said, w) {
			p.t.Errorf("nothing says %q:\n%s", w, said)
		}
	}
}

// python finds an interpreter of a version that works for a user: on the PATH, or among
// those that pyenv has.
func python(t *testing.T, version string, user uint32) string {
	t.Helper()
	all := []string{"python" + version}
	if root, err := exec.Command("pyenv", "root").Output(); err == nil {
		more, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "versions", version+".*", "bin", "python"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, more...)
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		all = append(all, filepath.Join(dir, "python"+version))
	}
	for _, one := range all {
		if works(t.Context(), one, version, user) {
			return one
		}
	}
	t.Skipf("no Python %s works here", version)
	return ""
}

func works(ctx context.Context, program, version string, user uint32) bool {
	path, err := exec.LookPath(program)
	if err != nil {
		return false
	}
	c := exec.CommandContext(ctx, path, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])")
	c.Dir = "/"
	if user != 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	out, err := c.Output()
	return err == nil && strings.TrimSpace(string(out)) == version
}

// TestOnPython37 runs the scripts with the very versions that they were written for.
func TestOnPython37(t *testing.T) {
	t.Parallel()
	interpreter := python(t, "3.7", 0)
	p := newProject(t, "sklearn:0.20.0", nil)
	o, said := p.run("work", "--python", interpreter)
	p.check(o, said, "preprocess: scikit-learn 0.20.0", "train: scikit-learn 0.20.0")
}

// TestOnPython311 runs the same scripts in a later image, with a training step that asks
// for a version of its own, and then with an interpreter as it is.
func TestOnPython311(t *testing.T) {
	t.Parallel()
	for _, user := range []uint32{0, 65534} {
		t.Run(fmt.Sprintf("user %d", user), func(t *testing.T) {
			t.Parallel()
			if user != 0 && os.Geteuid() != 0 {
				t.Skip("only root can become another user")
			}
			interpreter := python(t, "3.11", user)
			p := newProject(t, "sklearn:1.2-1", map[string]string{"income/steps/train/requirements.txt": "scikit-learn==1.2.2\n"})
			p.user = user
			o, said := p.run("work", "--python", interpreter)
			p.check(o, said, "preprocess: scikit-learn 1.2.1", "train: scikit-learn 1.2.2")

			made, err := filepath.Glob(filepath.Join(p.dir, "work", "envs", "sklearn-1.2-1-*", "bin", "python"))
			if err != nil || len(made) != 2 {
				t.Fatalf("environments: %q, %v", made, err)
			}
			for _, given := range made {
				o, said = p.run("other", "--python", given, "--packages", "installed", "--no-cache")
				p.check(o, said)
			}
			if envs, err := os.ReadDir(filepath.Join(p.dir, "other", "envs")); err == nil && len(envs) > 0 {
				t.Errorf("packages were installed: %v", envs)
			}
		})
	}
}
