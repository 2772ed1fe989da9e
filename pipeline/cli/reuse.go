package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/spf13/cobra"
)

// addReuse defines the flags that say what is taken from earlier runs, and which part of
// the pipeline is run.
func addReuse(c *cobra.Command, u *local.Reuse) {
	flags := c.Flags()
	flags.BoolVar(&u.NoCache, "no-cache", false, "run every step, also those of which nothing has changed")
	flags.BoolVar(&u.Why, "why", false, "say of each step what has changed, so that it runs")
	addFrom(c, u)
	flags.Var((*stepName)(&u.Only), "only", "run `STEP` alone; all before it must be in the cache")
	flags.Var((*stepName)(&u.Until), "until", "stop after `STEP`")
}

// addFrom defines the flag of the first step that is run anew.
func addFrom(c *cobra.Command, u *local.Reuse) {
	c.Flags().Var((*stepName)(&u.From), "from", "run `STEP` and all after it, also where nothing has changed")
}

// A stepName is the value of a flag that names a step. An empty one is refused: it is a
// variable of the shell that was not set, and would run all where a part was meant.
type stepName string

func (s *stepName) String() string { return string(*s) }

// Set implements pflag.Value.
func (s *stepName) Set(name string) error {
	if name == "" {
		return errors.New("it takes the name of a step")
	}
	*s = stepName(name)
	return nil
}

// Type implements pflag.Value.
func (s *stepName) Type() string { return "string" }

// stepNames are the steps of a pipeline, in their order.
func stepNames(d *pipeline.Definition) []string {
	var names []string
	for _, j := range d.Jobs {
		names = append(names, j.Name)
	}
	for _, r := range d.Registrations {
		names = append(names, r.Name)
	}
	return names
}

// settleReuse gives the steps that flags name their letter case, and says what is wrong with
// them.
func (a *app) settleReuse(u *local.Reuse) error {
	names := stepNames(a.definition)
	for _, one := range []struct {
		flag string
		step *string
	}{{"from", &u.From}, {"only", &u.Only}, {"until", &u.Until}} {
		if *one.step == "" {
			continue
		}
		known := false
		for _, name := range names {
			if strings.EqualFold(name, *one.step) {
				*one.step, known = name, true
			}
		}
		if known {
			continue
		}
		hint := "the steps are " + strings.Join(names, ", ")
		if near := nearest(*one.step, names); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		return fmt.Errorf("--%s: %s has no step %q\n\thint: %s", one.flag, a.definition.Name, *one.step, hint)
	}
	if err := u.Check(names); err != nil {
		return fmt.Errorf("%w\n\thint: see %s --help", err, a.command)
	}
	return nil
}
