package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// candidates is how many earlier results are looked at, of which the newest that is
// whole is taken. Links share their content: where the newest is damaged, the others
// mostly are.
const candidates = 16

// begin finds a job's inputs, and takes its outputs from an earlier run where that had
// the same recipe; the answer is then its response. Else the answer is nil, and the job
// is recorded as begun.
func (h *handler) begin(ctx context.Context, j *job, resource string) (json.RawMessage, error) {
	if err := h.inputs(ctx, j); err != nil {
		return nil, err
	}
	j.started = h.clock.Now()
	j.step = record.Step{
		Run: h.id, Name: j.task.State, Attempt: j.task.Attempt, Kind: j.kind, Job: j.name, Request: j.task.Arguments,
		Started: j.started, CacheKey: j.recipe.key(), KeyParts: j.recipe.parts(),
	}
	if err := h.makeLog(j); err != nil {
		return nil, err
	}
	why := "it was asked for"
	if j.step.CacheKey == "" {
		why = "it is not known which code it runs"
	} else if h.scope.mayReuse(j.task.State) {
		response, problem, err := h.reuse(ctx, j, resource)
		if response != nil || err != nil {
			return response, err
		}
		if why, err = h.why(ctx, j, problem); err != nil {
			return nil, err
		}
	}
	if err := h.scope.mayRun(j.task.State, why); err != nil {
		return nil, err
	}
	if h.scope.Why || h.scope.complete[j.task.State] != nil {
		h.tracker.Explain(j.task.State, why)
	}
	return nil, h.start(ctx, j, resource)
}

// reuse takes a job's outputs from the newest result of its recipe that is whole. It
// returns nil if there is none, with what is wrong with the newest.
func (h *handler) reuse(ctx context.Context, j *job, resource string) (response json.RawMessage, problem string, err error) {
	before := int64(math.MaxInt64)
	for range candidates {
		found, err := h.db.Result(ctx, j.step.CacheKey, before)
		if errors.Is(err, record.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, "", err
		}
		before = found.ID
		response, err := h.take(ctx, j, resource, found)
		var spoiled *objects.CorruptError
		switch {
		case err == nil:
			return response, "", nil
		case errors.As(err, &spoiled), errors.Is(err, record.ErrNotFound):
			if problem == "" {
				problem = fmt.Sprintf("the outputs of run %s cannot be used: %s", found.Run, h.damage(ctx, err))
				h.warn(j.task.State, problem+"; step "+j.task.State+" runs again")
			}
		default:
			return nil, "", err
		}
	}
	return nil, problem, nil
}

// take makes the outputs of an earlier result those of this job, all at once, as if it
// had run.
func (h *handler) take(ctx context.Context, j *job, resource string, from *record.Result) (json.RawMessage, error) {
	outputs, err := h.db.Outputs(ctx, from.ID)
	if err != nil {
		return nil, err
	}
	model := h.modelPort(j.task.State) // it is part of the key, and so it is that of both
	was, err := places(from.Kind, from.Request, model)
	if err != nil {
		return nil, err
	}
	is, err := places(j.kind, j.task.Arguments, model)
	if err != nil {
		return nil, err
	}
	batch := h.store.Batch()
	defer batch.Discard()
	for i := range outputs {
		if err := h.link(ctx, batch, j, &outputs[i], was[outputs[i].Name], is[outputs[i].Name]); err != nil {
			return nil, err
		}
	}
	describe, err := h.describeAgain(j, resource, from.Response, is)
	if err != nil {
		return nil, err
	}
	if j.step.Response, err = json.Marshal(describe); err != nil {
		return nil, err
	}
	origin := fmt.Sprintf("run %s", from.OriginRun)
	note := fmt.Sprintf("cached: the outputs are those of step %s in %s, whose log is %s\n", from.OriginStep, origin, from.OriginLog)
	if err := os.WriteFile(j.logPath, []byte(note), 0o600); err != nil {
		return nil, h.store.Explain(err, 0, "writing the log of step "+j.task.State)
	}
	j.step.Status, j.step.CachedFrom, j.step.Ended = string(pipeline.Succeeded), from.Origin, h.clock.Now()
	err = batch.Commit(context.WithoutCancel(ctx), func(ctx context.Context, list []record.Object) error {
		return h.db.Reuse(ctx, j.step, j.sources, outputs, list)
	})
	if errors.Is(err, record.ErrJobExists) {
		return nil, inUse(resource, j.name)
	}
	if err != nil {
		return nil, h.store.Explain(err, 0, "recording the cached step "+j.task.State)
	}
	h.tracker.Cached(j.task.State, origin)
	return j.step.Response, nil
}

// link adds the objects of an output to a batch under this job's own keys, and makes the
// port name them. An output whose content is not what was recorded is refused.
func (h *handler) link(ctx context.Context, batch *objects.Batch, j *job, port *record.Port, was, is string) error {
	missing := func() error {
		return fmt.Errorf("output %q of run %s: %w", port.Name, port.Artifact.Run, record.ErrNotFound)
	}
	if was == "" || is == "" {
		return missing()
	}
	bucket, prefix, err := objects.Parse(was)
	if err != nil {
		return err
	}
	_, to, err := objects.Parse(is)
	if err != nil {
		return err
	}
	a := &port.Artifact
	list, err := h.store.List(ctx, bucket, prefix)
	if err != nil {
		return err
	}
	sound := objects.TreeDigest(list, prefix) == a.Digest
	for i := range list {
		if err := batch.Link(bucket, to+strings.TrimPrefix(list[i].Key, prefix), list[i]); err != nil {
			return err
		}
		// An artifact that is a file is known by that file.
		sound = sound || "s3://"+bucket+"/"+list[i].Key == a.URI && "sha256:"+list[i].Digest == a.Digest
	}
	if !sound {
		return missing()
	}
	a.ID, a.Run, a.Step, a.Name = 0, h.id, j.task.State, j.task.State+"."+port.Name
	a.URI = is + strings.TrimPrefix(a.URI, was)
	return nil
}

// places are where a request puts what its ports write: a folder, with the slash that
// ends it, or an object.
func places(kind string, request json.RawMessage, model string) (map[string]string, error) {
	if kind == processingKind {
		all := map[string]string{}
		var p processingJob
		if err := json.Unmarshal(request, &p); err != nil {
			return nil, fmt.Errorf("read the request of an earlier step: %w", err)
		}
		for _, out := range p.ProcessingOutputConfig.Outputs {
			all[out.OutputName] = strings.TrimSuffix(out.S3Output.S3Uri, "/") + "/"
		}
		return all, nil
	}
	var t trainingJob
	if err := json.Unmarshal(request, &t); err != nil {
		return nil, fmt.Errorf("read the request of an earlier step: %w", err)
	}
	base := t.outputBase()
	return map[string]string{model: base + modelArchive, outputArchive: base + outputArchive}, nil
}

// describeAgain is the response for a job whose outputs were taken from an earlier one:
// what the service says of this request, with what the job itself had to tell then.
func (h *handler) describeAgain(j *job, resource string, before json.RawMessage, places map[string]string) (map[string]any, error) {
	describe, err := h.describe(j, resource)
	if err != nil {
		return nil, err
	}
	var then map[string]json.RawMessage
	if err := json.Unmarshal(before, &then); err != nil {
		return nil, fmt.Errorf("read the response of an earlier step: %w", err)
	}
	for _, name := range []string{"ExitMessage", "FinalMetricDataList", "TrainingTimeInSeconds", "BillableTimeInSeconds"} {
		if value, ok := then[name]; ok {
			describe[name] = value
		}
	}
	if _, ok := then["ModelArtifacts"]; ok {
		describe["ModelArtifacts"] = map[string]any{"S3ModelArtifacts": places[h.modelPort(j.task.State)]}
	}
	describe[resource+"JobStatus"] = "Completed"
	if resource == "Training" {
		describe["SecondaryStatus"] = "Completed"
	}
	return describe, nil
}

// mend is the error of an object that is not what was stored, with what to do: the step
// that made it has to run again.
func (h *handler) mend(ctx context.Context, e *objects.CorruptError) error {
	text, id, step := h.spoiled(ctx, e)
	if step == "" {
		return &nextError{text + "; it is not given to a step. Store it again, by a run that is given its file", e}
	}
	made, err := h.db.Run(ctx, id)
	if err != nil {
		return errors.Join(e, err)
	}
	text = fmt.Sprintf("%s; step %s must run again: %s resume %s --from %s", text, step, h.command(path.Dir(made.Package)), id, step)
	for i := range h.definition.Versions {
		// What is made again belongs to another version: this one stays as it is.
		if v := &h.definition.Versions[i]; v.Pipeline == made.Pipeline && v.Pipeline != h.definition.Name {
			text += "; then approve the version that it registers: " + h.trainFirst(v)[1].Command
			break
		}
	}
	return &nextError{text, e}
}

// why says why a job has to run: problem, if its outputs are there and cannot be used,
// else what is not as it was in the step's newest earlier try.
func (h *handler) why(ctx context.Context, j *job, problem string) (string, error) {
	if problem != "" {
		return problem, nil
	}
	var err error
	earlier := h.scope.complete[j.task.State]
	if earlier == nil {
		earlier, err = h.db.Earlier(ctx, h.definition.Name, h.id, j.task.State)
	}
	switch {
	case errors.Is(err, record.ErrNotFound):
		return "it has not run before", nil
	case err != nil:
		return "", err
	case earlier.CacheKey == j.step.CacheKey:
		return fmt.Sprintf("it ended %s in run %s", earlier.Status, earlier.Run), nil
	}
	return fmt.Sprintf("since run %s: %s", earlier.Run, differences(earlier.KeyParts, j.step.KeyParts)), nil
}

// inUse is what the service says of a job's name that another job has.
func inUse(resource, name string) error {
	return asl.Fail("SageMaker.ResourceInUseException", fmt.Sprintf("%s job already exists with the name %s", resource, name))
}

// damage is an error of an object for people: which artifact of which run it is.
func (h *handler) damage(ctx context.Context, err error) string {
	var spoiled *objects.CorruptError
	if !errors.As(err, &spoiled) {
		return err.Error()
	}
	text, _, _ := h.spoiled(ctx, spoiled)
	return text
}

// spoiled says which artifact an object that is not what was stored belongs to, and
// which step of which run made it; both are empty for what no step made.
func (h *handler) spoiled(ctx context.Context, e *objects.CorruptError) (text, run, step string) {
	found := fmt.Sprintf("sha256 expected %.12s, found %.12s", e.Expected, e.Found)
	if e.Found == "" {
		found = fmt.Sprintf("its file is gone; sha256 expected %.12s", e.Expected)
	}
	// The object, or the folder that it is in, however deep.
	for at := e.Key; at != "."; at = path.Dir(at) {
		a, err := h.db.Produced(ctx, "s3://"+e.Bucket+"/"+at)
		if err == nil && a.Step != "" {
			return fmt.Sprintf("artifact %s of run %s is corrupt (%s)", path.Base(e.Key), a.Run, found), a.Run, a.Step
		}
	}
	return fmt.Sprintf("s3://%s/%s is corrupt (%s)", e.Bucket, e.Key, found), "", ""
}
