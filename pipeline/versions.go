package pipeline

import "slices"

// The statuses of model versions, in the words of SageMaker.
const (
	Approved              = "Approved"
	Rejected              = "Rejected"
	PendingManualApproval = "PendingManualApproval"
)

// NoApprovedModel is the error of a run that found no version of the status that it
// wants.
const NoApprovedModel = "NoApprovedModel"

// A Suggestion is a command that comes next, and what it does.
type Suggestion struct {
	Command string `json:"command"`
	Why     string `json:"why"`
}

// Groups are the model groups that a pipeline registers to or starts from, without
// the environment, each once.
func (d *Definition) Groups() []string {
	var groups []string
	add := func(group string) {
		if !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	for _, r := range d.Registrations {
		add(r.Group)
	}
	for _, v := range d.Versions {
		add(v.Group)
	}
	return groups
}

// Job finds a job by its name, or returns nil.
func (d *Definition) Job(name string) *Job {
	for i := range d.Jobs {
		if d.Jobs[i].Name == name {
			return &d.Jobs[i]
		}
	}
	return nil
}
