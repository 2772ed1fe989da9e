package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/progress"
)

// exitOf is the exit code after a signal; code if there was none.
func exitOf(s os.Signal, code int) int {
	switch s {
	case nil:
		return code
	case syscall.SIGTERM:
		return exitTerminated
	}
	return exitInterrupted
}

// An ending is what Runner.Run returns.
type ending struct {
	outcome *pipeline.Outcome
	err     error
}

// errLeft is the error of a run that did not end in time after it was killed.
var errLeft = errors.New("the run did not end in time after it was told to quit; it is recorded as interrupted")

// execute runs the pipeline with progress shown and signals heard. It returns the
// signal that stopped the run, if one did.
func (a *app) execute(ctx context.Context, r runner, in json.RawMessage, quiet bool) (*pipeline.Outcome, os.Signal, error) {
	signals, unhear := a.notify()
	defer unhear()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ctx, quit := pipeline.WithQuit(ctx)

	w := &watcher{state: progress.Start(a.definition)}
	display, undisplay := a.display(a.stderr, w.state, quiet)
	defer undisplay()

	ended := make(chan ending, 1)
	go func() {
		o, err := r.Run(ctx, a.definition, in, func(e pipeline.Event) {
			w.see(e)
			display.Event(e)
		})
		ended <- ending{o, err}
	}()
	var first os.Signal
	var heard time.Time
	var late <-chan time.Time
	for {
		select {
		case e := <-ended:
			return e.outcome, first, e.err
		case s := <-signals:
			if first == nil {
				first, heard = s, time.Now()
				display.Say(w.interrupted())
				stop(pipeline.ErrInterrupted)
				continue
			}
			if time.Since(heard) < a.settle {
				continue
			}
			if late != nil {
				return w.left(), first, errLeft
			}
			display.Say("Quitting at once")
			quit()
			late = time.After(a.patience)
		case <-late:
			return w.left(), first, errLeft
		}
	}
}

// A watcher knows which step is running.
type watcher struct {
	mu    sync.Mutex
	state progress.State
}

func (w *watcher) see(e pipeline.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = progress.Reduce(w.state, e)
}

// left is what is known of a run that did not end in time.
func (w *watcher) left() *pipeline.Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &pipeline.Outcome{
		Run: w.state.Run, Pipeline: w.state.Pipeline, Status: pipeline.Aborted,
		Error: interrupted, Cause: errLeft.Error(), FailedStep: w.state.Current(),
	}
}

// interrupted is what is said at the first interrupt.
func (w *watcher) interrupted() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	step := ""
	if name := w.state.Current(); name != "" {
		step = " step " + name
	}
	return "Interrupt received; stopping" + step + " (press again to quit at once)"
}
