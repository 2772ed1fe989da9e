package awsfake

import (
	"slices"
	"strings"
)

// A Denial is a call that a role was not allowed to make, and why not in AWS's words, or
// in this account's where a policy has something that it does not know.
type Denial struct {
	Role, Action, Resource, Why string
}

// Denied are the calls of roles that were refused so far, in order. Some of them end an
// execution; of others only this tells: a job without permission to log runs on, as on AWS.
func (w *World) Denied() []Denial {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.states.denied)
}

// permit asks whether a role may do something, where that is asked at all.
func (w *World) permit(role, action, resource string, context map[string][]string) error {
	if !w.Enforce {
		return nil
	}
	err := w.allowed(role, action, resource, context)
	if err != nil {
		w.states.denied = append(w.states.denied, Denial{role, action, resource, err.Error()})
	}
	return err
}

// roleOf finds a role by its ARN; nil if there is none.
func (w *World) roleOf(arn string) *Role {
	if role := w.roles[arn[strings.LastIndex(arn, "/")+1:]]; role != nil && role.ARN == arn {
		return role
	}
	return nil
}

// checkMachineRole refuses a role that is not there or that Step Functions may not take.
func (w *World) checkMachineRole(arn, machine string) error {
	if role := w.roleOf(arn); role == nil || !w.trusts(role, "states.amazonaws.com", machine) {
		return refusal("AccessDeniedException",
			"Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.")
	}
	return nil
}

// trusts says whether a role may be taken by a service for a resource of this account.
func (w *World) trusts(role *Role, service, source string) bool {
	return w.mayAssume(role, service, source) == nil
}
