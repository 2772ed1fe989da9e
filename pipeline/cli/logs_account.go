package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/execution"
	"github.com/mlmax/mlmax/pipeline/cloud/joblog"
	"github.com/mlmax/mlmax/pipeline/cloud/ledger"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// between is how long is waited for a run's next job.
const between = 5 * time.Second

// jobLogs prints what the jobs of a run on AWS wrote, and with follow what they go on to
// write, until the run ends or the reader has enough.
func (a *app) jobLogs(ctx context.Context, ref, step string, follow bool) error {
	p, err := a.place(ctx, a.aws)
	if err != nil {
		return err
	}
	a.account = p
	x, err := execution.Find(ctx, p, ref)
	if errors.Is(err, execution.ErrNotFound) {
		return a.oldLogs(ctx, ref, step) // there is a manifest, maybe
	}
	if err != nil {
		return err
	}
	j := &jobReader{app: a, Progress: ledger.NewProgress(x.ARN), run: x.Name, step: step, done: map[string]bool{}}
	if err := j.Look(ctx, p); err != nil {
		return p.Explain(err, "reading the history of run "+x.Name)
	}
	if !follow {
		return j.print(ctx)
	}
	signals, stop := a.notify()
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-signals:
			cancel(errEnough)
		case <-ctx.Done():
		}
	}()
	if err := j.follow(ctx); !errors.Is(context.Cause(ctx), errEnough) {
		return err
	}
	fmt.Fprintf(a.stderr, "no longer followed; the run goes on: %s\n", a.next("status "+x.Name))
	return &exit{code: exitInterrupted}
}

// errEnough is why a log is no longer followed.
var errEnough = errors.New("interrupted")

// oldLogs prints what the jobs of a run wrote that only its manifest tells of.
func (a *app) oldLogs(ctx context.Context, ref, step string) error {
	h, _, err := a.known(ctx, "")
	if err != nil {
		return err
	}
	defer h.Close()
	run, err := a.runOf(ctx, h, ref)
	if err != nil {
		return err
	}
	steps, err := h.Steps(ctx, run.ID)
	if err != nil {
		return fmt.Errorf("read the steps of run %s: %w", run.ID, err)
	}
	j := &jobReader{app: a, Progress: &ledger.Progress{Ended: true}, run: ref, step: step}
	for _, s := range steps {
		j.Tries = append(j.Tries, ledger.Try{Step: s.Name, Attempt: s.Attempt, Kind: s.Kind, Job: s.Job, Status: pipeline.Status(s.Status)})
	}
	return j.print(ctx)
}

// A jobReader prints the logs of one execution's jobs.
type jobReader struct {
	*app
	*ledger.Progress
	run, step string
	done      map[string]bool // jobs whose log was followed
	printed   bool
}

// chosen are the tries of jobs that were asked for.
func (j *jobReader) chosen() []ledger.Try {
	var all []ledger.Try
	for _, t := range j.Tries {
		if t.Job != "" && (j.step == "" || strings.EqualFold(j.step, t.Step)) {
			all = append(all, t)
		}
	}
	return all
}

// heading begins the log of a try.
func (j *jobReader) heading(t *ledger.Try) {
	if j.printed {
		fmt.Fprintln(j.stdout)
	}
	j.printed = true
	fmt.Fprintf(j.stdout, "==> %s, try %d, %s <==\n", terminal.Clean(t.Step), t.Attempt+1, strings.ToLower(terminal.Clean(string(t.Status))))
}

func (j *jobReader) line(text string) { fmt.Fprintln(j.stdout, text) }

// noLog says that a job wrote nothing, or that it is gone.
func (j *jobReader) noLog(t *ledger.Try) {
	fmt.Fprintf(j.stdout, "(there is no log of job %s in %s)\n", terminal.Clean(t.Job), joblog.Group(t.Kind))
}

// print prints what there is now.
func (j *jobReader) print(ctx context.Context) error {
	chosen := j.chosen()
	if len(chosen) == 0 {
		return j.none()
	}
	for i := range chosen {
		t := &chosen[i]
		j.heading(t)
		found, err := joblog.All(ctx, j.account, t.Kind, t.Job, j.line)
		if err != nil {
			return err
		}
		if !found {
			j.noLog(t)
		}
	}
	return nil
}

// none says why there is nothing to print.
func (j *jobReader) none() error {
	var tries []record.Step
	for _, t := range j.Tries {
		tries = append(tries, record.Step{Name: t.Step, Log: t.Job})
	}
	return j.noLogs(j.run, j.step, tries)
}

// follow prints what there is and what comes, a job after the other.
func (j *jobReader) follow(ctx context.Context) error {
	if j.step != "" && !slices.ContainsFunc(j.definition.Jobs, func(d pipeline.Job) bool { return strings.EqualFold(d.Name, j.step) }) {
		return j.none()
	}
	for {
		for _, t := range j.chosen() {
			if j.done[t.Job] {
				continue
			}
			j.done[t.Job] = true
			j.heading(&t)
			var trouble error
			lines := 0
			err := joblog.Follow(ctx, j.account, t.Kind, t.Job, func() bool {
				trouble = j.again(ctx)
				return trouble != nil || j.Ended || j.ended(t.Job)
			}, func(text string) {
				lines++
				j.line(text)
			})
			if err := errors.Join(err, trouble); err != nil {
				return err
			}
			if lines == 0 {
				j.noLog(&t)
			}
		}
		if j.Ended && !j.waiting() {
			break
		}
		if err := j.account.Wait(ctx, between); err != nil {
			return err
		}
		if err := j.again(ctx); err != nil {
			return err
		}
	}
	if !j.printed {
		return j.none()
	}
	return nil
}

// again looks once more; that AWS is busy is no trouble.
func (j *jobReader) again(ctx context.Context) error {
	err := j.Look(ctx, j.account)
	if err == nil || cloud.Passes(err) && ctx.Err() == nil {
		return nil
	}
	return j.account.Explain(err, "reading the history of run "+j.run)
}

// ended says whether a job is over.
func (j *jobReader) ended(job string) bool {
	for _, t := range j.Tries {
		if t.Job == job {
			return t.Status != pipeline.Running
		}
	}
	return false
}

// waiting says whether there is a job whose log was not printed yet.
func (j *jobReader) waiting() bool {
	return slices.ContainsFunc(j.chosen(), func(t ledger.Try) bool { return !j.done[t.Job] })
}
