package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestSpare: jobs with a spare helper see of each other what jobs without see, also
// when they run at the same time, and when there are more of them than helpers.
func TestSpare(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		folder := t.TempDir()
		spare := NewSpare(mode, folder, 4)
		t.Cleanup(spare.Close)
		var all sync.WaitGroup
		for n := range 6 {
			job := func() {
				source := write(t, filepath.Join(t.TempDir(), "in"), strconv.Itoa(n), 0o444)
				j, log := shell(t, mode, `cat "$1/in"; echo changed > "$1/in"; ls "$2"; echo made > "$2/made"`, "/opt/ml/in", "/opt/ml/out")
				j.Mounts = []Mount{{Target: "/opt/ml/in", Source: source}, {Target: "/opt/ml/out", Kind: Output}}
				j.Spare = spare
				r, err := Run(t.Context(), *j)
				switch {
				case err != nil:
					t.Error(err)
				case !r.OK() || log.String() != strconv.Itoa(n):
					t.Errorf("job %d: %s, log %q", n, r, log)
				case read(t, j.HostPath("/opt/ml/out/made")) != "made\n" || read(t, source) != strconv.Itoa(n):
					t.Errorf("job %d left the wrong files", n)
				}
			}
			if n < 3 {
				job()
			} else {
				all.Go(job)
			}
		}
		all.Wait()
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("the folder holds %v, %v", left, err)
		}
	})
}

// TestSpareDead: a spare helper that someone has killed is replaced.
func TestSpareDead(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		spare := NewSpare(mode, t.TempDir(), 1)
		defer spare.Close()
		h := <-spare.next
		if err := h.process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := h.process.Process.Wait(); err != nil {
			t.Fatal(err)
		}
		spare.next <- h
		j, log := shell(t, mode, "echo fine")
		j.Spare = spare
		mustOK(t, j, log)
	})
}

// TestSpareClosed: a spare helper that no job took is gone after Close, and none
// comes after it.
func TestSpareClosed(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, mode Mode) {
		spare := NewSpare(mode, t.TempDir(), 2)
		h := <-spare.next
		spare.next <- h
		spare.Close()
		spare.Close()
		if h.process.ProcessState == nil {
			t.Errorf("the helper was not waited for")
		}
		j, log := shell(t, mode, "echo fine")
		j.Spare = spare
		mustOK(t, j, log)
		if spare.next != nil {
			t.Error("there is a helper after Close")
		}
	})
}

// TestSpareOrphan: kill -9 of the program that holds a spare helper ends it.
func TestSpareOrphan(t *testing.T) {
	if os.Getenv("SANDBOX_TEST_SPARE") != "" {
		spare := NewSpare(Mode(os.Getenv("SANDBOX_TEST_SPARE")), t.TempDir(), 1)
		os.Stdout.WriteString("pid " + strconv.Itoa((<-spare.next).process.Process.Pid) + "\n")
		select {}
	}
	modes(t, func(t *testing.T, mode Mode) {
		runner := exec.Command("/proc/self/exe", "-test.run=^TestSpareOrphan$")
		runner.Env = append(os.Environ(), "SANDBOX_TEST_SPARE="+string(mode))
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
	})
}
