package awsfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// policy is a policy document. What is not known here is refused when it is read: it must
// not pass for less.
type policy struct {
	Version   string
	ID        string `json:"Id"`
	Statement statements
}

// statement is one statement of a policy. Principal is of trust policies only.
type statement struct {
	Sid, Effect           string
	Action, NotAction     texts
	Resource, NotResource texts
	Principal             *principals
	Condition             map[string]map[string]texts
}

// principals are those who may assume a role.
type principals struct{ Service, AWS, Federated texts }

// statements are one statement or several.
type statements []statement

// UnmarshalJSON takes both.
func (l *statements) UnmarshalJSON(text []byte) error {
	strict := func(v any) error {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		return d.Decode(v)
	}
	if len(text) > 0 && text[0] == '{' {
		*l = make(statements, 1)
		return strict(&(*l)[0])
	}
	return strict((*[]statement)(l))
}

// texts are one text or several.
type texts []string

// UnmarshalJSON takes both, and a boolean or number as the text that it is.
func (l *texts) UnmarshalJSON(text []byte) error {
	var one any
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	list, ok := one.([]any)
	if !ok {
		list = []any{one}
	}
	*l = texts{}
	for _, v := range list {
		switch v.(type) {
		case string, bool, float64:
			*l = append(*l, fmt.Sprint(v))
		default:
			return fmt.Errorf("awsfake: %s is no text", text)
		}
	}
	return nil
}

// readPolicy reads and judges a document.
func readPolicy(document json.RawMessage) (*policy, error) {
	p := &policy{}
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("awsfake: read a policy: %w", err)
	}
	if p.Version != "2012-10-17" {
		return nil, fmt.Errorf("awsfake: a policy of version %q", p.Version)
	}
	for _, s := range p.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return nil, fmt.Errorf("awsfake: statement %q has the effect %q", s.Sid, s.Effect)
		}
		for _, text := range slices.Concat(s.Action, s.NotAction, s.Resource, s.NotResource) {
			if strings.Contains(text, "${") {
				return nil, fmt.Errorf("awsfake: statement %q has a variable in %q", s.Sid, text)
			}
		}
		for operator, keys := range s.Condition {
			if _, err := operatorOf(operator); err != nil {
				return nil, fmt.Errorf("statement %q: %w", s.Sid, err)
			}
			for key := range keys {
				if !knownKey(key) {
					return nil, fmt.Errorf("awsfake: statement %q has a condition on %s, of which nothing is known", s.Sid, key)
				}
			}
		}
	}
	return p, nil
}

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

// MayAssume decides whether a service may take a role for a resource: what the role's trust
// policy says of the service, the resource and the account that it is of.
func (w *World) MayAssume(roleARN, service, sourceARN string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	role := w.roles[roleARN[strings.LastIndex(roleARN, "/")+1:]]
	if role == nil || role.ARN != roleARN {
		return fmt.Errorf("awsfake: there is no role %s", roleARN)
	}
	return w.mayAssume(role, service, sourceARN)
}

func (w *World) mayAssume(role *Role, service, sourceARN string) error {
	p, err := readPolicy(role.Trust)
	if err != nil {
		return fmt.Errorf("trust policy of role %s: %w", role.Name, err)
	}
	var of []*policy
	for _, s := range p.Statement {
		if s.Resource != nil || s.NotResource != nil || s.Principal == nil {
			return fmt.Errorf("awsfake: a trust policy has principals and no resources: role %s", role.Name)
		}
		if slices.Contains(s.Principal.Service, service) {
			s.Resource = texts{"*"}
			of = append(of, &policy{Statement: statements{s}})
		}
	}
	context := map[string][]string{}
	if parts := strings.SplitN(sourceARN, ":", 6); len(parts) == 6 {
		context["aws:sourcearn"], context["aws:sourceaccount"] = []string{sourceARN}, []string{parts[4]}
	}
	verdict, err := decide(of, request{"sts:AssumeRole", role.ARN, context})
	if err == nil && verdict != "Allow" {
		err = &Refused{fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", service, role.ARN)}
	}
	return err
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

// like matches a text by IAM's wildcards.
func like(pattern, text string) bool {
	var expression strings.Builder
	for _, r := range pattern {
		switch r {
		case '*':
			expression.WriteString("(?s:.*)")
		case '?':
			expression.WriteString("(?s:.)")
		default:
			expression.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile("^" + expression.String() + "$").MatchString(text)
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
