package plan

import (
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// readReports has the machine read every output of the job that has values.
func (p *planner) readReports(u *ir.Use, j *ir.Job) {
	for _, out := range j.Outputs {
		var artifact *ir.Artifact
		for _, port := range u.Step.Ports {
			if port.Name == out.Name {
				artifact = port.Artifact
			}
		}
		if !artifact.File || len(artifact.Values) == 0 {
			continue
		}
		out.Used = true
		r := &ir.Report{
			Step: u.Name, Output: out.Name, Artifact: artifact.Name, FileName: out.FileName,
			State:    ir.StateName(fmt.Sprintf("Read %s.%s", u.Name, out.Name)),
			Variable: p.variable(u.Name + out.Name),
		}
		for _, v := range artifact.Values {
			r.Fields = append(r.Fields, &ir.Field{Name: v.Name, JSON: v.JSON.V, Doc: v.Doc, Type: v.Type})
		}
		j.Reports = append(j.Reports, r)
		p.reports[u.Name+"."+out.Name] = r
	}
}

// variable is a name for a variable that no step, registration or other report has.
func (p *planner) variable(name string) string {
	name = ir.StateName(name)
	for p.taken[name] {
		name += "_"
	}
	p.taken[name] = true
	return name
}

// registration resolves a registration of a model.
func (p *planner) registration(r *ir.Register) *ir.Registration {
	model := ir.Registered(p.producers, r)
	if model == nil {
		bug("%s registers no model that is known", r.Name)
	}
	step, output := p.use(model)
	out := &ir.Registration{
		Name: r.Name, Doc: r.Doc, Group: r.Group.V, Status: or(r.Status.V, "PendingManualApproval"),
		Step: step, Output: output,
	}
	if r.Cond != nil {
		out.When = r.When.V
		out.Gate = ir.StateName("Gate " + r.Name)
		out.Cond = p.cond(r.Cond)
		out.Cond.Text = r.When.V
	}
	judged := firstReport(out.Cond)
	for _, report := range p.out.Reports() { // the one judged by, else the last
		out.Metrics = report
		if report.Variable == judged {
			break
		}
	}
	return out
}

// firstReport is the variable of the first report that a condition reads.
func firstReport(c *ir.Cond) string {
	if c == nil {
		return ""
	}
	return or(c.Report, or(firstReport(c.X), firstReport(c.Y)))
}

// cond resolves a condition.
func (p *planner) cond(e *ir.Expr) *ir.Cond {
	switch {
	case e.Op != "":
		c := &ir.Cond{Op: e.Op, X: p.cond(e.X)}
		c.Text = e.Op + c.X.Text
		if e.Y != nil {
			c.Y = p.cond(e.Y)
			c.Text = c.X.Text + " " + e.Op + " " + c.Y.Text
		}
		return c
	case e.Ref != "":
		return p.reference(e.Ref)
	default:
		return literalCond(e.Lit)
	}
}

// reference resolves a field that a condition names: a report's value, a parameter,
// or a literal that a step's parameter is fixed to.
func (p *planner) reference(ref string) *ir.Cond {
	if i := strings.LastIndex(ref, "."); i >= 0 {
		if r := p.reports[ref[:i]]; r != nil {
			for _, f := range r.Fields {
				if f.Name == ref[i+1:] {
					return &ir.Cond{Report: r.Variable, Field: f.Name, Type: f.Type, Text: ref}
				}
			}
		}
		if v := p.values[ref]; v != nil && v.Param == "" {
			c := literalCond(v.Lit)
			c.Text = ref
			return c
		} else if v != nil {
			return &ir.Cond{Param: v.Param, Type: v.Type, Text: ref}
		}
	}
	for _, q := range p.out.Parameters {
		if q.Key == ref {
			return &ir.Cond{Param: q.Key, Type: q.Type, Text: ref}
		}
	}
	bug("the condition names unknown %q", ref)
	return nil
}

func literalCond(v any) *ir.Cond {
	c := &ir.Cond{Lit: v, Text: fmt.Sprint(v)}
	switch v := v.(type) {
	case string:
		c.Type, c.Text = ir.String, fmt.Sprintf("%q", v)
	case bool:
		c.Type = ir.Bool
	case int64:
		c.Type = ir.Int
	case float64:
		c.Type = ir.Float
	default:
		bug("a literal of type %T", v)
	}
	return c
}
