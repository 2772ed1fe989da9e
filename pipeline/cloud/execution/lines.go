package execution

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/joblog"
)

// fresh is how old a job may be whose log is told from its first line. Of a job that has
// been running for longer when a watch begins, the last lines are told, and what comes.
const (
	fresh     = time.Minute
	lateLines = 10
)

// A printing is a job whose lines are told as they come.
type printing struct {
	step    string
	attempt int
	reader  *joblog.Reader
	ended   bool
}

// prints notes that a job was asked for whose lines are to be told.
func (w *watch) prints(e asl.HistoryEvent) {
	if !w.options.Lines || w.quiet || w.on == nil {
		return
	}
	text, _ := e.Details.Get("parameters")
	request, _ := text.(string)
	var named struct{ ProcessingJobName, TrainingJobName string }
	if json.Unmarshal([]byte(request), &named) != nil {
		return // no job that writes a log
	}
	kind, job := processing, named.ProcessingJobName
	if named.TrainingJobName != "" {
		kind, job = training, named.TrainingJobName
	}
	if job == "" {
		return
	}
	reader := joblog.NewReader(w.p, kind, job).Once()
	if w.p.Clock.Now().Sub(e.Timestamp) > fresh {
		reader.Late(lateLines)
	}
	w.printing = append(w.printing, &printing{step: e.State, attempt: w.tries[e.State], reader: reader})
}

// printed reads the rest of what a step's job wrote, before it is told that the step ended.
func (w *watch) printed(ctx context.Context, step string) {
	for _, j := range w.printing {
		if j.step == step && !j.ended {
			w.read(ctx, j)
			j.ended = true
		}
	}
}

// lines reads what the jobs have written since the last look, and says whether they have.
// Jobs that had ended by the last look are left: CloudWatch gets lines some seconds late,
// so that they are looked at once more.
func (w *watch) lines(ctx context.Context) (came bool) {
	for _, j := range w.printing {
		if w.read(ctx, j) {
			came = true
		}
	}
	w.printing = slices.DeleteFunc(w.printing, func(j *printing) bool { return j.ended })
	return came
}

// read tells one job's new lines. A log that cannot be read ends no watch: a person who may
// not read it is told so, once.
func (w *watch) read(ctx context.Context, j *printing) (came bool) {
	if !w.options.Lines {
		return false
	}
	came, err := j.reader.Next(ctx, func(line string) {
		w.emit(pipeline.Event{Kind: pipeline.StepLog, Step: j.step, Attempt: j.attempt, Status: pipeline.Running, Message: line})
	})
	w.logCalls += j.reader.Calls()
	if err != nil && ctx.Err() == nil && !joblog.Passes(err) && !passes(err) && !cloud.IsThrottled(err) && !cloud.IsExpired(err) {
		w.options.Lines = false
		told := w.p.Explain(err, "reading what "+j.step+" writes")
		w.emit(pipeline.Event{Kind: pipeline.Warned, Message: strings.ReplaceAll(told.Error(), "\n\thint: ", ": ") + "; it is not shown"})
	}
	return came
}
