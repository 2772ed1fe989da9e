package emitgo

import (
	"path"

	"github.com/dave/jennifer/jen"
	"github.com/mlmax/mlmax/gen/ir"
)

// definition emits the embedded files and Definition.
func (e *emitter) definition(f *jen.File) {
	f.Anon("embed")
	f.Line()
	f.Comment("The files that were generated with this one.")
	f.Var().DefsFunc(func(g *jen.Group) {
		embed(g, "machine", e.Dir+".asl.json")
		embed(g, "template", "template.json")
		for _, p := range e.Environments {
			embed(g, environment(p), "env/"+p.Name+".json")
		}
	})
	f.Line()
	f.Comment("graph is the pipeline as Mermaid text.")
	f.Const().Id("graph").Op("=").Add(raw(e.graph))

	places := jen.Nil()
	if len(e.Environments) > 0 {
		var items []jen.Code
		for _, p := range e.Environments {
			items = append(items, jen.Lit(p.Name).Op(":").Id(environment(p)))
		}
		places = literal(jen.Map(jen.String()).Index().Byte(), items...)
	}
	items := []jen.Code{
		field("Name", jen.Lit(e.Name)),
		field("Doc", jen.Lit(sentence(e.Doc))),
		field("Package", jen.Lit(e.self)),
		field("Spec", jen.Lit(e.Path)),
		field("Module", jen.Lit(e.ModulePath)),
		field("ASL", jen.Id("machine")),
		field("Template", jen.Id("template")),
		field("Environments", places),
		field("Graph", jen.Id("graph")),
	}
	list := func(name, typ string, all []jen.Code) {
		if len(all) > 0 {
			items = append(items, field(name, literal(jen.Index().Qual(runtime, typ), all...)))
		}
	}
	list("Parameters", "Parameter", each(e.Parameters, parameter))
	list("Jobs", "Job", each(e.Jobs(), job))
	list("Registrations", "Registration", each(e.Registrations(), registration))
	list("Reports", "Report", each(e.Reports(), report))
	list("Versions", "Version", each(e.Versions, e.version))
	if e.Schedule != "" {
		items = append(items, field("Schedule", jen.Lit(e.Schedule)))
	}
	f.Line()
	doc(f, "Definition returns the pipeline as runners and commands take it.")
	f.Func().Id("Definition").Params().Op("*").Qual(runtime, "Definition").Block(
		jen.Return(jen.Op("&").Add(literal(jen.Qual(runtime, "Definition"), items...))),
	)
}

func embed(g *jen.Group, name, file string) {
	g.Comment("//go:embed " + file)
	g.Id(name).Index().Byte()
}

// environment is the variable that holds a place's parameter file.
func environment(p *ir.Place) string { return p.Name + "Environment" }

func each[T any](all []T, emit func(T) jen.Code) []jen.Code {
	var codes []jen.Code
	for _, v := range all {
		codes = append(codes, emit(v))
	}
	return codes
}

// A fieldList is a literal's fields, but for those that are zero.
type fieldList []jen.Code

func (l *fieldList) text(name, value string) {
	if value != "" {
		*l = append(*l, field(name, jen.Lit(value)))
	}
}

func (l *fieldList) flag(name string, value bool) {
	if value {
		*l = append(*l, field(name, jen.Lit(true)))
	}
}

func (l *fieldList) bound(name string, value *float64) {
	if value != nil {
		*l = append(*l, field(name, jen.New(jen.Lit(*value))))
	}
}

func parameter(p *ir.Parameter) jen.Code {
	var l fieldList
	l.text("Key", p.Key)
	l.text("Flag", p.Flag)
	l.text("Doc", sentence(p.Doc))
	l.text("Type", string(p.Type))
	l.flag("Location", p.Location)
	l.text("Local", p.Local)
	l.flag("File", p.File)
	if p.Default != nil {
		l = append(l, field("Default", jen.Lit(p.Default)))
	}
	if len(p.Enum) > 0 {
		var words []jen.Code
		for _, w := range p.Enum {
			words = append(words, jen.Lit(w))
		}
		l = append(l, field("Enum", jen.Index().String().Values(words...)))
	}
	l.bound("Min", p.Min)
	l.bound("Max", p.Max)
	l.text("Pattern", p.Pattern)
	return literal(nil, l...)
}

func job(j *ir.Job) jen.Code {
	var l fieldList
	l.text("Name", j.Name)
	l.text("Kind", string(j.Kind))
	l.text("Doc", sentence(j.Doc))
	l.text("Image", j.Framework+":"+j.Version)
	l.text("CodeDir", j.CodeDir)
	l.text("Script", j.Script)
	l.text("RoleName", j.RoleName)
	if j.Pin == "" && j.ImageOf == "" {
		l.text("ImageName", j.ImageName)
	}
	l.text("InstanceName", j.InstanceName)
	if j.Pin == "" {
		l.text("CodeName", j.CodeName)
	}
	l.text("Instance", j.Instance)
	if len(j.Outputs) > 0 {
		l = append(l, field("Outputs", literal(jen.Index().Qual(runtime, "Output"), each(j.Outputs, output)...)))
	}
	l.text("Interface", j.Interface)
	l.text("Pin", j.Pin)
	l.text("ImageOf", j.ImageOf)
	return literal(nil, l...)
}

func (e *emitter) version(v *ir.Version) jen.Code {
	var l fieldList
	l.text("Name", v.Name)
	l.text("Group", v.Group)
	l.text("Status", v.Status)
	l.text("Param", v.Param)
	l.text("Pipeline", v.Pipeline)
	l.text("Command", path.Join(e.out, v.Dir))
	return literal(nil, l...)
}

func output(o *ir.Output) jen.Code {
	var l fieldList
	l.text("Name", o.Name)
	l.text("Artifact", o.Artifact)
	l.flag("Model", o.Model)
	l.text("FileName", o.FileName)
	return jen.Values(l...)
}

func registration(r *ir.Registration) jen.Code {
	var l fieldList
	l.text("Name", r.Name)
	l.text("Group", r.Group)
	l.text("When", r.When)
	return jen.Values(l...)
}

func report(r *ir.Report) jen.Code {
	var fields []jen.Code
	for _, f := range r.Fields {
		var l fieldList
		l.text("Name", f.Name)
		l.text("JSON", f.JSON)
		l.text("Type", string(f.Type))
		fields = append(fields, jen.Values(l...))
	}
	return literal(nil,
		field("Step", jen.Lit(r.Step)),
		field("Output", jen.Lit(r.Output)),
		field("Fields", literal(jen.Index().Qual(runtime, "ReportField"), fields...)),
	)
}
