package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/spf13/cobra"
)

// isolations are the values of --isolation.
var isolations = []string{"auto", "direct", "namespace"}

// packageSources are the values of --packages.
var packageSources = []string{"image", "installed"}

// A runOptions is what the flags of run say.
type runOptions struct {
	values    flagValues
	json      bool
	quiet     bool
	isolation string
	python    string
	packages  string
	reuse     local.Reuse
	// aws is where on AWS it runs; without an environment it runs here.
	aws awsFlags
	// execution is the name that the run is to have on AWS, or empty; deployed says that
	// what is deployed runs, whatever the tree has, and sameCode that a run goes on with
	// what it was started with.
	execution          string
	named              bool // that a name was given
	deployed, sameCode bool
	// openlineage is the file or endpoint for OpenLineage events, or empty.
	openlineage string
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the pipeline on this machine, or on AWS",
		Long: `Run interprets the pipeline's state machine on this machine: its jobs run as
processes, S3 and the model registry are folders of the workspace.

Values that are not given have their defaults. A step of which nothing has changed
is not run: its outputs are taken from an earlier run. Interrupting once stops the run
and gives its step time to end; twice kills it at once.

With --env it starts an execution of the machine that is deployed there, and follows
it. Data of this machine is uploaded first. Interrupting only ends the following: the
run goes on. What is deployed must be what the work tree has, unless --deployed says
that it is to run as it is.`,
		Example: a.runExamples(" run"),
		Args:    a.noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.aws.fits(c, hereOnly, "run", "deployed"); err != nil {
				return err
			}
			o.named = c.Flags().Changed("run")
			if o.aws.env != "" {
				return a.runThere(c.Context(), o)
			}
			return a.run(c.Context(), o)
		},
	}
	c.Flags().SortFlags = false
	o.values = addFlags(a.definition, c)
	addReuse(c, &o.reuse)
	addTelling(c, &o)
	addAWS(c, a.definition, &o.aws)
	c.Flags().StringVar(&o.execution, "run", "", "`NAME` of the run on AWS; the same name and values are the same run, however often they are given")
	c.Flags().BoolVar(&o.deployed, "deployed", false, "on AWS, run what is deployed, also where the work tree differs")
	return c
}

// addTelling defines the flags of how a run is told, and how its jobs are kept apart.
func addTelling(c *cobra.Command, o *runOptions) {
	flags := c.Flags()
	flags.BoolVar(&o.json, "json", false, "print the outcome as one JSON object on standard output")
	flags.BoolVar(&o.quiet, "quiet", false, "leave out what the steps write; it is in their logs")
	flags.StringVar(&o.isolation, "isolation", "auto", "how jobs are kept apart: `MODE` auto, direct or namespace")
	flags.StringVar(&o.python, "python", "", "`INTERPRETER` of the steps (default: MLMAX_PYTHON, else each image's version or python3 on the PATH)")
	flags.StringVar(&o.packages, "packages", cmp.Or(os.Getenv("MLMAX_PACKAGES"), packageSources[0]), "`WHICH` packages steps have: image (made for it) or installed (what the interpreter has; MLMAX_PACKAGES)")
	flags.StringVar(&o.openlineage, "openlineage", "", "append OpenLineage events to a file, or post them: `FILE|URL`")
}

// runExamples are the examples of run, under the name by which it is called.
func (a *app) runExamples(verb string) string {
	lines := []string{"  " + a.command + verb}
	for _, p := range a.definition.Parameters {
		if p.Default != nil && !p.Location && p.Type != "string" {
			lines = append(lines, fmt.Sprintf("  %s%s --%s=%v", a.command, verb, p.Flag, p.Default))
			break
		}
	}
	for _, p := range a.definition.Parameters {
		if p.Location {
			lines = append(lines, fmt.Sprintf("  %s%s --%s my/data", a.command, verb, p.Flag))
			break
		}
	}
	return strings.Join(append(lines, "  "+a.command+verb+" --json > outcome.json"), "\n")
}

// run executes the pipeline and reports how it ended.
func (a *app) run(ctx context.Context, o runOptions) error {
	if err := a.settleOptions(&o); err != nil {
		return err
	}
	values, problems := o.values.values(false)
	if len(problems) > 0 {
		problem := errors.Join(problems...)
		hint := fmt.Errorf("%w\n\thint: see %s --help; nothing was started", problem, a.command)
		return a.fail(o, exitFailed, hint, a.nothing(values, "BadParameters", problem))
	}
	return a.start(ctx, o, values)
}

// settleOptions says what is wrong with flags that are not parameters.
func (a *app) settleOptions(o *runOptions) error {
	if !slices.Contains(packageSources, o.packages) {
		return fmt.Errorf("packages is %q, not one of %s\n\thint: see %s --help", o.packages, strings.Join(packageSources, ", "), a.command)
	}
	if !slices.Contains(isolations, o.isolation) {
		return fmt.Errorf("isolation is %q, not one of %s\n\thint: see %s --help", o.isolation, strings.Join(isolations, ", "), a.command)
	}
	return a.settleReuse(&o.reuse)
}

// start executes the pipeline with an input and reports how it ended.
func (a *app) start(ctx context.Context, o runOptions, values map[string]any) error {
	in, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("encode the input: %w", err)
	}
	r, err := a.newRunner(a.definition, place{a.workspace, o.isolation, o.python, o.packages, o.reuse, a.command, given(a.definition, values)})
	if err != nil {
		return a.fail(o, exitTrouble, err, a.nothing(values, "Trouble", err))
	}
	defer r.Close()
	r, told, err := a.tellOpenLineage(r, o.openlineage)
	if err != nil {
		return a.fail(o, exitTrouble, err, a.nothing(values, "Trouble", err))
	}
	defer told()
	outcome, stopped, err := a.execute(ctx, r, in, o.quiet)
	if err != nil {
		if outcome == nil {
			outcome = a.nothing(values, "Trouble", err)
		}
		return a.fail(o, exitOf(stopped, exitTrouble), err, outcome)
	}
	if err := a.report(o, outcome); err != nil {
		return err
	}
	if outcome.Status != pipeline.Succeeded {
		return &exit{code: exitOf(stopped, exitFailed)}
	}
	return nil
}

// nothing is the outcome of a run that could not be started or finished.
func (a *app) nothing(values map[string]any, name string, cause error) *pipeline.Outcome {
	return &pipeline.Outcome{
		Pipeline: a.definition.Name, Status: pipeline.Failed, Parameters: values,
		Error: name, Cause: cause.Error(),
	}
}
