package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/mlmax/mlmax/gen/ir"
)

// Defaults of what a step may leave out.
const (
	defaultTimeout = 24 * time.Hour
	defaultVolume  = 30 // GiB
	defaultCount   = 1
	// queueSeconds is how long a job may wait for its instances before its state
	// gives up: the least MaxPendingTimeInSeconds of the SageMaker API.
	queueSeconds = 7200
)

// job resolves a step of the pipeline.
func (p *planner) job(u *ir.Use) *ir.Job {
	s := u.Step
	name, _ := ir.JobName(p.pipe.Name.V, u.Name)
	id := logical(u.Name)
	j := &ir.Job{
		Name: u.Name, Type: s.Name, TypePath: s.Path, Doc: doc(u.Doc, s.Doc), Kind: s.Kind,
		JobName:  name,
		RoleName: id + "Role", ImageName: id + "Image", InstanceName: id + "Instance", CodeName: id + "Code",
	}
	made := u
	if u.Pin.Written() {
		made = p.pin(u, j)
	}
	script := p.script(made)
	j.Framework, j.Version = image(made)
	j.CodeDir, j.Script = path.Dir(script), path.Base(script)
	j.Interface = fingerprint(s, j.Script)
	settle(j, u.Settings, s.Settings)
	for _, a := range u.After {
		j.After = append(j.After, a.V)
	}
	for _, port := range s.Ports {
		p.port(u, j, port)
	}
	p.modelImage(j)
	p.unused(u, j)
	p.arguments(u, j)
	p.readReports(u, j)
	return j
}

// script is a step's script as a slash path below the module's root.
func (p *planner) script(u *ir.Use) string {
	return p.below(u.Step.Dir, pick(u.Settings.Script, u.Step.Settings.Script))
}

// image is a step's framework and its version.
func image(u *ir.Use) (framework, version string) {
	framework, version, _ = strings.Cut(pick(u.Settings.Image, u.Step.Settings.Image), ":")
	return framework, version
}

// settle works out what the job runs on: the pipeline's word, else the step's, else
// the default.
func settle(j *ir.Job, use, step ir.Settings) {
	timeout := or(pick(use.Timeout, step.Timeout), defaultTimeout)
	j.Instance = pick(use.Instance, step.Instance)
	j.Count = or(pick(use.Count, step.Count), defaultCount)
	j.VolumeGB = or(pick(use.Volume, step.Volume), defaultVolume)
	j.Isolated = pick(use.Isolated, step.Isolated)
	if !use.Isolated.Written() && !step.Isolated.Written() {
		// SageMaker brings inputs and takes outputs, so that a processing job needs no
		// network itself, unless its instances talk to each other. A training job
		// fetches its code and installs packages.
		j.Isolated = j.Kind == ir.Processing && j.Count == 1
	}
	j.TimeoutSeconds = seconds(timeout)
	j.StateSeconds = j.TimeoutSeconds + queueSeconds
	if j.Spot = pick(use.Spot, step.Spot); j.Spot {
		// MaxWaitTimeInSeconds counts the job's own time, too.
		j.MaxWaitSeconds = max(seconds(or(pick(use.MaxWait, step.MaxWait), timeout)), j.TimeoutSeconds)
		j.StateSeconds = j.MaxWaitSeconds + queueSeconds
	}
}

// port adds an input or output that exists in this pipeline.
func (p *planner) port(u *ir.Use, j *ir.Job, port *ir.Port) {
	if !p.exists(u, port.Only) {
		return
	}
	if !port.Form.In() {
		out := &ir.Output{
			Name: port.Name, Artifact: port.Artifact.Name, ArtifactPath: foreign(port.Artifact, u.Step.Path),
			LocalPath: port.Folder(),
		}
		if port.Artifact.File {
			out.FileName = fileName(port.Artifact)
		}
		if port.Form == ir.ModelForm {
			out.Model, out.FileName = true, ""
		}
		j.Outputs = append(j.Outputs, out)
		return
	}
	in := &ir.Input{
		Name: port.Name, Artifact: port.Artifact.Name, ArtifactPath: foreign(port.Artifact, u.Step.Path),
		File: port.Artifact.File, LocalPath: port.Folder(),
	}
	if port.Form == ir.ChannelForm {
		in.Channel = strings.ToLower(port.Name)
	}
	p.wire(u, port, in)
	j.Inputs = append(j.Inputs, in)
}

// foreign is the path of an artifact's package if it is not the given one.
func foreign(a *ir.Artifact, path string) string {
	if a.Path == path {
		return ""
	}
	return a.Path
}

// unused lists the fields of the step's type that this pipeline does without.
func (p *planner) unused(u *ir.Use, j *ir.Job) {
	for _, v := range u.Step.Params {
		own := u.Name + "." + v.Name
		if value := p.values[own]; value == nil || value.Param != own {
			j.Unused = append(j.Unused, &ir.Unused{Name: v.Name, Type: v.Type})
		}
	}
	for _, port := range u.Step.Ports {
		if !p.exists(u, port.Only) {
			j.Unused = append(j.Unused, &ir.Unused{
				Name: port.Name, Form: port.Form,
				Artifact: port.Artifact.Name, ArtifactPath: foreign(port.Artifact, u.Step.Path),
			})
		}
	}
}

// arguments hands the step its parameters and paths, in source order.
func (p *planner) arguments(u *ir.Use, j *ir.Job) {
	for _, v := range u.Step.Params {
		value := p.values[u.Name+"."+v.Name]
		if value == nil || !p.exists(u, v.Only) {
			continue
		}
		if v.Arg.V != "" {
			j.Args = append(j.Args, &ir.Argument{Flag: v.Arg.V, Value: value})
		}
		if v.Hyper.V != "" {
			j.Hyper = append(j.Hyper, &ir.Named{Name: v.Hyper.V, Value: value})
		}
		if v.Env.V != "" {
			j.Env = append(j.Env, &ir.Named{Name: v.Env.V, Value: value})
		}
	}
	for _, port := range u.Step.Ports {
		if port.Arg.V != "" && p.exists(u, port.Only) {
			j.Args = append(j.Args, p.pathArgument(j, port))
		}
	}
}

// pathArgument is the argument that carries a port's path: that of the file, for an
// artifact that is one, else that of the folder.
func (p *planner) pathArgument(j *ir.Job, port *ir.Port) *ir.Argument {
	arg := &ir.Argument{Flag: port.Arg.V}
	if !port.Form.In() {
		for _, out := range j.Outputs {
			if out.Name == port.Name {
				arg.Path = path.Join(out.LocalPath, out.FileName)
			}
		}
		return arg
	}
	for _, in := range j.Inputs {
		if in.Name != port.Name {
			continue
		}
		arg.Path = in.LocalPath
		switch {
		case in.File && in.Param != "":
			arg.Param = in.Param
		case in.File:
			arg.Path = path.Join(in.LocalPath, fileName(port.Artifact))
		}
	}
	return arg
}

// fileName is the name of a file artifact inside an output.
func fileName(a *ir.Artifact) string {
	if a.FileName.V != "" {
		return a.FileName.V
	}
	return strings.ToLower(a.Name)
}

// fingerprint is the hash of a step type's interface: the script's name, argument
// names, types and ports in every mode, since inference uses the same step in another
// mode. It is all that a caller relies on that runs the code of another day.
func fingerprint(s *ir.Step, script string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %q\n", s.Kind, script)
	for _, v := range s.Params {
		fmt.Fprintf(h, "param %q %s arg=%q hyper=%q env=%q enum=%q only=%q=%q\n", v.Name, v.Type,
			v.Arg.V, v.Hyper.V, v.Env.V, v.Enum.V, v.Only.V.Field.V, v.Only.V.Value.V)
	}
	for _, port := range s.Ports {
		fmt.Fprintf(h, "port %q %s %q file=%t name=%q arg=%q path=%q only=%q=%q\n", port.Name, port.Form,
			port.Artifact.Name, port.Artifact.File, port.Artifact.FileName.V,
			port.Arg.V, port.Path.V, port.Only.V.Field.V, port.Only.V.Value.V)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// pick is the pipeline's value if it was written, else the step's.
func pick[T any](use, step ir.At[T]) T {
	if use.Written() {
		return use.V
	}
	return step.V
}

// or is the value, or the default in place of a zero.
func or[T comparable](v, byDefault T) T {
	var zero T
	if v == zero {
		return byDefault
	}
	return v
}

// doc is the first text that is not empty.
func doc(use, step string) string { return or(use, step) }
