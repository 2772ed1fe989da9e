package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// graphRules judge how the steps of a pipeline hang together.
var graphRules = []Rule{
	{Code: diag.NoProducer, Doc: "every input has a producer above it", run: noProducer},
	{Code: diag.ManyProducers, Doc: "no input has two producers", run: manyProducers},
	{Code: diag.BadBind, Doc: "bind joins an input with an output above it of its type", run: badBind},
	{Code: diag.BadAfter, Doc: "after names steps declared above", run: badAfter},
	{Code: diag.UnusedStep, Doc: "every step is used", Severity: diag.Warning, run: unusedStep},
	{Code: diag.UnusedOutput, Doc: "every output is used", Severity: diag.Warning, run: unusedOutput},
}

func noProducer(p *pass) {
	for _, l := range p.links {
		if l.broken {
			continue
		}
		for _, in := range l.inputs {
			if in.silent || in.bind != nil || in.chosen != nil || len(in.candidates) > 1 {
				continue
			}
			hint, rel := p.whyNone(l, in)
			p.report(in.where, fmt.Sprintf("nothing above produces %q for %s", in.artifact.Name, in.what), hint, rel...)
		}
	}
}

// whyNone looks for the producer that would have done, had it stood above, been
// of another form, or existed in this mode.
func (p *pass) whyNone(l *links, in *input) (hint string, rel []diag.Related) {
	for _, x := range l.all {
		if !x.Artifact().Same(in.artifact) {
			continue
		}
		switch {
		case x.Version != nil && in.use == nil:
			rel = append(rel, relatedTo(x, "%s is registered already"))
		case x.Index > in.index && in.fits(x):
			hint = fmt.Sprintf("move %q below %q", in.field, fieldOf(x))
			rel = append(rel, relatedTo(x, "%s is declared later"))
		case x.Index < in.index && !in.fits(x):
			hint = "register what a training step leaves in an mlmax.Model field"
			rel = append(rel, relatedTo(x, "%s is not the model of a training step"))
		}
	}
	for _, u := range l.uses {
		if u.use.Step == nil || u.use.Index >= in.index {
			continue
		}
		for _, port := range u.use.Step.Ports {
			if !port.Form.In() && port.Artifact.Same(in.artifact) && u.mode.Has(port.Only) == ir.No {
				rel = append(rel, diag.Related{Pos: port.Pos, Message: fmt.Sprintf(
					"%s.%s exists only with %s=%s", u.use.Name, port.Name, port.Only.V.Field.V, port.Only.V.Value.V)})
			}
		}
	}
	if in.use != nil {
		rel = append(rel, p.absentParts(l, in)...)
	}
	if len(rel) == 0 {
		hint = fmt.Sprintf("declare a source or a step with an output of type %s above it", in.artifact.Name)
		rel = append(rel, diag.Related{Pos: in.artifact.Pos, Message: fmt.Sprintf("%s is declared here", in.artifact.Name)})
	}
	return hint, rel
}

// fieldOf is the pipeline's field that a producer belongs to.
func fieldOf(x ir.Producer) string {
	name, _, _ := strings.Cut(x.String(), ".")
	return name
}

func manyProducers(p *pass) {
	for _, l := range p.links {
		for _, in := range l.inputs {
			if in.silent || in.bind != nil || len(in.candidates) < 2 {
				continue
			}
			var rel []diag.Related
			var names []string
			for _, x := range in.candidates {
				rel = append(rel, relatedTo(x, "%s is one"))
				names = append(names, x.String())
			}
			p.report(in.where,
				fmt.Sprintf("%d producers of %q for %s: %s", len(names), in.artifact.Name, in.what, strings.Join(names, ", ")),
				fmt.Sprintf("say which: bind:\"%s=%s\"", in.port, likeliest(in)), rel...)
		}
	}
}

// likeliest is the candidate to propose: a pinned step belongs with the parts of its own
// version, and what another version was made with would be wrong to copy. Else it is
// the one declared last.
func likeliest(in *input) string {
	if in.use != nil {
		for _, x := range in.candidates {
			if in.use.use.Pin.V != "" && fieldOf(x) == in.use.use.Pin.V {
				return x.String()
			}
		}
	}
	return in.candidates[len(in.candidates)-1].String()
}

func badBind(p *pass) {
	for _, l := range p.links {
		for _, u := range l.uses {
			if u.use.Step == nil {
				continue
			}
			var ports []string
			for _, port := range u.mode.Inputs(u.use.Step) {
				ports = append(ports, port.Name)
			}
			for i, b := range u.use.Bind {
				p.bindLeft(u, b, u.use.Bind[:i], ports)
			}
		}
		for _, r := range l.pipe.Registers {
			for _, b := range r.Bind {
				if b.Left.V != ir.ModelInput {
					p.report(at(b.Left), fmt.Sprintf("registration %q has no input %q", r.Name, b.Left.V),
						diag.DidYouMean(b.Left.V, []string{ir.ModelInput}))
				}
			}
		}
		for _, in := range l.inputs {
			if in.bind != nil && in.chosen == nil && !l.broken {
				p.bindRight(l, in)
			}
		}
	}
}

// bindLeft judges the input's side of a bind.
func (p *pass) bindLeft(u *useLink, b ir.Assignment, before []ir.Assignment, ports []string) {
	for _, x := range before {
		if x.Left.V == b.Left.V {
			p.report(at(b.Left), fmt.Sprintf("input %q is bound twice", b.Left.V), "remove one of the two",
				related(at(x.Left), "bound here, too"))
			return
		}
	}
	port := portIn(u.use.Step.Ports, b.Left.V)
	switch {
	case port == nil:
		p.report(at(b.Left), fmt.Sprintf("step %q has no input %q", u.use.Name, b.Left.V), diag.DidYouMean(b.Left.V, ports),
			related(point(u.use.Step.Pos), "%s is declared here", u.use.Step.Name))
	case !port.Form.In():
		p.report(at(b.Left), fmt.Sprintf("%q is an output of step %q, and bind takes inputs", b.Left.V, u.use.Name),
			diag.DidYouMean(b.Left.V, ports), related(point(port.Pos), "%s is declared here", port.Name))
	case u.mode.Has(port.Only) == ir.No:
		p.report(at(b.Left), fmt.Sprintf("input %q of step %q does not exist here: it needs %s=%s",
			b.Left.V, u.use.Name, port.Only.V.Field.V, port.Only.V.Value.V), "remove the binding",
			related(point(port.Pos), "%s is declared here", port.Name))
	}
}

// bindRight says why a bound producer does not do.
func (p *pass) bindRight(l *links, in *input) {
	right := in.bind.Right
	var fit []string
	for _, x := range in.candidates {
		if in.fits(x) {
			fit = append(fit, x.String())
		}
	}
	for _, x := range l.all {
		if x.String() != right.V {
			continue
		}
		message := fmt.Sprintf("%s is declared below %q", right.V, in.field)
		switch {
		case x.Index == in.index:
			message = fmt.Sprintf("%s is an output of %q itself", right.V, in.field)
		case x.Index < in.index && !x.Artifact().Same(in.artifact):
			message = fmt.Sprintf("%s is of type %q, and %s takes %q", right.V, x.Artifact().Name, in.what, in.artifact.Name)
		case x.Version != nil && x.Index < in.index:
			message = fmt.Sprintf("%s is registered already", right.V)
		case x.Index < in.index:
			message = fmt.Sprintf("%s is not the model of a training step", right.V)
		}
		p.report(at(right), message, diag.DidYouMean(right.V, fit), relatedTo(x, "%s is declared here"))
		return
	}
	if v, o := p.partOf(l, right.V); o != nil && v.Index < in.index && in.use != nil {
		return // that is what BadPart says
	}
	p.report(at(right), fmt.Sprintf("unknown output or source %q in bind", right.V), diag.DidYouMean(right.V, fit),
		related(in.where, "%s is declared here", in.field))
}

func badAfter(p *pass) {
	for _, l := range p.links {
		if l.broken {
			continue
		}
		all := map[string]node{}
		for _, u := range l.pipe.Uses {
			all[u.Name] = node{u.Name, u.Index, point(u.Pos)}
		}
		for _, r := range l.pipe.Registers {
			all[r.Name] = node{r.Name, r.Index, point(r.Pos)}
		}
		for _, u := range l.pipe.Uses {
			p.afters(all, all[u.Name], u.After)
		}
		for _, r := range l.pipe.Registers {
			p.afters(all, all[r.Name], r.After)
		}
	}
}

// A node is a step or registration of a pipeline.
type node struct {
	name  string
	index int
	place place
}

func (p *pass) afters(all map[string]node, n node, after []ir.At[string]) {
	for _, a := range after {
		switch first, known := all[a.V]; {
		case !known:
			p.report(at(a), fmt.Sprintf("step %q runs after unknown step %q", n.name, a.V), diag.DidYouMean(a.V, above(all, n)))
		case first.index == n.index:
			p.report(at(a), fmt.Sprintf("step %q runs after itself", n.name), diag.DidYouMean("", above(all, n)))
		case first.index > n.index:
			p.report(at(a), fmt.Sprintf("step %q runs after %q, which is declared below it", n.name, a.V),
				fmt.Sprintf("move %q below %q", n.name, a.V), related(first.place, "%s is declared here", a.V))
		}
	}
}

// above are the names of what is declared above a node, in the pipeline's order.
func above(all map[string]node, n node) []string {
	var nodes []node
	for _, x := range all {
		if x.index < n.index {
			nodes = append(nodes, x)
		}
	}
	slices.SortFunc(nodes, func(x, y node) int { return x.index - y.index })
	names := make([]string, len(nodes))
	for i, x := range nodes {
		names[i] = x.name
	}
	return names
}
