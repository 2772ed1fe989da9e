package execution

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// A Runner runs a pipeline that is deployed in a place.
type Runner struct {
	Place *cloud.Place
	// Name is the execution's; empty makes one for each run.
	Name string
	// Rand makes names; nil is the system's.
	Rand io.Reader
}

var _ pipeline.Runner = (*Runner)(nil)

// Run implements [pipeline.Runner]: it starts an execution and follows it to its end. What
// is deployed is run, whatever the work tree holds: [Compare] tells the two apart. Data of
// this machine is uploaded.
func (r *Runner) Run(ctx context.Context, d *pipeline.Definition, input json.RawMessage, on func(pipeline.Event)) (*pipeline.Outcome, error) {
	p := r.Place
	if d.Name != p.Definition.Name {
		return nil, fmt.Errorf("this place is one of %s, not of %s", p.Definition.Name, d.Name)
	}
	name := r.Name
	if name == "" {
		random := r.Rand
		if random == nil {
			random = rand.Reader
		}
		var err error
		if name, err = NewName(p.Clock.Now(), random); err != nil {
			return nil, err
		}
	}
	given, err := Input(ctx, p, input, nil)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("run %s was not started: %w", name, context.Cause(ctx))
	}
	// Whoever gives up in this moment is to leave nothing running, which takes the answer.
	if _, err := Start(context.WithoutCancel(ctx), p, name, given); err != nil {
		return nil, err
	}
	w, err := newWatch(p, name, WatchOptions{Started: p.Clock.Now(), Lines: true}, on)
	if err != nil {
		return nil, err
	}
	outcome, err := w.follow(ctx)
	if errors.Is(err, ErrDetached) {
		return w.abort(ctx)
	}
	return outcome, err
}

// abort stops the execution of a run whose context has ended, and follows it to its end,
// unless the person is in a hurry.
func (w *watch) abort(ctx context.Context) (*pipeline.Outcome, error) {
	calls := context.WithoutCancel(ctx)
	_, err := cloud.StepFunctions(w.p).StopExecution(calls, &sfn.StopExecutionInput{
		ExecutionArn: aws.String(w.p.ExecutionARN(w.name)), Error: aws.String(Stopped), Cause: aws.String(clip(context.Cause(ctx).Error(), causeLimit)),
	})
	if err != nil {
		err = w.p.Explain(err, "stopping run "+w.name)
		return w.outcome(nil), fmt.Errorf("%w; it may go on: %s", err, w.p.Next("stop "+w.name))
	}
	w.pause = pause{next: shortest}
	waiting, enough := context.WithCancel(calls)
	defer enough()
	if quit := pipeline.Quit(ctx); quit != nil {
		go func() {
			select {
			case <-quit:
				enough()
			case <-waiting.Done():
			}
		}()
	}
	outcome, err := w.follow(waiting)
	if errors.Is(err, ErrDetached) {
		outcome.Status, outcome.Cause = pipeline.Aborted, "it was told to stop; its end was not waited for"
		return outcome, nil
	}
	return outcome, err
}
