package local

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/record"
)

// What ${Name} and ARNs hold on the laptop.
const (
	bucket  = "local"
	region  = "local"
	account = "000000000000"
)

// sageMakerRefused is how the optimized integration names every refusal that
// SageMaker's model does not name (Step Functions Developer Guide, connect-sagemaker).
const sageMakerRefused = "SageMaker.AmazonSageMakerException"

// An action is what a resource stands for.
type action struct {
	// kind is what the step is called in the record.
	kind string
	do   func(*handler, context.Context, asl.Task) (json.RawMessage, error)
}

// The kinds of steps. Those that are calls are recorded, and not shown as steps.
const (
	processingKind = pipeline.KindProcessing
	trainingKind   = pipeline.KindTraining
	registerKind   = "register"
	callKind       = "call"
)

var actions = map[string]action{
	"sagemaker:createProcessingJob.sync":     {processingKind, (*handler).processing},
	"sagemaker:createTrainingJob.sync":       {trainingKind, (*handler).training},
	"aws-sdk:sagemaker:createModelPackage":   {registerKind, (*handler).createModelPackage},
	"aws-sdk:sagemaker:describeModelPackage": {callKind, (*handler).describeModelPackage},
	"aws-sdk:sagemaker:listModelPackages":    {callKind, (*handler).listModelPackages},
	"aws-sdk:s3:getObject":                   {callKind, (*handler).getObject},
	"aws-sdk:s3:putObject":                   {callKind, (*handler).putObject},
}

var statesARN = regexp.MustCompile(`^arn:aws[a-z-]*:states:::(.+)$`)

// actionOf finds the action of a Task's resource.
func actionOf(resource string) (action, bool) {
	match := statesARN.FindStringSubmatch(resource)
	if match == nil {
		return action{}, false
	}
	a, ok := actions[match[1]]
	return a, ok
}

// checkResources refuses a machine that calls what has no action here, before
// anything has run.
func checkResources(m *asl.Machine) error {
	for _, s := range m.States {
		if s.Type == asl.TaskState {
			if _, ok := actionOf(s.Resource); !ok {
				return fmt.Errorf("state %q calls %s, which has no local counterpart; known are %s",
					s.Name, s.Resource, strings.Join(slices.Sorted(maps.Keys(actions)), ", "))
			}
		}
		for _, inner := range append(slices.Clone(s.Branches), s.ItemProcessor) {
			if inner == nil {
				continue
			}
			if err := checkResources(inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// handler does the tasks of one run.
type handler struct {
	*run
}

// Do implements [asl.Handler].
func (h *handler) Do(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	a, ok := actionOf(t.Resource)
	if !ok {
		return nil, fmt.Errorf("state %q calls %s, which has no local counterpart", t.State, t.Resource)
	}
	if err := h.scope.mayDo(t.State, a.kind); err != nil {
		return nil, err
	}
	h.reasons.set(t.State, "")
	h.clock.refused.Store(false)
	if a.kind == processingKind || a.kind == trainingKind {
		return a.do(h, ctx, t)
	}
	step := record.Step{
		Run: h.id, Name: t.State, Attempt: t.Attempt, Kind: a.kind, Status: string(pipeline.Succeeded),
		Request: t.Arguments, Started: h.clock.Now(),
	}
	result, err := a.do(h, ctx, t)
	step.Ended, step.Response = h.clock.Now(), result
	if err != nil {
		step.Status = string(pipeline.Failed)
		step.Error, step.Reason = errorName(err), reasonOf(err)
		h.clock.refused.Store(step.Error != "")
	}
	if recorded := h.db.AddCall(context.WithoutCancel(ctx), step, nil); err == nil {
		err = h.store.Explain(recorded, 0, "recording the call of state "+t.State)
	}
	return result, err
}

// unsupported refuses a request that SageMaker would take.
func (h *handler) unsupported(t asl.Task, what string) error {
	return fmt.Errorf("state %q asks for %s: the local runner does not do that", t.State, what)
}

// oneHost notes for the parity note that a job had fewer hosts than on AWS.
func (h *handler) oneHost(t asl.Task, count int) {
	if count > 1 {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.notes = append(h.notes, fmt.Sprintf("%s ran on one host instead of %d", t.State, count))
	}
}

// declared are the outputs that the definition names for a step.
func (h *handler) declared(step string) []pipeline.Output {
	if j := h.definition.Job(step); j != nil {
		return j.Outputs
	}
	return nil
}

// fileName is the file that an output is, or "" for a folder.
func (h *handler) fileName(step, port string) string {
	for _, o := range h.declared(step) {
		if o.Name == port {
			return o.FileName
		}
	}
	return ""
}
