package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// machineOutput is what the generated machines give when they succeed.
type machineOutput struct {
	// Metrics is step, output, field.
	Metrics map[string]map[string]map[string]any
	// Models is by registration; null where none was made, and then NotRegistered
	// says why.
	Models        map[string]*struct{ ModelPackageArn string }
	NotRegistered map[string]string
}

// report fills in what the record and the machine's output know of a run.
func (r *run) report(ctx context.Context, o *pipeline.Outcome) error {
	artifacts, err := r.db.Artifacts(ctx, r.id)
	if err != nil {
		return err
	}
	for _, a := range artifacts {
		if a.Kind == record.External {
			continue
		}
		one := pipeline.Artifact{Name: a.Name, URI: a.URI, Digest: a.Digest, Bytes: a.Bytes}
		if bucket, key, err := objects.Parse(a.URI); err == nil {
			one.Path = r.store.Path(bucket, key)
		}
		o.Artifacts = append(o.Artifacts, one)
	}
	if err := r.failedLog(ctx, o); err != nil {
		return err
	}
	if err := r.startedFrom(ctx, o); err != nil {
		return err
	}
	if o.Status != pipeline.Succeeded {
		return nil
	}
	var out machineOutput
	if err := json.Unmarshal(o.Output, &out); err != nil {
		// A machine that was not generated may give anything.
		return nil
	}
	for step, outputs := range out.Metrics {
		for port, fields := range outputs {
			for field, value := range fields {
				o.Metrics[step+"."+port+"."+field] = value
			}
		}
	}
	return r.models(ctx, o, &out)
}

// models fills in what was registered, and what was not.
func (r *run) models(ctx context.Context, o *pipeline.Outcome, out *machineOutput) error {
	for _, name := range sortedKeys(out.Models) {
		if out.Models[name] == nil || out.Models[name].ModelPackageArn == "" {
			continue
		}
		m, err := r.db.Model(ctx, out.Models[name].ModelPackageArn)
		if errors.Is(err, record.ErrNotFound) {
			return fmt.Errorf("the machine's output names a model that was not registered: %w", err)
		}
		if err != nil {
			return err
		}
		registered := versionOf(m)
		o.Model = &registered
		if m.Status == pipeline.PendingManualApproval {
			o.Next = append(o.Next, pipeline.Suggestion{
				Command: r.approve(ModelRef(r.definition, m.Group, m.Version)), Why: "let others take the version that was registered",
			})
		}
	}
	for _, name := range sortedKeys(out.NotRegistered) {
		if o.NotRegistered != "" {
			o.NotRegistered += "; "
		}
		o.NotRegistered += out.NotRegistered[name]
	}
	return nil
}

// failedLog finds the log of the step in which a run failed.
func (r *run) failedLog(ctx context.Context, o *pipeline.Outcome) error {
	if o.FailedStep == "" {
		return nil
	}
	steps, err := r.db.Steps(ctx, r.id)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if s.Name == o.FailedStep && s.Log != "" {
			o.Log = filepath.Join(r.dir, filepath.FromSlash(s.Log))
		}
	}
	return nil
}
