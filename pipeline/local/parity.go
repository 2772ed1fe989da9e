package local

import (
	"fmt"
	"path"
	"strings"

	"github.com/mlmax/mlmax/pipeline/local/sandbox"
)

// parity says what a local run did not prove about a run on AWS.
func (r *run) parity() []string {
	var notes []string
	add := func(text string) {
		for _, n := range notes {
			if n == text {
				return
			}
		}
		notes = append(notes, text)
	}
	for _, n := range r.notes {
		add(n)
	}
	var shells, instances, cached []string
	for _, j := range r.definition.Jobs {
		done := r.tracker.Outcome(j.Name)
		switch {
		case done.Cached:
			cached = append(cached, j.Name)
			continue
		case done.Attempts == 0:
			continue // it was not reached, or left out
		case path.Ext(j.Script) != ".py":
			shells = append(shells, j.Name)
		}
		instances = append(instances, j.Instance)
	}
	if len(cached) > 0 {
		add(strings.Join(cached, ", ") + " did not run: what they wrote was taken from an earlier run")
	}
	if len(shells) > 0 {
		add(fmt.Sprintf("%s ran with this machine's shell and programs, not with those of the image", strings.Join(shells, ", ")))
	}
	switch {
	case len(instances) == 0:
	case r.mode == sandbox.Namespace:
		add("isolation was by namespace: /opt/ml was as in the container, the rest of the file system this machine's")
	case r.modeNote != "":
		add("isolation was direct: paths below /opt/ml were rewritten in arguments and SM_* variables, and a script that has such a path written in it would fail here; namespaces do not work on this machine (" + r.modeNote + ")")
	default:
		add("isolation was direct: paths below /opt/ml were rewritten in arguments and SM_* variables, and a script that has such a path written in it would fail here")
	}
	if len(instances) > 0 {
		add("memory, processors and disk were this machine's, not those of " + strings.Join(unique(instances), ", "))
	}
	add("permissions of the IAM roles, KMS keys, the VPC, network isolation, spot interruptions and service quotas were not exercised")
	return notes
}

// unique keeps the first of equal strings.
func unique(list []string) []string {
	var kept []string
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			kept = append(kept, s)
		}
	}
	return kept
}
