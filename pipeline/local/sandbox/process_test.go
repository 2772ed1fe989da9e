package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestEndings(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		for _, c := range []struct{ name, script, want string }{
			{"success", "exit 0", "exit code 0"},
			{"failure", "exit 3", "exit code 3"},
			{"killed", "kill -KILL $$", "killed by signal 9 (SIGKILL); possibly out of memory (peak "},
			{"segmentation", "kill -SEGV $$", "killed by signal 11 (SIGSEGV)"},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				j, log := shell(t, mode, c.script)
				r := run(t, t.Context(), j, log)
				if !strings.HasPrefix(r.String(), c.want) || r.MaxRSS <= 0 || r.Duration <= 0 || r.Stopped || r.Hint != "" {
					t.Errorf("got %s, %+v; want %s", r, r, c.want)
				}
			})
		}
	})
}

// signalled is a writer that closes a channel when it has seen a text.
type signalled struct {
	text string
	seen chan struct{}
	all  bytes.Buffer
}

func (s *signalled) Write(p []byte) (int, error) {
	s.all.Write(p)
	if s.seen != nil && strings.Contains(s.all.String(), s.text) {
		close(s.seen)
		s.text, s.seen = "", nil
	}
	return len(p), nil
}

// TestStop: the group gets SIGTERM, then SIGKILL after the grace or on Quit.
func TestStop(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		for _, c := range []struct {
			name, script, signal, log string
			grace                     time.Duration
			quit, killed              bool
			code                      int
		}{
			{"obedient", "trap 'echo cleaned; exit 7' TERM; echo ready; sleep 600 & wait", "", "cleaned", time.Minute, false, false, 7},
			{"default", "echo ready; exec sleep 600", "SIGTERM", "", time.Minute, false, false, -1},
			{"stubborn", "trap '' TERM; echo ready; while :; do sleep 600; done", "SIGKILL", "", 50 * time.Millisecond, false, true, -1},
			{"quit", "trap '' TERM; echo ready; while :; do sleep 600; done", "SIGKILL", "", time.Hour, true, true, -1},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				j, log := shell(t, mode, c.script)
				ready := make(chan struct{})
				out := &signalled{text: "ready", seen: ready}
				quit := make(chan struct{})
				j.Stdout, j.Grace, j.Quit = out, c.grace, quit
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					<-ready
					cancel()
					if c.quit {
						close(quit)
					}
				}()
				r := run(t, ctx, j, log)
				if !r.Stopped || r.Killed != c.killed || r.Signal != c.signal || r.ExitCode != c.code || !strings.Contains(out.all.String(), c.log) {
					t.Errorf("got %+v\nlog: %s", r, &out.all)
				}
			})
		}
	})
}

func TestStoppedBefore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("because")
	cancel(cause)
	j, _ := shell(t, Direct, "true")
	if _, err := Run(ctx, *j); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

// gone waits until a process of this host is not there any more.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || bytes.Contains(state, []byte(") Z ")) {
			return
		}
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// holders lists the processes that have a file open as descriptor 9, in whatever
// namespaces they are.
func holders(t *testing.T, file string) (pids []int) {
	t.Helper()
	want, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/9")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if to, err := os.Stat(l); err == nil && os.SameFile(to, want) {
			pid, err := strconv.Atoi(strings.Split(l, "/")[2])
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// family starts a child, a grandchild that leaves the session and a daemon, all of
// which ignore SIGTERM and hold descriptor 9 open.
const family = `
	exec 9>"$1/held"
	trap '' TERM HUP INT
	sleep 600 & 
	setsid sleep 600 &
	(setsid sh -c 'sleep 600 & sleep 600' &)
	until test "$(exec 9>&-; ls -l /proc/[0-9]*/fd/9 2>/dev/null | grep -c -- "$1/held")" -ge 5; do :; done
	echo ready
`

// TestFamily: whichever way a job ends, nothing that it started lives on.
func TestFamily(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid here")
	}
	modes(t, func(t *testing.T, mode Mode) {
		for _, c := range []struct {
			name, end string
			stop      bool
		}{
			{"exits", "exit 0", false},
			{"fails", "kill -KILL $$", false},
			{"is stopped", "sleep 600", true},
		} {
			t.Run(c.name, func(t *testing.T) {
				j, log := shell(t, mode, family+c.end, "/opt/ml/model")
				j.Mounts = []Mount{{Target: "/opt/ml/model", Kind: Output}}
				ready := make(chan struct{})
				out := &signalled{text: "ready", seen: ready}
				j.Stdout, j.Grace = out, 20*time.Millisecond
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.stop {
					go func() { <-ready; cancel() }()
				}
				r := run(t, ctx, j, log)
				if !strings.Contains(out.all.String(), "ready") {
					t.Fatalf("%s\nlog: %s", r, &out.all)
				}
				held := filepath.Join(j.HostPath("/opt/ml/model"), "held")
				if left := holders(t, held); len(left) != 0 {
					t.Errorf("processes %v are left", left)
				}
			})
		}
	})
}

// TestRunnerKilled: kill -9 of the program that runs the job ends the job.
func TestRunnerKilled(t *testing.T) {
	if dir := os.Getenv("SANDBOX_TEST_RUNNER"); dir != "" {
		runnerToKill(t, dir)
		return
	}
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid here")
	}
	modes(t, func(t *testing.T, mode Mode) {
		dir := t.TempDir()
		runner := exec.Command("/proc/self/exe", "-test.run=^TestRunnerKilled$")
		runner.Env = append(os.Environ(), "SANDBOX_TEST_RUNNER="+dir, "SANDBOX_TEST_MODE="+string(mode))
		out, err := runner.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := runner.Start(); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, 5)
		if _, err := io.ReadFull(out, said); err != nil || string(said) != "ready" {
			t.Fatalf("the runner said %q, %v", said, err)
		}
		j := Job{Dir: dir, Mode: mode, Mounts: []Mount{{Target: "/opt/ml/model", Kind: Output}}}
		pids := holders(t, filepath.Join(j.HostPath("/opt/ml/model"), "held"))
		if len(pids) < 5 {
			t.Errorf("processes %v are there, want 5", pids)
		}
		if err := runner.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = runner.Wait()
		for _, pid := range pids {
			gone(t, pid)
		}
	})
}

func runnerToKill(t *testing.T, dir string) {
	j, _ := shell(t, Mode(os.Getenv("SANDBOX_TEST_MODE")), family+"sleep 600", "/opt/ml/model")
	j.Dir, j.Stdout = dir, os.Stdout
	j.Mounts = []Mount{{Target: "/opt/ml/model", Kind: Output}}
	_, err := Run(t.Context(), *j)
	t.Fatalf("the job ended: %v", err)
}

// TestFlood: a gigabyte of log is cut at the limit and never waits.
func TestFlood(t *testing.T) {
	t.Parallel()
	bytesOut := int64(1 << 30)
	if testing.Short() {
		bytesOut = 1 << 26
	}
	modes(t, func(t *testing.T, mode Mode) {
		j, log := shell(t, mode, fmt.Sprintf("printf 'start \\377\\376'; head -c %d /dev/zero; echo end >&2", bytesOut))
		j.LogLimit = 1 << 20
		r := mustOK(t, j, log)
		if want := bytesOut + 8 + 4 - 1<<20; r.LogDropped != want {
			t.Errorf("%d bytes were dropped, want %d", r.LogDropped, want)
		}
		if !bytes.HasPrefix(log.Bytes(), []byte("start \xff\xfe\x00")) || !strings.HasSuffix(log.String(), "reached its limit of 1 MiB; the step went on]\n") {
			t.Errorf("the log begins with %q and ends with %q", log.Bytes()[:10], log.Bytes()[log.Len()-80:])
		}
		if log.Len() > 1<<20+200 {
			t.Errorf("the log has %d bytes", log.Len())
		}
	})
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestLogFails: a full disk under the log does not disturb the job.
func TestLogFails(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		j, log := shell(t, mode, "head -c 1000000 /dev/zero; echo fine")
		j.Stdout = failing{}
		if r := mustOK(t, j, log); !errors.Is(r.LogError, syscall.ENOSPC) {
			t.Errorf("log error %v", r.LogError)
		}
	})
}

// TestOrder: both streams arrive in the order in which they were written.
func TestOrder(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		j, log := shell(t, mode, "i=0; while [ $i -lt 50 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done")
		mustOK(t, j, log)
		var want strings.Builder
		for i := range 50 {
			fmt.Fprintf(&want, "o%d\ne%d\n", i, i)
		}
		if log.String() != want.String() {
			t.Errorf("log: %s", log)
		}
	})
}

func TestMentions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		writes []string
		want   bool
	}{
		{"quoted", []string{"No such file: '/opt/ml/model/x'"}, true},
		{"split", []string{"No such file: '/opt", "/ml/model/x'"}, true},
		{"split before", []string{"No such file: '", "/opt/ml/model/x'"}, true},
		{"own path", []string{"wrote /job/opt/ml/model/x"}, false},
		{"own path, split", []string{"wrote /job/opt/", "ml/model/x"}, false},
		{"own path, then fixed", []string{"/job/opt/ml/a and (/opt/ml/b)"}, true},
		{"none", []string{"fine"}, false},
	} {
		l := newLog(nil, 0)
		for _, w := range c.writes {
			if n, err := l.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("%s: write: %d, %v", c.name, n, err)
			}
		}
		if l.mentions != c.want {
			t.Errorf("%s: %v", c.name, l.mentions)
		}
	}
}
