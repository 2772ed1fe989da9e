package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/pipeline/cloud/stack"
	"github.com/spf13/cobra"
)

// A destroyFlags is what destroy was asked.
type destroyFlags struct {
	awsFlags
	yes, asJSON, noWait, stop, data bool
	confirm                         string
	retain                          []string
}

func (a *app) destroyCommand() *cobra.Command {
	var f destroyFlags
	c := &cobra.Command{
		Use:   "destroy",
		Short: "Delete the pipeline from an environment on AWS",
		Long: `Destroy deletes the pipeline's stack in an environment: machine, roles and
schedule. Data stays: what runs have written, model versions, and logs. It says
where they are and how to delete them by hand.

With --delete-data they are deleted, too, once that is confirmed by the stack's
name. Code, and data below data/, are never deleted: other pipelines may use the
same.

Exit codes: 0 deleted, or there was nothing to delete; 1 it could not be deleted,
or was declined; 2 something else is in the way.`,
		Example: "  " + a.command + " destroy --env " + a.anyEnvironment() + "\n" +
			"  " + a.command + " destroy --env " + a.anyEnvironment() + " --delete-data --yes --confirm " + a.anyEnvironment() + "-" + a.definition.Name,
		Args: a.noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.reporting(c.Context(), &f.awsFlags, f.asJSON, func(ctx context.Context, w *work) error {
				w.deployer.Verb = "destroy"
				return a.destroy(ctx, w, &f)
			})
		},
	}
	flags := c.Flags()
	flags.SortFlags = false
	addAWS(c, a.definition, &f.awsFlags)
	flags.BoolVar(&f.yes, "yes", false, "delete without asking")
	flags.BoolVar(&f.stop, "stop", false, "stop executions that are running")
	flags.BoolVar(&f.data, "delete-data", false, "delete what runs have written, model versions and logs, too")
	flags.StringVar(&f.confirm, "confirm", "", "with --delete-data --yes, the `STACK` whose data is meant")
	flags.StringSliceVar(&f.retain, "retain", nil, "leave `RESOURCE` behind, which could not be deleted; may be repeated")
	flags.BoolVar(&f.noWait, "no-wait", false, "do not wait for what somebody else does with the stack")
	flags.BoolVar(&f.asJSON, "json", false, "print what was done as one JSON object on standard output")
	return c
}

// destroy deletes the stack and, if that is asked for twice, the data.
func (a *app) destroy(ctx context.Context, w *work, f *destroyFlags) error {
	state, err := w.deployer.Standing(ctx, !f.noWait)
	if err != nil {
		return err
	}
	running, err := w.deployer.Running(ctx)
	if err != nil {
		return err
	}
	if running != nil && !f.stop {
		return fmt.Errorf("%s: %s; nothing was deleted\n\thint: wait for them, or stop them: %s", executions(len(running)), strings.Join(running, ", "), w.place.Next("destroy --stop"))
	}
	holdings, err := w.deployer.Holdings(ctx)
	if err != nil {
		return err
	}
	if state == nil && !(f.data && len(holdings) > 0) {
		fmt.Fprintf(a.stderr, "Nothing to destroy: there is no stack %s in %s\n", w.place.StackName(), w.place.Region)
		a.destroyed(w, holdings)
		return nil
	}
	if err := a.confirmDestroy(ctx, w, state, holdings, f); err != nil {
		return err
	}
	if running != nil {
		if err := w.deployer.Stop(ctx, running); err != nil {
			return err
		}
	}
	if state != nil {
		if err := w.deployer.Delete(ctx, state, f.retain); err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "Stack %s is deleted\n", state.Name)
	}
	if f.data {
		if err := w.deployer.DeleteData(ctx, holdings); err != nil {
			return err
		}
		if holdings, err = w.deployer.Holdings(ctx); err != nil {
			return err
		}
	}
	a.destroyed(w, holdings)
	return nil
}

func executions(n int) string {
	if n == 1 {
		return "1 execution is running"
	}
	return fmt.Sprintf("%d executions are running", n)
}

// confirmDestroy says what goes and what stays, and asks. Data goes only if it is asked
// for twice: by a flag, and by the stack's name.
func (a *app) confirmDestroy(ctx context.Context, w *work, state *stack.State, holdings []stack.Holding, f *destroyFlags) error {
	name := w.place.StackName()
	if f.confirm != "" && f.confirm != name {
		return fmt.Errorf("--confirm says %q, and the stack is %q; nothing was deleted\n\thint: name the stack whose data is meant", f.confirm, name)
	}
	if state != nil {
		fmt.Fprintf(a.stderr, "This deletes stack %s in %s: the machine, its roles and its schedule.\n", name, w.place.Region)
	}
	again := "destroy --yes"
	if f.stop {
		again += " --stop"
	}
	if !f.data {
		if f.yes {
			return nil
		}
		return a.ask(ctx, "Delete it?", "deleted", w.place.Next(again))
	}
	for _, h := range holdings {
		fmt.Fprintf(a.stderr, "  to be deleted for good: %s\n", h.What)
	}
	again += " --delete-data --confirm " + name
	if f.yes {
		if f.confirm == "" {
			return &declinedError{"data is deleted only if it is asked for twice; nothing was deleted\n\thint: name the stack whose data is meant: " + w.place.Next(again)}
		}
		return nil
	}
	answer, err := a.answer(ctx, "To delete it with its data, type the stack's name: ", "deleted", w.place.Next(again))
	if err != nil {
		return err
	}
	if answer != name {
		return &declinedError{"that is not the stack's name; nothing was deleted"}
	}
	return nil
}

// destroyed says what outlives the stack, and how it is deleted by hand.
func (a *app) destroyed(w *work, holdings []stack.Holding) {
	w.report.Result, w.report.Kept = "destroyed", holdings
	if len(holdings) == 0 {
		return
	}
	fmt.Fprintln(a.stderr, "Kept, since it may be wanted again:")
	for _, h := range holdings {
		fmt.Fprintf(a.stderr, "  %s\n    delete it by hand: %s\n", h.What, h.Command)
	}
	fmt.Fprintf(a.stderr, "Code and data below s3://%s/%s stay as well: other pipelines may use the same.\n", w.place.Bucket, w.place.Prefix)
}
