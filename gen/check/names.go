package check

import (
	"fmt"
	"go/token"
	"regexp"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/limits"
)

// nameRules judge names: of the user's fields, and of what is made of them on AWS.
var nameRules = []Rule{
	{Code: diag.NameClash, Doc: "names that become one in lower case", run: nameClash},
	{Code: diag.NameTooLong, Doc: "names fit once environment and attempt are added", run: nameTooLong},
	{Code: diag.BadName, Doc: "names have the letters that the service accepts", run: badName},
	{Code: diag.UnexportedField, Doc: "types that generated code names are exported", run: unexportedType},
	{Code: diag.NotImportable, Doc: "generated code can import the package", run: notImportable},
	{Code: diag.ReservedName, Doc: "names that something else already has", run: reservedName},
}

// A set of names collects names and reports one that is there already.
type names struct {
	p     *pass
	what  string // "flag of the pipeline"
	exact bool   // whether case counts
	seen  map[string]seen
}

type seen struct {
	name  string
	place place
}

func (p *pass) names(format string, args ...any) *names {
	return &names{p: p, what: fmt.Sprintf(format, args...), seen: map[string]seen{}}
}

func (n *names) exactly() *names {
	n.exact = true
	return n
}

func (n *names) add(name string, where place) {
	if name == "" {
		return
	}
	key := name
	if !n.exact {
		key = strings.ToLower(name)
	}
	first, ok := n.seen[key]
	if !ok {
		n.seen[key] = seen{name, where}
		return
	}
	message := fmt.Sprintf("%s %q is there twice", n.what, name)
	if first.name != name {
		message = fmt.Sprintf("%s %q and %q differ only in case", n.what, first.name, name)
	}
	n.p.report(where, message, "rename one of the two", related(first.place, "the first one"))
}

func nameClash(p *pass) {
	for _, s := range p.spec.Steps {
		fields, flags := p.names("fields of step %q:", s.Name), p.names("step %q: flag", s.Name).exactly()
		hyper, env := p.names("step %q: hyperparameter", s.Name), p.names("step %q: variable", s.Name)
		for _, x := range s.Params {
			fields.add(x.Name, point(x.Pos))
			flags.add(x.Arg.V, at(x.Arg))
			hyper.add(x.Hyper.V, at(x.Hyper))
			env.add(x.Env.V, at(x.Env))
		}
		for _, x := range s.Ports {
			fields.add(x.Name, point(x.Pos))
			flags.add(x.Arg.V, at(x.Arg))
		}
	}
	for _, pipe := range p.spec.Pipelines {
		fields := p.names("fields of pipeline %q:", pipe.GoName)
		eachField(pipe, func(name string, where place) { fields.add(name, where) })
		for _, v := range pipe.Versions {
			if first, ok := fields.seen[strings.ToLower(v.Param())]; ok {
				p.report(point(v.Pos), fmt.Sprintf("parameter %q asks for an exact version of %q, and pipeline %q has that name already", v.Param(), v.Name, pipe.GoName),
					"rename one of the two", related(first.place, "the first one"))
			}
		}
	}
}

// eachField calls f for every field of a pipeline.
func eachField(pipe *ir.Pipeline, f func(name string, where place)) {
	for _, x := range pipe.Sources {
		f(x.Name, point(x.Pos))
	}
	for _, x := range pipe.Params {
		f(x.Name, point(x.Pos))
	}
	for _, x := range pipe.Uses {
		f(x.Name, point(x.Pos))
	}
	for _, x := range pipe.Registers {
		f(x.Name, point(x.Pos))
	}
	for _, x := range pipe.Versions {
		f(x.Name, point(x.Pos))
	}
}

func nameTooLong(p *pass) {
	long := func(where place, what, name string, limit int, why string) bool {
		if len(name) <= limit {
			return false
		}
		p.report(where, fmt.Sprintf("%s %q has %d characters, and %s leaves %d", what, name, len(name), why, limit), "shorten it")
		return true
	}
	state := int(*limits.Of("stepfunctions.TestStateStateName").Max)
	for _, pipe := range p.spec.Pipelines {
		if long(at(pipe.Name), "pipeline name", pipe.Name.V, ir.MaxPipelineName, "a state machine's name with its environment") {
			continue
		}
		p.longJobs(pipe)
		for _, r := range pipe.Registers {
			long(at(r.Group), "model group", r.Group.V, ir.MaxGroupName, "a group's name with its environment")
			long(point(r.Pos), "registration", r.Name, state-len("Gate "), "a state's name")
		}
		for _, v := range pipe.Versions {
			long(point(v.Pos), "model version", v.Name, state-len("No version of "), "a state's name")
		}
	}
	for _, s := range p.spec.Steps {
		for _, port := range s.Ports {
			if port.Form == ir.ChannelForm {
				long(point(port.Pos), "channel", port.Name, int(*limits.Of("ChannelName").Max), "a channel's name")
			}
		}
	}
}

// longJobs looks at the names of jobs. With many that are too long, it is the
// pipeline's name that is.
func (p *pass) longJobs(pipe *ir.Pipeline) {
	var long []*ir.Use
	for _, u := range pipe.Uses {
		if _, shortened := ir.JobName(pipe.Name.V, u.Name); shortened && pipe.Name.V != "" {
			long = append(long, u)
		}
	}
	told := long
	if len(long) > 1 {
		told = long[:1]
	}
	for _, u := range told {
		where, rel := point(u.Pos), related(at(pipe.Name), "the pipeline's name")
		hint := "shorten the field's or the pipeline's name"
		others := ""
		if len(long) > 1 {
			where, rel = at(pipe.Name), related(point(u.Pos), "the step")
			hint, others = "shorten the pipeline's name", fmt.Sprintf("; it is the first of %d such steps", len(long))
		}
		p.report(where, fmt.Sprintf("pipeline %q and step %q make %d characters, and a job's name leaves %d for both beside environment, run and attempt%s",
			pipe.Name.V, u.Name, len(pipe.Name.V)+1+len(u.Name), ir.MaxJobMiddle, others), hint, rel)
	}
}

var (
	pipelineName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	groupName    = regexp.MustCompile(`^[a-zA-Z0-9](-*[a-zA-Z0-9])*$`)
	flagName     = regexp.MustCompile(`^--?[A-Za-z][A-Za-z0-9._-]*$`)
	hyperName    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)
	fileName     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+=@-]*$`)
	asciiName    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
)

func badName(p *pass) {
	want := func(where ir.At[string], re *regexp.Regexp, what, rule string) {
		if where.Written() && where.V != "" && !re.MatchString(where.V) {
			p.report(at(where), fmt.Sprintf("%s %q holds what it cannot", what, where.V), rule)
		}
	}
	field := func(name string, where place) {
		if !asciiName.MatchString(name) {
			p.report(where, fmt.Sprintf("field name %q holds letters that AWS does not take", name), "use ASCII letters, digits and _")
		}
	}
	for _, pipe := range p.spec.Pipelines {
		want(pipe.Name, pipelineName, "pipeline name", "use lower-case letters, digits and single hyphens, a letter first")
		eachField(pipe, field)
		for _, r := range pipe.Registers {
			want(r.Group, groupName, "model group", "use letters, digits and hyphens, neither first nor last")
		}
	}
	for _, a := range p.spec.Artifacts {
		want(a.FileName, fileName, "file name", "use letters, digits and . _ + = @ -, and no folder")
	}
	for _, s := range p.spec.Steps {
		env := limits.Of("ProcessingEnvironmentKey").Pattern
		variable := regexp.MustCompile("^(?:" + env + ")$")
		for _, x := range s.Params {
			field(x.Name, point(x.Pos))
			want(x.Arg, flagName, "flag", "write it as -x or --long-name")
			want(x.Hyper, hyperName, "hyperparameter", "use letters, digits and . _ -, a letter first, without dashes before it")
			want(x.Env, variable, "variable", "use letters, digits and _, no digit first")
		}
		for _, x := range s.Ports {
			field(x.Name, point(x.Pos))
			want(x.Arg, flagName, "flag", "write it as -x or --long-name")
		}
	}
}

// unexportedType looks at the types that the generated package names.
func unexportedType(p *pass) {
	want := func(what, name string, pos token.Position) {
		if !token.IsExported(name) {
			p.report(point(pos), fmt.Sprintf("%s %q is not exported, and generated code names it", what, name), "start its name with a capital letter")
		}
	}
	for _, pipe := range p.spec.Pipelines {
		want("pipeline", pipe.GoName, pipe.Pos)
	}
	for _, s := range p.spec.Steps {
		want("step", s.Name, s.Pos)
	}
	for _, a := range p.spec.Artifacts {
		want("artifact", a.Name, a.Pos)
	}
}

func notImportable(p *pass) {
	if p.spec.Name == "main" {
		p.report(point(p.spec.Pos), "package main cannot be imported, and generated code imports the spec", "rename the package")
	}
}

// reservedFlags are those that a generated main has itself, in every command
// that starts a run.
var reservedFlags = []string{
	"help", "json", "quiet", "workspace", "isolation", // everywhere
	"env", "bucket", "region", "profile", // which place on AWS
	"python", "packages", // what steps run with
	"why", "no-cache", "from", "only", "until", // what of a run is asked for
	"run", "detach", "deployed", "same-code", "yes", "offline", // how it is started on AWS, and with which code
}

// reservedHyper begins the hyperparameters that the training toolkit takes for
// itself and does not hand to the script; two more names are as special to it
// (sagemaker-training-toolkit, params.py).
const reservedHyper = "sagemaker_"

var reservedHypers = map[string]bool{"_tuning_objective_metric": true, "default_user_module_name": true}

// reservedEnv begins variables that SageMaker, its toolkit or the AWS SDKs set.
var reservedEnv = []string{"SM_", "SAGEMAKER_", "AWS_", "TRAINING_JOB_", "PROCESSING_JOB_"}

func reservedName(p *pass) {
	for _, s := range p.spec.Steps {
		for _, x := range s.Params {
			if strings.HasPrefix(strings.ToLower(x.Hyper.V), reservedHyper) || reservedHypers[x.Hyper.V] {
				p.report(at(x.Hyper), fmt.Sprintf("hyperparameter %q is the training toolkit's own, and the script would not get it", x.Hyper.V), "rename it")
			}
			for _, prefix := range reservedEnv {
				if strings.HasPrefix(strings.ToUpper(x.Env.V), prefix) {
					p.report(at(x.Env), fmt.Sprintf("variable %q begins like those that SageMaker sets: %s", x.Env.V, prefix), "rename it")
				}
			}
		}
		for _, port := range s.Ports {
			if port.Form == ir.InputForm && strings.EqualFold(port.Name, "code") {
				p.report(point(port.Pos), fmt.Sprintf("input %q is the one that carries the step's code", port.Name), "rename it")
			}
			if port.Form == ir.ChannelForm && strings.EqualFold(port.Name, "code") {
				if setting, ok := p.isolated(s); ok {
					p.report(point(port.Pos), fmt.Sprintf("channel %q is the one that carries the code of an isolated job", port.Name), "rename it",
						related(at(setting), "isolated here"))
				}
			}
		}
	}
	for _, pipe := range p.spec.Pipelines {
		for _, x := range pipe.Params {
			p.reservedParameter(x.Name, point(x.Pos))
		}
		for _, x := range pipe.Sources {
			p.reservedParameter(x.Name, point(x.Pos))
		}
	}
}

func (p *pass) reservedParameter(name string, where place) {
	if name == ir.ScheduledTime {
		p.report(where, fmt.Sprintf("%s is the time that a schedule gives to each run", name), "rename the field")
	}
	p.reservedFlag(name, where)
}

func (p *pass) reservedFlag(name string, where place) {
	for _, flag := range reservedFlags {
		if strings.EqualFold(name, strings.ReplaceAll(flag, "-", "")) {
			p.report(where, fmt.Sprintf("--%s is a flag of every generated main, and parameter %q would need it", flag, name), "rename the field")
		}
	}
}
