package awsfake

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// runID is what a machine makes of an execution's name and start, which differs from one
// account to the next.
var runID = regexp.MustCompile(`\b[0-9a-f]{12}\b`)

// Effects are what calls have done to the account so far, a line each: objects and unfinished
// uploads, stacks with all that was begun with them, executions, jobs, log groups and
// model versions. Two accounts in which the same was done have the same, whatever their
// clocks say: times and ids are left out, and so is a stack of which nothing but change
// sets was ever made and no change set is left.
func (w *World) Effects() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(w.buckets)) {
		all = append(all, w.buckets[name].effects()...)
	}
	for _, id := range slices.Sorted(maps.Keys(w.stacks)) {
		all = append(all, w.stacks[id].effects()...)
	}
	for _, e := range w.states.order {
		all = append(all, fmt.Sprintf("execution %s %s, redriven %d times", e.name, e.status, e.redrives))
	}
	for id, about := range w.jobs {
		kind := "Processing"
		if strings.HasPrefix(id, "training-") {
			kind = "Training"
		}
		all = append(all, fmt.Sprintf("job %s %v", runID.ReplaceAllString(id, "RUN"), about[kind+"JobStatus"]))
	}
	for name := range w.groups {
		all = append(all, "log group "+name)
	}
	for name, g := range w.packages {
		all = append(all, "model group "+name)
		for _, v := range g.versions {
			all = append(all, fmt.Sprintf("model version %s/%d %s %q", name, v.Version, v.Approval, v.ApprovalDescription))
		}
	}
	slices.Sort(all)
	return all
}

// ofTheMoment are keys of objects whose content has times in it, or the commit of the work
// tree: what runs write, and the marks of uploaded code.
var ofTheMoment = regexp.MustCompile(`(^|/)(runs/|code/[0-9a-f]{64}\.json$)`)

// effects are the objects of a bucket, with the digests of what does not depend on the moment.
func (b *Bucket) effects() []string {
	var all []string
	for key, o := range b.objects {
		line := "object " + path.Join(b.Name, key)
		if ofTheMoment.MatchString(key) {
			line = runID.ReplaceAllString(line, "RUN")
		} else {
			line += fmt.Sprintf(" %x", sha256.Sum256(o.Body))
		}
		all = append(all, line)
	}
	for _, u := range b.uploads {
		all = append(all, "unfinished upload of "+u.object.Key)
	}
	return all
}

// effects are a stack's status, what was begun with it, and the change sets that are left.
func (s *stack) effects() []string {
	var begun []string
	for _, e := range s.events {
		if e.reason == "User Initiated" && e.status != "REVIEW_IN_PROGRESS" {
			begun = append(begun, e.status)
		}
	}
	if len(begun) == 0 || begun[0] == "DELETE_IN_PROGRESS" {
		if len(s.changeSets) == 0 && s.status != "REVIEW_IN_PROGRESS" {
			return nil
		}
	}
	all := []string{fmt.Sprintf("stack %s %s after %s", s.name, s.status, strings.Join(begun, ", "))}
	for _, c := range s.changeSets {
		if c.execution != "EXECUTE_COMPLETE" {
			all = append(all, "change set of "+s.name+" "+c.status)
		}
	}
	return all
}
