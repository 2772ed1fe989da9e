package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/execution"
	"github.com/mlmax/mlmax/pipeline/cloud/ledger"
	"github.com/mlmax/mlmax/pipeline/progress"
)

// runThere starts the pipeline on AWS and reports how it ended.
func (a *app) runThere(ctx context.Context, o runOptions) error {
	values, problems := o.values.values(true)
	if len(problems) > 0 {
		problem := errors.Join(problems...)
		hint := fmt.Errorf("%w\n\thint: see %s --help; nothing was started", problem, a.command)
		return a.fail(o, exitFailed, hint, a.nothing(values, "BadParameters", problem))
	}
	if o.named {
		// Before anything is uploaded. A name that is empty is a variable that nobody set:
		// each try would be a run of its own.
		if err := execution.CheckName(o.execution); err != nil {
			return a.fail(o, exitTrouble, fmt.Errorf("--run: %w", err), a.nothing(values, "Trouble", err))
		}
	}
	p, err := a.place(ctx, o.aws)
	if err == nil && !o.deployed {
		err = a.sameAsDeployed(ctx, p)
	}
	if err != nil {
		return a.fail(o, exitTrouble, err, a.nothing(values, "Trouble", err))
	}
	name := o.execution
	if name == "" {
		if name, err = execution.NewName(p.Clock.Now(), rand.Reader); err != nil {
			return a.fail(o, exitTrouble, err, a.nothing(values, "Trouble", err))
		}
	}
	return a.attend(ctx, o, p, name, func(ctx context.Context, d progress.Display) (*pipeline.Outcome, error) {
		in, err := json.Marshal(values)
		if err != nil {
			return nil, fmt.Errorf("encode the input: %w", err)
		}
		if in, err = execution.Input(ctx, p, in, uploading(d, p)); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, errors.New("interrupted; nothing was started")
		}
		// The answer is waited for, whoever interrupts: it says whether something runs.
		started, err := execution.Start(context.WithoutCancel(ctx), p, name, in)
		if err != nil {
			return nil, err
		}
		if started.Attached {
			d.Say("Run " + name + " was started before, with the same values; this is that one")
		} else {
			d.Say("Run " + name + " started: " + execution.Page(p, name))
		}
		return execution.Watch(ctx, p, name, execution.WatchOptions{Started: p.Clock.Now(), Lines: !o.quiet}, d.Event)
	})
}

// uploading shows how far an upload is, as what is done before the first step.
func uploading(d progress.Display, p *cloud.Place) func(cloud.Progress) {
	return func(u cloud.Progress) {
		if !u.There {
			d.Event(pipeline.Event{Kind: pipeline.Preparing, Time: p.Clock.Now(), Message: "uploading " + u.What, Done: u.Done, Total: u.Total})
		}
	}
}

// sameAsDeployed refuses a run where the work tree is not what is deployed.
func (a *app) sameAsDeployed(ctx context.Context, p *cloud.Place) error {
	deployed, err := execution.Deployed(ctx, p)
	if err != nil {
		return err
	}
	tree, err := a.workTree()
	if err != nil {
		return cloud.Advise(fmt.Errorf("compare what is deployed with the work tree: %w", err), "run what is deployed, whatever the tree has: "+p.Next("run --deployed"))
	}
	return execution.RefuseRun(p, execution.Compare(deployed, p, tree, "deployed"))
}

// resumeThere goes on with an execution and reports how it ended.
func (a *app) resumeThere(ctx context.Context, o runOptions, ref string) error {
	p, d, err := a.found(ctx, o.aws, ref)
	if err == nil {
		err = execution.Resumable(p, d)
	}
	if err == nil && !o.sameCode {
		err = a.sameAsStarted(ctx, p, d)
	}
	if err != nil {
		return a.fail(o, exitTrouble, err, a.nothing(nil, "Trouble", err))
	}
	return a.attend(ctx, o, p, d.Name, func(ctx context.Context, show progress.Display) (*pipeline.Outcome, error) {
		redrives, err := execution.Redrive(context.WithoutCancel(ctx), p, d)
		if err != nil {
			return nil, err
		}
		show.Say("Run " + d.Name + " goes on: " + execution.Page(p, d.Name))
		return execution.Watch(ctx, p, d.Name, execution.WatchOptions{Redrives: redrives, Lines: !o.quiet}, show.Event)
	})
}

// sameAsStarted refuses to go on with a run that was started with other code.
func (a *app) sameAsStarted(ctx context.Context, p *cloud.Place, d *execution.Description) error {
	started, err := execution.RevisionOf(ctx, p, d)
	if err != nil {
		return err
	}
	tree, err := a.workTree()
	if err != nil {
		return cloud.Advise(fmt.Errorf("compare what run %s was started with and the work tree: %w", d.Name, err), "go on with it, whatever the tree has: "+p.Next("resume "+d.Name+" --same-code"))
	}
	return execution.RefuseResume(p, d.Name, execution.Compare(started, p, tree, "started with"))
}

// found opens the environment that the flags name, and finds an execution in it.
func (a *app) found(ctx context.Context, f awsFlags, ref string) (*cloud.Place, *execution.Description, error) {
	p, err := a.place(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	d, err := execution.Find(ctx, p, ref)
	return p, d, err
}

// attend does something that can be watched, with its progress shown, until it ends or a
// person stops watching; then it reports how it ended.
func (a *app) attend(ctx context.Context, o runOptions, p *cloud.Place, name string, work func(context.Context, progress.Display) (*pipeline.Outcome, error)) error {
	outcome, stopped, err := a.untilInterrupted(ctx, o.quiet, work)
	switch {
	case errors.Is(err, execution.ErrDetached):
		fmt.Fprintf(a.stderr, "\nRun %s goes on, and is no longer watched\n  %s\n  %s\n", name, p.Next("watch "+name), p.Next("stop "+name))
		if o.json {
			err = a.printJSON(outcome)
		} else {
			err = nil
		}
		return &exit{exitOf(stopped, exitInterrupted), err}
	case err != nil:
		if outcome == nil {
			outcome = a.nothing(nil, "Trouble", err)
			outcome.Execution = name
		} else if outcome.Cause == "" {
			outcome.Cause = err.Error()
		}
		return a.fail(o, exitOf(stopped, exitTrouble), err, outcome)
	}
	if err := a.reportThere(ctx, o.json, p, outcome); err != nil {
		return err
	}
	return codeOf(outcome)
}

// codeOf is the exit of a run that ended in a way: none if it is good, or still open.
func codeOf(o *pipeline.Outcome) error {
	switch o.Status {
	case pipeline.Failed, pipeline.TimedOut, pipeline.Aborted:
		return &exit{code: exitFailed}
	}
	return nil
}

// untilInterrupted does work with a display, and ends its context at the first signal,
// which it returns. At the second it is not waited for any longer.
func (a *app) untilInterrupted(ctx context.Context, quiet bool, work func(context.Context, progress.Display) (*pipeline.Outcome, error)) (*pipeline.Outcome, os.Signal, error) {
	signals, unhear := a.notify()
	defer unhear()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	display, undisplay := a.display(a.stderr, progress.Start(a.definition), quiet)
	defer undisplay()
	ended := make(chan ending, 1)
	go func() {
		o, err := work(ctx, display)
		ended <- ending{o, err}
	}()
	var first os.Signal
	var heard time.Time
	for {
		select {
		case e := <-ended:
			return e.outcome, first, e.err
		case s := <-signals:
			if first != nil && time.Since(heard) >= a.settle {
				return nil, first, errors.New("interrupted while something was asked of AWS; whether it was done is not known")
			}
			if first == nil {
				first, heard = s, time.Now()
				stop(pipeline.ErrInterrupted)
			}
		}
	}
}

// reportThere writes how a run on AWS ended.
func (a *app) reportThere(ctx context.Context, asJSON bool, p *cloud.Place, outcome *pipeline.Outcome) error {
	err := a.summarize(asJSON, outcome, progress.SummaryOptions{
		Command: p.Next("run"), Next: p.Next, Runs: "all runs of this environment",
		Tail: func(log string, lines int) []string { return execution.Tail(ctx, p, log, lines) },
	})
	if err != nil {
		return cloud.Advise(fmt.Errorf("run %s is %s, but could not be told: %w", cmp.Or(outcome.Execution, outcome.Run), outcome.Status, err), "see "+p.Next("runs"))
	}
	return nil
}

// runsThere lists the executions of an environment.
func (a *app) runsThere(ctx context.Context, f awsFlags, limit int, asJSON bool) error {
	p, err := a.place(ctx, f)
	if err != nil {
		return err
	}
	all, err := execution.List(ctx, p, limit)
	if err != nil {
		return err
	}
	runs := []runLine{}
	for _, d := range all {
		line := runLine{
			Run: ledger.RunID(d.ARN, d.Started), Execution: d.Name, Pipeline: a.definition.Name, Status: string(d.Status), Started: d.Started,
			Resumable: d.Ended() && d.Status != pipeline.Succeeded && p.Clock.Now().Before(d.ResumableUntil()),
		}
		if d.Ended() {
			line.Seconds = d.Stopped.Sub(d.Started).Seconds()
		}
		runs = append(runs, line)
	}
	return a.printRuns(runs, asJSON, fmt.Sprintf("%s has no runs in %s; start one with: %s", a.definition.Name, f.env, p.Next("run")))
}
