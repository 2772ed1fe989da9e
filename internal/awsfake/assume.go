package awsfake

import (
	"fmt"
	"slices"
	"strings"
)

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
