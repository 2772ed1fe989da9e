package revision

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/code"
)

// A module is one in a folder of a git repository.
type module struct {
	t   *testing.T
	dir string
}

func newModule(t *testing.T) *module {
	t.Helper()
	root := t.TempDir()
	m := &module{t, filepath.Join(root, "ml pipelines")}
	m.write("go.mod", "module example.com/m\n", 0o644)
	m.git("init", "-q", "-b", "main", root)
	return m
}

func (m *module) write(name, text string, mode os.FileMode) {
	m.t.Helper()
	file := filepath.Join(m.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		m.t.Fatal(err)
	}
}

func (m *module) git(args ...string) string {
	m.t.Helper()
	c := exec.Command("git", append([]string{"-C", m.dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	out, err := c.CombinedOutput()
	if err != nil {
		m.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (m *module) commit() string {
	m.t.Helper()
	m.git("add", "-A")
	m.git("commit", "-q", "-m", "x")
	return m.git("rev-parse", "HEAD")
}

// definition is a pipeline with a step whose code is in steps/a.
func definition() *pipeline.Definition {
	return &pipeline.Definition{
		Name: "demo", Package: "example.com/m/generated/demo/demo", Module: "example.com/m",
		Template:     []byte(`{"new": true}`),
		Environments: map[string][]byte{"dev": []byte(`[{"ParameterKey": "Region", "ParameterValue": "eu-west-1"}]`)},
		Jobs:         []pipeline.Job{{Name: "A", CodeDir: "steps/a", CodeName: "ACode"}, {Name: "B", CodeName: "BCode", CodeDir: "steps/b", Pin: "Model"}},
	}
}

// TestDigestAtARevisionIsTheTrees compares with what the tree's own digest says.
func TestDigestAtARevisionIsTheTrees(t *testing.T) {
	t.Parallel()
	m := newModule(t)
	m.write("steps/a/a.py", "print(1)\n", 0o644)
	m.write("steps/a/run.sh", "#!/bin/sh\n", 0o755)
	m.write("steps/a/lib/ä b.py", "", 0o644)
	m.write("steps/a/.hidden", "x", 0o644)
	m.write("steps/a/__pycache__/a.pyc", "x", 0o644)
	m.write("steps/ab/other.py", "x", 0o644)
	first := m.commit()
	want, _, err := code.Digest(os.DirFS(filepath.Join(m.dir, "steps/a")))
	if err != nil {
		t.Fatal(err)
	}
	m.write("steps/a/run.sh", "#!/bin/sh\n", 0o644)
	second := m.commit()
	r, err := Open(t.Context(), m.dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.digest(t.Context(), first, "steps/a")
	if err != nil || got != want {
		t.Errorf("digest at the first commit is %s (%v), want %s", got, err, want)
	}
	if got, err := r.digest(t.Context(), second, "steps/a"); err != nil || got == want {
		t.Errorf("a file that is no longer executable has the same digest %s (%v)", got, err)
	}
	if got, err := r.digest(t.Context(), first, "steps/none"); err != nil || got != "" {
		t.Errorf("digest of no folder is %q (%v)", got, err)
	}
}

func TestDigestRefusesLinks(t *testing.T) {
	t.Parallel()
	m := newModule(t)
	m.write("steps/a/a.py", "", 0o644)
	if err := os.Symlink("/etc/passwd", filepath.Join(m.dir, "steps/a/link.py")); err != nil {
		t.Fatal(err)
	}
	commit := m.commit()
	r := &Repository{m.dir}
	if _, err := r.digest(t.Context(), commit, "steps/a"); err == nil || !strings.Contains(err.Error(), `"link.py" is a symbolic link`) {
		t.Errorf("error is %v", err)
	}
}

// TestSide reads a pipeline as it was: its template, parameters, and code that has moved
// since.
func TestSide(t *testing.T) {
	t.Parallel()
	m := newModule(t)
	m.write("README", "", 0o644)
	empty := m.commit()
	m.write("generated/demo/demo/template.json", `{"old": true}`, 0o644)
	m.write("generated/demo/demo/env/dev.json", `[{"ParameterKey": "Region", "ParameterValue": "us-east-1"}, {"ParameterKey": "Bucket", "ParameterValue": "b"}]`, 0o644)
	m.write("generated/demo/demo/demo.go", "package demo\nvar x = []Job{{Name: \"A\", CodeDir: \"old/a\", CodeName: \"ACode\"}, {Name: \"B\", CodeDir: \"old/b\", CodeName: \"BCode\", Pin: \"Model\"}}\n", 0o644)
	m.write("old/a/a.py", "1", 0o644)
	full := m.commit()
	r := &Repository{m.dir}
	target := Target{Definition: definition(), Environment: "dev", Bucket: "other"}
	if s, err := r.Side(t.Context(), empty, target); s != nil || err != nil {
		t.Errorf("where nothing is: %v, %v", s, err)
	}
	s, err := r.Side(t.Context(), full, target)
	if err != nil {
		t.Fatal(err)
	}
	if string(s.Template) != `{"old": true}` || s.Region != "us-east-1" || s.Parameters["Bucket"] != "other" || len(s.Parameters["ACode"]) != 64 || s.Parameters["BCode"] != "" {
		t.Errorf("side is %s with %v", s.Template, s.Parameters)
	}
	target.Environment = "prod"
	if s, err := r.Side(t.Context(), full, target); s != nil || err != nil {
		t.Errorf("an environment that was not there: %v, %v", s, err)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	m := newModule(t)
	r := &Repository{m.dir}
	if _, _, err := r.Resolve(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "no commit") {
		t.Errorf("without a commit: %v", err)
	}
	m.write("a", "1", 0o644)
	base := m.commit()
	if got, words, err := r.Resolve(t.Context(), ""); err != nil || got != base || !strings.HasSuffix(words, "(HEAD)") {
		t.Errorf("on main: %s, %q, %v", got, words, err)
	}
	m.git("checkout", "-q", "-b", "topic")
	m.write("a", "2", 0o644)
	head := m.commit()
	if got, words, err := r.Resolve(t.Context(), ""); err != nil || got != base || !strings.Contains(words, "left main") {
		t.Errorf("on a branch: %s, %q, %v", got, words, err)
	}
	if got, _, err := r.Resolve(t.Context(), "topic"); err != nil || got != head {
		t.Errorf("named: %s, %v", got, err)
	}
	for _, name := range []string{"nowhere", "--upload-pack=x", "-n", "HEAD:a"} {
		if got, _, err := r.Resolve(t.Context(), name); err == nil || !strings.Contains(err.Error(), "git knows no revision") {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestOpenRefusesNoRepository(t *testing.T) {
	t.Parallel()
	if _, err := Open(context.Background(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "has to be in a git repository") {
		t.Errorf("error is %v", err)
	}
}
