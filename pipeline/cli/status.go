package cli

import (
	"context"
	"fmt"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud/execution"
	"github.com/mlmax/mlmax/pipeline/progress"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"github.com/spf13/cobra"
)

// oneRun refuses more than one argument: the run, "latest" if there is none.
func (a *app) oneRun(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%s takes RUN, but was given %q, too\n\thint: see %s --help", c.CommandPath(), args[1], c.CommandPath())
	}
	return nil
}

// named is the run that the arguments name.
func named(args []string) string {
	if len(args) == 0 {
		return "latest"
	}
	return args[0]
}

func (a *app) statusCommand() *cobra.Command {
	var aws awsFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "status [RUN]",
		Short: "Say how far a run on AWS is, or how it ended",
		Long: `Status looks once: at how far each step is, or how the run ended and what comes next.
RUN is a name that "runs" lists, the run's id of 12 digits, or "latest", the default.

Exit codes: 0 the run goes on or succeeded, 1 it did not succeed, 2 it cannot be seen.`,
		Example: "  " + a.command + " status --env dev\n" +
			"  " + a.command + " status latest --env dev --json",
		Args: a.oneRun,
		RunE: func(c *cobra.Command, args []string) error {
			p, d, err := a.found(c.Context(), aws, named(args))
			if err != nil {
				return err
			}
			o, err := execution.Look(c.Context(), p, d, a.warnings)
			if err != nil {
				return err
			}
			if err := a.reportThere(c.Context(), asJSON, p, o); err != nil {
				return err
			}
			return codeOf(o)
		},
	}
	c.Flags().SortFlags = false
	addAWS(c, a.definition, &aws)
	c.Flags().BoolVar(&asJSON, "json", false, "print the outcome as one JSON object on standard output")
	return c
}

// warnings tells of what could not be had, where nothing else shows a run's events.
func (a *app) warnings(e pipeline.Event) {
	if e.Kind == pipeline.Warned {
		fmt.Fprintf(a.stderr, "warning: %s\n", terminal.Clean(e.Message))
	}
}

func (a *app) watchCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "watch [RUN]",
		Short: "Follow a run on AWS to its end",
		Long: `Watch shows what "run" shows, of a run that goes on: started here or elsewhere, by a
schedule or in the console. Interrupting ends the following, and not the run. RUN is a
name that "runs" lists, the run's id of 12 digits, or "latest", the default.`,
		Example: "  " + a.command + " watch --env dev",
		Args:    a.oneRun,
		RunE: func(c *cobra.Command, args []string) error {
			p, d, err := a.found(c.Context(), o.aws, named(args))
			if err != nil {
				return a.fail(o, exitTrouble, err, a.nothing(nil, "Trouble", err))
			}
			return a.attend(c.Context(), o, p, d.Name, func(ctx context.Context, show progress.Display) (*pipeline.Outcome, error) {
				return execution.Watch(ctx, p, d.Name, execution.WatchOptions{Lines: !o.quiet}, show.Event)
			})
		},
	}
	c.Flags().SortFlags = false
	addAWS(c, a.definition, &o.aws)
	c.Flags().BoolVar(&o.json, "json", false, "print the outcome as one JSON object on standard output")
	c.Flags().BoolVar(&o.quiet, "quiet", false, "leave out what the steps write")
	return c
}

func (a *app) stopCommand() *cobra.Command {
	var aws awsFlags
	c := &cobra.Command{
		Use:   "stop RUN",
		Short: "Stop a run on AWS, with its jobs",
		Long: `Stop ends an execution and waits until it is ABORTED. Step Functions stops its jobs.
What its steps have finished is kept, and "resume" goes on with it. RUN is a name that
"runs" lists, the run's id of 12 digits, or "latest".`,
		Example: "  " + a.command + " stop latest --env dev",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("%s takes RUN\n\thint: %s", c.CommandPath(), ofLatest(c))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			p, d, err := a.found(c.Context(), aws, args[0])
			if err != nil {
				return err
			}
			was := d.Ended()
			if d, err = execution.Stop(c.Context(), p, d.Name, p.Next("stop "+d.Name)); err != nil {
				return err
			}
			switch {
			case was:
				fmt.Fprintf(a.stdout, "run %s had ended %s; nothing was stopped\n", d.Name, d.Status)
			case d.Status == pipeline.Aborted:
				fmt.Fprintf(a.stdout, "run %s is ABORTED; to go on with it (until %s): %s\n", d.Name, d.ResumableUntil().Local().Format("2006-01-02"), p.Next("resume "+d.Name))
			default:
				fmt.Fprintf(a.stdout, "run %s ended %s before it could be stopped\n", d.Name, d.Status)
			}
			return nil
		},
	}
	c.Flags().SortFlags = false
	addAWS(c, a.definition, &aws)
	return c
}
