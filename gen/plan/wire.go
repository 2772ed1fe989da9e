package plan

import (
	"slices"

	"github.com/mlmax/mlmax/gen/ir"
)

// wire finds what an input takes: what bind names, else the one producer of the
// artifact above it.
func (p *planner) wire(user, port string, a *ir.Artifact, binds []ir.Assignment) producer {
	for _, b := range binds {
		if b.Left.V != port {
			continue
		}
		i := slices.IndexFunc(p.producers, func(c producer) bool { return c.name == b.Right.V })
		if i < 0 {
			bug("%s.%s is bound to unknown %q", user, port, b.Right.V)
		}
		return p.use(i)
	}
	found := -1
	for i, c := range p.producers {
		if c.artifact.Name != a.Name || c.artifact.Path != a.Path {
			continue
		}
		if found >= 0 {
			bug("%s.%s has several producers: %s, %s", user, port, p.producers[found].name, c.name)
		}
		found = i
	}
	if found < 0 {
		bug("%s.%s has no producer of %s", user, port, a.Name)
	}
	return p.use(found)
}

// use marks a producer's output as used, and adds a part of a model version to what
// is taken of it.
func (p *planner) use(i int) producer {
	c := p.producers[i]
	if c.output != nil {
		c.output.Used = true
	}
	if c.part != nil && !slices.Contains(c.version.Parts, c.part) {
		c.version.Parts = append(c.version.Parts, c.part)
	}
	return c
}

// feed makes the input take the producer's artifact.
func (c producer) feed(in *ir.Input) {
	switch {
	case c.param != nil:
		in.Param = c.param.Key
	case c.part != nil:
		in.Version, in.Step, in.Output = c.version.Name, c.part.Step, c.part.Output
	case c.version != nil:
		in.Version = c.version.Name
	default:
		in.Step, in.Output = c.step, c.output.Name
	}
}
