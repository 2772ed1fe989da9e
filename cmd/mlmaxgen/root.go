package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/spf13/cobra"
)

// root is the whole command tree. Without a command it generates, so that
// `//go:generate go tool mlmaxgen` is all that a spec needs.
func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "mlmaxgen [packages]",
		Short: "compile pipeline specs to state machines, templates and Go",
		Long: `mlmaxgen reads Go packages of annotated structs, checks them as a compiler would,
and writes for each pipeline a state machine, a CloudFormation template, typed Go
with a main, and a README. Without a command it generates.

Packages are named as for the go command; none is the current folder. The exit
code is 0 if all is well, 1 for mistakes and stale files, 2 for wrong usage and trouble.`,
		Example: `  mlmaxgen                  # in a spec's folder, as go generate does
  mlmaxgen check ./specs/...
  mlmaxgen explain MLX020`,
		Args:          patternsOnly,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, args []string) error {
			return a.runGenerate(c.Context(), args)
		},
	}
	c.PersistentFlags().StringVarP(&a.dir, "chdir", "C", "", "`folder` that packages are relative to")
	c.PersistentFlags().StringVar(&a.out, "out", "", "`folder` to write below (default: generated, in the module of the packages)")
	c.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON on standard output")
	c.AddCommand(a.generateCommand(), a.checkCommand(), a.diffCommand(), a.showCommand(), a.explainCommand())
	c.CompletionOptions.DisableDefaultCmd = true
	c.SetHelpCommand(&cobra.Command{Hidden: true})
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	return c
}

// patternsOnly refuses a word that looks like a mistyped command.
func patternsOnly(c *cobra.Command, args []string) error {
	if len(args) == 0 || strings.ContainsAny(args[0], "./\\") {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			names = append(names, sub.Name())
		}
	}
	message := fmt.Sprintf("unknown command %q: %s", args[0], diag.DidYouMean(args[0], names))
	return errors.New(message + "; packages are named by ./path")
}
