package execution

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/joblog"
	"github.com/mlmax/mlmax/pipeline/cloud/ledger"
)

// conclude is the outcome of an execution that has ended. What of it cannot be had is
// warned of: the execution is over, whatever we can see.
func (w *watch) conclude(ctx context.Context, d *Description) *pipeline.Outcome {
	w.begin()
	state := w.lastState()
	message := ""
	if d.Status != pipeline.Succeeded {
		message = cmp.Or(w.why[state], w.words(state, d.Error, d.Cause))
	}
	w.tracker.Finish(d.Stopped, d.Status, state, message)
	o := w.outcome(d)
	if d.Status != pipeline.Succeeded {
		o.FailedStep, o.Error, o.Cause = state, d.Error, message
		if d.Status == pipeline.TimedOut && o.Error == "" {
			o.Error = asl.ErrorTimeout
		}
		w.failed(ctx, d, o)
	}
	if err := w.result(ctx, d, o); err != nil {
		w.warn(err)
	}
	w.emit(pipeline.Event{Kind: pipeline.RunEnded, Time: d.Stopped, Status: o.Status, Message: o.Cause, Seconds: o.Seconds})
	return o
}

func (w *watch) warn(err error) {
	w.emit(pipeline.Event{Kind: pipeline.Warned, Message: inLine(err)})
}

// outcome is what is known of an execution by its history; d is nil while it goes on.
func (w *watch) outcome(d *Description) *pipeline.Outcome {
	o := &pipeline.Outcome{
		Run: w.run, Execution: w.name, Pipeline: w.p.Definition.Name, Status: pipeline.Running, Parameters: w.parameters(),
		Metrics: map[string]any{}, Steps: w.tracker.Outcomes(), Artifacts: []pipeline.Artifact{},
		Links: []pipeline.Link{{Name: "execution", URL: Page(w.p, w.name)}},
	}
	if len(w.events) == 0 {
		return o
	}
	started, until := w.events[0].Timestamp, w.p.Clock.Now()
	if d != nil {
		o.Status = d.Status
	}
	if d != nil && d.Ended() {
		until = d.Stopped
	}
	o.Seconds = max(0, until.Sub(started).Seconds())
	if o.Status == pipeline.Running {
		o.Steps = w.tracker.OutcomesAt(until)
	}
	return o
}

// parameters are the input over the defaults, as the machine lays it.
func (w *watch) parameters() map[string]any {
	values := map[string]any{}
	for i := range w.p.Definition.Parameters {
		q := &w.p.Definition.Parameters[i]
		switch key, ok := q.Default.(string); {
		case q.Location && ok:
			values[q.Key] = "s3://" + w.p.Bucket + "/" + w.p.Prefix + key
		case q.Default != nil:
			values[q.Key] = q.Default
		}
	}
	if len(w.events) == 0 {
		return values
	}
	text, _ := w.events[0].Details.Get("input")
	input, _ := text.(string)
	d := json.NewDecoder(strings.NewReader(input))
	d.UseNumber()
	var given map[string]any
	if d.Decode(&given) == nil {
		for key, value := range given {
			values[key] = number(value)
		}
	}
	return values
}

// number is a JSON number as the local runner has it: an int64, else a float64.
func number(value any) any {
	n, ok := value.(json.Number)
	if !ok {
		return value
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(n.String(), 64); err == nil {
		return f
	}
	return n.String()
}

// lastState is the state in which an execution that did not succeed ended: the one that
// its last event follows, or else the last that was entered and not left.
func (w *watch) lastState() string {
	last := w.events[len(w.events)-1]
	if last.Type == "ExecutionSucceeded" {
		return ""
	}
	if state := w.reader.State(last.ID); state != "" {
		return state
	}
	var open []string
	for _, e := range w.events {
		switch {
		case strings.HasSuffix(e.Type, "StateEntered"):
			open = append(open, e.State)
		case strings.HasSuffix(e.Type, "StateExited"):
			if i := slices.Index(open, e.State); i >= 0 {
				open = slices.Delete(open, i, i+1)
			}
		}
	}
	if len(open) == 0 {
		return ""
	}
	return open[len(open)-1]
}

// failed adds to the outcome of an execution that did not succeed what a person wants to
// see: links, and until when it can be resumed.
func (w *watch) failed(ctx context.Context, d *Description, o *pipeline.Outcome) {
	if err := Resumable(w.p, d); err != nil {
		o.NotResumable, _, _ = strings.Cut(err.Error(), "\n\thint: ")
	} else {
		until := d.ResumableUntil()
		o.ResumableUntil = &until
	}
	tries, err := ledger.Tries(w.events)
	if err != nil {
		w.warn(err)
		return
	}
	for i := len(tries) - 1; i >= 0; i-- {
		t := tries[i]
		if t.Step != o.FailedStep || t.Job == "" {
			continue
		}
		w.explain(ctx, &t, o)
		o.Links = append(o.Links, pipeline.Link{Name: "job", URL: jobPage(w.p, t.Kind, t.Job)}, pipeline.Link{Name: "log", URL: logPage(w.p, t.Kind, t.Job)})
		o.Log = logOf(t.Kind, t.Job)
		return
	}
}

// explain adds SageMaker's own reason where the machine's cause does not hold it: the job
// was stopped, or the cause was cut.
func (w *watch) explain(ctx context.Context, t *ledger.Try, o *pipeline.Outcome) {
	if o.Status == pipeline.Aborted || strings.Contains(t.Cause, `"FailureReason"`) {
		return
	}
	operation, in := "DescribeProcessingJob", map[string]string{"ProcessingJobName": t.Job}
	if t.Kind == pipeline.KindTraining {
		operation, in = "DescribeTrainingJob", map[string]string{"TrainingJobName": t.Job}
	}
	var job struct{ FailureReason string }
	if err := w.p.SageMaker(ctx, operation, in, &job); err != nil || job.FailureReason == "" {
		return // there may be no job; and a reason more would be good to have, no more
	}
	if more := w.words(o.FailedStep, o.Error, job.FailureReason); !strings.Contains(o.Cause, more) {
		o.Cause = strings.TrimPrefix(o.Cause+"\n"+more, "\n")
	}
}

// logOf is how the log of a job is named to people: its group, and how its streams begin.
func logOf(kind, job string) string { return joblog.Group(kind) + " " + joblog.Prefix(job) }

// Tail gives the last lines of a log that an outcome names; why not, where it cannot be read.
func Tail(ctx context.Context, p *cloud.Place, log string, lines int) []string {
	group, prefix, ok := strings.Cut(log, " ")
	kind := pipeline.KindProcessing
	if group == joblog.Group(pipeline.KindTraining) {
		kind = pipeline.KindTraining
	}
	if !ok || group != joblog.Group(kind) {
		return nil
	}
	all, err := joblog.Last(ctx, p, kind, strings.TrimSuffix(prefix, "/"), lines)
	if err != nil {
		return []string{"(" + inLine(err) + ")"}
	}
	return all
}
