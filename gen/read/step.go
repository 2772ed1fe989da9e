package read

import (
	"fmt"
	"go/ast"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/tag"
)

// step reads a step type, once.
func (r *reader) step(d *decl, k kind) *ir.Step {
	if s := r.steps[d.object]; s != nil {
		return s
	}
	s := &ir.Step{
		Name: d.spec.Name.Name, Path: d.pkg.Path, Dir: d.pkg.Dir,
		Pos: r.at(d.spec.Name.Pos()), Doc: d.doc, KindPos: r.at(k.field.Type.Pos()),
	}
	r.steps[d.object] = s
	r.spec.Steps = append(r.spec.Steps, s)
	if d.spec.TypeParams != nil {
		r.reportAt(d.spec.TypeParams, diag.BadStepType, fmt.Sprintf("step %q has type parameters", s.Name), "declare a type for each artifact")
	}
	fields, compute := r.fields(d, k)
	tags := append([]*ast.Field{k.field}, compute...)
	if k.name == "Training" {
		s.Kind = ir.Training
		var directive tag.Training
		r.decode(d, k.field.Type, &directive, tags...)
		s.Settings = r.settings(directive.Code, directive.Resources, directive.SpotResources)
	} else {
		s.Kind = ir.Processing
		var directive tag.Processing
		r.decode(d, k.field.Type, &directive, tags...)
		s.Settings = r.settings(directive.Code, directive.Resources, tag.SpotResources{})
	}
	for _, f := range fields {
		r.stepField(s, f)
	}
	return s
}

func (r *reader) settings(c tag.Code, t tag.Resources, spot tag.SpotResources) ir.Settings {
	return ir.Settings{
		Image: val(r, c.Image), Script: val(r, c.Script),
		Instance: val(r, t.Instance), Count: val(r, t.Count),
		Volume:  convert(r, t.Volume, func(n tag.GiB) int { return int(n) }),
		Timeout: val(r, t.Timeout), Isolated: val(r, t.Isolated),
		Spot: val(r, spot.Spot), MaxWait: val(r, spot.MaxWait),
	}
}

func (r *reader) stepField(s *ir.Step, f field) {
	form := ir.Form(f.word.name)
	switch {
	case f.word.pointer:
		r.badType(f, "nothing in a step is a pointer", "remove the asterisk")
	case s.Kind == ir.Processing && (form == ir.ChannelForm || form == ir.ModelForm):
		use := map[ir.Form]string{ir.ChannelForm: "mlmax.Input", ir.ModelForm: "mlmax.Output"}[form]
		r.badType(f, "a processing step has inputs and outputs", "use "+use)
	case s.Kind == ir.Training && (form == ir.InputForm || form == ir.OutputForm):
		use := map[ir.Form]string{ir.InputForm: "mlmax.Channel", ir.OutputForm: "mlmax.Model"}[form]
		r.badType(f, "a training step has channels and a model", "use "+use)
	case form == ir.InputForm || form == ir.OutputForm || form == ir.ChannelForm || form == ir.ModelForm:
		r.port(s, f, form)
	case f.basic() != "":
		r.stepParam(s, f)
	default:
		r.badType(f, "a step's fields are ports, or parameters of type string, bool, int or float64", "use one of these types")
	}
}

func (r *reader) port(s *ir.Step, f field, form ir.Form) {
	p := &ir.Port{Name: f.name.Name, Pos: r.at(f.name.Pos()), Doc: f.doc, Form: form}
	switch form {
	case ir.InputForm:
		var directive tag.Input
		r.decode(f.decl, f.name, &directive, f.syn)
		p.Arg, p.Path, p.Only = val(r, directive.Arg), val(r, directive.Path), r.only(directive.Only)
	case ir.OutputForm:
		var directive tag.Output
		r.decode(f.decl, f.name, &directive, f.syn)
		p.Arg, p.Path, p.Only = val(r, directive.Arg), val(r, directive.Path), r.only(directive.Only)
	case ir.ChannelForm:
		var directive tag.Channel
		r.decode(f.decl, f.name, &directive, f.syn)
		p.Only = r.only(directive.Only)
	case ir.ModelForm:
		r.decode(f.decl, f.name, &tag.Model{}, f.syn)
	}
	if p.Artifact = r.artifactOf(f); p.Artifact != nil {
		s.Ports = append(s.Ports, p)
	}
}

func (r *reader) stepParam(s *ir.Step, f field) {
	var p *ir.Param
	var complete bool
	var needs string
	if s.Kind == ir.Training {
		var directive tag.TrainingParam
		complete = r.decode(f.decl, f.name, &directive, f.syn)
		p = r.param(f, f.basic(), directive.Bounds)
		p.Hyper, p.Env, p.Only = val(r, directive.Hyper), val(r, directive.Env), r.only(directive.Only)
		needs = "hyper"
	} else {
		var directive tag.ProcessingParam
		complete = r.decode(f.decl, f.name, &directive, f.syn)
		p = r.param(f, f.basic(), directive.Bounds)
		p.Arg, p.Env, p.Only = val(r, directive.Arg), val(r, directive.Env), r.only(directive.Only)
		needs = "arg"
	}
	if complete && !p.Arg.Written() && !p.Hyper.Written() && !p.Env.Written() {
		r.reportAt(f.name, diag.MissingKey, fmt.Sprintf("parameter %q reaches the script by no tag key", p.Name),
			fmt.Sprintf("add %s:\"…\" or env:\"…\" to its tag", needs))
	}
	s.Params = append(s.Params, p)
}
