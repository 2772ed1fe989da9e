package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// A columnNeed is a column without which a script fails, of the table that it reads
// from one of its arguments or from a path of the container.
type columnNeed struct {
	spot
	Name           string
	Argument, Path string
	// Ways are those in which the script comes to need it: each a list of conditions that
	// must all hold.
	Ways [][]argumentIs
}

// An argumentIs is a condition on an argument of the script: that it is the value, or is not.
// Without a value, that it is given at all, or is not.
type argumentIs struct {
	Argument string
	Value    *string
	Equal    bool
}

// A labelled is data of a pipeline whose label column is known.
type labelled struct {
	artifact *ir.Artifact
	label    ir.At[string]
}

func labelAtInference(p *pass) {
	for _, l := range p.links {
		labels := p.labelsOf(l)
		for _, in := range l.inputs {
			if in.use == nil || in.chosen == nil || in.chosen.Source == nil {
				continue
			}
			source, step := in.chosen.Source, in.use.use.Step
			for _, x := range labels {
				if !x.artifact.Same(source.Artifact) || source.Label.V == x.label.V {
					continue
				}
				if need := p.facts.needs(in, step, x.label.V); need != nil {
					p.report(in.where, fmt.Sprintf("the script of step %q needs column %q, which %q of pipeline %q does not have", in.use.use.Name, x.label.V, source.Name, l.pipe.GoName),
						fmt.Sprintf("let the script do without it here, or add label:%q to %q if it is there", x.label.V, source.Name),
						p.inScript(step, need.spot, "needed here"), related(at(x.label), "said to be the label here"))
				}
			}
		}
	}
}

// labelsOf is the data that the pipelines learn from whose models one starts from.
func (p *pass) labelsOf(l *links) []labelled {
	var all []labelled
	for _, v := range l.pipe.Versions {
		o := p.wiring.Origin(v)
		if o == nil {
			continue
		}
		for _, s := range o.Pipeline.Sources {
			known := func(x labelled) bool { return x.label.V == s.Label.V && x.artifact.Same(s.Artifact) }
			if s.Label.V != "" && !slices.ContainsFunc(all, known) {
				all = append(all, labelled{s.Artifact, s.Label})
			}
		}
	}
	return all
}

// needs finds the first place where a script is sure to need a column of an input, as
// the step is used.
func (f *scriptFacts) needs(in *input, s *ir.Step, column string) *columnNeed {
	x := f.of[s]
	if x == nil {
		return nil
	}
	port := portIn(s.Ports, in.port)
	for i, c := range x.Columns {
		if c.Name != column || !x.reads(port, c) {
			continue
		}
		if slices.ContainsFunc(c.Ways, func(way []argumentIs) bool { return x.holds(in.use, way) }) {
			return &x.Columns[i]
		}
	}
	return nil
}

// reads reports whether what a script reads is the port.
func (x *script) reads(port *ir.Port, c columnNeed) bool {
	if c.Path != "" {
		return within(strings.TrimRight(c.Path, "/"), port.Folder())
	}
	o := x.option(c.Argument)
	return o != nil && port.Arg.V != "" && slices.Contains(o.Flags, port.Arg.V)
}

// option finds the option that is parsed under a name, if there is one such and it
// is there in every run.
func (x *script) option(name string) *option {
	if x.Parser == nil || x.Parser.Open {
		return nil
	}
	var found *option
	for i, o := range x.Parser.Options {
		switch {
		case o.Dest != name:
		case found != nil || !o.Sure || o.Takes != "one":
			return nil
		default:
			found = &x.Parser.Options[i]
		}
	}
	return found
}

// holds reports whether conditions on a script's arguments are sure to hold as the
// step is used.
func (x *script) holds(u *useLink, way []argumentIs) bool {
	for _, c := range way {
		o := x.option(c.Argument)
		if o == nil || !o.holds(u, c) {
			return false
		}
	}
	return true
}

func (o *option) holds(u *useLink, c argumentIs) bool {
	all := passes(u.use.Step)
	i := slices.IndexFunc(all, func(a passed) bool { return slices.Contains(o.Flags, a.flag) && u.mode.Has(a.only) == ir.Yes })
	switch {
	case i < 0 && c.Value == nil:
		// Whether it is given is known only where nothing stands for what is not.
		return o.NoDefault && !c.Equal && !slices.ContainsFunc(all, func(a passed) bool { return slices.Contains(o.Flags, a.flag) && u.mode.Has(a.only) != ir.No })
	case i < 0:
		return false
	case c.Value == nil:
		return c.Equal && all[i].param == nil // a text may be empty
	case all[i].param == nil || all[i].param.Type != ir.String:
		return false
	}
	value, fixed := u.mode.Fixed(all[i].name)
	return fixed && (value == *c.Value) == c.Equal
}
