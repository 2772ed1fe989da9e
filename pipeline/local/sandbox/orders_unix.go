//go:build unix

package sandbox

import (
	"errors"
	"sync"
	"syscall"
)

// orders are what the runner tells the helper: jobs, one at a time, and signals for
// the job that runs.
type orders struct {
	jobs chan task // closed when the runner is gone

	mu   sync.Mutex
	busy bool
	pid  int              // of the job, once it runs
	kept []syscall.Signal // that came before it ran
}

func newOrders() *orders { return &orders{jobs: make(chan task, 1)} }

// listen hears the runner, until it is gone. The job ends then, too.
func (o *orders) listen(from descriptor) {
	defer close(o.jobs)
	defer o.pass(syscall.SIGKILL)
	for {
		kind, text, log, err := from.receive()
		if err != nil {
			return
		}
		switch kind {
		case stop:
			o.pass(syscall.SIGTERM)
		case stopNow:
			o.pass(syscall.SIGKILL)
		case runJob:
			c, err := unmarshalCommand(text)
			if err != nil || log == noLog || !o.begin() {
				return
			}
			o.jobs <- task{c, log}
		default:
			return
		}
	}
}

// begin takes note that signals are for the next job from now on.
func (o *orders) begin() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	free := !o.busy
	o.busy = true
	return free
}

// pass sends a signal to the job, or keeps it until the job has started. One that
// comes after its job is of no use to anyone.
func (o *orders) pass(s syscall.Signal) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case !o.busy:
	case o.pid == 0:
		o.kept = append(o.kept, s)
	default:
		signalJob(o.pid, s)
	}
}

func (o *orders) started(pid int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pid = pid
	for _, s := range o.kept {
		signalJob(pid, s)
	}
}

func (o *orders) done() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy, o.pid, o.kept = false, 0, nil
}

// signalJob reaches the job's group, and the process itself should it have left that.
func signalJob(pid int, s syscall.Signal) {
	_ = syscall.Kill(-pid, s)
	_ = syscall.Kill(pid, s)
}

// wait waits for the job's own process. The orphans that end before it are only
// taken note of.
func wait(pid int) report {
	for {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		got, err := syscall.Wait4(-1, &status, 0, &usage)
		switch {
		case errors.Is(err, syscall.EINTR) || err == nil && got != pid:
			continue
		case err != nil:
			return report{Stage: stageProgram, Trouble: "wait for the program: " + err.Error()}
		}
		r := report{MaxRSS: int64(usage.Maxrss) * rssUnit}
		if status.Signaled() {
			r.Signal = int(status.Signal())
		} else {
			r.Code = status.ExitStatus()
		}
		return r
	}
}
