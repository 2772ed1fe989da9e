package delta

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/mlmax/mlmax/pipeline/terminal"
)

// signs stand before what changes, colours are their escape sequences.
var (
	signs   = map[Change]string{Added: "+", Removed: "-", Changed: "~", Replaced: "!"}
	colours = map[Change]string{Added: "\x1b[32m", Removed: "\x1b[31m", Changed: "\x1b[33m", Replaced: "\x1b[1;31m"}
)

// A printer writes a plan for a terminal.
type printer struct {
	w     *bufio.Writer
	color bool
}

// Text writes the plan for people at a terminal, in colour if wanted. What is not of this
// program is written without control characters.
func (p *Plan) Text(w io.Writer, color bool) error {
	t := &printer{bufio.NewWriter(w), color}
	t.line("%s", terminal.Clean(p.title()))
	if p.Empty() {
		t.line("\nNothing would change.")
	}
	t.steps(p)
	t.values("Machine", p.Machine)
	t.permissions(p)
	t.resources(p)
	t.values("Parameters of the stack", p.Parameters)
	t.line("\n%s", terminal.Clean(p.cost()))
	for _, warning := range p.warnings() {
		t.line("%s", t.paint(Replaced, signs[Replaced]+" "+warning))
	}
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

// title is what the plan is of.
func (p *Plan) title() string {
	title := fmt.Sprintf("Plan for %s in environment %s", p.Pipeline, p.Environment)
	if p.Against != "" {
		title += ", compared with " + p.Against
	}
	if p.New {
		title += ": nothing is deployed yet"
	}
	return title
}

// warnings are what must not be overlooked.
func (p *Plan) warnings() []string {
	var all []string
	for _, r := range p.Loses() {
		word := "deleted"
		switch {
		case r.Change == Replaced && r.Maybe:
			word = "perhaps replaced by an empty one: only AWS knows"
		case r.Change == Replaced:
			word = "replaced by an empty one"
		}
		all = append(all, fmt.Sprintf("%s (%s) holds data or history, and is %s", terminal.Clean(r.Logical), terminal.Clean(r.Type), word))
	}
	for _, role := range p.loosened {
		all = append(all, fmt.Sprintf("%s is no longer held by the permissions boundary that it has", terminal.Clean(role)))
	}
	if p.Widens() {
		all = append(all, "permissions grow")
	}
	return all
}

// cost is the ceiling in one sentence.
func (p *Plan) cost() string {
	if p.Cost == nil {
		if len(p.unpriced) == 0 {
			return "Cost of a run: it has no step that is paid by the hour."
		}
		return "Cost of a run: no price is known of " + strings.Join(p.unpriced, ", ") + " in this Region."
	}
	c := p.Cost
	text := fmt.Sprintf("Cost of a run: at most $%.2f", c.Dollars)
	if len(c.Unknown) > 0 {
		text += " and what " + strings.Join(c.Unknown, ", ") + " costs, of which no price is known"
	}
	if c.Before != nil && *c.Before != c.Dollars {
		text += fmt.Sprintf(" (before: $%.2f)", *c.Before)
	}
	return text + fmt.Sprintf(", if every step runs once up to its time limit, at the on-demand prices of %s in %s.", c.Date, c.Region)
}

func (t *printer) line(format string, args ...any) {
	fmt.Fprintf(t.w, format+"\n", args...)
}

func (t *printer) paint(c Change, text string) string {
	if !t.color || colours[c] == "" {
		return text
	}
	return colours[c] + text + "\x1b[0m"
}

// heading begins a part of the plan.
func (t *printer) heading(text string) { t.line("\n%s", text) }

// item is a line with its sign.
func (t *printer) item(c Change, text string) {
	t.line("  %s", t.paint(c, signs[c]+" "+terminal.Clean(text)))
}

func (t *printer) steps(p *Plan) {
	if len(p.Steps) == 0 {
		return
	}
	t.heading("Steps")
	for _, s := range p.Steps {
		t.item(s.Change, s.Name)
		t.table("      ", s.Differs, s.Change == Added)
	}
}

// values are a part of the plan that is nothing but values.
func (t *printer) values(title string, values []Value) {
	if len(values) == 0 {
		return
	}
	t.heading(title)
	t.table("  ", values, false)
}

// table aligns the names of values; of what is new there was nothing before.
func (t *printer) table(indent string, values []Value, isNew bool) {
	width := 0
	for _, v := range values {
		width = max(width, len(v.Name))
	}
	for _, v := range values {
		words := v.words()
		if isNew {
			words = v.After
		}
		t.line("%s%-*s  %s", indent, width, terminal.Clean(v.Name), terminal.Clean(words))
	}
}

// words are a value before and after.
func (v Value) words() string {
	switch {
	case v.Before == "" && v.After == "":
		return "differs"
	case v.Before == "":
		return "nothing -> " + v.After
	case v.After == "":
		return v.Before + " -> nothing"
	}
	return v.Before + " -> " + v.After
}

// permissions are told in full where something is deployed, and by their reasons alone
// where everything is new.
func (t *printer) permissions(p *Plan) {
	if len(p.Permissions) == 0 {
		return
	}
	t.heading("Permissions")
	for _, q := range p.Permissions {
		if p.New {
			t.item(q.Change, q.Role+"  "+q.Statement+": "+q.Reason)
			continue
		}
		t.item(q.Change, q.sentence())
		for _, r := range q.Resources {
			t.line("      on   %s", terminal.Clean(r))
		}
		if q.Condition != "" {
			t.line("      if   %s", terminal.Clean(q.Condition))
		}
		t.line("      why  %s", terminal.Clean(q.Reason+" ("+q.Statement+")"))
	}
}

// sentence is what a role gains or loses, without the resources.
func (q Permission) sentence() string {
	verb := map[Change]string{Added: " gains ", Removed: " loses "}[q.Change]
	if q.Effect != "" {
		verb = map[Change]string{Added: " is denied ", Removed: " is no longer denied "}[q.Change]
	}
	return q.Role + verb + strings.Join(q.Actions, ", ")
}

func (t *printer) resources(p *Plan) {
	if len(p.Resources) == 0 {
		return
	}
	t.heading("Resources")
	width := 0
	for _, r := range p.Resources {
		width = max(width, len(r.Logical))
	}
	for _, r := range p.Resources {
		t.item(r.Change, fmt.Sprintf("%-*s  %s  %s", width, r.Logical, r.Type, r.words()))
	}
}

// words are what happens to a resource.
func (r Resource) words() string {
	text := string(r.Change)
	switch {
	case r.Change == Changed && r.Maybe:
		text = "changed, or replaced: only a change set tells"
	case r.Change == Replaced && r.Maybe:
		text = "may be replaced"
	case r.Change == Changed:
		text = "changed in place"
	}
	if r.Physical != "" {
		text += " (" + r.Physical + ")"
	}
	switch {
	case r.Change != Removed && r.Change != Replaced:
	case r.Kept:
		text += "; the old one is kept, outside the stack"
	case r.Data:
		text += "; ITS DATA IS LOST"
	}
	return text
}
