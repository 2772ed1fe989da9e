//go:build unix

package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What the helper is told after its command: one byte each. The end of the stream
// means stopNow, too, so that a job does not outlive its runner.
const (
	stop    = 't'
	stopNow = 'k'
)

// helperName is the helper's argv[0].
const helperName = "mlmax-sandbox"

// straggler is how long the log may stay open after the last known process: only
// where a process can leave its group unseen does anyone hold it then.
const straggler = time.Second

// A channel is the four pipes between runner and helper.
type channel struct {
	logRead, logWrite         *os.File
	commandRead, commandWrite *os.File
	reportRead, reportWrite   *os.File
}

func (j *Job) execute(ctx context.Context, c *command) (*Result, error) {
	pipes, err := openChannel()
	if err != nil {
		return nil, fmt.Errorf("start a job: %w", err)
	}
	defer pipes.close()
	begin := time.Now()
	helper, err := startHelper(c, pipes)
	if err != nil {
		return nil, fmt.Errorf("start the helper of a job: %w", err)
	}
	pipes.logWrite.Close()
	pipes.commandRead.Close()
	pipes.reportWrite.Close()

	log := newLog(j.Stdout, j.LogLimit)
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		_, _ = io.CopyBuffer(log, struct{ io.Reader }{pipes.logRead}, make([]byte, 64<<10))
	}()
	ended := make(chan struct{})
	stopper := make(chan stopping, 1)
	go func() { stopper <- j.control(ctx, c, pipes.commandWrite, ended) }()

	said, readErr := io.ReadAll(pipes.reportRead)
	duration := time.Since(begin)
	close(ended)
	waitErr := helper.Wait()
	stopped := <-stopper
	_ = pipes.logRead.SetReadDeadline(time.Now().Add(straggler))
	<-logged

	r, err := unmarshalReport(said)
	if err != nil {
		return nil, fmt.Errorf("the helper of a job ended without a report: %w", errors.Join(waitErr, readErr, stopped.err))
	}
	if r.Trouble != "" {
		return nil, &startError{stage: r.Stage, text: r.Trouble}
	}
	result := &Result{
		ExitCode: r.Code, Stopped: stopped.asked, Killed: stopped.killed && r.Signal == int(syscall.SIGKILL),
		MaxRSS: r.MaxRSS, Duration: duration, LogDropped: log.dropped, LogError: log.err,
	}
	if r.Signal != 0 {
		result.ExitCode, result.Signal = -1, unix.SignalName(syscall.Signal(r.Signal))
	}
	if j.Mode == Direct && !result.OK() && !result.Stopped && log.mentions {
		result.Hint = hint(ctx)
	}
	return result, nil
}

// hint is for a script that insists on a container path.
func hint(ctx context.Context) string {
	const fact = "the script seems to use a fixed path below /opt/ml, which direct isolation does not have: "
	if err := Probe(ctx); err != nil {
		return fact + "take the path from an argument or an SM_ variable (namespace isolation, which has it, does not work here: " + err.Error() + ")"
	}
	return fact + "take the path from an argument or an SM_ variable, or use --isolation namespace"
}

type stopping struct {
	asked, killed bool
	err           error
}

// control sends the command, and then what is to be done with the job.
func (j *Job) control(ctx context.Context, c *command, to io.Writer, ended <-chan struct{}) (s stopping) {
	text := c.marshal()
	message := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	if _, err := to.Write(append(message, text...)); err != nil {
		s.err = err
		return s
	}
	select {
	case <-ended:
		return s
	case <-ctx.Done():
	}
	s.asked = true
	_, _ = to.Write([]byte{stop})
	grace := j.Grace
	if grace <= 0 {
		grace = DefaultGrace
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ended:
		return s
	case <-timer.C:
	case <-j.Quit:
	}
	s.killed = true
	_, _ = to.Write([]byte{stopNow})
	return s
}

func openChannel() (p *channel, err error) {
	p = &channel{}
	for _, pair := range []struct{ read, write **os.File }{
		{&p.logRead, &p.logWrite}, {&p.commandRead, &p.commandWrite}, {&p.reportRead, &p.reportWrite},
	} {
		if *pair.read, *pair.write, err = os.Pipe(); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *channel) close() {
	for _, f := range []*os.File{p.logRead, p.logWrite, p.commandRead, p.commandWrite, p.reportRead, p.reportWrite} {
		if f != nil {
			f.Close()
		}
	}
}

// startHelper starts this program again. Its own group keeps the terminal's
// Ctrl-C away from it.
func startHelper(c *command, p *channel) (*exec.Cmd, error) {
	program, err := self()
	if err != nil {
		return nil, err
	}
	var failed error
	for _, attributes := range helperAttributes(c.Root != nil) {
		helper := &exec.Cmd{
			Path: program,
			Args: []string{helperName},
			// It lives short and is to start fast.
			Env:    []string{"GOMAXPROCS=2", "GOGC=off", "GODEBUG=asyncpreemptoff=1"},
			Stdout: p.logWrite, Stderr: p.logWrite,
			ExtraFiles:  []*os.File{p.commandRead, p.reportWrite},
			SysProcAttr: attributes,
		}
		if failed = helper.Start(); failed == nil {
			return helper, nil
		}
	}
	return nil, failed
}

// signalNumber is the number of a signal by its name.
func signalNumber(name string) int { return int(unix.SignalNum(name)) }
