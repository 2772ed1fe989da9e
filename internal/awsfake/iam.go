package awsfake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Refused is the error of a call that policies do not allow. Any other error of
// [World.Allowed] says that a policy has something that this account does not know.
type Refused struct{ message string }

// Error is the text as AWS has it.
func (e *Refused) Error() string { return e.message }

// AddPolicy makes a managed policy, which can be a role's permissions boundary.
func (w *World) AddPolicy(arn string, document []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.managed[arn] = slices.Clone(document)
}

// Allowed decides whether a role may do something: its inline policies must allow the
// action on the resource, and so must its boundary if it has one, and neither may deny it.
// Context are the values of condition keys. A denial is a *[Refused] with AWS's words.
func (w *World) Allowed(roleARN, action, resource string, context map[string][]string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.allowed(roleARN, action, resource, context)
}

func (w *World) allowed(roleARN, action, resource string, context map[string][]string) error {
	role := w.roles[roleARN[strings.LastIndex(roleARN, "/")+1:]]
	if role == nil || role.ARN != roleARN {
		return fmt.Errorf("awsfake: there is no role %s", roleARN)
	}
	identity, err := readPolicies(role.Policies)
	if err != nil {
		return fmt.Errorf("role %s: %w", role.Name, err)
	}
	ask := request{action, resource, lowerKeys(context)}
	for key, value := range map[string]string{
		"aws:principalaccount": w.Account, "aws:principalarn": roleARN, "aws:requestedregion": w.Region, "aws:securetransport": "true",
	} {
		ask.context[key] = []string{value}
	}
	what := fmt.Sprintf("User: arn:%s:sts::%s:assumed-role/%s/session is not authorized to perform: %s on resource: %s", w.Partition, w.Account, role.Name, action, resource)
	verdict, err := decide(identity, ask)
	switch {
	case err != nil:
		return err
	case verdict == "Deny":
		return &Refused{what + " with an explicit deny in an identity-based policy"}
	case verdict == "":
		return &Refused{what + " because no identity-based policy allows the " + action + " action"}
	}
	if role.Boundary == "" {
		return nil
	}
	document, ok := w.managed[role.Boundary]
	if !ok {
		return fmt.Errorf("awsfake: there is no policy %s, which is the boundary of role %s", role.Boundary, role.Name)
	}
	boundary, err := readPolicy(document)
	if err != nil {
		return fmt.Errorf("boundary of role %s: %w", role.Name, err)
	}
	verdict, err = decide([]*policy{boundary}, ask)
	switch {
	case err != nil:
		return err
	case verdict == "Deny":
		return &Refused{what + " with an explicit deny in a permissions boundary"}
	case verdict == "":
		return &Refused{what + " because no permissions boundary allows the " + action + " action"}
	}
	return nil
}

// readPolicies reads a role's policies.
func readPolicies(documents map[string]json.RawMessage) ([]*policy, error) {
	var all []*policy
	for name, document := range documents {
		p, err := readPolicy(document)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", name, err)
		}
		for _, s := range p.Statement {
			if s.Principal != nil {
				return nil, fmt.Errorf("policy %s: awsfake: an identity-based policy cannot have a principal", name)
			}
		}
		all = append(all, p)
	}
	return all, nil
}

// request is what is asked of policies. The keys of its context are in small letters.
type request struct {
	action, resource string
	context          map[string][]string
}

// decide is "Deny" if a statement denies it, else "Allow" if one allows it, else "".
func decide(policies []*policy, ask request) (string, error) {
	verdict := ""
	for _, p := range policies {
		for _, s := range p.Statement {
			applies, err := s.applies(ask)
			if err != nil {
				return "", fmt.Errorf("statement %q: %w", s.Sid, err)
			}
			if applies && verdict != "Deny" {
				verdict = s.Effect
			}
		}
	}
	return verdict, nil
}

// applies says whether a statement is about what is asked.
func (s statement) applies(ask request) (bool, error) {
	action := func(pattern string) bool { return like(strings.ToLower(pattern), strings.ToLower(ask.action)) }
	resource := func(pattern string) bool { return likeARN(pattern, ask.resource) }
	if !anyOf(s.Action, s.NotAction, action) || !anyOf(s.Resource, s.NotResource, resource) {
		return false, nil
	}
	for operator, keys := range s.Condition {
		for key, wanted := range keys {
			holds, err := condition(operator, key, wanted, ask.context)
			if err != nil || !holds {
				return false, err
			}
		}
	}
	return true, nil
}

// anyOf says whether one of a list matches, or none of its opposite.
func anyOf(list, not texts, matches func(string) bool) bool {
	if not != nil {
		return !slices.ContainsFunc(not, matches)
	}
	return slices.ContainsFunc(list, matches)
}

// like matches a text by IAM's wildcards: what stands between asterisks has to be found in
// order, the first part at the start and the last at the end.
func like(pattern, text string) bool {
	star, from := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0: // the last asterisk takes one character more
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// likeARN matches an ARN: each of its six parts by itself, so that a wildcard does not pass
// over a colon but in the last one.
func likeARN(pattern, arn string) bool {
	if pattern == "*" {
		return true
	}
	patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(patterns) != len(parts) {
		return false
	}
	for i := range patterns {
		if !like(patterns[i], parts[i]) {
			return false
		}
	}
	return true
}
