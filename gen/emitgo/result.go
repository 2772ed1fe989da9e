package emitgo

import (
	"fmt"

	"github.com/dave/jennifer/jen"
	"github.com/mlmax/mlmax/gen/ir"
)

// A branch is a step of a nested type: Metrics.Evaluate, Artifacts.Train.
type branch struct{ step, typ string }

// result emits Result and the types nested in it.
func (e *emitter) result(f *jen.File) {
	reports, registers := e.Reports(), e.Registrations()
	f.Line()
	doc(f, "Result is a run that ended.")
	f.Type().Id("Result").StructFunc(func(s *jen.Group) {
		doc(s, "Run is the run's id, and Status how it ended. What follows is there only if", "it succeeded.")
		s.Id("Run").String()
		s.Id("Status").Qual(runtime, "Status")
		if len(reports) > 0 {
			s.Id("Metrics").Id("Metrics")
		}
		if len(registers) > 0 {
			s.Id("Models").Id("Models")
		}
		if len(e.Versions) > 0 {
			s.Id("Versions").Id("Versions")
		}
		if len(e.outputs()) > 0 {
			s.Id("Artifacts").Id("Artifacts")
		}
		doc(s, "Outcome is the run in full.")
		s.Id("Outcome").Op("*").Qual(runtime, "Outcome")
	})
	if len(reports) > 0 {
		e.metrics(f, reports)
	}
	if len(registers) > 0 {
		e.models(f, registers)
	}
	if len(e.Versions) > 0 {
		e.versions(f)
	}
	if len(e.outputs()) > 0 {
		e.artifacts(f)
	}
}

// metrics emits the values that the machine reads from reports.
func (e *emitter) metrics(f *jen.File, reports []*ir.Report) {
	var steps []branch
	byStep := map[string][]*ir.Report{}
	for _, r := range reports {
		if byStep[r.Step] == nil {
			steps = append(steps, branch{r.Step, e.types.take(r.Step + "Metrics")})
		}
		byStep[r.Step] = append(byStep[r.Step], r)
	}
	f.Line()
	doc(f, "Metrics are the values of the run's reports.")
	f.Type().Id("Metrics").StructFunc(func(s *jen.Group) {
		for _, b := range steps {
			s.Id(b.step).Id(b.typ)
		}
	})
	for _, b := range steps {
		var typs []string
		f.Line()
		doc(f, b.typ+" are the reports of step "+b.step+".")
		f.Type().Id(b.typ).StructFunc(func(s *jen.Group) {
			for _, r := range byStep[b.step] {
				typ := e.types.take(r.Step + r.Output)
				typs = append(typs, typ)
				s.Id(r.Output).Id(typ)
			}
		})
		for i, r := range byStep[b.step] {
			f.Line()
			doc(f, fmt.Sprintf("%s is what %s.%s says.", typs[i], r.Step, r.Output))
			f.Type().Id(typs[i]).StructFunc(func(s *jen.Group) {
				for _, v := range r.Fields {
					doc(s, docLines(v.Doc)...)
					s.Id(v.Name).Id(string(v.Type))
				}
			})
		}
	}
}

// models emits what became of the model at each registration.
func (e *emitter) models(f *jen.File, registers []*ir.Registration) {
	f.Line()
	doc(f, "Models says, for each registration, what became of the model.")
	f.Type().Id("Models").StructFunc(func(s *jen.Group) {
		for _, r := range registers {
			lines := append(docLines(r.Doc), "")
			condition := r.Name + " adds a version to the model group " + r.Group + "."
			if r.When != "" {
				condition = r.Name + " adds a version to the model group " + r.Group + " when " + r.When + "."
			}
			doc(s, append(lines, wrap(condition)...)...)
			s.Id(r.Name).Id("Version")
		}
	})
	f.Line()
	doc(f, "Version is a registered model, or why there is none.")
	f.Type().Id("Version").StructFunc(func(s *jen.Group) {
		doc(s, "ARN is that of the model package; empty if none was registered.")
		s.Id("ARN").String()
		doc(s, "NotRegistered says why none was.")
		s.Id("NotRegistered").String()
	})
}

// versions emits which model versions the run started from.
func (e *emitter) versions(f *jen.File) {
	f.Line()
	doc(f, "Versions are the model versions that the run started from.")
	f.Type().Id("Versions").StructFunc(func(s *jen.Group) {
		for _, v := range e.Versions {
			doc(s, append(append(docLines(v.Doc), ""), wrap(v.Name+" is a version of model group "+v.Group+".")...)...)
			s.Id(v.Name).Id("UsedVersion")
		}
	})
	f.Line()
	doc(f, "UsedVersion is a model version that a run started from.")
	f.Type().Id("UsedVersion").Struct(
		jen.Comment("ARN is that of the model package, Number its version."),
		jen.Id("ARN").String(),
		jen.Id("Number").Int(),
	)
}

// outputs are the jobs that have any.
func (e *emitter) outputs() []*ir.Job {
	var jobs []*ir.Job
	for _, j := range e.Jobs() {
		if len(j.Outputs) > 0 {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// artifacts emits where each output is.
func (e *emitter) artifacts(f *jen.File) {
	typs := map[string]string{}
	for _, j := range e.outputs() {
		typs[j.Name] = e.types.take(j.Name + "Artifacts")
	}
	f.Line()
	doc(f, "Artifacts are the S3 URIs of what the run's steps wrote.")
	f.Type().Id("Artifacts").StructFunc(func(s *jen.Group) {
		for _, j := range e.outputs() {
			s.Id(j.Name).Id(typs[j.Name])
		}
	})
	for _, j := range e.outputs() {
		f.Line()
		doc(f, typs[j.Name]+" are the outputs of step "+j.Name+".")
		f.Type().Id(typs[j.Name]).StructFunc(func(s *jen.Group) {
			for _, o := range j.Outputs {
				s.Id(o.Name).String().Comment("// " + o.Artifact)
			}
		})
	}
	e.artifactTypes = typs
}
