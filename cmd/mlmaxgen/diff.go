package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/gen/write"
	"github.com/spf13/cobra"
)

func (a *app) diffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff [packages]",
		Short: "show what generate would change",
		Long: `Diff prints a unified diff from the files on disk to those that the specs lead to.
With --json it prints a list of objects with the members path, change (added,
modified, removed or foreign) and diff. The exit code is 1 if there is a difference.`,
		Example: "  mlmaxgen diff ./specs/census",
		RunE: func(c *cobra.Command, args []string) error {
			r, err := a.generate(c.Context(), args)
			if err != nil {
				return err
			}
			if r.Diagnostics.Errors() > 0 {
				return a.report(r.Diagnostics)
			}
			if err := a.text(r.Diagnostics); err != nil {
				return err
			}
			changes, err := compare(r)
			if err != nil {
				return err
			}
			if a.json {
				err = a.diffJSON(changes)
			} else {
				err = changes.Diff(a.stdout, a.prefix(r.Out))
			}
			if err == nil && !changes.Clean() {
				err = errFound
			}
			return err
		},
	}
}

// prefix is the output folder relative to where the command was started.
func (a *app) prefix(out string) string {
	rel, err := filepath.Rel(a.config().Dir, out)
	if err != nil || strings.HasPrefix(rel, "..") {
		rel = out
	}
	return filepath.ToSlash(rel) + "/"
}

// jsonChange is one file in the output of diff --json.
type jsonChange struct {
	Path   string `json:"path"`
	Change string `json:"change"`
	Diff   string `json:"diff"`
}

func (a *app) diffJSON(c *write.Changes) error {
	all := []jsonChange{}
	for _, group := range []struct {
		name string
		list []write.Change
	}{{"added", c.Added}, {"modified", c.Modified}, {"removed", c.Removed}, {"foreign", c.Foreign}} {
		for _, change := range group.list {
			var text strings.Builder
			one := write.Changes{Out: c.Out, Modified: []write.Change{change}}
			if err := one.Diff(&text, a.prefix(c.Out)); err != nil {
				return err
			}
			all = append(all, jsonChange{a.prefix(c.Out) + change.Path, group.name, text.String()})
		}
	}
	return a.printJSON(all)
}

func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	return nil
}
