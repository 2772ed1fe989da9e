package delta

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/mlmax/mlmax/pipeline/terminal"
)

// Marker begins the Markdown of a plan, so that whoever posted it finds it again and
// replaces it. It shows nothing.
func (p *Plan) Marker() string {
	return fmt.Sprintf("<!-- mlmax plan: %s %s -->", word(p.Pipeline), word(p.Environment))
}

// Markdown writes the plan for a comment on a pull request: a summary, tables, and what
// is long folded away. Text from outside cannot add markup to it, links or mentions.
func (p *Plan) Markdown(w io.Writer) error {
	m := &sheet{bufio.NewWriter(w)}
	m.line("%s", p.Marker())
	m.line("### Plan for %s in %s", code(p.Pipeline), code(p.Environment))
	m.line("\n%s", p.summary())
	for _, warning := range p.warnings() {
		m.line("\n> **Look here:** %s", prose(warning))
	}
	m.steps(p)
	m.values("Machine", p.Machine)
	m.values("Parameters of the stack", p.Parameters)
	m.resources(p)
	m.permissions(p)
	m.line("\n%s", prose(p.cost()))
	if err := m.w.Flush(); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

// summary is the plan in one sentence.
func (p *Plan) summary() string {
	against := ""
	if p.Against != "" {
		against = ", compared with " + prose(p.Against)
	}
	if p.New {
		return fmt.Sprintf("Nothing is deployed yet%s: everything is new.", against)
	}
	if p.Empty() {
		return "Nothing would change" + against + "."
	}
	var parts []string
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	add(len(p.Steps), "step differs", "steps differ")
	add(len(p.Machine), "thing of the machine differs", "things of the machine differ")
	gained, lost := 0, 0
	for _, q := range p.Permissions {
		if q.Change == Added {
			gained++
		} else {
			lost++
		}
	}
	add(gained, "permission gained", "permissions gained")
	add(lost, "permission lost", "permissions lost")
	add(len(p.Resources), "resource differs", "resources differ")
	add(len(p.Parameters), "parameter differs", "parameters differ")
	return strings.Join(parts, ", ") + against + "."
}

// A sheet writes Markdown.
type sheet struct{ w *bufio.Writer }

func (m *sheet) line(format string, args ...any) { fmt.Fprintf(m.w, format+"\n", args...) }

func (m *sheet) table(head ...string) {
	m.line("\n| %s |", strings.Join(head, " | "))
	m.line("|%s", strings.Repeat(" --- |", len(head)))
}

func (m *sheet) row(cells ...string) { m.line("| %s |", strings.Join(cells, " | ")) }

func (m *sheet) steps(p *Plan) {
	if len(p.Steps) == 0 {
		return
	}
	m.table("Step", "", "What", "Before", "After")
	for _, s := range p.Steps {
		name, change := code(s.Name), string(s.Change)
		if len(s.Differs) == 0 {
			m.row(name, change, "", "", "")
		}
		for _, v := range s.Differs {
			m.row(name, change, prose(v.Name), code(v.Before), code(v.After))
			name, change = "", ""
		}
	}
}

func (m *sheet) values(title string, values []Value) {
	if len(values) == 0 {
		return
	}
	m.table(title, "Before", "After")
	for _, v := range values {
		m.row(prose(v.Name), code(v.Before), code(v.After))
	}
}

func (m *sheet) resources(p *Plan) {
	if len(p.Resources) == 0 {
		return
	}
	m.fold(fmt.Sprintf("Resources (%d)", len(p.Resources)), func() {
		m.table("Resource", "Type", "What happens")
		for _, r := range p.Resources {
			m.row(code(r.Logical), code(r.Type), prose(r.words()))
		}
	})
}

func (m *sheet) permissions(p *Plan) {
	if len(p.Permissions) == 0 {
		return
	}
	m.fold(fmt.Sprintf("Permissions (%d)", len(p.Permissions)), func() {
		m.table("Role", "", "Actions", "On", "If", "Why")
		for _, q := range p.Permissions {
			verb := strings.TrimSpace(strings.TrimPrefix(Permission{Change: q.Change, Effect: q.Effect}.sentence(), q.Role))
			m.row(code(q.Role), verb, codes(q.Actions), codes(q.Resources), code(q.Condition), prose(q.Reason))
		}
	})
}

// fold hides a part until it is asked for.
func (m *sheet) fold(title string, body func()) {
	m.line("\n<details><summary>%s</summary>", title)
	body()
	m.line("\n</details>")
}

// codes are texts as code, one a line of a cell.
func codes(list []string) string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = code(s)
	}
	return strings.Join(all, "<br>")
}

// code is a text as it is, in a cell. What could end the code or the cell is written as
// character references, which are never markup.
func code(s string) string {
	s = terminal.Clean(s)
	switch {
	case strings.TrimSpace(s) == "":
		return ""
	case strings.ContainsAny(s, "`|\\"):
		return "<code>" + references(s, "") + "</code>"
	}
	return "`" + s + "`"
}

// prose is a text of words in a sentence or cell.
func prose(s string) string { return references(terminal.Clean(s), ",;()'-$%/=+") }

// references writes everything but letters, digits, spaces and what is harmless as
// character references. A full stop or
// colon within a word is one, too: it could make a link.
func references(s, harmless string) string {
	runes := []rune(s)
	var b strings.Builder
	for i, r := range runes {
		inWord := i+1 < len(runes) && runes[i+1] != ' ' && (i == 0 || !unicode.IsDigit(runes[i-1]))
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == ' ', strings.ContainsRune(harmless, r), (r == '.' || r == ':') && harmless != "" && !inWord:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

// word is a name as it can stand in an HTML comment.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, strings.ReplaceAll(s, "--", "-"))
}
