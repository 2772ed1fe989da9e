//go:build unix

package sandbox

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
)

// controlFD is the helper's end of the socket.
const controlFD = 3

// init takes over a process that startHelper started. Other programs never have
// that argv[0].
func init() {
	if len(os.Args) == 1 && os.Args[0] == helperName {
		os.Exit(help())
	}
}

// help is the helper: it runs one job after another, and ends all that each leaves
// behind, until the runner is gone or wants no more of it.
func help() int {
	// The kernel ties to a thread, this one, the root in namespace mode and the death
	// of the job should the helper die.
	runtime.LockOSThread()
	syscall.CloseOnExec(controlFD)
	// Signals meant for others must not end the helper before the job. They are
	// caught, not ignored: a job would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	syscall.Umask(0o022)
	// It may live long now. It is to stay small, since its size is the least that a
	// job's memory is measured as: until exec, a job's process is a copy of it.
	debug.SetGCPercent(100)
	kind, at, _, err := descriptor(controlFD).receive()
	if err != nil || kind != mountAt {
		return 1
	}
	world, trouble := newWorld(string(at))
	o := newOrders()
	go o.listen(descriptor(controlFD))
	for {
		// From here on it may be a while until there is a job.
		var f *frame
		if trouble == nil {
			f, trouble = world.newFrame()
		}
		next, ok := <-o.jobs
		if !ok {
			return 0
		}
		var r report
		if trouble == nil {
			r = next.run(f, o)
			trouble = world.leave(f)
		} else {
			r = report{Stage: stageMounts, Trouble: trouble.Error()}
		}
		r.Spent = trouble != nil
		_ = syscall.Close(next.log)
		o.done()
		if _, err := descriptor(controlFD).Write(frameMessage(jobEnded, r.marshal())); err != nil || r.Spent {
			return 1
		}
	}
}

// A task is a command with its log.
type task struct {
	*command
	log int
}

// run runs one job to its end.
func (t task) run(f *frame, o *orders) report {
	if err := adoptOrphans(); err != nil {
		return report{Stage: stageProgram, Trouble: err.Error()}
	}
	if (t.Root != nil) != (f != nil) {
		return report{Stage: stageMounts, Trouble: "the helper is of the other isolation"}
	}
	if t.Root != nil {
		if err := t.Root.enter(f); err != nil {
			return report{Stage: stageMounts, Trouble: err.Error()}
		}
	}
	if t.Check {
		return t.check()
	}
	pid, err := t.start()
	// No folder of the job is to be held.
	_ = os.Chdir("/")
	if err != nil {
		return report{Stage: stageProgram, Trouble: err.Error()}
	}
	o.started(pid)
	r := wait(pid)
	o.done()
	endAll(pid)
	return r
}

// start executes the program in a process group of its own.
func (t task) start() (int, error) {
	if t.Root != nil {
		if err := os.MkdirAll(t.WorkDir, 0o755); err != nil {
			return 0, fmt.Errorf("make the working directory: %w", err)
		}
	}
	// A relative program is one in the working directory.
	if err := os.Chdir(t.WorkDir); err != nil {
		return 0, fmt.Errorf("enter the working directory: %w", err)
	}
	program, err := lookPath(t.Argv[0], t.Env)
	if err != nil {
		return 0, err
	}
	null, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer syscall.Close(null)
	pid, err := syscall.ForkExec(program, t.Argv, &syscall.ProcAttr{
		Dir:   t.WorkDir,
		Env:   t.Env,
		Files: []uintptr{uintptr(null), uintptr(t.log), uintptr(t.log)},
		Sys:   jobAttributes(),
	})
	if err != nil {
		return 0, fmt.Errorf("execute %s: %w", program, err)
	}
	return pid, nil
}
