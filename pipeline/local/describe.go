package local

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// describe is what the Describe call gives: the request, name, ARN and times.
func (h *handler) describe(j *job, kind string) (map[string]any, error) {
	var request map[string]json.RawMessage
	if err := json.Unmarshal(j.task.Arguments, &request); err != nil {
		return nil, err
	}
	delete(request, "Tags") // no Describe response has them
	now := h.clock.Now()
	all := map[string]any{
		kind + "JobArn":    h.jobARN(strings.ToLower(kind)+"-job", j.name),
		"CreationTime":     millis(j.started),
		"LastModifiedTime": millis(now),
		kind + "StartTime": millis(j.started),
		kind + "EndTime":   millis(now),
	}
	for key, value := range request {
		all[key] = value
	}
	return all, nil
}

// failed describes a job that did not end well. One that was stopped for its time
// is a result as on AWS, where the machine looks at the status; anything else fails
// the state.
func (h *handler) failed(ctx context.Context, j *job, kind string, describe map[string]any, why endOf,
	ports []record.Port, batch *objects.Batch) (json.RawMessage, error) {
	h.reasons.set(j.task.State, why.person)
	status := "Failed"
	if j.expired {
		status = "Stopped"
	}
	describe[kind+"JobStatus"] = status
	if kind == "Training" {
		describe["SecondaryStatus"] = status
		if j.expired {
			describe["SecondaryStatus"] = "MaxRuntimeExceeded"
		}
	}
	if j.expired {
		return h.end(ctx, j, pipeline.TimedOut, describe, "", why.person, ports, batch)
	}
	describe["FailureReason"] = why.service
	response, err := h.end(ctx, j, pipeline.Failed, describe, asl.ErrorTaskFailed, why.person, ports, batch)
	if err != nil {
		return nil, err
	}
	return nil, asl.Fail(asl.ErrorTaskFailed, string(response))
}
