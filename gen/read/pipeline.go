package read

import (
	"fmt"
	"go/types"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/tag"
)

// pipeline reads a pipeline type.
func (r *reader) pipeline(d *decl, k kind) {
	var directive tag.Pipeline
	r.decode(d, k.field.Type, &directive, k.field)
	p := &ir.Pipeline{
		GoName: d.spec.Name.Name, Pos: r.at(d.spec.Name.Pos()), Doc: d.doc,
		Name: val(r, directive.Name), Timeout: val(r, directive.Timeout), Partition: val(r, directive.Partition),
		Schedule: val(r, directive.Schedule),
	}
	r.spec.Pipelines = append(r.spec.Pipelines, p)
	if d.spec.TypeParams != nil {
		r.reportAt(d.spec.TypeParams, diag.BadStepType, fmt.Sprintf("pipeline %q has type parameters", p.GoName), "declare a type for each pipeline")
	}
	fields, _ := r.fields(d, k)
	for _, f := range fields {
		r.pipelineField(p, f)
	}
}

func (r *reader) pipelineField(p *ir.Pipeline, f field) {
	switch {
	case f.word.name != "" && f.word.pointer:
		r.badType(f, "nothing in a pipeline is a pointer", "remove the asterisk")
	case f.word.name == "Source":
		r.source(p, f)
	case f.word.name == "RegisterModel":
		r.register(p, f)
	case f.word.name == "ModelVersion":
		r.version(p, f)
	case f.basic() != "":
		var directive tag.PipelineParam
		r.decode(f.decl, f.name, &directive, f.syn)
		p.Params = append(p.Params, r.param(f, f.basic(), directive.Bounds))
	case kinds[f.word.name] != "":
		// Reported where the kind of the struct was looked for.
	case parts[f.word.name] != "":
		r.badType(f, "a pipeline has sources, model versions, steps, registrations and parameters", "move the port into a step")
	default:
		r.use(p, f)
	}
}

func (r *reader) source(p *ir.Pipeline, f field) {
	var directive tag.Source
	r.decode(f.decl, f.name, &directive, f.syn)
	s := &ir.Source{
		Name: f.name.Name, Index: f.index, Pos: r.at(f.name.Pos()), Doc: f.doc,
		Default: val(r, directive.Default), Local: val(r, directive.Local), Label: val(r, directive.Label),
	}
	if s.Artifact = r.artifactOf(f); s.Artifact != nil {
		p.Sources = append(p.Sources, s)
	}
}

func (r *reader) version(p *ir.Pipeline, f field) {
	var directive tag.ModelVersion
	r.decode(f.decl, f.name, &directive, f.syn)
	v := &ir.ModelVersion{
		Name: f.name.Name, Index: f.index, Pos: r.at(f.name.Pos()), Doc: f.doc,
		From: val(r, directive.From), Status: val(r, directive.Status),
	}
	if v.Artifact = r.artifactOf(f); v.Artifact != nil {
		p.Versions = append(p.Versions, v)
	}
}

func (r *reader) register(p *ir.Pipeline, f field) {
	var directive tag.RegisterModel
	complete := r.decode(f.decl, f.name, &directive, f.syn)
	reg := &ir.Register{
		Name: f.name.Name, Index: f.index, Pos: r.at(f.name.Pos()), Doc: f.doc,
		Group: val(r, directive.Group), Status: val(r, directive.Status), When: val(r, directive.When),
		Bind: r.assignments(directive.Bind), After: r.names(directive.After),
	}
	if directive.When.Set() && complete { // the value before the fault may be what it broke
		reg.Cond = r.condition(directive.When.Text)
	}
	if reg.Artifact = r.artifactOf(f); reg.Artifact != nil {
		p.Registers = append(p.Registers, reg)
	}
}

// use reads a field whose type must be a step.
func (r *reader) use(p *ir.Pipeline, f field) {
	d, k := r.stepType(f)
	if d == nil {
		return
	}
	step := r.step(d, k)
	u := &ir.Use{Name: f.name.Name, Index: f.index, Pos: r.at(f.name.Pos()), Doc: f.doc, Step: step}
	if step.Kind == ir.Training {
		var directive tag.TrainingUse
		r.decode(f.decl, f.name, &directive, f.syn)
		r.fillUse(u, directive.Use, directive.SpotResources)
	} else {
		var directive tag.Use
		r.decode(f.decl, f.name, &directive, f.syn)
		r.fillUse(u, directive, tag.SpotResources{})
	}
	p.Uses = append(p.Uses, u)
}

func (r *reader) fillUse(u *ir.Use, t tag.Use, spot tag.SpotResources) {
	u.Settings = r.settings(tag.Code{}, t.Resources, spot)
	u.Set, u.Bind, u.After = r.assignments(t.Set), r.assignments(t.Bind), r.names(t.After)
	u.Pin = val(r, t.Pin)
}

// stepType finds the declaration of a field's step type, or reports why it is none.
func (r *reader) stepType(f field) (*decl, kind) {
	t := types.Unalias(f.decl.pkg.Info.TypeOf(f.syn.Type))
	if list, ok := t.(interface{ Elem() types.Type }); ok {
		if _, isPointer := t.(*types.Pointer); !isPointer {
			if d, _ := r.stepDecl(list.Elem()); d != nil {
				r.badType(f, "a field holds one step", fmt.Sprintf("declare a field of type %s for each", d.spec.Name.Name))
				return nil, kind{}
			}
		}
	}
	if ptr, ok := t.(*types.Pointer); ok {
		if d, _ := r.stepDecl(ptr.Elem()); d != nil {
			r.reportAt(f.syn.Type, diag.BadStepType, fmt.Sprintf("field %q holds step %q by pointer", f.name.Name, d.spec.Name.Name), "remove the asterisk")
			return nil, kind{}
		}
	}
	d, k := r.stepDecl(t)
	switch {
	case d == nil && r.definedFrom(f, t):
		return nil, kind{}
	case d == nil:
		r.badType(f, "a pipeline has sources, model versions, steps, registrations and parameters of type string, bool, int or float64", "use one of these types")
		return nil, kind{}
	case k.name == "Processing" || k.name == "Training":
		return d, k
	case k.name == "":
		if !r.unclear[d] {
			r.reportAt(f.syn.Type, diag.BadKind, fmt.Sprintf("type %q of field %q embeds no kind", d.spec.Name.Name, f.name.Name),
				"embed mlmax.Processing or mlmax.Training in it",
				diag.Related{Pos: r.at(d.spec.Name.Pos()), Message: fmt.Sprintf("%q is declared here", d.spec.Name.Name)})
		}
		return nil, kind{}
	}
	r.badType(f, fmt.Sprintf("%q is %s, not a step", d.spec.Name.Name, kinds[k.name]), "use the type of a step")
	return nil, kind{}
}

// definedFrom reports a type that is defined by another struct type, as in type B A:
// it has the fields of a step, but no tags of its own to point at.
func (r *reader) definedFrom(f field, t types.Type) bool {
	named, ok := t.(*types.Named)
	if !ok {
		return false
	}
	if _, ok := named.Underlying().(*types.Struct); !ok || named.Obj().Pkg() == nil {
		return false
	}
	name := named.Obj().Name()
	r.badType(f, fmt.Sprintf("%q is not declared as a struct with its own fields", name),
		fmt.Sprintf("write type %s struct {…}, or an alias: type %s = …", name, name))
	return true
}

// stepDecl is the struct declaration of a type and the first kind that it embeds.
// A type defined by another struct type, as in type B A, is not one.
func (r *reader) stepDecl(t types.Type) (*decl, kind) {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return nil, kind{}
	}
	d := r.decls[named.Obj()]
	if d == nil {
		return nil, kind{}
	}
	return d, d.firstKind()
}

func (d *decl) firstKind() kind {
	for _, f := range d.body.Fields.List {
		if w := d.word(f.Type); len(f.Names) == 0 && kinds[w.name] != "" && !w.pointer {
			return kind{w.name, f}
		}
	}
	return kind{}
}
