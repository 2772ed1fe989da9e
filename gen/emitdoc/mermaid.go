package emitdoc

import (
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// Mermaid is the graph of a pipeline as a Mermaid flow chart: data, model versions,
// steps, what passes between them, conditions and model groups. It ends in a line
// break.
func Mermaid(p *ir.Plan) string {
	g := &graph{reports: p.Reports()}
	g.line("flowchart TD")
	for _, d := range p.Parameters {
		if d.Location {
			g.line("    %s[(%s)]", id("data", d.Key), label(d.Key))
		}
	}
	for _, v := range p.Versions {
		g.line("    %s[/%s/]", id("version", v.Name), label(v.Name, "model group "+v.Group+", "+v.Status))
	}
	for _, n := range p.Nodes {
		switch {
		case n.Job != nil:
			g.line("    %s[%s]", id("step", n.Job.Name), label(n.Job.Name, string(n.Job.Kind)+", "+runs(n.Job)))
		case n.Registration != nil:
			r := n.Registration
			if r.When != "" {
				g.line("    %s{%s}", id("when", r.Name), label(r.When))
			}
			g.line("    %s[/%s/]", id("model", r.Name), label(r.Name, "model group "+r.Group))
		}
	}
	for _, n := range p.Nodes {
		switch {
		case n.Job != nil:
			g.job(n.Job)
		case n.Registration != nil:
			g.registration(n.Registration)
		}
	}
	return g.text.String()
}

// A graph is a flow chart being written.
type graph struct {
	text    strings.Builder
	reports []*ir.Report
}

func (g *graph) line(format string, args ...any) { fmt.Fprintf(&g.text, format+"\n", args...) }

// job draws an arrow for each input of a step.
func (g *graph) job(j *ir.Job) {
	for _, in := range j.Inputs {
		from := id("step", in.Step)
		switch {
		case in.Param != "":
			from = id("data", in.Param)
		case in.Version != "":
			from = id("version", in.Version)
		}
		g.line("    %s -->|%s| %s", from, label(in.Artifact), id("step", j.Name))
	}
	for _, after := range j.After {
		g.line("    %s -.-> %s", id("step", after), id("step", j.Name))
	}
}

// runs says what a step runs.
func runs(j *ir.Job) string {
	switch {
	case j.Pin != "":
		return "code and image of " + j.Pin
	case j.ImageOf != "":
		return "image of " + j.ImageOf
	}
	return j.Framework + ":" + j.Version
}

// registration draws where the model comes from, and what decides.
func (g *graph) registration(r *ir.Registration) {
	to := id("model", r.Name)
	if r.When != "" {
		gate := id("when", r.Name)
		for _, report := range g.reports {
			if reads(r.Cond, report.Variable) {
				g.line("    %s -->|%s| %s", id("step", report.Step), label(report.Output), gate)
			}
		}
		g.line("    %s -->|yes| %s", gate, to)
	}
	if r.Step != "" {
		g.line("    %s -->|%s| %s", id("step", r.Step), label(r.Output), to)
	}
}

// reads reports whether a condition has a value of the report in the variable.
func reads(c *ir.Cond, variable string) bool {
	return c != nil && (c.Report == variable && c.Field != "" || reads(c.X, variable) || reads(c.Y, variable))
}

// id is a node's id: letters, digits and underscores, never a word of Mermaid's,
// and another one for every kind and name.
func id(kind, name string) string {
	var b strings.Builder
	b.WriteString(kind + "_")
	for _, r := range name {
		switch {
		case r < 0x80 && (r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "_%x_", r)
		}
	}
	return b.String()
}

// label is text in quotes, a line each, with what Mermaid would read as its own
// written as entities.
func label(lines ...string) string {
	var parts []string
	for _, l := range lines {
		parts = append(parts, entities.Replace(strings.Join(strings.Fields(l), " ")))
	}
	return `"` + strings.Join(parts, "<br/>") + `"`
}

var entities = strings.NewReplacer(
	`#`, "#35;", `"`, "#quot;", "`", "#96;", "<", "#lt;", ">", "#gt;", "&", "#amp;", `\`, "#92;",
	"%%", "#37;#37;", "|", "#124;", ";", "#59;",
)
