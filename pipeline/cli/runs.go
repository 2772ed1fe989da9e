package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"github.com/spf13/cobra"
)

// A runLine is one run in "runs --json".
type runLine struct {
	Run string `json:"run"`
	// Execution is the run's other name on AWS.
	Execution string    `json:"execution,omitempty"`
	Pipeline  string    `json:"pipeline"`
	Status    string    `json:"status"`
	Started   time.Time `json:"started"`
	Seconds   float64   `json:"seconds"`
	// Parameters are left out where they are not known: Step Functions lists none.
	Parameters json.RawMessage `json:"parameters,omitempty"`
	FailedStep string          `json:"failedStep,omitempty"`
	Error      string          `json:"error,omitempty"`
	// Resumable says that "resume" goes on with it; Resumes is the run that it went on
	// from, and Partial the part of the pipeline that was asked for.
	Resumable bool   `json:"resumable"`
	Resumes   string `json:"resumes,omitempty"`
	Partial   string `json:"partial,omitempty"`
}

func (a *app) runsCommand() *cobra.Command {
	var asJSON, all bool
	var limit int
	var aws awsFlags
	c := &cobra.Command{
		Use:   "runs",
		Short: "List the runs of this pipeline, newest first",
		Example: "  " + a.command + " runs\n" +
			"  " + a.command + " runs --limit 3 --json",
		Args: a.noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := aws.fits(c, hereOnly); err != nil {
				return err
			}
			if aws.env != "" {
				return a.runsThere(c.Context(), aws, limit, asJSON)
			}
			h, _, err := a.history()
			if err != nil {
				return err
			}
			defer h.Close()
			found, err := h.Runs(c.Context(), 0)
			if err != nil {
				return fmt.Errorf("list the runs: %w", err)
			}
			runs := []runLine{}
			for _, r := range found {
				if (all || r.Pipeline == a.definition.Name) && (limit <= 0 || len(runs) < limit) {
					runs = append(runs, lineOfRun(settled(r)))
				}
			}
			return a.printRuns(runs, asJSON, fmt.Sprintf("%s has no runs here; start one with: %s", a.definition.Name, a.here()))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print an array of JSON objects")
	c.Flags().BoolVar(&all, "all", false, "list the runs of the workspace's other pipelines, too")
	c.Flags().IntVar(&limit, "limit", 20, "`NUMBER` of runs at most; 0 is all")
	addAWS(c, a.definition, &aws)
	return c
}

// lineOfRun is a run of this machine.
func lineOfRun(r record.Run) runLine {
	return runLine{
		Run: r.ID, Pipeline: r.Pipeline, Status: r.Status, Started: r.Started.UTC(), Seconds: seconds(r),
		Parameters: parametersOf(r), FailedStep: r.FailedStep, Error: r.Error,
		Resumable: resumable(&r), Resumes: r.Resumes, Partial: r.Partial,
	}
}

// printRuns lists runs; none is what is said where there is none.
func (a *app) printRuns(runs []runLine, asJSON bool, none string) error {
	if asJSON {
		return encode(a.stdout, runs)
	}
	if len(runs) == 0 {
		fmt.Fprintln(a.stderr, none)
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	there := runs[0].Execution != ""
	fmt.Fprintln(w, columns(there, "RUN", "ID")+"\tPIPELINE\tSTARTED\tSECONDS\tSTATUS")
	for _, r := range runs {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.1f\t%s\n", columns(there, cmp.Or(r.Execution, r.Run), r.Run), terminal.Clean(r.Pipeline),
			r.Started.Local().Format("2006-01-02 15:04:05"), r.Seconds, terminal.Clean(r.status()))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	return nil
}

// columns are the names of a run: the one that people use and, on AWS, the one that keys,
// jobs and model versions have.
func columns(both bool, name, id string) string {
	if !both {
		return terminal.Clean(name)
	}
	return terminal.Clean(name) + "\t" + terminal.Clean(id)
}

// status is how a run ended, and whether it can be gone on with.
func (r *runLine) status() string {
	status := r.Status
	if r.FailedStep != "" {
		status += " in step " + r.FailedStep
	}
	if r.Error == interrupted {
		status += " (interrupted)"
	}
	if r.Partial != "" {
		status += ", " + r.Partial
	}
	if r.Resumes != "" {
		status += ", resumes " + r.Resumes
	}
	if r.Resumable {
		status += ", resumable"
	}
	return status
}

// interrupted is the error of a run whose process ended before the run did.
const interrupted = "Interrupted"

// settled is a run as the next one will record it, if its process is gone. One on AWS has
// none.
func settled(r record.Run) record.Run {
	if r.Status == string(pipeline.Running) && r.PID != 0 && !local.Alive(r.PID, r.PIDStart) {
		r.Status, r.Error = string(pipeline.Aborted), interrupted
	}
	return r
}

// parametersOf are a run's parameters; an empty object if none were noted.
func parametersOf(r record.Run) json.RawMessage {
	if len(r.Parameters) == 0 {
		return json.RawMessage("{}")
	}
	return r.Parameters
}

// seconds is how long a run took, or 0 while it has not ended.
func seconds(r record.Run) float64 {
	if r.Ended.IsZero() || r.Ended.Before(r.Started) {
		return 0
	}
	return r.Ended.Sub(r.Started).Seconds()
}

// history opens the record of the workspace that the command's flags name.
func (a *app) history() (history, string, error) {
	return a.open(a.definition, place{workspace: a.workspace})
}

// findRun finds a run by id, the start of an id, or "latest", which is the newest
// of this pipeline.
func (a *app) findRun(ctx context.Context, h history, id string) (*record.Run, error) {
	if id != "latest" {
		r, err := h.Run(ctx, id)
		if err != nil {
			if errors.Is(err, record.ErrNotFound) {
				return nil, fmt.Errorf("this workspace has no run %q\n\thint: see %s runs", id, a.here())
			}
			return nil, fmt.Errorf("find run %q: %w\n\thint: see %s runs", id, err, a.here())
		}
		return r, nil
	}
	all, err := h.Runs(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("find the latest run: %w", err)
	}
	for _, r := range all {
		if r.Pipeline == a.definition.Name {
			return &r, nil
		}
	}
	return nil, fmt.Errorf("%s has no runs here\n\thint: start one with: %s", a.definition.Name, a.here())
}
