package sandbox

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// modes runs a test in both isolations, and skips with the reason where one does
// not work.
func modes(t *testing.T, test func(t *testing.T, mode Mode)) {
	t.Helper()
	for _, mode := range []Mode{Direct, Namespace} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			if mode == Namespace {
				if err := Probe(t.Context()); err != nil {
					t.Skipf("no namespaces here: %v", err)
				}
			}
			test(t, mode)
		})
	}
}

// shell is a job that runs a shell script with arguments.
func shell(t *testing.T, mode Mode, script string, args ...string) (*Job, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	return &Job{
		Dir:    filepath.Join(t.TempDir(), "job"),
		Mode:   mode,
		Argv:   append([]string{"/bin/sh", "-euc", script, "script"}, args...),
		Env:    []string{"PATH=/usr/local/bin:/usr/bin:/bin"},
		Stdout: log,
		Grace:  5 * time.Second,
	}, log
}

// run runs a job that must start.
func run(t *testing.T, ctx context.Context, j *Job, log *bytes.Buffer) *Result {
	t.Helper()
	r, err := Run(ctx, *j)
	if err != nil {
		t.Fatalf("%v\nlog: %s", err, log)
	}
	return r
}

// mustOK runs a job that must end well.
func mustOK(t *testing.T, j *Job, log *bytes.Buffer) *Result {
	t.Helper()
	r := run(t, t.Context(), j, log)
	if !r.OK() {
		t.Fatalf("the job ended with %s\nlog: %s", r, log)
	}
	return r
}

func write(t *testing.T, path, content string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const plainUser = 65534

// TestAsPlainUser runs every test of this package again as a user who is not root,
// who needs a user namespace for what root can do.
func TestAsPlainUser(t *testing.T) {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir, err := os.MkdirTemp("", "plain user ")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, plainUser, plainUser); err != nil {
		t.Fatal(err)
	}
	args := []string{"-test.timeout=5m", "-test.v"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	again := exec.Command("/proc/self/exe", args...)
	again.Dir = "/"
	again.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, "HOME=" + dir, "GOCOVERDIR=" + dir}
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: plainUser, Gid: plainUser}}
	out, err := again.CombinedOutput()
	if err != nil {
		t.Fatalf("as user %d: %v\n%s", plainUser, err, out)
	}
	if !strings.Contains(string(out), "--- PASS: TestInputs") {
		t.Errorf("the tests did not run as user %d:\n%s", plainUser, out)
	}
	if strings.Contains(string(out), "no namespaces here") {
		t.Log("as a plain user there are no namespaces here")
	}
}
