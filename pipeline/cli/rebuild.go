package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

func (a *app) rebuildCommand() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "Make a damaged record of the workspace again from the runs' manifests",
		Long: `Every run leaves runs/RUN/manifest.json in the workspace when it ends. If the
record (mlmax.db) is damaged or gone, this moves it to mlmax.db.corrupt and makes
a new one from these files: runs, logs, models and their approvals, lineage and
the cache are as before. A run that was killed, and not followed by another, has
no manifest and is left out. A record that is sound is left alone.`,
		Example: "  " + a.command + " rebuild\n" +
			"  " + a.command + " rebuild --force    # although it is sound",
		Args: a.noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			workspace, err := findWorkspace(a.definition, place{workspace: a.workspace})
			if err != nil {
				return err
			}
			if workspace, err = filepath.Abs(workspace); err != nil {
				return fmt.Errorf("find the workspace: %w", err)
			}
			done, err := local.Rebuild(c.Context(), workspace, force, time.Now())
			switch {
			case errors.Is(err, local.ErrSound):
				return fmt.Errorf("%s: the record is sound, and was left as it is\n\thint: to make it again all the same: %s rebuild --force", shorten(workspace), a.here())
			case errors.Is(err, fs.ErrNotExist):
				return fmt.Errorf("there is no workspace %s\n\thint: name one with --workspace", shorten(workspace))
			case err != nil:
				return fmt.Errorf("rebuild the record: %w", err)
			}
			return a.printRebuilt(done)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "make it again although it is sound")
	return c
}

// printRebuilt says what was done, and then what could not be.
func (a *app) printRebuilt(done *local.Rebuilt) error {
	var said []string
	if done.Damage != nil {
		said = append(said, "lineage DB failed its integrity check")
	}
	if done.Moved != "" {
		said = append(said, "moved to "+shorten(done.Moved))
	}
	said = append(said, fmt.Sprintf("rebuilt %s from manifests", count(done.Runs, "run")))
	if _, err := fmt.Fprintln(a.stdout, strings.Join(said, "; ")); err != nil {
		return fmt.Errorf("write what was done: %w", err)
	}
	if n := len(done.Without); n > 0 {
		fmt.Fprintf(a.stderr, "warning: %s without a manifest: killed before the end, and left out (%s)\n", count(n, "run folder"), list(done.Without))
	}
	for _, r := range done.Refused {
		fmt.Fprintf(a.stderr, "warning: the manifest of run %s was refused and is now manifest.json.refused: %s\n", r.Run, terminal.Line(r.Err.Error()))
	}
	if done.Lost > 0 {
		fmt.Fprintf(a.stderr, "warning: %s to what was left out are lost\n", count(done.Lost, "link"))
	}
	return nil
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// list is the first few of some names.
func list(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}
