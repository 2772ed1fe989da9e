package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// An origin is a model version with the steps that it was made by, as the pipeline
// that registers it uses them.
type origin struct {
	version *ir.Version
	uses    []*ir.Use // in order of execution
	made    *ir.Use   // that whose model is registered
}

// version resolves a model version: what it can be wired to, and the parameter that
// asks for an exact one, which it returns. What of it jobs take is added to it when
// they are resolved.
func (p *planner) version(v *ir.ModelVersion) *ir.Parameter {
	from, register := p.spec.Registration(v.From.V)
	if register == nil {
		bug("%s is from unknown %q", v.Name, v.From.V)
	}
	uses := p.spec.Lineage(from, register)
	made := uses[len(uses)-1]
	out := &ir.Version{
		Name: v.Name, Doc: v.Doc, Artifact: v.Artifact.Name, ArtifactPath: foreign(v.Artifact, p.spec.Path),
		Group: register.Group.V, Status: or(v.Status.V, "Approved"), Param: v.Name + "Version",
		Pipeline: from.Name.V, Dir: strings.ToLower(from.GoName), Step: made.Name,
	}
	p.out.Versions = append(p.out.Versions, out)
	p.taken[v.Name] = true
	p.origins = append(p.origins, &origin{version: out, uses: uses, made: made})
	p.producers = append(p.producers, producer{name: v.Name, artifact: v.Artifact, version: out})
	for _, part := range p.spec.Parts(from, register) {
		p.producers = append(p.producers, producer{
			name: v.Name + "." + part.Use.Name + "." + part.Port.Name, artifact: part.Port.Artifact, version: out,
			part: &ir.Part{Step: part.Use.Name, Output: part.Port.Name,
				Artifact: part.Port.Artifact.Name, ArtifactPath: foreign(part.Port.Artifact, p.spec.Path)},
		})
	}
	least := 0.0
	return &ir.Parameter{
		Key: out.Param, Field: out.Param, Flag: kebab(out.Param), Type: ir.Int, Default: int64(0), Min: &least,
		Doc: fmt.Sprintf("%s is the version of model group %s to start from, which has to be %s; 0 is the newest that is.", out.Param, out.Group, out.Status),
	}
}

// origin is the model version of a name.
func (p *planner) origin(name string) *origin {
	i := slices.IndexFunc(p.origins, func(o *origin) bool { return o.version.Name == name })
	if i < 0 {
		bug("there is no model version %q", name)
	}
	return p.origins[i]
}

// pin makes a job run the code and image that a model version was made with: those of
// the step of the same type. What is known of them here, for people and permissions,
// is what that pipeline says today.
func (p *planner) pin(u *ir.Use, j *ir.Job) *ir.Use {
	o := p.origin(u.Pin.V)
	i := slices.IndexFunc(o.uses, func(made *ir.Use) bool { return made.Step.Name == u.Step.Name && made.Step.Path == u.Step.Path })
	if i < 0 {
		bug("%s is pinned to %s, which no %s made", u.Name, u.Pin.V, u.Step.Name)
	}
	made := o.uses[i]
	j.Pin, j.PinStep = u.Pin.V, made.Name
	if !slices.ContainsFunc(o.version.Pins, func(pin *ir.Pin) bool { return pin.Step == made.Name }) {
		o.version.Pins = append(o.version.Pins, &ir.Pin{Step: made.Name, Interface: fingerprint(u.Step, path.Base(p.script(made)))})
	}
	return made
}

// modelImage has a job that reads a version's model run in the image that the model
// was made in.
func (p *planner) modelImage(j *ir.Job) {
	for _, in := range j.Inputs {
		if in.Version != "" && in.Step == "" && j.Pin == "" && j.ImageOf == "" {
			j.ImageOf = in.Version
			j.Framework, j.Version = image(p.origin(in.Version).made)
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
