package execution

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/ledger"
)

// Stopped is the error that a stopped execution has.
const Stopped = "Stopped"

// causeLimit is how long a cause may be that StopExecution takes.
const causeLimit = 32768

// Stop stops an execution and waits until it is ABORTED, or until it is seen to have ended
// before. Its jobs are stopped by Step Functions. By is what the execution's cause says:
// the command of the person who did it.
func Stop(ctx context.Context, p *cloud.Place, name, by string) (*Description, error) {
	d, err := Describe(ctx, p, name)
	if err != nil {
		return nil, err
	}
	if d.Ended() {
		return d, nil
	}
	_, err = cloud.StepFunctions(p).StopExecution(ctx, &sfn.StopExecutionInput{
		ExecutionArn: aws.String(p.ExecutionARN(name)), Error: aws.String(Stopped), Cause: aws.String(clip("stopped by "+p.Caller+": "+by, causeLimit)),
	})
	if err != nil {
		// It may have ended in this moment.
		if now, look := Describe(ctx, p, name); look == nil && now.Ended() {
			return now, nil
		}
		return nil, p.Explain(err, "stopping run "+name)
	}
	for wait := time.Second; ; wait = min(2*wait, longest) {
		if d, err = Describe(ctx, p, name); err != nil {
			return nil, err
		}
		if d.Ended() {
			return d, nil
		}
		if err := p.Wait(ctx, wait); err != nil {
			return nil, cloud.Advise(fmt.Errorf("run %s is being stopped; it was not waited for: %w", name, err), "see "+p.Next("status "+name))
		}
	}
}

// Redrive goes on with an execution that did not succeed, from where it failed, once: the
// token is made of how often that has been done before. It gives how often the execution
// will have been resumed then, which [Watch] waits for.
func Redrive(ctx context.Context, p *cloud.Place, d *Description) (int, error) {
	if err := Resumable(p, d); err != nil {
		return 0, err
	}
	if d.Status == pipeline.PendingRedrive { // that has been asked for
		return d.Redrives, nil
	}
	_, err := cloud.StepFunctions(p).RedriveExecution(ctx, &sfn.RedriveExecutionInput{
		ExecutionArn: aws.String(d.ARN), ClientToken: aws.String(redriveToken(d)),
	})
	if err == nil {
		return d.Redrives + 1, nil
	}
	now, look := Describe(ctx, p, d.Name)
	switch {
	case look == nil && now.Redrives > d.Redrives || look == nil && !now.Ended():
		return d.Redrives + 1, nil // the answer was lost, or somebody was faster
	case look == nil && !now.Redrivable && now.NotRedrivable != "":
		return 0, notResumable(p, now, now.NotRedrivable)
	}
	return 0, p.Explain(err, "resuming run "+d.Name)
}

// redriveToken names one resumption of an execution: 1 to 64 printable characters.
func redriveToken(d *Description) string {
	return fmt.Sprintf("redrive-%s-%d", ledger.RunID(d.ARN, d.Started), d.Redrives+1)
}

// Resumable says why an execution cannot be resumed, or returns nil.
func Resumable(p *cloud.Place, d *Description) error {
	switch {
	case d.Status == pipeline.Succeeded:
		return fmt.Errorf("run %s succeeded: nothing of it is left to do\n\thint: start another: %s", d.Name, p.Next("run"))
	case d.Status == pipeline.Running:
		return fmt.Errorf("run %s is still running, since %s\n\thint: %s", d.Name, d.Started.Local().Format("15:04"), p.Next("watch "+d.Name))
	case d.Status == pipeline.PendingRedrive:
		return nil
	case endsAgain(p, d):
		return fmt.Errorf("run %s cannot be resumed: it ended where the machine gives up (%s), and would end there again\n\thint: put right what its cause says, and start another: %s",
			d.Name, clean(d.Error), p.Next("run"))
	case d.Redrivable:
		return nil
	}
	reason := d.NotRedrivable
	if reason == "" {
		reason = "Step Functions says that it is not redrivable"
	}
	return notResumable(p, d, reason)
}

// endsAgain says whether an execution ended in a state that fails whenever it is entered. A
// redrive begins with the state that failed, so that it would fail at once, whatever has
// been put right since.
func endsAgain(p *cloud.Place, d *Description) bool {
	machine, err := asl.Decode(p.Definition.Name, p.Definition.ASL)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(machine.States, func(s *asl.State) bool { return s.Type == asl.FailState && s.Error == d.Error })
}

// notResumable is the error of an execution that Step Functions will not resume.
func notResumable(p *cloud.Place, d *Description, reason string) error {
	more := ""
	if !d.Stopped.IsZero() && p.Clock.Now().After(d.ResumableUntil()) {
		more = fmt.Sprintf(" (it ended %s, and 14 days were over on %s)", date(d.Stopped), date(d.ResumableUntil()))
	}
	return fmt.Errorf("run %s cannot be resumed: %s%s\n\thint: start another with the same values: %s", d.Name, clean(reason), more, p.Next("run"))
}

// date is a day as people are told it.
func date(t time.Time) string { return t.Local().Format("2006-01-02") }
