package emitgo

import "github.com/dave/jennifer/jen"

// run emits Run and the decoding of the machine's output.
func (e *emitter) run(f *jen.File) {
	f.Line()
	doc(f,
		"Run executes the pipeline with the runner. The events of the run go to on,",
		"which may be nil. The error says what is wrong with the values, that the run",
		"could not be started or finished, or that it did not succeed; in the last case",
		"there is a Result, too.",
	)
	f.Func().Id("Run").Params(
		jen.Id("ctx").Qual("context", "Context"),
		jen.Id("r").Qual(runtime, "Runner"),
		jen.Id("p").Id("Params"),
		jen.Id("on").Func().Params(jen.Qual(runtime, "Event")),
	).Params(jen.Op("*").Id("Result"), jen.Error()).Block(
		jen.List(jen.Id("input"), jen.Id("err")).Op(":=").Id("p").Dot("Input").Call(),
		ifErr(jen.Nil(), jen.Id("err")),
		jen.List(jen.Id("outcome"), jen.Id("err")).Op(":=").Id("r").Dot("Run").Call(
			jen.Id("ctx"), jen.Id("Definition").Call(), jen.Id("input"), jen.Id("on")),
		ifErr(jen.Nil(), jen.Id("err")),
		jen.Return(jen.Id("decode").Call(jen.Id("outcome"))),
	)
	f.Line()
	doc(f, "decode reads the output of the machine.")
	f.Func().Id("decode").Params(jen.Id("o").Op("*").Qual(runtime, "Outcome")).
		Params(jen.Op("*").Id("Result"), jen.Error()).BlockFunc(e.decode)
}

func ifErr(results ...jen.Code) jen.Code {
	return jen.If(jen.Id("err").Op("!=").Nil()).Block(jen.Return(results...))
}

// decode is the body of the function of that name.
func (e *emitter) decode(b *jen.Group) {
	metrics, models, artifacts := len(e.Reports()) > 0, len(e.Registrations()) > 0, len(e.outputs()) > 0
	versions := len(e.Versions) > 0
	b.Id("result").Op(":=").Op("&").Id("Result").Values(
		field("Run", jen.Id("o").Dot("Run")),
		field("Status", jen.Id("o").Dot("Status")),
		field("Outcome", jen.Id("o")),
	)
	b.If(jen.Id("err").Op(":=").Id("o").Dot("Err").Call(), jen.Id("err").Op("!=").Nil()).Block(
		jen.Return(jen.Id("result"), jen.Id("err")),
	)
	if !metrics && !models && !versions && !artifacts {
		b.Return(jen.Id("result"), jen.Nil())
		return
	}
	b.Var().Id("out").StructFunc(func(s *jen.Group) {
		if metrics {
			s.Id("Metrics").Id("Metrics")
		}
		if models {
			s.Id("Models").Map(jen.String()).Struct(jen.Id("ModelPackageArn").String())
			s.Id("NotRegistered").Map(jen.String()).String()
		}
		if versions {
			s.Id("Versions").Map(jen.String()).Struct(jen.Id("Arn").String(), jen.Id("Version").Int())
		}
		if artifacts {
			s.Id("Artifacts").Map(jen.String()).String()
		}
	})
	b.If(
		jen.Id("err").Op(":=").Qual("encoding/json", "Unmarshal").Call(jen.Id("o").Dot("Output"), jen.Op("&").Id("out")),
		jen.Id("err").Op("!=").Nil(),
	).Block(jen.Return(
		jen.Id("result"),
		jen.Qual("fmt", "Errorf").Call(jen.Lit("decode the output of run %s: %w"), jen.Id("o").Dot("Run"), jen.Id("err")),
	))
	if metrics {
		b.Id("result").Dot("Metrics").Op("=").Id("out").Dot("Metrics")
	}
	if models {
		b.Id("result").Dot("Models").Op("=").Add(e.decodeModels())
	}
	if versions {
		b.Id("result").Dot("Versions").Op("=").Add(e.decodeVersions())
	}
	if artifacts {
		b.Id("result").Dot("Artifacts").Op("=").Add(e.decodeArtifacts())
	}
	b.Return(jen.Id("result"), jen.Nil())
}

func (e *emitter) decodeModels() jen.Code {
	var items []jen.Code
	for _, r := range e.Registrations() {
		items = append(items, field(r.Name, literal(jen.Id("Version"),
			field("ARN", jen.Id("out").Dot("Models").Index(jen.Lit(r.Name)).Dot("ModelPackageArn")),
			field("NotRegistered", jen.Id("out").Dot("NotRegistered").Index(jen.Lit(r.Name))),
		)))
	}
	return literal(jen.Id("Models"), items...)
}

func (e *emitter) decodeVersions() jen.Code {
	var items []jen.Code
	for _, v := range e.Versions {
		of := jen.Id("out").Dot("Versions").Index(jen.Lit(v.Name))
		items = append(items, field(v.Name, literal(jen.Id("UsedVersion"),
			field("ARN", of.Clone().Dot("Arn")), field("Number", of.Clone().Dot("Version")))))
	}
	return literal(jen.Id("Versions"), items...)
}

func (e *emitter) decodeArtifacts() jen.Code {
	var items []jen.Code
	for _, j := range e.outputs() {
		var fields []jen.Code
		for _, o := range j.Outputs {
			fields = append(fields, field(o.Name, jen.Id("out").Dot("Artifacts").Index(jen.Lit(j.Name+"."+o.Name))))
		}
		items = append(items, field(j.Name, literal(jen.Id(e.artifactTypes[j.Name]), fields...)))
	}
	return literal(jen.Id("Artifacts"), items...)
}
