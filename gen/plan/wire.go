package plan

import (
	"slices"

	"github.com/mlmax/mlmax/gen/ir"
)

// wire makes an input take what feeds it, and marks that as used.
func (p *planner) wire(u *ir.Use, port *ir.Port, in *ir.Input) {
	candidates, x := ir.Choose(p.producers, u.Index, port.Name, port.Artifact, u.Bind)
	switch {
	case x == nil:
		bug("%s.%s is fed by none of %v", u.Name, port.Name, candidates)
	case x.Source != nil:
		in.Param = x.Source.Name
	case x.Version != nil:
		in.Version = x.Version.Name
		if x.Use != nil {
			in.Step, in.Output = x.Use.Name, x.Port.Name
			p.part(p.resolved(in.Version), x.Use, x.Port)
		}
	default:
		in.Step, in.Output = p.use(x)
	}
}

// use marks the output of a step of this pipeline as used.
func (p *planner) use(x *ir.Producer) (step, output string) {
	for _, j := range p.out.Jobs() {
		if j.Name != x.Use.Name {
			continue
		}
		if i := slices.IndexFunc(j.Outputs, func(o *ir.Output) bool { return o.Name == x.Port.Name }); i >= 0 {
			j.Outputs[i].Used = true
			return j.Name, x.Port.Name
		}
	}
	bug("%s has no output in the mode of its step", x)
	return "", ""
}
