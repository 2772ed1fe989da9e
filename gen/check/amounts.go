package check

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/limits"
)

// keyText is what a substituted value may consist of, so that replacing it in the
// machine's text is safe.
var keyText = regexp.MustCompile(`^[A-Za-z0-9:/._,@+=-]*$`)

// ownHyper is how many hyperparameters script mode needs itself (sagemaker_program,
// sagemaker_submit_directory, sagemaker_container_log_level, sagemaker_job_name,
// sagemaker_region).
const ownHyper = 5

func serviceLimit(p *pass) {
	for _, s := range p.spec.Steps {
		p.lengths(s)
	}
	for _, l := range p.links {
		groups := map[string]bool{}
		for _, r := range l.pipe.Registers {
			groups[r.Group.V] = true
		}
		most := ir.MaxSteps(len(groups))
		for n, u := range l.uses {
			if u.use.Step == nil {
				continue
			}
			if n == most {
				p.report(point(u.use.Pos), fmt.Sprintf("step %q is the %d. of %d steps, and a template takes the parameters of %d",
					u.use.Name, n+1, len(l.uses), most), "split the pipeline")
			}
			p.amounts(u)
			for _, a := range u.use.Set {
				if x := paramIn(u.use.Step.Params, a.Left.V); x != nil && u.pipe.Param(a.Right.V) == nil {
					p.value(x, u.use.Step.Kind, a.Right, fmt.Sprintf("value of %q", x.Name))
				}
			}
		}
	}
}

// amounts counts what one job is given in the mode of its use.
func (p *pass) amounts(u *useLink) {
	s := u.use.Step
	var ins, outs, args, hyper, env int
	for _, port := range s.Ports {
		switch {
		case u.mode.Has(port.Only) == ir.No:
			continue
		case port.Form.In():
			ins++
		default:
			outs++
		}
		if port.Arg.Written() {
			args += 2
		}
	}
	for _, x := range s.Params {
		if u.mode.Has(x.Only) == ir.No {
			continue
		}
		args += 2 * count(x.Arg.Written())
		hyper += count(x.Hyper.Written())
		env += count(x.Env.Written())
	}
	most := func(n int, shape, what string, own int, ownWhat string) {
		if limit := int(*limits.Of(shape).Max) - own; n > limit {
			p.report(point(u.use.Pos), fmt.Sprintf("step %q has %d %s, and the service takes %d%s", u.use.Name, n, what, limit, ownWhat),
				"put several together, or split the step", related(point(s.Pos), "%s is declared here", s.Name))
		}
	}
	if s.Kind == ir.Training {
		own, ownWhat := 0, ""
		if isolated := u.use.Settings.Isolated; isolated.V || s.Settings.Isolated.V && !isolated.Written() {
			own, ownWhat = 1, " beside the code"
		}
		most(ins, "InputDataConfig", "channels", own, ownWhat)
		most(hyper, "HyperParameters", "hyperparameters", ownHyper, fmt.Sprintf(" beside %d of its own", ownHyper))
		most(env, "TrainingEnvironmentMap", "environment variables", 0, "")
		return
	}
	most(ins, "ProcessingInputs", "inputs", 1, " beside the code")
	most(outs, "ProcessingOutputs", "outputs", 0, "")
	most(args, "ContainerArguments", "arguments (flags and values)", 0, "")
	most(env, "ProcessingEnvironmentMap", "environment variables", 0, "")
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lengths judges the texts of a step by themselves.
func (p *pass) lengths(s *ir.Step) {
	envKey := "ProcessingEnvironmentKey"
	if s.Kind == ir.Training {
		envKey = "TrainingEnvironmentKey"
	}
	for _, x := range s.Params {
		p.length(x.Arg, "ContainerArgument", "flag")
		p.length(x.Hyper, "HyperParameterKey", "name of a hyperparameter")
		p.length(x.Env, envKey, "name of a variable")
		if _, ok := parse(x.Type, x.Default.V); ok {
			p.value(x, s.Kind, x.Default, fmt.Sprintf("default of %q", x.Name))
		}
		for _, v := range x.Enum.V {
			if p.value(x, s.Kind, ir.At[string]{V: v, Pos: x.Enum.Pos, End: x.Enum.End}, fmt.Sprintf("enum of %q", x.Name)) {
				break
			}
		}
	}
	for _, port := range s.Ports {
		p.length(port.Arg, "ContainerArgument", "flag")
	}
	if s.Kind == ir.Processing {
		for _, port := range s.Ports {
			if path := port.Folder(); !limits.Of("ProcessingLocalPath").Allows(len(path)) {
				what := "the field's name"
				if port.Path.Written() {
					what = "it"
				}
				p.report(at(port.Path).or(point(port.Pos)), fmt.Sprintf("the path of port %q has %d characters, and the service takes %s",
					port.Name, len(path), span(limits.Of("ProcessingLocalPath"))), "shorten "+what)
			}
		}
	}
}

// value judges what is handed to a job under a parameter's names, and says
// whether it reported.
func (p *pass) value(x *ir.Param, kind ir.Kind, v ir.At[string], what string) bool {
	shapes := []struct {
		given ir.At[string]
		shape string
	}{{x.Arg, "ContainerArgument"}, {x.Hyper, "HyperParameterValue"}, {x.Env, "ProcessingEnvironmentValue"}}
	if kind == ir.Training {
		shapes[2].shape = "TrainingEnvironmentValue"
	}
	for _, s := range shapes {
		text := v
		if s.given.Written() && s.shape == "HyperParameterValue" && x.Type == ir.String {
			text.V = strconv.Quote(v.V) // strings are handed over as JSON
			if !limits.Of(s.shape).Allows(chars(text.V)) {
				return p.length(text, s.shape, what)
			}
			continue
		}
		if s.given.Written() && p.length(text, s.shape, what) {
			return true
		}
	}
	return false
}

// length judges one text by a shape, and says whether it reported.
func (p *pass) length(v ir.At[string], shape, what string) bool {
	b := limits.Of(shape)
	switch {
	case !v.Written():
		return false
	case !b.Allows(chars(v.V)):
		p.report(at(v), fmt.Sprintf("%s has %d characters, and the service takes %s (%s)", what, chars(v.V), span(b), shape), "shorten it")
	case b.Pattern == ".*" && !b.Matches(v.V):
		p.report(at(v), fmt.Sprintf("%s holds a line break, which the service does not take (%s)", what, shape), "put it on one line")
	default:
		return false
	}
	return true
}
