package emitasl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// registration adds the state that registers a model and, before it, the choice
// whether to.
func (e *emitter) registration(r *ir.Registration, next string) {
	if r.Cond != nil {
		e.add(&asl.State{
			Name: r.Gate, Type: asl.ChoiceState,
			Comment: plain("Register if " + r.When),
			Choices: []*asl.Choice{{Condition: expr(whole(condition(r.Cond))), Next: r.Name}},
			Default: next,
			// The state's own Assign is that of the default.
			Assign: members("notRegistered", expr(fmt.Sprintf("$merge([$notRegistered, %s])",
				object(r.Name, concat(append([]string{"=" + r.When + " is false: "}, showInto(nil, r.Cond)...)))))),
		})
	}
	e.add(&asl.State{
		Name: r.Name, Type: asl.TaskState,
		Comment:        plain(r.Doc),
		Resource:       e.resource("aws-sdk:sagemaker:createModelPackage"),
		Arguments:      e.modelPackage(r),
		Assign:         members(r.Name, asl.Object{{Key: "ModelPackageArn", Value: expr("$states.result.ModelPackageArn")}}),
		TimeoutSeconds: callSeconds,
		Retry:          sdkRetry("SageMaker"),
		Next:           next,
	})
}

// modelPackage is the request of CreateModelPackage: a version, known by its group,
// has no tags (the service refuses them).
func (e *emitter) modelPackage(r *ir.Registration) asl.Object {
	job := e.find(r.Step)
	request := members(
		"ModelPackageGroupName", "${Env}-"+r.Group,
		// 1 to 36 of [a-zA-Z0-9-]: the same for every try, so that one version is made.
		"ClientToken", expr(fmt.Sprintf("$substring($hash($run & %s, 'SHA-256'), 0, 36)", quote("/"+r.Name))),
		"ModelPackageDescription", expr(quote(e.plan.Name+" run ")+" & $run"),
		"ModelApprovalStatus", r.Status,
		"InferenceSpecification", members(
			"Containers", []any{members("Image", jobImage(job), "ModelDataUrl", expr("$"+r.Step+"."+r.Output))},
			"SupportedContentTypes", []any{"text/csv"},
			"SupportedResponseMIMETypes", []any{"text/csv"},
		),
	)
	if m := r.Metrics; m != nil {
		request = append(request, asl.Member{Key: "ModelMetrics", Value: members("ModelQuality", members("Statistics", members(
			"ContentType", "application/json", "S3Uri", expr("$"+m.Step+"."+m.Output))))})
	}
	return append(request, asl.Member{Key: "CustomerMetadataProperties", Value: e.metadata(r)})
}

// maxMetadata is how many CustomerMetadataProperties a version may have.
const maxMetadata = 50

// metadata is what is known of a version without looking further: the run, and of
// each step that the model was made by its code, image, interface and artifacts; then
// metrics and parameters, as far as there is room. What pipelines of the package take
// of a version comes before all that nobody takes. The manifest has all of it.
func (e *emitter) metadata(r *ir.Registration) asl.Object {
	meta := members(
		"mlmax.run", expr("$run"),
		"mlmax.pipeline", e.plan.Name,
		"mlmax.execution", expr(fits("$states.context.Execution.Id")), // a name may have brackets
		"mlmax.manifest", expr(fits(e.manifestURI())),
	)
	var rest asl.Object
	for _, j := range e.lineage(r.Step) {
		of := members(
			"code."+j.Name, jobCode(j),
			"image."+j.Name, jobImage(j),
			"interface."+j.Name, j.Interface,
		)
		if slices.Contains(r.Pins, j.Name) {
			meta = append(meta, of...)
		} else {
			rest = append(rest, of...)
		}
		for _, out := range j.Outputs {
			artifact := asl.Member{Key: "artifact." + j.Name + "." + out.Name, Value: expr(fits("$" + j.Name + "." + out.Name))}
			if slices.ContainsFunc(r.Parts, func(p *ir.Part) bool { return p.Step == j.Name && p.Output == out.Name }) {
				meta = append(meta, artifact)
			} else {
				rest = append(rest, artifact)
			}
		}
	}
	meta = append(meta, rest...)
	for _, report := range e.before(r) {
		for _, f := range report.Fields {
			meta = append(meta, asl.Member{Key: fmt.Sprintf("metric.%s.%s.%s", report.Step, report.Output, f.Name),
				Value: expr(metadataValue(f.Type, "$"+report.Variable+"."+f.Name))})
		}
	}
	for _, p := range e.plan.Parameters {
		meta = append(meta, asl.Member{Key: "param." + p.Key, Value: expr(metadataValue(p.Type, param(p.Key)))})
	}
	return meta[:min(len(meta), maxMetadata)]
}

// metadataValue is a value as metadata takes it; the text of a number always fits.
func metadataValue(t ir.Type, value string) string {
	if t == ir.String {
		return fits(value)
	}
	return textOf(t, value)
}

// fits is a text as metadata takes it: 1 to 256 letters, digits, blanks and
// _.:/=+-@ (shape CustomerMetadataValue); of any other, its hash.
func fits(value string) string {
	return fmt.Sprintf(`($s := %s; $contains($s, /^[a-zA-Z0-9 _.:\/=+@-]{1,256}$/) ? $s : 'sha256:' & $hash($s, 'SHA-256'))`, value)
}

// find is a job by its name.
func (e *emitter) find(name string) *ir.Job {
	for _, j := range e.plan.Jobs() {
		if j.Name == name {
			return j
		}
	}
	panic(fmt.Sprintf("emitasl: no job %q", name))
}

// lineage is the job and all that it takes artifacts from, in order of execution.
func (e *emitter) lineage(name string) []*ir.Job {
	needed := map[string]bool{name: true}
	jobs := e.plan.Jobs()
	var all []*ir.Job
	for _, j := range slices.Backward(jobs) {
		if !needed[j.Name] {
			continue
		}
		all = append(all, j)
		for _, in := range j.Inputs {
			if in.Version == "" { // else it is a step of another pipeline
				needed[in.Step] = true
			}
		}
	}
	slices.Reverse(all)
	return all
}

// before are the reports that are read before a registration.
func (e *emitter) before(r *ir.Registration) []*ir.Report {
	var all []*ir.Report
	for _, n := range e.plan.Nodes {
		if n.Registration == r {
			break
		}
		if n.Job != nil {
			all = append(all, n.Job.Reports...)
		}
	}
	return all
}

// operators are those of conditions in JSONata.
var operators = map[string]string{
	"&&": "and", "||": "or", "==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}

// condition is a resolved condition as JSONata.
func condition(c *ir.Cond) string {
	switch {
	case c.Op == "!":
		return "$not(" + condition(c.X) + ")"
	case c.Op != "":
		return "(" + condition(c.X) + " " + operators[c.Op] + " " + condition(c.Y) + ")"
	default:
		return leaf(c)
	}
}

// whole is a condition without the brackets around all of it, which are there for
// what it is a part of.
func whole(condition string) string {
	if inner, is := strings.CutPrefix(condition, "("); is {
		return strings.TrimSuffix(inner, ")")
	}
	return condition
}

func leaf(c *ir.Cond) string {
	switch {
	case c.Param != "":
		return param(c.Param)
	case c.Report != "":
		return "$" + c.Report + "." + c.Field
	default:
		return literal(c.Lit)
	}
}

// showInto appends the condition with the values in place of the names, as parts for
// concat.
func showInto(parts []string, c *ir.Cond) []string {
	switch {
	case c.Op == "!":
		return append(showInto(append(parts, "=!("), c.X), "=)")
	case c.Op == "&&" || c.Op == "||":
		parts = append(showInto(append(parts, "=("), c.X), "= "+c.Op+" ")
		return append(showInto(parts, c.Y), "=)")
	case c.Op != "":
		return showInto(append(showInto(parts, c.X), "= "+c.Op+" "), c.Y)
	case c.Param == "" && c.Report == "":
		return append(parts, "="+c.Text)
	default:
		return append(parts, textOf(c.Type, leaf(c)))
	}
}
