package awsfake

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// A Denial is a call that a role was not allowed to make.
type Denial struct {
	Role, Action, Resource string
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
		w.states.denied = append(w.states.denied, Denial{role, action, resource})
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

// A trust is a trust policy, as far as services are concerned.
type trust struct {
	Statement []struct {
		Effect    string
		Principal struct{ Service trustList }
		Action    trustList
		Condition map[string]map[string]trustList
	}
}

// A trustList is one text or several.
type trustList []string

// UnmarshalJSON takes both.
func (l *trustList) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = trustList{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

// trusts says whether a role may be taken by a service for a resource of this account. Of
// conditions it knows the two that stand against a confused deputy; any other does not hold.
func (w *World) trusts(role *Role, service, source string) bool {
	var t trust
	if json.Unmarshal(role.Trust, &t) != nil {
		return false
	}
	for _, s := range t.Statement {
		if s.Effect != "Allow" || !slices.Contains(s.Action, "sts:AssumeRole") || !slices.Contains(s.Principal.Service, service) {
			continue
		}
		holds := true
		for operator, keys := range s.Condition {
			for key, values := range keys {
				switch {
				case operator == "StringEquals" && key == "aws:SourceAccount":
					holds = holds && slices.Contains(values, w.Account)
				case (operator == "ArnLike" || operator == "StringLike") && key == "aws:SourceArn":
					holds = holds && slices.ContainsFunc(values, func(pattern string) bool { return likeARN(pattern, source) })
				default:
					holds = false
				}
			}
		}
		if holds {
			return true
		}
	}
	return false
}

// likeARN matches an ARN by IAM's wildcards, which pass over slashes.
func likeARN(pattern, text string) bool {
	flat := strings.NewReplacer("/", "\x00", "[", "\x01", `\`, "\x02")
	ok, err := path.Match(flat.Replace(pattern), flat.Replace(text))
	return ok && err == nil
}
