package main

import (
	"slices"

	"github.com/spf13/cobra"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check [packages]",
		Short: "check specs, and that their generated files are up to date",
		Long: `Check does everything that generate does but write. Mistakes in the specs and
files that generate would change are reported, and make the exit code 1.`,
		Example: "  mlmaxgen check ./specs/...",
		RunE: func(c *cobra.Command, args []string) error {
			r, err := a.generate(c.Context(), args)
			if err != nil {
				return err
			}
			if r.Diagnostics.Errors() > 0 {
				return a.report(r.Diagnostics)
			}
			changes, err := compare(r)
			if err != nil {
				return err
			}
			return a.report(slices.Concat(r.Diagnostics, changes.Stale(), changes.Clashes()))
		},
	}
}
