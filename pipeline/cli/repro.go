package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"github.com/spf13/cobra"
)

func (a *app) reproCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "repro RUN STEP [DIR]",
		Short: "Lay out one step of a run in a folder, to be run alone",
		Long: `Repro makes a folder with everything that a step of a run had: its inputs, verified
and free to be changed, code, arguments, variables and configuration files, and a
script, run.sh, that runs it alone and compares what it writes with what the run
recorded. RUN is the id of a run, the start of one, or "latest"; DIR is
repro-RUN-STEP if it is not given. Of a step with several tries it is the last; of a
cached step it is the one that its outputs were taken from.`,
		Example: "  " + a.command + " repro latest " + a.firstJob() + "\n" +
			"  sh repro-*-" + a.firstJob() + "/run.sh",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 || len(args) > 3 {
				return fmt.Errorf("%s takes RUN, STEP, and a folder if you like\n\thint: %s latest %s", c.CommandPath(), c.CommandPath(), a.firstJob())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.repro(c, args) },
	}
}

// firstJob is the name of a step, for examples.
func (a *app) firstJob() string {
	if len(a.definition.Jobs) == 0 {
		return "STEP"
	}
	return a.definition.Jobs[0].Name
}

// repro finds the run and lays out the step.
func (a *app) repro(c *cobra.Command, args []string) error {
	h, workspace, err := a.history()
	if err != nil {
		return err
	}
	run, err := a.findRun(c.Context(), h, args[0])
	h.Close()
	if err != nil {
		return err
	}
	dir := "repro-" + run.ID + "-" + filepath.Base(args[1])
	if len(args) == 3 {
		dir = args[2]
	}
	if workspace, err = filepath.Abs(workspace); err != nil {
		return fmt.Errorf("find the workspace: %w", err)
	}
	done, err := local.Reproduce(c.Context(), local.Repro{Workspace: workspace, Run: run.ID, Step: args[1], Dir: dir, Now: time.Now})
	if errors.Is(err, record.ErrNotFound) {
		return fmt.Errorf("lay out step %s: %w\n\thint: what the run read is no longer in the workspace; run again", args[1], err)
	}
	if err != nil {
		return fmt.Errorf("lay out step %s: %w", args[1], err)
	}
	from := ""
	if done.Step.Run != run.ID {
		from = ", whose outputs run " + run.ID + " took"
	}
	fmt.Fprintf(a.stdout, "%s holds step %s of run %s%s; run it with\n  sh %s\n",
		terminal.Clean(shorten(done.Dir)), terminal.Clean(done.Step.Name), done.Step.Run, from, terminal.Clean(local.ShellWord(shorten(done.Script))))
	if done.Gone {
		fmt.Fprintf(a.stderr, "the run's Python environment is no longer in the workspace; %s says how to make it anew\n",
			terminal.Clean(filepath.Join(shorten(done.Dir), "README.txt")))
	}
	return nil
}
