//go:build unix

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlmax/mlmax/pipeline/local/failpoint"
)

// straggler is how long the log may stay open after the last known process: only
// where a process can leave its group unseen does anyone hold it then.
const straggler = time.Second

func (j *Job) execute(ctx context.Context, c *command) (*Result, error) {
	begin := time.Now()
	helper, output, err := j.begin(c)
	if err != nil {
		return nil, fmt.Errorf("start the helper of a job: %w", err)
	}
	defer output.Close()
	failpoint.Hit(failpoint.AfterSpawn)

	log := newLog(j.Stdout, j.LogLimit)
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		_, _ = io.CopyBuffer(log, struct{ io.Reader }{output}, make([]byte, 64<<10))
	}()
	ended := make(chan struct{})
	stopper := make(chan stopping, 1)
	go func() { stopper <- j.control(ctx, helper, ended) }()

	r, hearErr := helper.hear()
	duration := time.Since(begin)
	close(ended)
	stopped := <-stopper // from here on, nothing is said that the next job could hear
	var endErr error
	if hearErr == nil && !r.Spent {
		j.Helpers.give(helper)
	} else {
		endErr = helper.end()
	}
	_ = output.SetReadDeadline(time.Now().Add(straggler))
	<-logged

	if hearErr != nil {
		log.write(helper.trace.Bytes())
		return nil, fmt.Errorf("the helper of a job ended without a report: %w", errors.Join(endErr, hearErr))
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

type stopping struct{ asked, killed bool }

// control tells the helper what is to be done with the job.
func (j *Job) control(ctx context.Context, to *helper, ended <-chan struct{}) (s stopping) {
	select {
	case <-ended:
		return s
	case <-ctx.Done():
	}
	s.asked = true
	_ = to.send(stop, nil, noLog) // unless it has ended
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
	_ = to.send(stopNow, nil, noLog)
	return s
}

// signalNumber is the number of a signal by its name.
func signalNumber(name string) int { return int(unix.SignalNum(name)) }
