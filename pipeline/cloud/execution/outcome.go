package execution

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/joblog"
	"github.com/mlmax/mlmax/pipeline/cloud/ledger"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// conclude is the outcome of an execution that has ended. What of it cannot be had is
// warned of: the execution is over, whatever we can see.
func (w *watch) conclude(ctx context.Context, d *Description) *pipeline.Outcome {
	w.begin()
	state := w.lastState()
	message := ""
	if d.Status != pipeline.Succeeded {
		message = cmp.Or(w.why[state], w.words(d.Error, d.Cause))
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
	w.emit(pipeline.Event{Kind: pipeline.Warned, Message: strings.ReplaceAll(err.Error(), "\n\thint: ", ": ")})
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
	if t.Kind == training {
		operation, in = "DescribeTrainingJob", map[string]string{"TrainingJobName": t.Job}
	}
	var job struct{ FailureReason string }
	if err := w.p.SageMaker(ctx, operation, in, &job); err != nil || job.FailureReason == "" {
		return // there may be no job; and a reason more would be good to have, no more
	}
	if more := w.words(o.Error, job.FailureReason); !strings.Contains(o.Cause, more) {
		o.Cause = strings.TrimPrefix(o.Cause+"\n"+more, "\n")
	}
}

// result fills in what the run made: by its manifest, which is written here where the
// machine did not come to do so.
func (w *watch) result(ctx context.Context, d *Description, o *pipeline.Outcome) error {
	m, err := w.manifest(ctx, d)
	if m == nil {
		return err
	}
	if err != nil {
		w.warn(err) // that it could not be left in S3
	}
	o.Run = m.Run
	for output, fields := range m.Metrics {
		for field, value := range fields {
			if d.Status == pipeline.Succeeded {
				o.Metrics[output+"."+field] = number(value)
			}
		}
	}
	o.Artifacts = w.artifacts(ctx, m, o.Parameters)
	for _, name := range sorted(m.Versions) {
		if o.Versions == nil {
			o.Versions = map[string]pipeline.ModelVersion{}
		}
		o.Versions[name] = w.version(ctx, m.Versions[name].Arn)
	}
	if d.Status != pipeline.Succeeded {
		return nil
	}
	o.Output = d.Output
	w.models(ctx, m, o)
	return nil
}

// artifacts are the data that the run started from and what its steps wrote, in the
// pipeline's order.
func (w *watch) artifacts(ctx context.Context, m *manifest.Manifest, parameters map[string]any) []pipeline.Artifact {
	var all []pipeline.Artifact
	for i := range w.p.Definition.Parameters {
		q := &w.p.Definition.Parameters[i]
		if uri, ok := parameters[q.Key].(string); ok && q.Location {
			all = append(all, pipeline.Artifact{Name: q.Key, URI: uri, Digest: w.digestOf(uri)})
		}
	}
	var names []string
	for _, job := range w.p.Definition.Jobs {
		for _, output := range job.Outputs {
			names = append(names, job.Name+"."+output.Name)
		}
	}
	for _, name := range sorted(m.Artifacts) {
		if !slices.Contains(names, name) {
			names = append(names, name) // of a machine that is not the tree's
		}
	}
	sizes := w.sizes(ctx, m)
	for _, name := range names {
		if uri := m.Artifacts[name]; uri != "" {
			all = append(all, pipeline.Artifact{Name: name, URI: uri, Digest: m.Digests[name], Bytes: sizes[name]})
		}
	}
	return all
}

// digestOf is the digest of data by its URI, where it was uploaded under it; else empty.
func (w *watch) digestOf(uri string) string {
	rest, ok := strings.CutPrefix(uri, "s3://"+w.p.Bucket+"/"+w.p.Prefix+"data/")
	digest, _, folder := strings.Cut(rest, "/")
	if sum, err := hex.DecodeString(digest); !ok || !folder || err != nil || len(sum) != sha256.Size {
		return ""
	}
	return "sha256:" + digest
}

// models fills in what was registered, and what was not.
func (w *watch) models(ctx context.Context, m *manifest.Manifest, o *pipeline.Outcome) {
	for _, name := range sorted(m.Models) {
		if m.Models[name] == nil || m.Models[name].ModelPackageArn == "" {
			continue
		}
		version := w.version(ctx, m.Models[name].ModelPackageArn)
		o.Model = &version
		if version.Status == pipeline.PendingManualApproval {
			o.Next = append(o.Next, pipeline.Suggestion{
				Command: w.p.Next("models approve " + w.ref(version) + " --by NAME --note TEXT"), Why: "let others take the version that was registered",
			})
		}
	}
	var reasons []string
	for _, name := range sorted(m.NotRegistered) {
		reasons = append(reasons, m.NotRegistered[name])
	}
	o.NotRegistered = strings.Join(reasons, "; ")
}

// ref is how the commands name a version: by its number, or with its group where the
// pipeline knows several.
func (w *watch) ref(v pipeline.ModelVersion) string {
	number := strconv.Itoa(v.Version)
	if known := w.p.Definition.Groups(); len(known) == 1 && w.p.Environment+"-"+known[0] == v.Group {
		return number
	}
	return v.Group + "/" + number
}

// version is a model version as it is now; where it cannot be looked at, what its ARN says.
func (w *watch) version(ctx context.Context, arn string) pipeline.ModelVersion {
	v := pipeline.ModelVersion{Group: path.Base(path.Dir(arn)), ARN: arn}
	v.Version, _ = strconv.Atoi(path.Base(arn)) // 0 where it has none
	var described struct{ ModelApprovalStatus string }
	if err := w.p.SageMaker(ctx, "DescribeModelPackage", map[string]string{"ModelPackageName": arn}, &described); err != nil {
		w.warn(w.p.Explain(err, "looking at "+arn))
	}
	v.Status = described.ModelApprovalStatus
	return v
}

// logOf is how the log of a job is named to people: its group, and how its streams begin.
func logOf(kind, job string) string { return joblog.Group(kind) + " " + joblog.Prefix(job) }

// Tail gives the last lines of a log that an outcome names; why not, where it cannot be read.
func Tail(ctx context.Context, p *cloud.Place, log string, lines int) []string {
	group, prefix, ok := strings.Cut(log, " ")
	kind := processing
	if group == joblog.Group(training) {
		kind = training
	}
	if !ok || group != joblog.Group(kind) {
		return nil
	}
	all, err := joblog.Last(ctx, p, kind, strings.TrimSuffix(prefix, "/"), lines)
	if err != nil {
		return []string{"(" + strings.ReplaceAll(err.Error(), "\n\thint: ", ": ") + ")"}
	}
	return all
}

// The kinds of jobs, in the words of the record.
const (
	processing = "processing"
	training   = "training"
)
