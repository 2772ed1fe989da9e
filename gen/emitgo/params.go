package emitgo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"
	"github.com/mlmax/mlmax/gen/ir"
)

// A group is the parameters of the pipeline itself or of one of its steps.
type group struct {
	step   string // empty for the pipeline's
	typ    string
	params []*ir.Parameter
}

// groups are the pipeline's own parameters first, then those of each step that
// has any, in the order of the plan.
func (e *emitter) groups() []*group {
	all := []*group{{typ: "Params"}}
	by := map[string]*group{"": all[0]}
	for _, p := range e.Parameters {
		g := by[p.Step]
		if g == nil {
			g = &group{step: p.Step, typ: e.types.take(p.Step + "Params")}
			by[p.Step] = g
			all = append(all, g)
		}
		g.params = append(g.params, p)
	}
	return all
}

// fieldName is a parameter's field: its name, unless a method of Params has it.
func fieldName(name string) string {
	switch name {
	case "Validate", "Input":
		return name + "_"
	}
	return name
}

// access is the expression of a parameter's value in Params p.
func access(p *ir.Parameter) *jen.Statement {
	if p.Step == "" {
		return jen.Id("p").Dot(fieldName(p.Field))
	}
	return jen.Id("p").Dot(fieldName(p.Step)).Dot(p.Field)
}

// params emits Params, the types nested in it, Defaults, Validate and Input.
func (e *emitter) params(f *jen.File) {
	groups := e.groups()
	own, steps := groups[0], groups[1:]
	doc(f, "Params are the values that a run of "+e.Name+" can be given.")
	f.Type().Id("Params").StructFunc(func(s *jen.Group) {
		for _, p := range own.params {
			e.param(s, p, fieldName(p.Field))
		}
		for _, g := range steps {
			doc(s, fieldName(g.step)+" holds the parameters of step "+g.step+".")
			s.Id(fieldName(g.step)).Id(g.typ)
		}
	})
	for _, g := range steps {
		f.Line()
		doc(f, g.typ+" are the parameters of step "+g.step+".")
		f.Type().Id(g.typ).StructFunc(func(s *jen.Group) {
			for _, p := range g.params {
				e.param(s, p, p.Field)
			}
		})
	}
	e.defaults(f, own, steps)
	e.methods(f)
}

// param emits one field with its documentation.
func (e *emitter) param(s *jen.Group, p *ir.Parameter, name string) {
	lines := docLines(p.Doc)
	if len(lines) == 0 {
		lines = []string{name + " is the value of parameter " + p.Key + "."}
	}
	doc(s, slices.Concat(lines, []string{""}, wrap(facts(p)))...)
	s.Id(name).Id(string(p.Type))
}

// facts say in one line what values a parameter takes.
func facts(p *ir.Parameter) string {
	var all []string
	switch {
	case p.Location && p.Default != nil:
		all = append(all, fmt.Sprintf("Empty means %v below the environment's prefix", p.Default))
		if p.Local != "" {
			all[0] += ", and " + p.Local + " in a local run"
		}
	case p.Location && p.Local != "":
		all = append(all, "Empty means "+p.Local+" in a local run")
	case p.Default == nil:
		all = append(all, "It has no default")
	default:
		if text, ok := p.Default.(string); ok {
			all = append(all, fmt.Sprintf("The default is %q", text))
		} else {
			all = append(all, fmt.Sprintf("The default is %v", p.Default))
		}
	}
	if p.Min != nil {
		all = append(all, "the minimum "+number(*p.Min))
	}
	if p.Max != nil {
		all = append(all, "the maximum "+number(*p.Max))
	}
	if len(p.Enum) > 0 {
		all = append(all, "one of "+strings.Join(p.Enum, ", "))
	}
	if p.Pattern != "" {
		all = append(all, "the pattern "+p.Pattern)
	}
	return strings.Join(all, ", ") + "."
}

// defaults emits the function that fills Params.
func (e *emitter) defaults(f *jen.File, own *group, steps []*group) {
	var items []jen.Code
	set := func(params []*ir.Parameter, name func(string) string) []jen.Code {
		var fields []jen.Code
		for _, p := range params {
			if p.Default != nil && !p.Location {
				fields = append(fields, field(name(p.Field), plain(p.Default)))
			}
		}
		return fields
	}
	items = set(own.params, fieldName)
	for _, g := range steps {
		if fields := set(g.params, func(n string) string { return n }); len(fields) > 0 {
			items = append(items, field(fieldName(g.step), literal(jen.Id(g.typ), fields...)))
		}
	}
	f.Line()
	doc(f, "Defaults returns the values that a run has when it is given none.")
	f.Func().Id("Defaults").Params().Id("Params").Block(jen.Return(literal(jen.Id("Params"), items...)))
}

// plain is a default as an untyped constant.
func plain(v any) jen.Code {
	if i, ok := v.(int64); ok {
		return jen.Op(fmt.Sprint(i))
	}
	return jen.Lit(v)
}

// methods emits Validate and Input.
func (e *emitter) methods(f *jen.File) {
	self := jen.Id("p").Id("Params")
	f.Line()
	doc(f, "Validate reports everything that is wrong with the values, joined: bounds,", "enums, patterns, locations.")
	f.Func().Params(self).Id("Validate").Params().Error().Block(
		jen.Return(jen.Id("Definition").Call().Dot("Check").Call(jen.Id("p").Dot("values").Call())),
	)
	f.Line()
	doc(f, "Input returns the values as the input of an execution, or what is wrong with", "them.")
	f.Func().Params(self).Id("Input").Params().Params(jen.Qual("encoding/json", "RawMessage"), jen.Error()).Block(
		jen.If(jen.Id("err").Op(":=").Id("p").Dot("Validate").Call(), jen.Id("err").Op("!=").Nil()).Block(
			jen.Return(jen.Nil(), jen.Id("err")),
		),
		jen.Return(jen.Qual("encoding/json", "Marshal").Call(jen.Id("p").Dot("values").Call())),
	)
	f.Line()
	doc(f, "values are the values by the flat keys of the execution's input; a location", "that is empty is left out, and has its default there.")
	f.Func().Params(self).Id("values").Params().Map(jen.String()).Any().BlockFunc(e.values)
}

// values is the body of the method of that name.
func (e *emitter) values(b *jen.Group) {
	var always []jen.Code
	var locations []*ir.Parameter
	for _, p := range e.Parameters {
		if p.Location {
			locations = append(locations, p)
			continue
		}
		always = append(always, jen.Lit(p.Key).Op(":").Add(access(p)))
	}
	all := literal(jen.Map(jen.String()).Any(), always...)
	if len(locations) == 0 {
		b.Return(all)
		return
	}
	b.Id("values").Op(":=").Add(all)
	for _, p := range locations {
		b.If(access(p).Op("!=").Lit("")).Block(jen.Id("values").Index(jen.Lit(p.Key)).Op("=").Add(access(p)))
	}
	b.Return(jen.Id("values"))
}
