package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/spf13/cobra"
)

func (a *app) resumeCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with a run that did not come to its end",
		Long: `Resume starts a run with the input of an earlier one. Steps that were complete, and
of which nothing has changed since, are not run again; for the others it says why
they are. Where the earlier run had chosen a model version, it is the same one,
whatever has been approved since. RUN is the id of a run, the start of one, or
"latest".

With --env Step Functions goes on with an execution where it failed, within 14 days of
its end: always with the machine, the code and the input that it was started with. RUN
is then its name, the run's id, or "latest".`,
		Example: "  " + a.command + " resume latest\n" +
			"  " + a.command + " resume 3f2a --from " + a.anyStep(),
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("%s takes RUN\n\thint: %s", c.CommandPath(), ofLatest(c))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.aws.fits(c, hereOnly, "same-code"); err != nil {
				return err
			}
			if o.aws.env != "" {
				return a.resumeThere(c.Context(), o, args[0])
			}
			return a.resume(c, &o, args[0])
		},
	}
	c.Flags().SortFlags = false
	addFrom(c, &o.reuse)
	addTelling(c, &o)
	addAWS(c, a.definition, &o.aws)
	c.Flags().BoolVar(&o.sameCode, "same-code", false, "on AWS, go on with the code that the run was started with, also where the work tree differs")
	return c
}

// resume goes on with the run of that id.
func (a *app) resume(c *cobra.Command, o *runOptions, id string) error {
	if err := a.settleOptions(o); err != nil {
		return err
	}
	values, err := a.prepareResume(c, o, id)
	if err != nil {
		return a.fail(*o, exitTrouble, err, a.nothing(nil, "Trouble", err))
	}
	return a.start(c.Context(), *o, values)
}

// prepareResume finds the run, and gives the input to go on with.
func (a *app) prepareResume(c *cobra.Command, o *runOptions, id string) (map[string]any, error) {
	h, _, err := a.history()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	run, err := a.findRun(c.Context(), h, id)
	if err != nil {
		return nil, err
	}
	old := settled(*run)
	if err := a.refuse(&old, o.reuse.From); err != nil {
		return nil, err
	}
	o.reuse.Resumes = old.ID
	if old.Status != string(pipeline.Succeeded) && o.reuse.From == "" {
		// It goes on to where it was to end.
		if step, ok := strings.CutPrefix(old.Partial, "only "); ok {
			o.reuse.Only = step
		}
		if step, ok := strings.CutPrefix(old.Partial, "until "); ok {
			o.reuse.Until = step
		}
	}
	return a.inputOf(c.Context(), h, &old)
}

// refuse says why a run cannot be gone on with from a step, or returns nil.
func (a *app) refuse(r *record.Run, from string) error {
	switch {
	case r.Pipeline != a.definition.Name:
		return fmt.Errorf("run %s is one of %s\n\thint: %s resume %s", r.ID, r.Pipeline, commandOf(a.definition, a.command, path.Dir(r.Package))+inWorkspace(a.workspace), r.ID)
	case r.Status == string(pipeline.Running):
		return fmt.Errorf("run %s is still running (PID %d, since %s)\n\thint: wait, or interrupt it", r.ID, r.PID, r.Started.Local().Format("15:04"))
	case from == "" && !resumable(r):
		return fmt.Errorf("run %s succeeded: nothing of it is left to do\n\thint: to do a part of it again, say from where: %s resume %s --from %s", r.ID, a.here(), r.ID, a.anyStep())
	}
	return nil
}

// resumable says whether a run did not come to its end, or did only a part of the
// pipeline.
func resumable(r *record.Run) bool {
	return r.Status != string(pipeline.Running) && (r.Status != string(pipeline.Succeeded) || r.Partial != "")
}

// inputOf is a run's input, with the model versions that it had chosen.
func (a *app) inputOf(ctx context.Context, h history, r *record.Run) (map[string]any, error) {
	values := map[string]any{}
	if len(r.Input) > 0 {
		d := json.NewDecoder(strings.NewReader(string(r.Input)))
		d.UseNumber()
		if err := d.Decode(&values); err != nil {
			return nil, fmt.Errorf("read the input of run %s: %w", r.ID, err)
		}
	}
	if len(a.definition.Versions) == 0 {
		return values, nil
	}
	steps, err := h.Steps(ctx, r.ID)
	if err != nil {
		return nil, fmt.Errorf("read the steps of run %s: %w", r.ID, err)
	}
	for _, v := range a.definition.Versions {
		for _, s := range steps {
			if s.Name != "Describe "+v.Name || s.Status != string(pipeline.Succeeded) {
				continue
			}
			var described struct{ ModelPackageVersion json.Number }
			if err := json.Unmarshal(s.Response, &described); err != nil {
				return nil, fmt.Errorf("read which version of %s run %s had chosen: %w", v.Name, r.ID, err)
			}
			values[v.Param] = described.ModelPackageVersion
		}
	}
	return values, nil
}
