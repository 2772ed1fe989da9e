package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// version resolves a model version, and returns the parameter that asks for an exact
// one. What of it jobs take is added to it when they are resolved.
func (p *planner) version(v *ir.ModelVersion) *ir.Parameter {
	o := p.origin(v.Name)
	out := &ir.Version{
		Name: v.Name, Doc: v.Doc, Artifact: v.Artifact.Name, ArtifactPath: foreign(v.Artifact, p.spec.Path),
		Group: o.Register.Group.V, Status: or(v.Status.V, "Approved"), Param: v.Name + "Version",
		Pipeline: o.Pipeline.Name.V, Dir: strings.ToLower(o.Pipeline.GoName), Step: o.Use.Name,
	}
	p.out.Versions = append(p.out.Versions, out)
	p.taken[v.Name] = true
	least := 0.0
	return &ir.Parameter{
		Key: out.Param, Field: out.Param, Flag: kebab(out.Param), Type: ir.Int, Default: int64(0), Min: &least,
		Doc: fmt.Sprintf("%s is the version of model group %s to start from, which has to be %s;\n0 is the newest that is.", out.Param, out.Group, out.Status),
	}
}

// origin is what the versions of a name were made by.
func (p *planner) origin(name string) *ir.Origin {
	for _, v := range p.pipe.Versions {
		if v.Name != name {
			continue
		}
		if o := p.wiring.Origin(v); o != nil {
			return o
		}
		bug("%s is from %q, which leads nowhere", name, v.From.V)
	}
	bug("there is no model version %q", name)
	return nil
}

// resolved is the model version of a name as it is planned so far.
func (p *planner) resolved(name string) *ir.Version {
	i := slices.IndexFunc(p.out.Versions, func(v *ir.Version) bool { return v.Name == name })
	return p.out.Versions[i]
}

// part adds an output of a step that made a version to what is taken of it.
func (p *planner) part(v *ir.Version, u *ir.Use, port *ir.Port) {
	if !slices.ContainsFunc(v.Parts, func(part *ir.Part) bool { return part.Step == u.Name && part.Output == port.Name }) {
		v.Parts = append(v.Parts, &ir.Part{
			Step: u.Name, Output: port.Name,
			Artifact: port.Artifact.Name, ArtifactPath: foreign(port.Artifact, p.spec.Path),
		})
	}
}

// pin makes a job run the code and image that a model version was made with: those of
// the step of the same type, which it returns. What is known of them here, for people
// and permissions, is what that pipeline says today.
func (p *planner) pin(u *ir.Use, j *ir.Job) *ir.Use {
	made := p.origin(u.Pin.V).Of(u.Step)
	if len(made) != 1 {
		bug("%s is pinned to %s, which %d steps %s made", u.Name, u.Pin.V, len(made), u.Step.Name)
	}
	j.Pin, j.PinStep = u.Pin.V, made[0].Name
	v := p.resolved(u.Pin.V)
	if !slices.ContainsFunc(v.Pins, func(pin *ir.Pin) bool { return pin.Step == j.PinStep }) {
		v.Pins = append(v.Pins, &ir.Pin{Step: j.PinStep, Interface: fingerprint(u.Step, path.Base(p.script(made[0])))})
	}
	return made[0]
}

// modelImage has a job that reads a version's model run in the image that the model
// was made in.
func (p *planner) modelImage(j *ir.Job) {
	for _, in := range j.Inputs {
		if in.Version != "" && in.Step == "" && j.Pin == "" && j.ImageOf == "" {
			j.ImageOf = in.Version
			j.Framework, j.Version = image(p.origin(in.Version).Use)
		}
	}
}

// keep tells each registration what pipelines of the package take of its versions.
func keep(plans []*ir.Plan) {
	for _, taker := range plans {
		for _, v := range taker.Versions {
			for _, maker := range plans {
				if maker.Name != v.Pipeline {
					continue
				}
				for _, r := range maker.Registrations() {
					if r.Group == v.Group && r.Step == v.Step {
						kept(r, v)
					}
				}
			}
		}
	}
}

func kept(r *ir.Registration, v *ir.Version) {
	for _, pin := range v.Pins {
		if !slices.Contains(r.Pins, pin.Step) {
			r.Pins = append(r.Pins, pin.Step)
		}
	}
	for _, part := range v.Parts {
		if !slices.ContainsFunc(r.Parts, func(q *ir.Part) bool { return *q == *part }) {
			r.Parts = append(r.Parts, part)
		}
	}
}
