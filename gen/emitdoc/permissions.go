package emitdoc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// permissions is a table for each role; what all the jobs' roles hold alike is shown once.
func (d *page) permissions() {
	if len(d.Roles) == 0 {
		return
	}
	d.printf("## Permissions\n\nThe roles that the template makes hold these actions on these resources, and no other. " +
		"Dots stand for the stack's own partition, Region and account.\n\n")
	alike := d.alike()
	for _, r := range d.Roles {
		whose := "for the state machine"
		switch {
		case r.For != "":
			whose = "for step " + prose(r.For)
		case r.Principal == "scheduler":
			whose = "for the schedule"
		}
		d.printf("### %s\n\nAssumed by %s, %s.\n\n", prose(r.Name), code(r.Principal+".amazonaws.com"), whose)
		d.statements(r.For, slices.DeleteFunc(slices.Clone(r.Statements), func(s *ir.Statement) bool {
			return r.For != "" && slices.ContainsFunc(alike, func(t *ir.Statement) bool { return same(s, t) })
		}))
	}
	if alike != nil {
		d.printf("### Every step's role\n\nBesides what stands above.\n\n")
		d.statements("", alike)
	}
}

func (d *page) statements(whose string, all []*ir.Statement) {
	var rows [][]string
	for _, s := range all {
		why := cell(s.Reason)
		needs := slices.DeleteFunc(slices.Clone(s.Needs), func(n string) bool { return n == whose })
		if len(needs) > 0 {
			why += " (" + cell(strings.Join(needs, ", ")) + ")"
		}
		rows = append(rows, []string{codes(s.Actions), resources(s.Resources), condition(s), why})
	}
	d.table([]string{"Actions", "Resources", "Only if", "Why"}, rows)
}

// alike are the statements that every job's role has, if there are several; they are
// needed by all.
func (d *page) alike() []*ir.Statement {
	var all []*ir.Statement
	roles := 0
	for _, r := range d.Roles {
		if r.For == "" {
			continue
		}
		if roles++; roles == 1 {
			for _, s := range r.Statements {
				shared := *s
				shared.Needs = nil
				all = append(all, &shared)
			}
			continue
		}
		all = slices.DeleteFunc(all, func(s *ir.Statement) bool {
			return !slices.ContainsFunc(r.Statements, func(t *ir.Statement) bool { return same(s, t) })
		})
	}
	if roles < 2 {
		return nil
	}
	return all
}

// same reports whether two statements differ in nothing but what needs them.
func same(s, t *ir.Statement) bool {
	return s.If == t.If && s.Reason == t.Reason && slices.Equal(s.Actions, t.Actions) && slices.Equal(s.Resources, t.Resources) &&
		condition(s) == condition(t)
}

// place is what every ARN of a template has alike.
var place = strings.NewReplacer("${AWS::Partition}", "…", "${AWS::Region}:${AWS::AccountId}", "…", "${AWS::Region}", "…")

func resources(all []string) string {
	short := make([]string, 0, len(all))
	for _, r := range all {
		short = append(short, place.Replace(r))
	}
	return codes(short)
}

func codes(all []string) string {
	var parts []string
	for _, s := range all {
		parts = append(parts, code(s))
	}
	return strings.Join(parts, "<br/>")
}

// condition is what narrows a statement.
func condition(s *ir.Statement) string {
	var all []string
	if s.If != "" {
		all = append(all, "template condition "+code(s.If))
	}
	for _, c := range s.Conditions {
		all = append(all, fmt.Sprintf("%s %s %s", code(c.Key), c.Operator, codes(c.Values)))
	}
	return strings.Join(all, "<br/>")
}
