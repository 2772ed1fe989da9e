package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"github.com/spf13/cobra"
)

func (a *app) logsCommand() *cobra.Command {
	var follow bool
	c := &cobra.Command{
		Use:   "logs RUN [STEP]",
		Short: "Print what the steps of a run wrote",
		Long: `Logs prints what the steps of a run wrote, each try under a heading. RUN is the
id of a run, the start of one, or "latest"; on AWS an execution's name, too. There
--follow goes on with what is written until the run has ended. Control characters
are left out.`,
		Example: "  " + a.command + " logs latest\n" +
			"  " + a.command + " logs 3f2a " + a.anyStep(),
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.RangeArgs(1, 2)(c, args); err != nil {
				return fmt.Errorf("%s takes RUN and perhaps STEP\n\thint: %s", c.CommandPath(), ofLatest(c))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			step := ""
			if len(args) == 2 {
				step = args[1]
			}
			if a.aws.env != "" {
				return a.jobLogs(c.Context(), args[0], step, follow)
			}
			if follow {
				return errors.New("--follow is for a run on AWS: one on this machine shows what its steps write\n\thint: name the environment with --env")
			}
			h, workspace, err := a.known(c.Context(), "")
			if err != nil {
				return err
			}
			defer h.Close()
			return a.logs(c.Context(), h, workspace, args[0], step)
		},
	}
	c.Flags().SortFlags = false
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is written until the run has ended (on AWS)")
	addAWS(c, a.definition, &a.aws)
	return c
}

// anyStep is the name of a step, for an example.
func (a *app) anyStep() string {
	if len(a.definition.Jobs) == 0 {
		return "STEP"
	}
	return a.definition.Jobs[len(a.definition.Jobs)-1].Name
}

// logs prints the logs of one step of a run, or of all.
func (a *app) logs(ctx context.Context, h history, workspace, id, step string) error {
	run, err := a.findRun(ctx, h, id)
	if err != nil {
		return err
	}
	tries, err := h.Steps(ctx, run.ID)
	if err != nil {
		return fmt.Errorf("read the steps of run %s: %w", run.ID, err)
	}
	var chosen []record.Step
	for _, t := range tries {
		// A call that the machine made writes nothing.
		if t.Log != "" && (step == "" || strings.EqualFold(step, t.Name)) {
			chosen = append(chosen, t)
		}
	}
	if len(chosen) == 0 {
		return a.noLogs(run.ID, step, tries)
	}
	root, err := os.OpenRoot(workspace)
	if err != nil {
		return fmt.Errorf("open the workspace: %w", err)
	}
	defer root.Close()
	for i, t := range chosen {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		fmt.Fprintf(a.stdout, "==> %s, try %d, %s <==\n", terminal.Clean(t.Name), t.Attempt+1, strings.ToLower(terminal.Clean(t.Status)))
		if err := a.printLog(root, t.Log); err != nil {
			return fmt.Errorf("print the log of step %s: %w", t.Name, err)
		}
	}
	return nil
}

// noLogs says why a run has no logs of a step, or none at all.
func (a *app) noLogs(run, step string, tries []record.Step) error {
	if step == "" {
		return fmt.Errorf("run %s has no logs: none of its steps began", run)
	}
	var jobs []string
	for _, j := range a.definition.Jobs {
		jobs = append(jobs, j.Name)
	}
	for _, t := range tries {
		if t.Log != "" && !slices.Contains(jobs, t.Name) {
			jobs = append(jobs, t.Name) // the pipeline has changed since
		}
	}
	is := func(name string) bool { return strings.EqualFold(step, name) }
	near := nearest(step, jobs)
	switch {
	case slices.ContainsFunc(jobs, is):
		return fmt.Errorf("step %s did not begin in run %s, and wrote nothing\n\thint: see %s", jobs[slices.IndexFunc(jobs, is)], run, a.next("logs "+run))
	case slices.ContainsFunc(a.definition.Registrations, func(r pipeline.Registration) bool { return is(r.Name) }):
		return fmt.Errorf("step %s is a call that the machine makes, and writes no log\n\thint: use one of %s", step, strings.Join(jobs, ", "))
	case near != "":
		return fmt.Errorf("%s has no step %q\n\thint: did you mean %s?", a.definition.Name, step, near)
	}
	return fmt.Errorf("%s has no step %q\n\thint: use one of %s", a.definition.Name, step, strings.Join(jobs, ", "))
}

// tailBytes is how much of a log's end is read for its last lines.
const tailBytes = 8 << 10

// tail is the last lines of a log that are not blank; none if it cannot be read.
func tail(name string, lines int) []string {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	from := max(0, size-tailBytes)
	text, err := io.ReadAll(io.NewSectionReader(f, from, tailBytes))
	if err != nil {
		return nil
	}
	var all []string
	for i, line := range strings.Split(string(text), "\n") {
		if shown := terminal.Line(line); strings.TrimSpace(shown) != "" && (i > 0 || from == 0) {
			all = append(all, shown)
		}
	}
	return all[max(0, len(all)-lines):]
}

// printLog copies a log, line by line, without control characters.
func (a *app) printLog(root *os.Root, name string) error {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(a.stdout, "(the log is gone)")
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	in, out := bufio.NewReader(f), bufio.NewWriter(a.stdout)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			out.WriteString(terminal.Line(line))
			out.WriteByte('\n')
		}
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return errors.Join(err, out.Flush())
		}
	}
}
