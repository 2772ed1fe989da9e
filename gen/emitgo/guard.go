package emitgo

import (
	"cmp"

	"github.com/dave/jennifer/jen"
	"github.com/mlmax/mlmax/gen/ir"
)

// guard emits the drift guard: literals of the spec's types with a typed zero
// value for every field that this file relies on. A field that is renamed or has
// another type no longer compiles; what tags say is the business of the check
// for stale files. A conversion between struct types would fail on blank fields.
func (e *emitter) guard(f *jen.File) {
	order, fields := []typeRef{}, map[typeRef]*fieldSet{}
	for _, j := range e.Jobs() {
		ref := typeRef{j.TypePath, j.Type}
		if fields[ref] == nil {
			order, fields[ref] = append(order, ref), &fieldSet{}
		}
		e.stepFields(fields[ref], j)
	}
	f.Line()
	doc(f,
		"The spec is as it was when this file was generated: its fields have these names",
		"and types. If this does not compile, generate again.",
	)
	f.Var().DefsFunc(func(g *jen.Group) {
		g.Id("_").Op("=").Add(literal(jen.Qual(e.Path, e.GoName), e.pipelineFields()...))
		for _, ref := range order {
			g.Id("_").Op("=").Add(literal(jen.Qual(ref.path, ref.name), fields[ref].items...))
		}
	})
}

// A typeRef is a type of a package.
type typeRef struct{ path, name string }

// A fieldSet is the fields of one literal; a step type that is used twice lists
// each field once.
type fieldSet struct {
	items []jen.Code
	names names
}

func (s *fieldSet) add(name string, value jen.Code) {
	if s.names == nil {
		s.names = names{}
	}
	if !s.names[name] {
		s.names[name] = true
		s.items = append(s.items, field(name, value))
	}
}

// zero is the typed zero value of a parameter.
func zero(t ir.Type) jen.Code {
	switch t {
	case ir.String:
		return jen.String().Call(jen.Lit(""))
	case ir.Bool:
		return jen.Bool().Call(jen.Lit(false))
	}
	return jen.Id(string(t)).Call(jen.Lit(0))
}

// port is the zero value of a vocabulary type with an artifact.
func port(form, artifactPath, artifact string) jen.Code {
	return jen.Qual(vocabulary, form).Types(jen.Qual(artifactPath, artifact)).Values()
}

func (e *emitter) pipelineFields() []jen.Code {
	var s fieldSet
	versions := map[string]*ir.Version{}
	for _, v := range e.Versions {
		versions[v.Param] = v
	}
	for _, p := range e.Parameters {
		switch v := versions[p.Key]; {
		case p.Step != "":
		case v != nil: // its parameter is no field
			s.add(v.Name, port("ModelVersion", cmp.Or(v.ArtifactPath, e.Path), v.Artifact))
		case p.Location && p.Artifact != "":
			s.add(p.Field, port("Source", cmp.Or(p.ArtifactPath, e.Path), p.Artifact))
		default:
			s.add(p.Field, zero(p.Type))
		}
	}
	for _, n := range e.Nodes {
		switch {
		case n.Job != nil:
			s.add(n.Job.Name, jen.Qual(n.Job.TypePath, n.Job.Type).Values())
		case n.Registration != nil:
			if path, name := e.model(n.Registration); name != "" {
				s.add(n.Registration.Name, port("RegisterModel", path, name))
			}
		}
	}
	return s.items
}

// model is the artifact that a registration registers.
func (e *emitter) model(r *ir.Registration) (path, name string) {
	for _, j := range e.Jobs() {
		for _, o := range j.Outputs {
			if j.Name == r.Step && o.Name == r.Output {
				return cmp.Or(o.ArtifactPath, j.TypePath), o.Artifact
			}
		}
	}
	return "", ""
}

// stepFields adds the fields of a step's type: those that the pipeline uses, then
// those that it fixes or that belong to another mode.
func (e *emitter) stepFields(s *fieldSet, j *ir.Job) {
	for _, p := range e.Parameters {
		if p.Step == j.Name {
			s.add(p.Field, zero(p.Type))
		}
	}
	in, out := "Input", "Output"
	if j.Kind == ir.Training {
		in = "Channel"
	}
	for _, i := range j.Inputs {
		s.add(i.Name, port(in, cmp.Or(i.ArtifactPath, j.TypePath), i.Artifact))
	}
	for _, o := range j.Outputs {
		form := out
		if o.Model {
			form = "Model"
		}
		s.add(o.Name, port(form, cmp.Or(o.ArtifactPath, j.TypePath), o.Artifact))
	}
	for _, u := range j.Unused {
		if u.Type != "" {
			s.add(u.Name, zero(u.Type))
			continue
		}
		s.add(u.Name, port(string(u.Form), cmp.Or(u.ArtifactPath, j.TypePath), u.Artifact))
	}
}
