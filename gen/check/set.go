package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

func badSet(p *pass) {
	for _, l := range p.links {
		for _, u := range l.uses {
			if u.use.Step == nil {
				continue
			}
			for i, a := range u.use.Set {
				p.setOne(u, a, u.use.Set[:i])
			}
		}
	}
}

func (p *pass) setOne(u *useLink, a ir.Assignment, before []ir.Assignment) {
	step := u.use.Step
	for _, x := range before {
		if x.Left.V == a.Left.V {
			p.report(at(a.Left), fmt.Sprintf("parameter %q is set twice", a.Left.V), "remove one of the two",
				related(at(x.Left), "set here, too"))
			return
		}
	}
	x := paramIn(step.Params, a.Left.V)
	if x == nil {
		message := fmt.Sprintf("step %q has no parameter %q", u.use.Name, a.Left.V)
		if portIn(step.Ports, a.Left.V) != nil {
			message = fmt.Sprintf("%q is a port of step %q, and set takes parameters", a.Left.V, u.use.Name)
		}
		p.report(at(a.Left), message, diag.DidYouMean(a.Left.V, paramNames(step.Params)),
			related(point(step.Pos), "%s is declared here", step.Name))
		return
	}
	if x.Only.Written() && u.mode.Has(x.Only) == ir.No {
		p.report(at(a.Left), fmt.Sprintf("parameter %q of step %q does not exist here: it needs %s=%s",
			x.Name, u.use.Name, x.Only.V.Field.V, x.Only.V.Value.V), "remove the assignment", related(point(x.Pos), "%s is declared here", x.Name))
		return
	}
	if from := u.pipe.Param(a.Right.V); from != nil {
		p.setFrom(a, x, from)
		return
	}
	if message, hint := misfit(x, a.Right.V); message != "" {
		if near := diag.Nearest(a.Right.V, paramNames(u.pipe.Params)); near != "" && exported(a.Right.V) {
			hint = fmt.Sprintf("did you mean the pipeline's parameter %q?", near)
		}
		p.report(at(a.Right), fmt.Sprintf("value of %q: %s", x.Name, message), hint, related(point(x.Pos), "%s is declared here", x.Name))
	}
}

// setFrom judges a parameter that takes the value of one of the pipeline's.
func (p *pass) setFrom(a ir.Assignment, x, from *ir.Param) {
	rel := []diag.Related{related(point(from.Pos), "%s is declared here", from.Name), related(point(x.Pos), "%s is declared here", x.Name)}
	switch {
	case from.Type == "" || x.Type == "":
	case from.Type != x.Type:
		p.report(at(a.Right), fmt.Sprintf("parameter %q is %s, and %q is %s", from.Name, article(from.Type), x.Name, article(x.Type)),
			fmt.Sprintf("declare %q as %s", from.Name, x.Type), rel...)
	case from.Default.Written():
		if own, _ := misfit(from, from.Default.V); own != "" {
			return // reported as the default's
		}
		if message, _ := misfit(x, from.Default.V); message != "" {
			p.report(at(a.Right), fmt.Sprintf("the default of %q does not fit %q: %s", from.Name, x.Name, message),
				fmt.Sprintf("give %q the bounds of %q", from.Name, x.Name), rel...)
		}
	}
}

func exported(s string) bool { return s != "" && s[0] >= 'A' && s[0] <= 'Z' }

func paramNames(params []*ir.Param) []string {
	names := make([]string, 0, len(params))
	for _, x := range params {
		names = append(names, x.Name)
	}
	return names
}

// onlys calls f for every condition of a step's ports and parameters.
func onlys(s *ir.Step, f func(name string, pos place, only ir.At[ir.Only])) {
	for _, x := range s.Params {
		if x.Only.Written() {
			f(x.Name, point(x.Pos), x.Only)
		}
	}
	for _, x := range s.Ports {
		if x.Only.Written() {
			f(x.Name, point(x.Pos), x.Only)
		}
	}
}

func badOnly(p *pass) {
	for _, s := range p.spec.Steps {
		var modes []string
		for _, x := range s.Params {
			if x.Enum.Written() && !x.Only.Written() {
				modes = append(modes, x.Name)
			}
		}
		onlys(s, func(name string, _ place, only ir.At[ir.Only]) {
			field, value := only.V.Field, only.V.Value
			x := paramIn(s.Params, field.V)
			switch {
			case field.V == "":
			case x == nil:
				p.report(at(field), fmt.Sprintf("step %q has no parameter %q", s.Name, field.V), diag.DidYouMean(field.V, modes))
			case x.Name == name:
				p.report(at(field), fmt.Sprintf("%q depends on itself", name), diag.DidYouMean("", modes))
			case x.Only.Written():
				p.report(at(field), fmt.Sprintf("%q does not exist in every mode itself", field.V), diag.DidYouMean("", modes),
					related(point(x.Pos), "%s is declared here", x.Name))
			case !x.Enum.Written():
				p.report(at(field), fmt.Sprintf("%q has no enum, and a mode needs one", field.V),
					fmt.Sprintf("add enum:\"%s,…\" to %q", value.V, field.V), related(point(x.Pos), "%s is declared here", x.Name))
			case !slices.Contains(x.Enum.V, value.V):
				p.report(at(value), fmt.Sprintf("%q can never be %q: it is one of %s", field.V, value.V, strings.Join(x.Enum.V, ", ")),
					diag.DidYouMean(value.V, x.Enum.V), related(at(x.Enum), "the values of %s", x.Name))
			}
		})
	}
}

// openMode wants every mode to be fixed where a step is used: which ports exist
// shapes the graph, and the graph is known when generating.
func openMode(p *pass) {
	for _, l := range p.links {
		for _, u := range l.uses {
			if u.use.Step == nil {
				continue
			}
			told := map[string]bool{}
			if p.known.line(u.use.Pos) || strayUse(u) {
				continue
			}
			onlys(u.use.Step, func(name string, where place, only ir.At[ir.Only]) {
				x := paramIn(u.use.Step.Params, only.V.Field.V)
				if x == nil || told[x.Name] || u.mode.Has(only) != ir.Open || len(x.Enum.V) == 0 || x.Only.Written() {
					return
				}
				told[x.Name] = true
				pos := point(u.use.Pos)
				for _, a := range u.use.Set {
					if a.Left.V == x.Name {
						pos = at(a.Right)
					}
				}
				p.report(pos, fmt.Sprintf("step %q is used without fixing %q, on which %q depends", u.use.Name, x.Name, name),
					fmt.Sprintf("add set:\"%s=%s\"", x.Name, x.Enum.V[0]), related(where, "%s is declared here", name))
			})
		}
	}
}

// strayUse reports whether set names a parameter that the step does not have: it
// was meant for one that is not fixed now.
func strayUse(u *useLink) bool {
	for _, a := range u.use.Set {
		if paramIn(u.use.Step.Params, a.Left.V) == nil {
			return true
		}
	}
	return false
}
