package cli

import (
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
	flags.StringVar(&u.Only, "only", "", "run `STEP` alone; all before it must be in the cache")
	flags.StringVar(&u.Until, "until", "", "stop after `STEP`")
}

// addFrom defines the flag of the first step that is run anew.
func addFrom(c *cobra.Command, u *local.Reuse) {
	c.Flags().StringVar(&u.From, "from", "", "run `STEP` and all after it, also where nothing has changed")
}

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
