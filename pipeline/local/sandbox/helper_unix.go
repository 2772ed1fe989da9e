//go:build unix

package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// The helper's descriptors, beside the log on 1 and 2.
const (
	commandFD = 3
	reportFD  = 4
)

// init takes over a process that startHelper started. Other programs never have
// that argv[0].
func init() {
	if len(os.Args) == 1 && os.Args[0] == helperName {
		os.Exit(help())
	}
}

// help is the helper: it prepares what every job needs, waits for its command, runs
// one job and ends all that the job leaves behind.
func help() int {
	syscall.CloseOnExec(commandFD)
	syscall.CloseOnExec(reportFD)
	commands, reports := os.NewFile(commandFD, "commands"), os.NewFile(reportFD, "reports")
	// Signals meant for others must not end the helper before the job. They are
	// caught, not ignored: a job would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	syscall.Umask(0o022)
	at, err := readMessage(commands)
	if err != nil {
		return 1 // the runner is gone
	}
	host, trouble := newFrame(string(at))
	// From here on it may be a while: this helper may be a spare one.
	text, err := readMessage(commands)
	if err != nil {
		return 1
	}
	c, err := unmarshalCommand(text)
	if err != nil {
		return 1
	}
	r := report{Stage: stageMounts}
	if trouble != nil {
		r.Trouble = trouble.Error()
	} else {
		r = c.run(host, commands)
	}
	if _, err := reports.Write(r.marshal()); err != nil {
		return 1
	}
	return 0
}

func readMessage(from io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	text := make([]byte, binary.BigEndian.Uint32(length[:]))
	_, err := io.ReadFull(from, text)
	return text, err
}

func (c *command) run(host *frame, control io.Reader) report {
	if err := adoptOrphans(); err != nil {
		return report{Stage: stageProgram, Trouble: err.Error()}
	}
	if c.Root != nil {
		if err := c.Root.enter(host); err != nil {
			return report{Stage: stageMounts, Trouble: err.Error()}
		}
	}
	if c.Check {
		return c.check()
	}
	pid, err := c.start()
	if err != nil {
		return report{Stage: stageProgram, Trouble: err.Error()}
	}
	var gone atomic.Bool
	go obey(control, pid, &gone)
	r := wait(pid)
	gone.Store(true)
	endAll(pid)
	return r
}

// start executes the program in a process group of its own.
func (c *command) start() (int, error) {
	if c.Root != nil {
		if err := os.MkdirAll(c.WorkDir, 0o755); err != nil {
			return 0, fmt.Errorf("make the working directory: %w", err)
		}
	}
	// A relative program is one in the working directory.
	if err := os.Chdir(c.WorkDir); err != nil {
		return 0, fmt.Errorf("enter the working directory: %w", err)
	}
	program, err := lookPath(c.Argv[0], c.Env)
	if err != nil {
		return 0, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	pid, err := syscall.ForkExec(program, c.Argv, &syscall.ProcAttr{
		Dir:   c.WorkDir,
		Env:   c.Env,
		Files: []uintptr{null.Fd(), 1, 2},
		Sys:   jobAttributes(),
	})
	if err != nil {
		return 0, fmt.Errorf("execute %s: %w", program, err)
	}
	return pid, nil
}

// obey passes signals on to the job: its group, and the process itself should it
// have left that.
func obey(control io.Reader, pid int, gone *atomic.Bool) {
	send := func(s syscall.Signal) {
		if !gone.Load() {
			_ = syscall.Kill(-pid, s)
			_ = syscall.Kill(pid, s)
		}
	}
	for {
		var b [1]byte
		if _, err := control.Read(b[:]); err != nil || b[0] == stopNow {
			send(syscall.SIGKILL)
			return
		}
		send(syscall.SIGTERM)
	}
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
