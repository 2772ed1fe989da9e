package worktree

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inner := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		filepath.Join(dir, "go.mod"):      "// comment\nmodule example.com/m // the module\n\ngo 1.26\n",
		filepath.Join(dir, "a", "go.mod"): "module \"example.com/other\"\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := Find(inner, "example.com/m")
	if err != nil || root != dir {
		t.Errorf("found %s, %v", root, err)
	}
	if root, err = Find(inner, "example.com/other"); err != nil || root != filepath.Join(dir, "a") {
		t.Errorf("found %s, %v", root, err)
	}
	if _, err = Find(inner, "example.com/none"); err == nil {
		t.Error("found a module that is not there")
	}
}

func TestCommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if id, dirty := Commit(t.Context(), dir); id != "" || dirty {
		t.Errorf("no repository: commit %q, dirty %v", id, dirty)
	}
	git := func(args ...string) {
		t.Helper()
		c := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		if out, err := c.CombinedOutput(); err != nil {
			t.Skipf("git: %v\n%s", err, out)
		}
	}
	name := filepath.Join(dir, "a.py")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("x = 1\n")
	git("init", "-q")
	git("add", "a.py")
	git("commit", "-q", "-m", "a")
	id, dirty := Commit(t.Context(), dir)
	if len(id) < 40 || dirty {
		t.Errorf("a clean tree: commit %q, dirty %v", id, dirty)
	}
	write("x = 22\n")
	if again, dirty := Commit(t.Context(), dir); again != id || !dirty {
		t.Errorf("a changed tree: commit %q, dirty %v", again, dirty)
	}
}
