package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/stack"
	"github.com/mlmax/mlmax/pipeline/delta"
	"github.com/spf13/cobra"
)

// A deployFlags is what deploy was asked.
type deployFlags struct {
	awsFlags
	yes, asJSON, noWait      bool
	recreate, rollOn         bool
	skip                     []string
	allowLoss, allowWidening bool
}

func (a *app) deployCommand() *cobra.Command {
	var f deployFlags
	c := &cobra.Command{
		Use:   "deploy",
		Short: "Bring the pipeline to an environment on AWS",
		Long: `Deploy brings the pipeline to an environment on AWS, by one CloudFormation stack:
it uploads the steps' code, shows what would change, asks, and follows the
deployment. What somebody else does with the stack is waited for. An interrupt
while the deployment goes on only ends following it.

Exit codes: 0 deployed, or up to date; 1 the deployment failed, or was declined;
2 something else is in the way. "go run" turns every failure into 1: build the
command where the code matters.`,
		Example: "  " + a.command + " deploy --env " + a.anyEnvironment() + "\n" +
			"  " + a.command + " deploy --env " + a.anyEnvironment() + " --yes --json > deployed.json",
		Args: a.noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.reporting(c.Context(), &f.awsFlags, f.asJSON, func(ctx context.Context, w *work) error {
				return a.deploy(ctx, w, &f)
			})
		},
	}
	flags := c.Flags()
	flags.SortFlags = false
	addAWS(c, a.definition, &f.awsFlags)
	flags.BoolVar(&f.yes, "yes", false, "deploy without asking")
	flags.BoolVar(&f.allowLoss, "allow-data-loss", false, "with --yes, deploy what replaces or deletes what holds data or history")
	flags.BoolVar(&f.allowWidening, "allow-permissions", false, "with --yes, deploy what lets roles do more than before")
	flags.BoolVar(&f.noWait, "no-wait", false, "do not wait for what somebody else does with the stack")
	flags.BoolVar(&f.recreate, "recreate", false, "first delete a stack whose first deployment failed")
	flags.BoolVar(&f.rollOn, "continue-rollback", false, "only go on with the rollback of an update, where that has failed")
	flags.StringSliceVar(&f.skip, "skip", nil, "with --continue-rollback, leave `RESOURCE` as it is; may be repeated")
	flags.BoolVar(&f.asJSON, "json", false, "print what was done as one JSON object on standard output")
	return c
}

// A work is a stack that a command works on, and what is to be told of that.
type work struct {
	place    *cloud.Place
	deployer *stack.Deployer
	report   stackReport
}

// A stackReport is what deploy and destroy print with --json.
type stackReport struct {
	Pipeline    string `json:"pipeline"`
	Environment string `json:"environment"`
	Stack       string `json:"stack"`
	Region      string `json:"region"`
	// Result is deployed, up to date, rolled back, destroyed, declined, failed, detached or
	// trouble.
	Result string `json:"result"`
	// Status is CloudFormation's, in the end.
	Status  string            `json:"status,omitempty"`
	Plan    *delta.Plan       `json:"plan,omitempty"`
	Outputs map[string]string `json:"outputs,omitempty"`
	// Kept are the data that outlive a stack that was destroyed.
	Kept  []stack.Holding `json:"kept,omitempty"`
	Error string          `json:"error,omitempty"`
	Hint  string          `json:"hint,omitempty"`
	// Resource and Reason are what failed first.
	Resource string `json:"resource,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// The results that errors lead to.
const (
	resultDeclined = "declined"
	resultFailed   = "failed"
	resultDetached = "detached"
	resultTrouble  = "trouble"
)

// A declinedError is a deployment or deletion that a person, or the lack of one, declined.
type declinedError struct{ text string }

func (e *declinedError) Error() string { return e.text }

// reporting opens the place, does what a command does with its stack, and reports how it
// ended. An interrupt ends the command's context.
func (a *app) reporting(ctx context.Context, f *awsFlags, asJSON bool, do func(context.Context, *work) error) error {
	ctx, heard, stop := a.hearing(ctx)
	defer stop()
	w := &work{report: stackReport{Pipeline: a.definition.Name, Environment: f.env}}
	err := func() error {
		p, err := a.place(ctx, *f)
		if err != nil {
			return err
		}
		display, undisplay := newStackDisplay(a.stderr)
		defer undisplay()
		w.place, w.deployer = p, stack.New(p, display)
		w.report.Stack, w.report.Region = p.StackName(), p.Region
		return do(ctx, w)
	}()
	code := w.report.fail(err)
	if code != 0 {
		code = exitOf(heard(), code)
	}
	if asJSON {
		if err := encode(a.stdout, w.report); err != nil {
			return err
		}
	}
	if err != nil {
		return &exit{code: code, err: err}
	}
	return nil
}

// fail notes an error in the report, and returns its exit code; 0 for none.
func (r *stackReport) fail(err error) int {
	if err == nil {
		return 0
	}
	r.Error, r.Hint, _ = strings.Cut(err.Error(), "\n\thint: ")
	var failure *stack.Failure
	var declined *declinedError
	var detached *stack.Detached
	switch {
	case errors.As(err, &failure):
		r.Result, r.Status, r.Resource, r.Reason = resultFailed, string(failure.Status), failure.Resource, failure.Reason
		return exitFailed
	case errors.As(err, &declined):
		r.Result = resultDeclined
		return exitFailed
	case errors.As(err, &detached):
		r.Result = resultDetached
		return exitInterrupted
	}
	r.Result = resultTrouble
	return exitTrouble
}

// hearing is a context that an interrupt ends; heard is the signal that did.
func (a *app) hearing(parent context.Context) (ctx context.Context, heard func() os.Signal, stop func()) {
	signals, unhear := a.notify()
	ctx, cancel := context.WithCancel(parent)
	first, done := make(chan os.Signal, 1), make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			first <- s
			cancel()
		case <-done:
		}
	}()
	heard = func() os.Signal {
		select {
		case s := <-first:
			return s
		default:
			return nil
		}
	}
	return ctx, heard, func() {
		close(done)
		cancel()
		unhear()
	}
}

// deploy brings the pipeline to its environment.
func (a *app) deploy(ctx context.Context, w *work, f *deployFlags) error {
	switch {
	case f.skip != nil && !f.rollOn:
		return errors.New("--skip is only for --continue-rollback\n\thint: see " + a.command + " deploy --help")
	case f.recreate && f.rollOn:
		return errors.New("--recreate is for a stack that could never be deployed, and --continue-rollback for one whose update failed\n\thint: leave one of them out; without both, deploy says which is needed")
	}
	code, err := a.workTree()
	if err != nil {
		return err
	}
	if err := w.place.Preflight(ctx); err != nil {
		return err
	}
	state, err := w.deployer.Ready(ctx, !f.noWait)
	if f.rollOn && state != nil {
		return a.continueRollback(ctx, w, state, f.skip)
	}
	if f.recreate && state != nil {
		if state, err = a.recreate(ctx, w, state, f); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if f.rollOn {
		return a.continueRollback(ctx, w, nil, nil)
	}
	want, err := stack.Wanted(ctx, w.place, state, cloud.Digests(code), "deploy by "+a.command)
	if err != nil {
		return err
	}
	for _, k := range want.Adopted {
		fmt.Fprintf(a.stderr, "%s outlived an earlier stack and is taken over\n", k)
	}
	if err := w.place.Upload(ctx, code, newUploads(a.stderr)); err != nil {
		return err
	}
	return a.propose(ctx, w, state, want, f)
}

// propose makes a change set, shows what it would do, and executes it if that is wanted.
func (a *app) propose(ctx context.Context, w *work, state *stack.State, want *stack.Want, f *deployFlags) error {
	before, err := stack.Deployed(ctx, w.place, state)
	if err != nil {
		return err
	}
	if want.Same(state, before) {
		return a.upToDate(w, state)
	}
	set, err := w.deployer.Propose(ctx, state, want)
	if err != nil {
		return err
	}
	if set == nil {
		return a.upToDate(w, state)
	}
	if err := a.consent(ctx, w, before, want, set, f); err != nil {
		return errors.Join(err, set.Discard(ctx))
	}
	after, err := set.Execute(ctx)
	if err != nil {
		return err
	}
	w.report.Result = "deployed"
	return a.deployed(w, after, f.asJSON)
}

// upToDate says that nothing is to be done.
func (a *app) upToDate(w *work, state *stack.State) error {
	fmt.Fprintf(a.stderr, "No changes to deploy. Stack %s is up to date\n", w.place.StackName())
	w.report.Result = "up to date"
	if state != nil {
		w.report.Status, w.report.Outputs = string(state.Status), state.Outputs
	}
	return nil
}

// consent shows what a change set would do, and asks whether to do it.
func (a *app) consent(ctx context.Context, w *work, before *delta.Side, want *stack.Want, set *stack.ChangeSet, f *deployFlags) error {
	plan, err := delta.Compare(before, want.Side(), set.Resources())
	if err != nil {
		return err
	}
	w.report.Plan = plan
	if err := plan.Text(a.stderr, colored(a.stderr)); err != nil {
		return err
	}
	again := "deploy --yes"
	var lost []string
	for _, r := range plan.Loses() {
		lost = append(lost, r.Logical+" ("+r.Type+")")
	}
	switch {
	case f.yes && lost != nil && !f.allowLoss:
		return &declinedError{"the deployment would replace or delete what holds data or history: " + strings.Join(lost, ", ") +
			"; nothing was deployed\n\thint: see the plan above; if that is meant: " + w.place.Next(again+" --allow-data-loss")}
	case f.yes && plan.Widens() && !f.allowWidening:
		if f.allowLoss {
			again += " --allow-data-loss"
		}
		return &declinedError{"the deployment would let roles do more than before; nothing was deployed\n\thint: see the permissions in the plan above; if that is meant: " +
			w.place.Next(again+" --allow-permissions")}
	case f.yes:
		return nil
	}
	return a.ask(ctx, "Deploy?", "deployed", w.place.Next(again))
}

// recreate deletes a stack that could never be deployed, once that is wanted.
func (a *app) recreate(ctx context.Context, w *work, state *stack.State, f *deployFlags) (*stack.State, error) {
	if state.Status == "REVIEW_IN_PROGRESS" {
		return state, nil // there is nothing to delete
	}
	if err := stack.CanRecreate(w.place, state); err != nil {
		return nil, err
	}
	keeps, deletes, err := w.deployer.Remains(ctx, state)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(a.stderr, "This deletes stack %s, which could never be deployed.\n", state.Name)
	for _, r := range deletes {
		fmt.Fprintf(a.stderr, "  to be deleted: %s\n", r)
	}
	for _, r := range keeps {
		fmt.Fprintf(a.stderr, "  kept:          %s\n", r)
	}
	if !f.yes {
		if err := a.ask(ctx, "Delete it and deploy anew?", "deleted", w.place.Next("deploy --recreate --yes")); err != nil {
			return nil, err
		}
	}
	return nil, w.deployer.Recreate(ctx, state)
}

// continueRollback ends the rollback of an update.
func (a *app) continueRollback(ctx context.Context, w *work, state *stack.State, skip []string) error {
	after, err := w.deployer.ContinueRollback(ctx, state, skip)
	if err != nil {
		return err
	}
	w.report.Result, w.report.Status, w.report.Outputs = "rolled back", string(after.Status), after.Outputs
	but := ""
	if skip != nil {
		but = ", but for what was skipped: " + strings.Join(skip, ", ")
	}
	fmt.Fprintf(a.stderr, "Stack %s is as it was before the update%s\n\thint: deploy: %s\n", after.Name, but, w.place.Next("deploy"))
	return nil
}
