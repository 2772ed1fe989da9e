package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// pinned calls f for every use with a pin, and what it names: nil if that is no
// model version of the pipeline.
func (p *pass) pinned(f func(l *links, u *useLink, v *ir.ModelVersion)) {
	for _, l := range p.links {
		for _, u := range l.uses {
			if u.use.Pin.Written() && u.use.Step != nil {
				f(l, u, versionIn(l.pipe, u.use.Pin.V))
			}
		}
	}
}

func versionIn(pipe *ir.Pipeline, name string) *ir.ModelVersion {
	i := slices.IndexFunc(pipe.Versions, func(v *ir.ModelVersion) bool { return v.Name == name })
	if i < 0 {
		return nil
	}
	return pipe.Versions[i]
}

func badPin(p *pass) {
	p.pinned(func(l *links, u *useLink, v *ir.ModelVersion) {
		pin, name := u.use.Pin, u.use.Name
		switch {
		case v == nil && p.known.declaration(l.pipe.Pos):
			return // it may be among what could not be read
		case v == nil:
			p.noVersion(l, u)
		case v.Index > u.use.Index:
			p.report(at(pin), fmt.Sprintf("step %q is pinned to %q, which is declared below it", name, v.Name),
				fmt.Sprintf("move %q below %q", name, v.Name), related(point(v.Pos), "%s is declared here", v.Name))
		case u.use.Step.Kind == ir.Training:
			p.report(at(pin), fmt.Sprintf("step %q trains, and what it made is what %q holds", name, v.Name),
				"remove pin; to train anew, start the pipeline that registers", related(point(v.Pos), "%s is declared here", v.Name))
		}
	})
}

// noVersion says what pin names instead.
func (p *pass) noVersion(l *links, u *useLink) {
	pin := u.use.Pin
	var words []string
	for _, v := range l.pipe.Versions {
		if v.Index < u.use.Index {
			words = append(words, v.Name)
		}
	}
	message, rel := fmt.Sprintf("step %q is pinned to unknown model version %q", u.use.Name, pin.V), []diag.Related(nil)
	eachField(l.pipe, func(name string, where place) {
		if name == pin.V {
			message = fmt.Sprintf("%q is no model version, and step %q is pinned to it", name, u.use.Name)
			rel = append(rel, related(where, "%s is declared here", name))
		}
	})
	hint := "declare a field of type mlmax.ModelVersion above it"
	if len(words) > 0 {
		hint = diag.DidYouMean(pin.V, words)
	}
	p.report(at(pin), message, hint, rel...)
}

// pinnedType holds a pinned step against those that the model was made by.
func pinnedType(p *pass) {
	p.pinned(func(l *links, u *useLink, v *ir.ModelVersion) {
		if v == nil || v.Index > u.use.Index || u.use.Step.Kind == ir.Training {
			return
		}
		o := p.wiring.Origin(v)
		if o == nil || p.known.declaration(o.Pipeline.Pos) {
			return
		}
		made := o.Of(u.use.Step)
		switch {
		case len(made) == 0:
			var names []string
			for _, x := range o.Uses {
				names = append(names, fmt.Sprintf("%s (%s)", x.Name, x.Step.Name))
			}
			p.report(at(u.use.Pin), fmt.Sprintf("step %q is of type %q, and %q was made by %s", u.use.Name, u.use.Step.Name, v.Name, strings.Join(names, ", ")),
				"give the step the type that training used, or remove pin", append(beside(o, u.use.Step),
					related(point(o.Register.Pos), "%s is declared here", v.From.V))...)
		case len(made) > 1:
			var names []string
			var rel []diag.Related
			for _, x := range made {
				names = append(names, x.Name)
				rel = append(rel, related(point(x.Pos), "%s is one", x.Name))
			}
			p.report(at(u.use.Pin), fmt.Sprintf("%d steps of type %q made %q, and step %q is pinned to one: %s", len(made), u.use.Step.Name, v.Name, u.use.Name, strings.Join(names, ", ")),
				"declare a type for each", rel...)
		}
	})
}

// beside are the steps of a type in the pipeline of an origin that the model was not
// made by.
func beside(o *ir.Origin, s *ir.Step) []diag.Related {
	var all []diag.Related
	for _, u := range o.Pipeline.Uses {
		if u.Step == s && !slices.Contains(o.Uses, u) {
			all = append(all, related(point(u.Pos), "%s.%s is of this type, and the model does not depend on it", o.Pipeline.GoName, u.Name))
		}
	}
	return all
}

// badPart judges what bind names of a model version. What is there and of another
// type is badBind's.
func badPart(p *pass) {
	for _, l := range p.links {
		for _, in := range l.inputs {
			if in.bind == nil || in.chosen != nil || l.broken || in.use == nil {
				continue
			}
			v, o := p.partOf(l, in.bind.Right.V)
			if o == nil || v.Index > in.index || slices.ContainsFunc(l.all, func(x ir.Producer) bool { return x.String() == in.bind.Right.V }) {
				continue
			}
			message, rel := noPart(o, v, in.bind.Right.V)
			var fit []string
			for _, x := range in.candidates {
				fit = append(fit, x.String())
			}
			p.report(at(in.bind.Right), message, diag.DidYouMean(in.bind.Right.V, fit), rel)
		}
	}
}

// partOf is the version that a bind's right side begins with, and what it was made
// by; nils if it begins with none.
func (p *pass) partOf(l *links, right string) (*ir.ModelVersion, *ir.Origin) {
	name, _, _ := strings.Cut(right, ".")
	v := versionIn(l.pipe, name)
	if v == nil {
		return nil, nil
	}
	return v, p.wiring.Origin(v)
}

// noPart says why a version does not have a part.
func noPart(o *ir.Origin, v *ir.ModelVersion, right string) (string, diag.Related) {
	_, rest, _ := strings.Cut(right, ".")
	step, output, _ := strings.Cut(rest, ".")
	made := related(point(o.Register.Pos), "%s is declared here", v.From.V)
	i := slices.IndexFunc(o.Pipeline.Uses, func(u *ir.Use) bool { return u.Name == step })
	if i < 0 {
		return fmt.Sprintf("%q has no part %q: pipeline %q has no step %q", v.Name, rest, o.Pipeline.GoName, step), made
	}
	u := o.Pipeline.Uses[i]
	port := portIn(u.Step.Ports, output)
	switch {
	case !slices.Contains(o.Uses, u):
		return fmt.Sprintf("%q was not made by step %q of pipeline %q", v.Name, step, o.Pipeline.GoName), related(point(u.Pos), "%s is declared here", step)
	case port == nil || port.Form.In():
		return fmt.Sprintf("%q has no part %q: step %q writes no %q", v.Name, rest, step, output), related(point(u.Step.Pos), "%s is declared here", u.Step.Name)
	case u == o.Use && port == o.Port:
		return fmt.Sprintf("%q is the model itself, which is called %q", right, v.Name), made
	}
	return fmt.Sprintf("%q has no part %q: %s, and pipeline %q used it otherwise", v.Name, rest, needs(port), o.Pipeline.GoName),
		related(point(u.Pos), "%s is declared here", step)
}

// needs says in which mode a port exists.
func needs(port *ir.Port) string {
	return fmt.Sprintf("%s exists only with %s=%s", port.Name, port.Only.V.Field.V, port.Only.V.Value.V)
}

// absentParts are the outputs of the type that an input takes which a version above
// it would have, had its pipeline written them, or the model been made by their step.
func (p *pass) absentParts(l *links, in *input) []diag.Related {
	var all []diag.Related
	for _, v := range l.pipe.Versions {
		o := p.wiring.Origin(v)
		if o == nil || v.Index > in.index {
			continue
		}
		for _, u := range o.Pipeline.Uses {
			mode, lineage := ir.ModeOf(o.Pipeline, u), slices.Contains(o.Uses, u)
			for _, port := range u.Step.Ports {
				name := v.Name + "." + u.Name + "." + port.Name
				switch {
				case port.Form.In() || !port.Artifact.Same(in.artifact):
				case mode.Has(port.Only) == ir.No:
					all = append(all, related(point(port.Pos), "%s is not there: %s, and %s used it otherwise", name, needs(port), o.Pipeline.GoName))
				case !lineage:
					all = append(all, related(point(port.Pos), "%s is not there: the model does not depend on %s", name, u.Name))
				}
			}
		}
	}
	return all
}
