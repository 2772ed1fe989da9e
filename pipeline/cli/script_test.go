package cli

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
)

// generated is the main of a census pipeline as it is generated, with the steps of
// testdata/steps instead of its own: shell scripts, or with STEPS=py in Python.
func generated(d *pipeline.Definition) func() {
	return func() {
		if os.Getenv("STEPS") != "py" {
			d.ASL = bytes.ReplaceAll(d.ASL, []byte(`"python3"`), []byte(`"/bin/sh"`))
			for i := range d.Jobs {
				python := d.Jobs[i].Script
				d.Jobs[i].Script = strings.TrimSuffix(python, ".py") + ".sh"
				d.ASL = bytes.ReplaceAll(d.ASL, []byte(python), []byte(d.Jobs[i].Script))
			}
		}
		a := newApp(d, os.Stdin, os.Stdout, os.Stderr)
		a.settle = 0 // no test is that slow
		os.Exit(a.main(os.Args[1:]))
	}
}

//go:embed testdata
var testdata embed.FS

// TestFaults runs the archives of testdata/script through the real command, in both
// isolations, each in a module of its own.
func TestFaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, testdata); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []sandbox.Mode{sandbox.Direct, sandbox.Namespace} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			if mode == sandbox.Namespace {
				if err := sandbox.Probe(t.Context()); err != nil {
					t.Skipf("no namespaces here: %v", err)
				}
			}
			testscript.Run(t, testscript.Params{
				Dir: filepath.Join(dir, "testdata", "script"), RequireExplicitExec: true, RequireUniqueNames: true,
				Setup:     func(e *testscript.Env) error { return setUp(e, dir, mode) },
				Condition: condition,
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"status": status, "outcome": outcomeIs, "signal": signals, "during": during, "gone": gone, "unseen": unseen,
					"tmpfs": tmpfs,
				},
			})
		})
	}
}

// TestFaultsAsPlainUser runs them again as a user who is not root.
func TestFaultsAsPlainUser(t *testing.T) {
	t.Parallel()
	const user = 65534
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	if testing.Short() {
		t.Skip("the same scripts as TestFaults; not in short mode")
	}
	dir, err := os.MkdirTemp("", "plain-user-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	// The test's own binary may lie where that user cannot go.
	program := filepath.Join(dir, "cli.test")
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skipf("no copy of this program: %v", err)
	}
	// A process that another test forks meanwhile would hold the file open for
	// writing, and Linux executes no such file.
	syscall.ForkLock.RLock()
	err = errors.Join(os.WriteFile(program, text, 0o755), os.Chmod(program, 0o755), os.Chown(dir, user, user))
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "-test.run=^TestFaults$", "-test.v")
	c.Dir = dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, "HOME=" + dir, "GOCOVERDIR=" + dir}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("as user %d: %v\n%s", user, err, out)
	}
	if !strings.Contains(string(out), "--- PASS: TestFaults/direct") {
		t.Errorf("the tests did not run as user %d:\n%s", user, out)
	}
}

// marks makes the marks of scripts unique.
var marks atomic.Int64

// setUp completes the module of a script. In its files and those of the steps,
// MARK stands for a number that no other process has on its command line.
func setUp(e *testscript.Env, dir string, mode sandbox.Mode) error {
	program, err := exec.LookPath("training")
	if err != nil {
		return err
	}
	mark := fmt.Sprintf("9%07d%03d", os.Getpid(), marks.Add(1))
	e.Vars = append(e.Vars, "ISOLATION="+string(mode), "MARK="+mark, "MAIN="+e.WorkDir, "LONG="+strings.Repeat("n", 255), "BIN="+filepath.Dir(program))
	steps := filepath.Join(e.WorkDir, "specs/census/steps")
	if err := os.CopyFS(steps, os.DirFS(filepath.Join(dir, "testdata/steps"))); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for name, content := range map[string]string{
		"go.mod":                           "module github.com/mlmax/mlmax\n",
		"specs/census/testdata/census.csv": "age,income\n39,low\n", "specs/census/testdata/unlabelled.csv": "age\n40\n",
	} {
		file := filepath.Join(e.WorkDir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o644)); err != nil {
			return err
		}
	}
	return filepath.WalkDir(e.WorkDir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".sh" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return errors.Join(os.WriteFile(name, bytes.ReplaceAll(text, []byte("MARK"), []byte(mark)), 0o755), os.Chmod(name, 0o755))
	})
}

// condition is [tmpfs], that one can be mounted; [root]; or [python], a python3 that
// can make environments.
func condition(name string) (bool, error) {
	switch name {
	case "tmpfs":
		return mountable(), nil
	case "root":
		return os.Geteuid() == 0, nil
	case "python":
	default:
		return false, fmt.Errorf("unknown condition %q", name)
	}
	err := exec.Command("python3", "-c", "import sys, venv; sys.exit(sys.version_info < (3, 9))").Run()
	return err == nil, nil
}

// mountable reports whether a tmpfs can be mounted here.
var mountable = sync.OnceValue(func() bool {
	dir, err := os.MkdirTemp("", "tmpfs-")
	if err != nil {
		return false
	}
	defer os.Remove(dir)
	if exec.Command("mount", "-t", "tmpfs", "tmpfs", dir).Run() != nil {
		return false
	}
	return exec.Command("umount", dir).Run() == nil
})

// tmpfs mounts one until the script ends: tmpfs DIR OPTIONS.
func tmpfs(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(exec.Command("mount", "-t", "tmpfs", "-o", args[1], "tmpfs", dir).Run())
	ts.Defer(func() { ts.Check(exec.Command("umount", "-l", dir).Run()) })
}

// status runs a command and demands its exit code: status 2 training --nonsense.
func status(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		code = exit.ExitCode()
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// outcomeIs demands that the standard output of the last command, or a file, is one
// object with the members that the documents name: outcome STATUS [FILE].
func outcomeIs(ts *testscript.TestScript, _ bool, args []string) {
	text := ""
	if len(args) > 1 {
		text = ts.ReadFile(args[1])
	} else {
		text = ts.ReadFile("stdout")
	}
	in := json.NewDecoder(strings.NewReader(text))
	var o map[string]any
	if err := in.Decode(&o); err != nil {
		ts.Fatalf("standard output is not JSON: %v\n%s", err, text)
	}
	if _, err := in.Token(); err != io.EOF {
		ts.Fatalf("more than one object:\n%s", text)
	}
	for _, name := range []string{"run", "status", "parameters", "metrics", "steps", "artifacts", "model"} {
		if value, ok := o[name]; !ok || value == nil && name != "model" {
			ts.Fatalf("%q is missing or null:\n%s", name, text)
		}
	}
	if o["status"] != args[0] {
		ts.Fatalf("status %v, want %s", o["status"], args[0])
	}
	for _, s := range o["steps"].([]any) {
		for _, name := range []string{"name", "status", "seconds", "cached"} {
			if _, ok := s.(map[string]any)[name]; !ok {
				ts.Fatalf("a step without %q:\n%s", name, text)
			}
		}
	}
}

// A session is a run that is going on: its step has said "ready".
type session struct {
	ts     *testscript.TestScript
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr *bufio.Reader
	said   strings.Builder
}

// begin starts the command and waits until its step is ready.
func begin(ts *testscript.TestScript, args []string) *session {
	program, err := exec.LookPath("training")
	ts.Check(err)
	s := &session{ts: ts, cmd: exec.Command(program, args...)}
	s.cmd.Dir = ts.Getenv("MAIN")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "STEPS"} {
		s.cmd.Env = append(s.cmd.Env, name+"="+ts.Getenv(name))
	}
	s.cmd.Stdout = &s.stdout
	pipe, err := s.cmd.StderrPipe()
	ts.Check(err)
	s.stderr = bufio.NewReader(pipe)
	ts.Check(s.cmd.Start())
	s.until("| ready")
	return s
}

// until reads standard error to a line that holds the text.
func (s *session) until(text string) {
	for {
		line, err := s.stderr.ReadString('\n')
		s.said.WriteString(line)
		if err != nil {
			s.ts.Fatalf("the command ended before it said %q:\n%s", text, s.said.String())
		}
		if strings.Contains(line, text) {
			return
		}
	}
}

// end waits for the end, demands the exit code, and writes the files out and err.
func (s *session) end(code string) {
	_, err := io.Copy(&s.said, s.stderr)
	s.ts.Check(err)
	_ = s.cmd.Wait() // the state says it
	s.ts.Check(os.WriteFile(s.ts.MkAbs("out"), s.stdout.Bytes(), 0o644))
	s.ts.Check(os.WriteFile(s.ts.MkAbs("err"), []byte(s.said.String()), 0o644))
	if got := fmt.Sprint(s.cmd.ProcessState.ExitCode()); got != code {
		s.ts.Fatalf("exit code %s, want %s\n%s", got, code, s.said.String())
	}
}

// signals starts a run and, when its step is ready, sends it a signal, and once it
// has heard that the next: signal CODE INT,INT args... A code of -1 is a run that
// was killed.
func signals(ts *testscript.TestScript, _ bool, args []string) {
	s := begin(ts, args[2:])
	for i, name := range strings.Split(args[1], ",") {
		if i > 0 {
			s.until("Interrupt received")
		}
		number := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}[name]
		ts.Check(s.cmd.Process.Signal(number))
	}
	s.end(args[0])
}

// during starts a run and, when its step is ready, runs another command, which must
// end with the code: during CODE training args...; then it interrupts the run.
func during(ts *testscript.TestScript, _ bool, args []string) {
	s := begin(ts, []string{"--isolation", ts.Getenv("ISOLATION")})
	status(ts, false, args)
	ts.Check(s.cmd.Process.Signal(os.Interrupt))
	s.end("130")
}

// gone demands that no process lives whose command line holds the mark. It looks
// until that is so: a process that is killed may take a moment to end.
func gone(ts *testscript.TestScript, _ bool, _ []string) {
	var living []string
	for range 2000 {
		living = nil
		lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
		ts.Check(err)
		for _, name := range lines {
			if text, err := os.ReadFile(name); err == nil && strings.Contains(string(text), ts.Getenv("MARK")) {
				living = append(living, string(text))
			}
		}
		if len(living) == 0 {
			return
		}
	}
	ts.Fatalf("alive: %q", living)
}

// unseen demands that nothing of a step is visible, and that no file of a job is
// left: unseen Train.
func unseen(ts *testscript.TestScript, _ bool, args []string) {
	found, err := filepath.Glob(filepath.Join(ts.Getenv("MAIN"), ".mlmax/s3/local/runs/*/*", args[0]))
	ts.Check(err)
	ts.Check(filepath.WalkDir(filepath.Join(ts.Getenv("MAIN"), ".mlmax/tmp"), func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, name)
		}
		return err
	}))
	if len(found) > 0 {
		ts.Fatalf("left behind: %q", found)
	}
}
