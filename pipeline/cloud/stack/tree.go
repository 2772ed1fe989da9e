package stack

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// An Event is a change in the state of a stack or of one of its resources.
type Event struct {
	ID   string
	Time time.Time
	// Token is that of the request which led to it.
	Token                   string
	Logical, Physical, Type string
	// Status is CloudFormation's, such as CREATE_IN_PROGRESS, Reason why it is so.
	Status, Reason string
	// Own says that it is the stack's own.
	Own bool
}

// failed reports whether the event is a failure for a reason of its own: what was
// cancelled because something else failed explains nothing.
func (e Event) failed() bool {
	return strings.HasSuffix(e.Status, "_FAILED") && !cancelled(e.Reason)
}

// cancelled recognizes the reason of what was given up when another resource failed.
func cancelled(reason string) bool {
	return reason == "" || strings.HasPrefix(reason, "Resource creation cancelled") ||
		strings.HasPrefix(reason, "Resource update cancelled") || strings.HasPrefix(reason, "Resource deletion cancelled")
}

// A Phase is how far a resource is.
type Phase string

// The phases, as they are shown.
const (
	Waiting     Phase = "waiting"
	InProgress  Phase = "in progress"
	Done        Phase = "done"
	Failed      Phase = "failed"
	Cancelled   Phase = "cancelled"
	RollingBack Phase = "rolling back"
	RolledBack  Phase = "rolled back"
	Deleting    Phase = "deleting"
	Deleted     Phase = "deleted"
	Kept        Phase = "kept"
)

// phaseOf is CloudFormation's status of a resource or stack as people say it.
func phaseOf(status, reason string) Phase {
	switch {
	case strings.HasSuffix(status, "_FAILED"):
		if reason != "" && cancelled(reason) {
			return Cancelled
		}
		return Failed
	case status == string(types.ResourceStatusDeleteSkipped):
		return Kept
	case status == string(types.ResourceStatusDeleteInProgress):
		return Deleting
	case status == string(types.ResourceStatusDeleteComplete):
		return Deleted
	case strings.Contains(status, "ROLLBACK"):
		if strings.HasSuffix(status, "_IN_PROGRESS") && !strings.Contains(status, "COMPLETE") {
			return RollingBack
		}
		return RolledBack
	case strings.HasSuffix(status, "_IN_PROGRESS"):
		return InProgress
	}
	return Done
}

// A Branch is one resource of a stack that is being worked on.
type Branch struct {
	Logical, Type string
	// Name is what people call it.
	Name  string
	Phase Phase
	// Reason is why it failed, or empty.
	Reason         string
	Started, Ended time.Time

	physical string
}

// A Tree is a stack and its resources while they are worked on.
type Tree struct {
	// Doing is what is done ("Deploying"), Stack and Region to what and where.
	Doing, Stack, Region string
	// Status is the stack's as CloudFormation says it; empty before its first event.
	Status string
	Phase  Phase
	// Started is when the work did, Now the time of which the tree is, Ended when the work
	// did.
	Started, Now, Ended time.Time
	Branches            []Branch
	// First is what failed first for a reason of its own, and Stuck what did so first in
	// the rollback; nil if nothing did.
	First, Stuck *Event
}

// Plant is a tree before its first event, with the resources that are expected to be
// worked on, by logical id and type.
func Plant(doing, stack, region string, now time.Time, expected ...[2]string) Tree {
	t := Tree{Doing: doing, Stack: stack, Region: region, Phase: InProgress, Started: now, Now: now}
	for _, r := range expected {
		t.Branches = append(t.Branches, Branch{Logical: r[0], Type: r[1], Name: readable(r[0], r[1]), Phase: Waiting})
	}
	return t
}

// At is the tree as of a later time, for what counts up while nothing happens.
func (t Tree) At(now time.Time) Tree {
	if now.After(t.Now) {
		t.Now = now
	}
	return t
}

// Over reports whether the work on the stack has ended, well or not.
func (t Tree) Over() bool { return t.Status != "" && !strings.HasSuffix(t.Status, "_IN_PROGRESS") }

// Reduce is the tree after an event. It changes nothing of the tree it is given.
func Reduce(t Tree, e Event) Tree {
	t = t.At(e.Time)
	if e.failed() && !e.Own {
		if t.First == nil {
			t.First = &e
		}
		if t.Stuck == nil && strings.Contains(t.Status, "ROLLBACK") {
			t.Stuck = &e
		}
	}
	if e.Own {
		t.Status, t.Phase = e.Status, phaseOf(e.Status, e.Reason)
		if t.Over() {
			t.Ended = e.Time
		}
		return t
	}
	t.Branches = slices.Clone(t.Branches)
	i := slices.IndexFunc(t.Branches, func(b Branch) bool { return b.Logical == e.Logical })
	if i < 0 {
		i = len(t.Branches)
		t.Branches = append(t.Branches, Branch{Logical: e.Logical, Type: e.Type, Name: readable(e.Logical, e.Type), Phase: Waiting})
	}
	t.Branches[i] = grow(t.Branches[i], e)
	return t
}

// grow is a branch after an event of its resource.
func grow(b Branch, e Event) Branch {
	phase := phaseOf(e.Status, e.Reason)
	if b.physical != "" && e.Physical != b.physical && b.Phase == Done && phase != Failed {
		return b // what it replaced is being removed
	}
	if e.Physical != "" {
		b.physical = e.Physical
	}
	if b.Phase == Failed && phase != Failed {
		return b // its rollback is not of interest: that it failed is
	}
	if b.Phase == Waiting || b.Phase != phase && (phase == InProgress || phase == Deleting || phase == RollingBack) {
		b.Started, b.Ended = e.Time, time.Time{}
	}
	b.Phase = phase
	if phase == Failed {
		b.Reason = e.Reason
	}
	switch phase {
	case Done, Failed, Cancelled, RolledBack, Deleted, Kept:
		b.Ended = e.Time
	}
	return b
}
