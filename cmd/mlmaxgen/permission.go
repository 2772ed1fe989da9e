package main

import (
	"context"
	"fmt"
	"path"
	"strings"
)

// A grant is one statement that allows an action.
type grant struct {
	Pipeline  string   `json:"pipeline"`
	Role      string   `json:"role"`
	Actions   []string `json:"actions"`
	Resources []string `json:"resources"`
	If        string   `json:"if,omitempty"`
	Reason    string   `json:"reason"`
	Needs     []string `json:"needs"`
}

// explainPermission prints who has a permission, and why.
func (a *app) explainPermission(ctx context.Context, permission string, patterns []string) error {
	if _, err := path.Match(permission, ""); err != nil {
		return fmt.Errorf("permission %q is not a pattern", permission)
	}
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	r, err := a.generate(ctx, patterns)
	if err != nil {
		return err
	}
	if r.Diagnostics.Errors() > 0 {
		return a.report(r.Diagnostics)
	}
	grants := []grant{}
	for _, p := range r.Plans {
		for _, role := range p.Roles {
			for _, s := range role.Statements {
				if actions := matching(s.Actions, permission); len(actions) > 0 {
					grants = append(grants, grant{p.Name, role.Name, actions, s.Resources, s.If, s.Reason, s.Needs})
				}
			}
		}
	}
	if a.json {
		return a.printJSON(grants)
	}
	if len(grants) == 0 {
		names := make([]string, 0, len(r.Plans))
		for _, p := range r.Plans {
			names = append(names, p.Name)
		}
		fmt.Fprintf(a.stdout, "no role of %s may %s\n", strings.Join(names, ", "), permission)
		return nil
	}
	for i, g := range grants {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		a.printGrant(g)
	}
	return nil
}

func (a *app) printGrant(g grant) {
	fmt.Fprintf(a.stdout, "%s: %s may %s\n  because %s\n", g.Pipeline, g.Role, strings.Join(g.Actions, ", "), g.Reason)
	for _, resource := range g.Resources {
		fmt.Fprintf(a.stdout, "  on %s\n", resource)
	}
	if g.If != "" {
		fmt.Fprintf(a.stdout, "  if %s\n", g.If)
	}
	if len(g.Needs) > 0 {
		fmt.Fprintf(a.stdout, "  needed by %s\n", strings.Join(g.Needs, ", "))
	}
}

// matching picks the actions that a permission means. IAM takes no notice of case.
func matching(actions []string, permission string) []string {
	var found []string
	for _, action := range actions {
		if ok, err := path.Match(strings.ToLower(permission), strings.ToLower(action)); ok && err == nil {
			found = append(found, action)
		}
	}
	return found
}
