package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
)

// The states by which a generated machine finds the version that a pipeline starts
// from, before the name of the version.
const (
	describeState  = "Describe "
	noVersionState = "No version of "
)

// GroupName is the name on this machine of a model group: groups are per
// environment, and this one is "local".
func GroupName(group string) string { return "local-" + group }

// ModelRef is how the commands of a pipeline name a version: by its number, or with
// its group where the pipeline knows several.
func ModelRef(d *pipeline.Definition, group string, version int) string {
	number := strconv.Itoa(version)
	if known := d.Groups(); len(known) == 1 && GroupName(known[0]) == group {
		return number
	}
	return group + "/" + number
}

// wanted finds a version that the pipeline starts from by its name, or returns nil.
func (r *run) wanted(name string) *pipeline.Version {
	for i := range r.definition.Versions {
		if r.definition.Versions[i].Name == name {
			return &r.definition.Versions[i]
		}
	}
	return nil
}

// wantedBy finds the version that a state resolves, or else the one of a group.
func (r *run) wantedBy(state, group string) *pipeline.Version {
	for i := range r.definition.Versions {
		v := &r.definition.Versions[i]
		if state == describeState+v.Name || state == noVersionState+v.Name {
			return v
		}
	}
	for i := range r.definition.Versions {
		if v := &r.definition.Versions[i]; GroupName(v.Group) == group {
			return v
		}
	}
	return nil
}

// version says which version a run started from, by the name of its field.
func (r *run) version(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m, ok := r.versions[name]; ok {
		return fmt.Sprintf("version %d of %s", m.Version, m.Group)
	}
	return "the version of " + name
}

// own is how a person runs this pipeline's command.
func (r *run) own() string { return r.command(path.Dir(r.definition.Package)) }

// approve is the command that approves a version: its number, or "latest".
func (r *run) approve(ref string) string {
	return r.own() + " models approve " + ref + " --by NAME --note TEXT"
}

// trainFirst are the commands that lead to an approved version where there is none:
// first to train, then to approve.
func (r *run) trainFirst(v *pipeline.Version) []pipeline.Suggestion {
	ref := "latest"
	if len(r.definition.Groups()) > 1 {
		ref = GroupName(v.Group) + "/latest"
	}
	return []pipeline.Suggestion{
		{Command: r.command(v.Command), Why: "train, and register a version of " + GroupName(v.Group)},
		{Command: r.approve(ref), Why: "then approve it"},
	}
}

// noGroup says what to do about a group that has no version at all.
func (r *run) noGroup(state, group string) {
	v := r.wantedBy(state, group)
	if v == nil {
		r.reasons.set(state, fmt.Sprintf("model group %s does not exist: nothing has been registered to it in this workspace", group))
		return
	}
	next := r.trainFirst(v)
	r.reasons.explain(state, fmt.Sprintf("model group %s does not exist yet: no run of %s has registered a model in this workspace. Train first: %s; then approve the version that it registers: %s",
		group, v.Pipeline, next[0].Command, next[1].Command), next...)
}

// noVersion says what to do about an exact version that does not exist.
func (r *run) noVersion(ctx context.Context, state, arn string) error {
	group, number := path.Base(path.Dir(arn)), path.Base(arn)
	newest, err := r.db.NewestModel(ctx, group, "")
	if errors.Is(err, record.ErrNotFound) {
		r.noGroup(state, group)
		return nil
	}
	if err != nil {
		return err
	}
	list := r.own() + " models"
	r.reasons.explain(state, fmt.Sprintf("%s has no version %s; its newest is %d. All of them: %s", group, number, newest.Version, list),
		pipeline.Suggestion{Command: list, Why: "the versions and their statuses"})
	return nil
}

// wrongStatus says what to do about a version whose status is not the one that the
// pipeline wants, which the machine will not take.
func (r *run) wrongStatus(state string, v *pipeline.Version, m *record.ModelPackage) {
	command := r.approve(ModelRef(r.definition, m.Group, m.Version))
	text := fmt.Sprintf("version %d of %s is %s, and %s takes only what is %s", m.Version, m.Group, m.Status, r.definition.Name, v.Status)
	if v.Status != pipeline.Approved {
		r.reasons.set(state, text)
		return
	}
	r.reasons.explain(state, text+". Approve it: "+command, pipeline.Suggestion{Command: command, Why: "approve the version"})
}

// advise says what a run needs that found no version, and what one needs that was
// refused: in its cause, and as commands.
func (r *run) advise(ctx context.Context, o *pipeline.Outcome) error {
	if o.Status == pipeline.Succeeded || o.FailedStep == "" {
		return nil
	}
	v := r.wantedBy(o.FailedStep, "")
	if v == nil && len(r.definition.Versions) == 1 {
		v = &r.definition.Versions[0]
	}
	if v != nil && o.Error == pipeline.NoApprovedModel {
		if err := r.noneOfStatus(ctx, o, v); err != nil {
			return err
		}
	}
	next := r.reasons.suggested(o.FailedStep)
	if v != nil && o.FailedStep == describeState+v.Name && len(next) == 0 {
		next = r.trainFirst(v) // the version does not fit what runs here
	}
	o.Next = append(o.Next, next...)
	return nil
}

// noneOfStatus is about a group that has versions, none of them with the status that
// the pipeline wants.
func (r *run) noneOfStatus(ctx context.Context, o *pipeline.Outcome, v *pipeline.Version) error {
	group := GroupName(v.Group)
	newest, err := r.db.NewestModel(ctx, group, pipeline.PendingManualApproval)
	if errors.Is(err, record.ErrNotFound) {
		newest, err = r.db.NewestModel(ctx, group, "")
	}
	if errors.Is(err, record.ErrNotFound) {
		r.noGroup(o.FailedStep, group)
		o.Cause = r.reasons.get(o.FailedStep)
		return nil
	}
	if err != nil {
		return err
	}
	o.Cause = fmt.Sprintf("%s has no version that is %s; version %d is %s", group, v.Status, newest.Version, newest.Status)
	next := r.trainFirst(v)[:1]
	if v.Status == pipeline.Approved && newest.Status == pipeline.PendingManualApproval {
		command := r.approve(ModelRef(r.definition, group, newest.Version))
		next = []pipeline.Suggestion{
			{Command: command, Why: "approve the version"},
			{Command: r.own() + " models show " + ModelRef(r.definition, group, newest.Version), Why: "its metrics, and what it was made from"},
		}
		o.Cause += ". Approve it: " + command
	} else {
		o.Cause += ". Train again: " + next[0].Command
	}
	r.reasons.explain(o.FailedStep, o.Cause, next...)
	return nil
}

// startedFrom fills in the versions that a run started from: as its output says, or for
// one that did not get so far, as it has resolved them.
func (r *run) startedFrom(ctx context.Context, o *pipeline.Outcome) error {
	r.mu.Lock()
	for name, m := range r.versions {
		if o.Versions == nil {
			o.Versions = map[string]pipeline.ModelVersion{}
		}
		o.Versions[name] = m
	}
	r.mu.Unlock()
	var out struct {
		Versions map[string]struct{ Arn string }
	}
	if o.Status != pipeline.Succeeded || json.Unmarshal(o.Output, &out) != nil {
		return nil
	}
	for _, name := range sortedKeys(out.Versions) {
		m, err := r.db.Model(ctx, out.Versions[name].Arn)
		if errors.Is(err, record.ErrNotFound) {
			return fmt.Errorf("the machine's output names a version that is not in the record: %w", err)
		}
		if err != nil {
			return err
		}
		if o.Versions == nil {
			o.Versions = map[string]pipeline.ModelVersion{}
		}
		o.Versions[name] = versionOf(m)
	}
	return nil
}

func versionOf(m *record.ModelPackage) pipeline.ModelVersion {
	return pipeline.ModelVersion{Group: m.Group, Version: m.Version, Status: m.Status, ARN: m.ARN}
}
