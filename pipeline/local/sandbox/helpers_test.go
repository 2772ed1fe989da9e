package sandbox

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pool makes helpers whose folder must be empty in the end.
func pool(t *testing.T, mode Mode) *Helpers {
	t.Helper()
	folder := t.TempDir()
	s := NewHelpers(mode, folder)
	t.Cleanup(func() {
		s.Close()
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("the folder holds %v, %v", left, err)
		}
	})
	return s
}

// only is the one helper there is, which stays idle.
func only(t *testing.T, s *Helpers) *helper {
	t.Helper()
	h := s.take()
	if h == nil {
		t.Fatal("there is no helper")
	}
	if more := s.take(); more != nil {
		t.Fatal("there are two helpers")
	}
	s.give(h)
	return h
}

// pooled is a shell job with helpers.
func pooled(t *testing.T, mode Mode, s *Helpers, script string, args ...string) (*Job, fmt.Stringer) {
	t.Helper()
	j, log := shell(t, mode, script, args...)
	j.Helpers = s
	return j, log
}

// TestHelpers: jobs that share helpers see what jobs without them see, one after the
// other and at the same time.
func TestHelpers(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		helpers := pool(t, mode)
		var all sync.WaitGroup
		for n := range 8 {
			job := func() {
				source := write(t, filepath.Join(t.TempDir(), "in"), strconv.Itoa(n), 0o444)
				j, log := pooled(t, mode, helpers, `cat "$1/in"; echo changed > "$1/in"; ls "$2"; echo made > "$2/made"`, "/opt/ml/in", "/opt/ml/out")
				j.Mounts = []Mount{{Target: "/opt/ml/in", Source: source}, {Target: "/opt/ml/out", Kind: Output}}
				r, err := Run(t.Context(), *j)
				switch {
				case err != nil:
					t.Error(err)
				case !r.OK() || log.String() != strconv.Itoa(n):
					t.Errorf("job %d: %s, log %q", n, r, log)
				case read(t, j.HostPath("/opt/ml/out/made")) != "made\n" || read(t, source) != strconv.Itoa(n):
					t.Errorf("job %d left the wrong files", n)
				}
				if err := os.RemoveAll(j.Dir); err != nil {
					t.Errorf("the folder of job %d is not free: %v", n, err)
				}
			}
			if n < 3 {
				job()
			} else {
				all.Go(job)
			}
		}
		all.Wait()
	})
}

// TestHelperApart: a job leaves nothing that the next one of its helper could see.
func TestHelperApart(t *testing.T) {
	t.Parallel()
	const first = `
		echo mine > /tmp/apart-$4 2>/dev/null || :
		mkdir -p "$1/sub"; echo changed > "$2/in"; cd "$1/sub"
		umask 077; ulimit -n 50; export LEFT=over
		trap '' TERM HUP INT
		if test "$3" = namespace; then echo mine > /etc-of-one; mkdir /opt/one; echo mine > /opt/ml/one; fi
		exec 9>"$1/held"
		(sleep 600 &) & sleep 600 &
		echo ready
	`
	const second = `
		umask; pwd; env | sort | tr '\n' ' '; echo; ulimit -n; cat "$2/in"
		ls "$1"; trap
		if test "$3" = namespace; then ls -d /etc-of-one /opt/one /opt/ml/one /tmp/apart-$4 2>/dev/null || echo nothing; fi
		grep -c sleep /proc/[0-9]*/comm 2>/dev/null | grep -c :1 || echo no sleep
	`
	modes(t, func(t *testing.T, mode Mode) {
		look := func(helpers *Helpers, script string) (string, *Job) {
			source := write(t, filepath.Join(t.TempDir(), "in"), "sound\n", 0o444)
			j, log := pooled(t, mode, helpers, script, "/opt/ml/out", "/opt/ml/in", string(mode), strconv.Itoa(os.Getpid()))
			j.Mounts = []Mount{{Target: "/opt/ml/in", Source: source}, {Target: "/opt/ml/out", Kind: Output}}
			if r, err := Run(t.Context(), *j); err != nil || !r.OK() {
				t.Fatalf("%v, %v\nlog: %s", r, err, log)
			}
			return strings.ReplaceAll(log.String(), j.Dir, "DIR"), j
		}
		t.Cleanup(func() { os.Remove("/tmp/apart-" + strconv.Itoa(os.Getpid())) })
		helpers := pool(t, mode)
		helper := only(t, helpers)
		said, j := look(helpers, first)
		if said != "ready\n" {
			t.Fatalf("the first job said %q", said)
		}
		if left := holders(t, filepath.Join(j.HostPath("/opt/ml/out"), "held")); len(left) != 0 {
			t.Errorf("processes %v are left before the second job", left)
		}
		after, _ := look(helpers, sansSleep(mode, second))
		alone, _ := look(nil, sansSleep(mode, second))
		if after != alone {
			t.Errorf("after a job:\n%s\nalone:\n%s", after, alone)
		}
		if only(t, helpers) != helper {
			t.Error("the second job had another helper")
		}
	})
}

// sansSleep leaves the count of sleeping processes out where a job sees those of the
// whole machine.
func sansSleep(mode Mode, script string) string {
	if mode == Namespace {
		return script
	}
	kept, _, _ := strings.Cut(script, "grep -c sleep")
	return kept
}

// TestHelperAfterTrouble: what a job has wrong is not held against its helper.
func TestHelperAfterTrouble(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		helpers := pool(t, mode)
		helper := only(t, helpers)
		bad, _ := pooled(t, mode, helpers, "true")
		bad.Argv = []string{"/nowhere/tool"}
		if _, err := Run(t.Context(), *bad); err == nil || !strings.Contains(err.Error(), "execute /nowhere/tool: no such file") {
			t.Errorf("got %v", err)
		}
		j, log := pooled(t, mode, helpers, "kill -SEGV $$")
		if r, err := Run(t.Context(), *j); err != nil || r.Signal != "SIGSEGV" {
			t.Errorf("%v, %v, log %s", r, err, log)
		}
		fine(t, mode, helpers)
		if only(t, helpers) != helper {
			t.Error("the last job had another helper")
		}
	})
}

// fine runs a job that ends well, with an environment larger than a socket's buffer.
func fine(t *testing.T, mode Mode, helpers *Helpers) {
	t.Helper()
	j, log := pooled(t, mode, helpers, "echo fine ${#V8}")
	for n := range 9 {
		j.Env = append(j.Env, fmt.Sprintf("V%d=%s", n, strings.Repeat("x", 100_000)))
	}
	r, err := Run(t.Context(), *j)
	if err != nil || !r.OK() || log.String() != "fine 100000\n" {
		t.Fatalf("%v, %v, log %q", r, err, log)
	}
}

// TestHelperKilled: a job that kills its helper fails, and the next one has another.
// In namespace mode it cannot: the helper is process 1 there.
func TestHelperKilled(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		helpers := pool(t, mode)
		helper := only(t, helpers)
		j, log := pooled(t, mode, helpers, "kill -KILL $PPID; echo survived")
		r, err := Run(t.Context(), *j)
		if mode == Namespace {
			if err != nil || !r.OK() || only(t, helpers) != helper {
				t.Errorf("%v, %v, log %s", r, err, log)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), "the helper of a job ended without a report: signal: killed") {
			t.Errorf("%v, %v, log %s", r, err, log)
		}
		fine(t, mode, helpers)
		if only(t, helpers) == helper {
			t.Error("the dead helper was used again")
		}
	})
}

// TestHelperDead: an idle helper that someone has killed is replaced.
func TestHelperDead(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		helpers := pool(t, mode)
		fine(t, mode, helpers)
		h := only(t, helpers)
		if err := h.process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := h.hear(); err == nil { // until it is gone
			t.Fatal("a dead helper reports")
		}
		fine(t, mode, helpers)
		if only(t, helpers) == h {
			t.Error("the dead helper is still there")
		}
	})
}

// TestHelperLateStop: a stop that arrives after its job is not taken for the next.
func TestHelperLateStop(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		helpers := pool(t, mode)
		for range 3 {
			fine(t, mode, helpers)
			h := only(t, helpers)
			for _, late := range []byte{stop, stopNow} {
				if err := h.send(late, nil, noLog); err != nil {
					t.Fatal(err)
				}
			}
		}
		fine(t, mode, helpers)
	})
}

// TestHelpersClosed: an idle helper is gone after Close, and one that has a job after
// that.
func TestHelpersClosed(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		helpers := pool(t, mode)
		busy := helpers.take()
		idle, err := startHelper(helpers.root)
		if err != nil {
			t.Fatal(err)
		}
		helpers.give(idle)
		helpers.Close()
		helpers.Close()
		if idle.process.ProcessState == nil || busy.process.ProcessState != nil {
			t.Errorf("idle: %v, busy: %v", idle.process.ProcessState, busy.process.ProcessState)
		}
		helpers.give(busy)
		if busy.process.ProcessState == nil {
			t.Error("the other helper was not waited for")
		}
		fine(t, mode, helpers)
		if helpers.take() != nil {
			t.Error("there is a helper after Close")
		}
	})
}

// holdings are what a process has: descriptors, mounts below a folder, threads. Only
// what is below the test's own folder counts: other tests mount and unmount on the
// same host meanwhile.
func holdings(t *testing.T, pid int, below string) (got [3]int) {
	for n, dir := range []string{"fd", "", "task"} {
		at := fmt.Sprintf("/proc/%d/", pid)
		if dir == "" {
			got[n] = strings.Count(read(t, at+"mountinfo"), below)
			continue
		}
		entries, err := os.ReadDir(at + dir)
		if err != nil {
			t.Error(err)
		}
		got[n] = len(entries)
	}
	return got
}

// TestHelperLeaks: after 200 jobs a helper holds what it held after the first, and so
// do its runner's mounts.
func TestHelperLeaks(t *testing.T) {
	modes(t, func(t *testing.T, mode Mode) {
		helpers := pool(t, mode)
		helper := only(t, helpers)
		pid := helper.process.Process.Pid
		source := write(t, filepath.Join(t.TempDir(), "in"), "in", 0o444)
		folder := filepath.Dir(t.TempDir()) // which holds the helper's and the jobs'
		host := holdings(t, os.Getpid(), folder)[1]
		// Between jobs a helper is on its way to the next, and at the beginning of one
		// on its way from starting it: look when it has passed a signal on.
		look := func() (got [3]int) {
			j, _ := pooled(t, mode, helpers, "trap 'echo now' TERM; echo ready; while :; do sleep 600 & wait || :; done")
			j.Mounts = []Mount{{Target: "/opt/ml/in", Source: source}, {Target: "/opt/ml/out", Kind: Output}}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ready, now, quit := make(chan struct{}), make(chan struct{}), make(chan struct{})
			j.Stdout = io.MultiWriter(&signalled{text: "ready", seen: ready}, &signalled{text: "now", seen: now})
			j.Grace, j.Quit = time.Hour, quit
			go func() {
				<-ready
				cancel()
				<-now
				got = holdings(t, pid, folder)
				if at, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err != nil || at != "/" {
					t.Errorf("the helper is in %q, %v", at, err)
				}
				close(quit)
			}()
			if r, err := Run(ctx, *j); err != nil || !r.Killed {
				t.Fatalf("%v, %v", r, err)
			}
			return got
		}
		jobs := func(n int) {
			for range n {
				j, _ := pooled(t, mode, helpers, "sleep 600 & exit 0")
				j.Mounts = []Mount{{Target: "/opt/ml/in", Source: source}, {Target: "/opt/ml/out", Kind: Output}}
				if r, err := Run(t.Context(), *j); err != nil || !r.OK() {
					t.Fatalf("%v, %v", r, err)
				}
			}
		}
		jobs(5)
		first := look()
		jobs(200)
		last := look()
		if last[0] != first[0] || last[1] != first[1] || last[2] > first[2]+2 {
			t.Errorf("descriptors, mounts, threads: first %v, last %v", first, last)
		}
		if now := holdings(t, os.Getpid(), folder)[1]; now != host {
			t.Errorf("the host has %d mounts of this test, had %d", now, host)
		}
		if only(t, helpers) != helper {
			t.Error("there was another helper")
		}
	})
}

// TestHelperOrphan: kill -9 of the program that holds an idle helper ends it, before
// its first job and after one.
func TestHelperOrphan(t *testing.T) {
	if mode := Mode(os.Getenv("SANDBOX_TEST_HELPER")); mode != "" {
		helpers := NewHelpers(mode, t.TempDir())
		if os.Getenv("SANDBOX_TEST_JOBS") != "0" {
			fine(t, mode, helpers)
		}
		os.Stdout.WriteString("pid " + strconv.Itoa(only(t, helpers).process.Process.Pid) + "\n")
		select {}
	}
	modes(t, func(t *testing.T, mode Mode) {
		for _, jobs := range []string{"0", "1"} {
			runner := exec.Command("/proc/self/exe", "-test.run=^TestHelperOrphan$")
			runner.Env = append(os.Environ(), "SANDBOX_TEST_HELPER="+string(mode), "SANDBOX_TEST_JOBS="+jobs)
			out, err := runner.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := runner.Start(); err != nil {
				t.Fatal(err)
			}
			said := make([]byte, 64)
			n, err := out.Read(said)
			pid, parseErr := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(string(said[:n])), "pid "))
			if err != nil || parseErr != nil {
				t.Fatalf("the runner said %q, %v", said[:n], err)
			}
			if err := syscall.Kill(pid, 0); err != nil {
				t.Errorf("the helper is not there: %v", err)
			}
			if err := runner.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = runner.Wait()
			gone(t, pid)
		}
	})
}
