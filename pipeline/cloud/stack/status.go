package stack

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// An Action is what a command does with a stack that it finds in a status.
type Action string

// The actions.
const (
	// Create makes a change set that creates the stack.
	Create Action = "create"
	// Update makes a change set that changes it.
	Update Action = "update"
	// Wait follows what somebody else has begun to its end and looks again: there is
	// never a second writer.
	Wait Action = "wait"
	// Refuse changes nothing and says which command is next.
	Refuse Action = "refuse"
	// Delete deletes the stack.
	Delete Action = "delete"
	// Nothing is to be done.
	Nothing Action = "nothing"
)

// A Row is one status of a stack: what it means, and what follows from it.
type Row struct {
	Status types.StackStatus
	// Means completes "the stack …".
	Means string
	// Deploy and Destroy are what the two commands do.
	Deploy, Destroy Action
	// Next is the verb of this program, or the command of the AWS CLI, by which a person
	// goes on where deploy refuses; else empty.
	Next string
	// Note is what else a person should know, or empty.
	Note string
}

// The verbs and flags that lead out of a status in which deploy refuses.
const (
	recreate = "deploy --recreate"
	rollOn   = "deploy --continue-rollback"
	rollBack = "aws cloudformation rollback-stack"
	retain   = "destroy --retain RESOURCE"
	remove   = "destroy"
)

// rows are all the statuses that a stack can have (a test holds them against the SDK's),
// in the order of a stack's life.
var rows = []Row{
	{types.StackStatusReviewInProgress, "does not exist yet: a change set was made for it and not executed", Create, Delete, "",
		"Change sets that were left are listed; those of another deployment stay until this one is executed."},
	{types.StackStatusCreateInProgress, "is being created", Wait, Wait, "", ""},
	{types.StackStatusCreateFailed, "could not be created, and nothing was rolled back", Refuse, Delete, recreate, "Only delete is possible."},
	{types.StackStatusCreateComplete, "was created", Update, Delete, "", ""},
	{types.StackStatusRollbackInProgress, "could not be created and is being rolled back", Wait, Wait, "", ""},
	{types.StackStatusRollbackFailed, "could not be created, and could not be rolled back either", Refuse, Delete, recreate, "Only delete is possible."},
	{types.StackStatusRollbackComplete, "could not be created and was rolled back", Refuse, Delete, recreate, "Only delete is possible."},
	{types.StackStatusUpdateInProgress, "is being updated", Wait, Wait, "", ""},
	{types.StackStatusUpdateCompleteCleanupInProgress, "was updated, and what it no longer needs is being removed", Wait, Wait, "", ""},
	{types.StackStatusUpdateComplete, "was updated", Update, Delete, "", ""},
	{types.StackStatusUpdateFailed, "could not be updated, and nothing was rolled back", Refuse, Delete, rollBack,
		"This command always lets a failed update be rolled back: somebody else did not."},
	{types.StackStatusUpdateRollbackInProgress, "could not be updated and is being rolled back", Wait, Wait, "", ""},
	{types.StackStatusUpdateRollbackFailed, "could not be updated, and could not be rolled back either", Refuse, Delete, rollOn,
		"With --skip RESOURCE a resource that cannot be rolled back is left as it is."},
	{types.StackStatusUpdateRollbackCompleteCleanupInProgress, "could not be updated and was rolled back, and what it no longer needs is being removed", Wait, Wait, "", ""},
	{types.StackStatusUpdateRollbackComplete, "could not be updated and was rolled back: it is as before", Update, Delete, "", ""},
	{types.StackStatusDeleteInProgress, "is being deleted", Wait, Wait, "", ""},
	{types.StackStatusDeleteFailed, "could not be deleted", Refuse, Delete, retain, "With --retain RESOURCE a resource that cannot be deleted is left behind."},
	{types.StackStatusDeleteComplete, "was deleted", Create, Nothing, "", ""},
	{types.StackStatusImportInProgress, "is taking over resources that somebody imports", Wait, Wait, "", ""},
	{types.StackStatusImportComplete, "has taken over resources that somebody imported", Update, Delete, "", ""},
	{types.StackStatusImportRollbackInProgress, "could not take over resources and is being rolled back", Wait, Wait, "", ""},
	{types.StackStatusImportRollbackFailed, "could not take over resources, and could not be rolled back either", Refuse, Delete, remove,
		"Somebody imported resources by other means: look in the console at what failed before deleting."},
	{types.StackStatusImportRollbackComplete, "could not take over resources and was rolled back: it is as before", Update, Delete, "", ""},
}

// Rows are all the statuses that a stack can have, in the order of its life.
func Rows() []Row { return rows }

// Updatable says that a stack in this status takes a change set that changes it.
func Updatable(s types.StackStatus) bool { return rowOf(s).Deploy == Update }

// rowOf finds the row of a status. A status that this program is too old to know is
// waited for if its name says so, and refused else.
func rowOf(s types.StackStatus) Row {
	for _, r := range rows {
		if r.Status == s {
			return r
		}
	}
	if strings.HasSuffix(string(s), "_IN_PROGRESS") {
		return Row{s, "is being worked on", Wait, Wait, "", ""}
	}
	return Row{s, "has a status that this program does not know", Refuse, Refuse, "", "Update mlmax."}
}
