package main

import (
	"context"

	"github.com/mlmax/mlmax/gen"
	"github.com/mlmax/mlmax/gen/write"
	"github.com/spf13/cobra"
)

func (a *app) generateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "generate [packages]",
		Short: "check specs and write the files of their pipelines",
		Long: `Generate checks the specs and, if there is no error in any, brings the generated
files up to date: all or none. Files that have the right content are not touched,
files whose pipeline is gone are removed, files that were not generated are never
overwritten.`,
		Example: "  mlmaxgen generate ./specs/...",
		RunE: func(c *cobra.Command, args []string) error {
			return a.runGenerate(c.Context(), args)
		},
	}
}

func (a *app) runGenerate(ctx context.Context, patterns []string) error {
	r, err := a.generate(ctx, patterns)
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
	if clashes := changes.Clashes(); len(clashes) > 0 {
		return a.report(append(r.Diagnostics, clashes...))
	}
	if err := changes.Apply(); err != nil {
		return err
	}
	return a.report(r.Diagnostics)
}

// compare holds what was generated against what is on disk.
func compare(r *gen.Result) (*write.Changes, error) {
	var specs []string
	for _, s := range r.Specs {
		specs = append(specs, s.Path)
	}
	return write.Compare(r.Out, r.Files, specs)
}
