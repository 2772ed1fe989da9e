package cli

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/spf13/cobra"
)

// root is the tree of commands. Without a command it runs the pipeline.
func (a *app) root() *cobra.Command {
	run := a.runCommand()
	root := &cobra.Command{
		Use:   path.Base(path.Dir(a.definition.Package)),
		Short: a.definition.Doc,
		Long: strings.TrimSpace(a.definition.Doc) + `

Without a command it runs the pipeline on this machine, as "run" does: it
interprets the state machine that Step Functions runs on AWS.

Exit codes: 0 the run succeeded; 1 it did not, or a parameter is invalid; 2 the
command line is wrong, or something else is in the way; 130 it was interrupted,
143 terminated. "go run" turns every failure into 1: build the command where the
code matters.`,
		Example: a.runExamples(""),
		Args:    a.noArguments,
		RunE:    run.RunE,
		PersistentPreRunE: func(c *cobra.Command, _ []string) (err error) {
			a.workspace, err = c.Flags().GetString("workspace")
			return err
		},
		SilenceUsage:  true,
		SilenceErrors: true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: a.command},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(a.flagError)
	root.PersistentFlags().String("workspace", "", "`FOLDER` that holds runs, artifacts and environments (default: .mlmax in the module's root)")
	root.Flags().SortFlags = false
	root.Flags().AddFlagSet(run.Flags())
	root.AddCommand(run, a.resumeCommand(), a.statusCommand(), a.watchCommand(), a.stopCommand(), a.runsCommand(), a.logsCommand(), a.graphCommand(),
		a.modelsCommand(), a.lineageCommand(), a.reportCommand(), a.reproCommand(), a.rebuildCommand(),
		a.planCommand(), a.deployCommand(), a.packageCommand(), a.destroyCommand())
	return root
}

// noArguments refuses arguments: for the root, they are unknown commands.
func (a *app) noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasParent() {
		return fmt.Errorf("%s takes no argument, but was given %q\n\thint: see %s --help", c.CommandPath(), args[0], c.CommandPath())
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	if near := nearest(args[0], names); near != "" {
		return fmt.Errorf("unknown command %q\n\thint: did you mean %s %s?", args[0], a.command, near)
	}
	return fmt.Errorf("unknown command %q\n\thint: see %s --help", args[0], a.command)
}

// flagName finds the flags in their help.
var flagName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^ *(?:-\w, )?--(\S+)`)
})

// flagError adds to a mistake with a flag what may have been meant.
func (a *app) flagError(c *cobra.Command, err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
		text = fmt.Sprintf("unknown flag --%s", name)
		var names []string
		for _, m := range flagName().FindAllStringSubmatch(c.Flags().FlagUsages(), -1) {
			names = append(names, m[1])
		}
		if near := nearest(name, names); near != "" {
			text += fmt.Sprintf("\n\thint: did you mean --%s?", near)
		}
	}
	return fmt.Errorf("%s\n\thint: see %s --help", text, c.CommandPath())
}

// nearest is the word that is close enough to what was written to be what was
// meant, or empty.
func nearest(written string, words []string) string {
	best, at := "", len(written)/3+2
	for _, w := range words {
		if d := distance(strings.ToLower(written), strings.ToLower(w)); d < at {
			best, at = w, d
		}
	}
	return best
}

// distance is how many characters must be inserted, deleted or replaced to get
// from a to b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		before := row[0]
		row[0] = i + 1
		for j := range y {
			cost := before
			if x[i] != y[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(y)]
}
