package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/mlmax/mlmax/pipeline/progress"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/spf13/cobra"
)

func (a *app) logsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "logs RUN [STEP]",
		Short: "Print what the steps of a run wrote",
		Long: `Logs prints what the steps of a run wrote, each try under a heading. RUN is the
id of a run, the start of one, or "latest". Control characters are left out.`,
		Example: "  " + a.command + " logs latest\n" +
			"  " + a.command + " logs 3f2a " + a.anyStep(),
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.RangeArgs(1, 2)(c, args); err != nil {
				return fmt.Errorf("%s takes RUN and perhaps STEP\n\thint: %s latest", c.CommandPath(), c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			h, workspace, err := a.history(c)
			if err != nil {
				return err
			}
			defer h.Close()
			step := ""
			if len(args) == 2 {
				step = args[1]
			}
			return a.logs(c.Context(), h, workspace, args[0], step)
		},
	}
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
	var names []string
	var chosen []record.Step
	for _, t := range tries {
		if t.Log == "" {
			continue // a call that the machine made, which writes nothing
		}
		names = append(names, t.Name)
		if step == "" || strings.EqualFold(step, t.Name) {
			chosen = append(chosen, t)
		}
	}
	if len(chosen) == 0 {
		return noLogs(run.ID, step, names)
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
		fmt.Fprintf(a.stdout, "==> %s, try %d, %s <==\n", progress.Clean(t.Name), t.Attempt+1, strings.ToLower(progress.Clean(t.Status)))
		if err := a.printLog(root, t.Log); err != nil {
			return fmt.Errorf("print the log of step %s: %w", t.Name, err)
		}
	}
	return nil
}

// noLogs says what there is instead of the logs asked for.
func noLogs(run, step string, names []string) error {
	switch {
	case step == "" || len(names) == 0:
		return fmt.Errorf("run %s has no logs: none of its steps began", run)
	case nearest(step, names) != "":
		return fmt.Errorf("run %s has no step %q that began\n\thint: did you mean %s?", run, step, nearest(step, names))
	}
	return fmt.Errorf("run %s has no step %q that began\n\thint: use one of %s", run, step, strings.Join(names, ", "))
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
			// What overwrote itself with carriage returns is shown as it ended.
			line = strings.TrimRight(line, "\r\n")
			out.WriteString(progress.Clean(line[strings.LastIndexByte(line, '\r')+1:]))
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
