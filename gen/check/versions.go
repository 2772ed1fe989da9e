package check

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/limits"
)

// versionRules judge model versions: where they come from, and what becomes of them.
var versionRules = []Rule{
	{Code: diag.BadFrom, Doc: "from names a registration of the model by another pipeline", run: badFrom},
	{Code: diag.BadPin, Doc: "pin names a model version above a processing step", run: badPin},
	{Code: diag.PinnedType, Doc: "a pinned step is the one of its type that the model was made by", run: pinnedType},
	{Code: diag.BadPart, Doc: "bind names parts that a model version has", run: badPart},
	{Code: diag.VersionGroup, Doc: "groups of model versions are in lower case", run: versionGroup},
	{Code: diag.VersionMetadata, Doc: "what a later pipeline needs of a version fits into its metadata", run: versionMetadata},
	{Code: diag.UnusedVersion, Doc: "every model version is used", Severity: diag.Warning, run: unusedVersion},
}

// versions calls f for every model version.
func (p *pass) versions(f func(l *links, v *ir.ModelVersion)) {
	for _, l := range p.links {
		for _, v := range l.pipe.Versions {
			f(l, v)
		}
	}
}

func badFrom(p *pass) {
	p.versions(func(l *links, v *ir.ModelVersion) {
		from := v.From
		if !from.Written() {
			return // missing, which the reader reported
		}
		pipe, register := p.spec.Registration(from.V)
		switch {
		case register == nil:
			p.noRegistration(v, pipe)
		case !register.Artifact.Same(v.Artifact):
			p.report(at(from), fmt.Sprintf("%s registers a model of type %q, and %q is a version of %q", from.V, register.Artifact.Name, v.Name, v.Artifact.Name),
				fmt.Sprintf("declare %q as mlmax.ModelVersion[%s]", v.Name, register.Artifact.Name), related(point(register.Pos), "%s is declared here", from.V))
		case pipe == l.pipe:
			p.report(at(from), fmt.Sprintf("pipeline %q starts from a version that it registers itself", pipe.GoName),
				"name the registration of another pipeline", related(point(register.Pos), "%s is declared here", from.V))
		case p.first(l.pipe, pipe):
			p.report(at(from), fmt.Sprintf("pipelines %q and %q start from each other's versions", l.pipe.GoName, pipe.GoName),
				"let one of them start from data alone", related(point(register.Pos), "%s is declared here", from.V))
		}
	})
}

// noRegistration says what from names instead, as far as it names anything.
func (p *pass) noRegistration(v *ir.ModelVersion, pipe *ir.Pipeline) {
	if pipe == nil && len(p.known.declarations) > 0 || pipe != nil && p.known.declaration(pipe.Pos) {
		return // it may be among what could not be read
	}
	var words []string
	for _, x := range p.spec.Pipelines {
		for _, r := range x.Registers {
			words = append(words, x.GoName+"."+r.Name)
		}
	}
	name, field, dotted := strings.Cut(v.From.V, ".")
	message, rel := fmt.Sprintf("from of %q names unknown pipeline %q", v.Name, name), []diag.Related(nil)
	switch {
	case pipe == nil:
		for _, s := range p.spec.Steps {
			if s.Name == name {
				message = fmt.Sprintf("%q is a step type, and from names a pipeline", name)
				rel = append(rel, related(point(s.Pos), "%s is declared here", name))
			}
		}
	case !dotted:
		message = fmt.Sprintf("from of %q names pipeline %q, and no registration of it", v.Name, name)
	default:
		message = fmt.Sprintf("pipeline %q has no registration %q", name, field)
		eachField(pipe, func(x string, where place) {
			if x == field {
				message = fmt.Sprintf("field %q of pipeline %q is no registration", field, name)
				rel = append(rel, related(where, "%s is declared here", field))
			}
		})
	}
	if pipe != nil && len(rel) == 0 {
		rel = append(rel, related(point(pipe.Pos), "%s is declared here", name))
	}
	hint := "register the model in a pipeline: mlmax.RegisterModel[" + v.Artifact.Name + "]"
	if len(words) > 0 {
		hint = diag.DidYouMean(v.From.V, words)
	}
	p.report(at(v.From), message, hint, rel...)
}

// first reports whether two pipelines start from each other, be it by way of others,
// and of all in that circle the first is the one that comes first in the spec.
func (p *pass) first(pipe, from *ir.Pipeline) bool {
	if !p.starts(from, pipe, map[*ir.Pipeline]bool{}) {
		return false
	}
	for _, x := range p.spec.Pipelines {
		if x == pipe {
			return true
		}
		if p.starts(x, pipe, map[*ir.Pipeline]bool{}) && p.starts(pipe, x, map[*ir.Pipeline]bool{}) {
			return false
		}
	}
	return false
}

// starts reports whether a pipeline starts from what another registers, be it by way
// of others.
func (p *pass) starts(pipe, from *ir.Pipeline, seen map[*ir.Pipeline]bool) bool {
	seen[pipe] = true
	return slices.ContainsFunc(pipe.Versions, func(v *ir.ModelVersion) bool {
		next, register := p.spec.Registration(v.From.V)
		return register != nil && (next == from || !seen[next] && p.starts(next, from, seen))
	})
}

// versionGroup reports each group once, however many versions come from it.
func versionGroup(p *pass) {
	told := map[*ir.Register]bool{}
	p.versions(func(_ *links, v *ir.ModelVersion) {
		_, r := p.spec.Registration(v.From.V)
		if r == nil || told[r] || !strings.ContainsFunc(r.Group.V, unicode.IsUpper) || !groupName.MatchString(r.Group.V) {
			return
		}
		told[r] = true
		p.report(at(r.Group), fmt.Sprintf("model group %q has capital letters, and %q comes from it", r.Group.V, v.Name),
			fmt.Sprintf("write %q", strings.ToLower(r.Group.V)), related(point(v.Pos), "%s is declared here", v.Name))
	})
}

// ownMetadata is what a version carries beside its steps: run, pipeline, execution
// and manifest.
const ownMetadata = 4

// artifactKey stands for the key of an artifact below an environment's prefix, with
// digits for run, redrive and retry. SageMaker puts a model below the job's name.
func artifactKey(pipe *ir.Pipeline, u *ir.Use, port *ir.Port) string {
	key := "runs/" + pipe.Name.V + "/" + strings.Repeat("0", ir.RunLength) + "/" + u.Name + "/00-00/"
	if port.Form == ir.ModelForm {
		return key + strings.Repeat("0", maxJobName) + "/output/model.tar.gz"
	}
	return key + port.Name + "/"
}

// maxJobName is how long the name of a job may be (TrainingJobName).
const maxJobName = 63

func versionMetadata(p *pass) {
	told := map[*ir.Register]bool{}
	p.versions(func(_ *links, v *ir.ModelVersion) {
		o := p.wiring.Origin(v)
		if o == nil || told[o.Register] {
			return
		}
		told[o.Register] = true
		n, key, uri := ownMetadata, "", ""
		for _, u := range o.Uses {
			n += 3 // code, image, interface
			mode := ir.ModeOf(o.Pipeline, u)
			for _, port := range u.Step.Ports {
				if port.Form.In() || mode.Has(port.Only) == ir.No {
					continue
				}
				n++
				key = longer(key, "artifact."+u.Name+"."+port.Name)
				if u != o.Use || port != o.Port { // whose URI has a place of its own
					uri = longer(uri, artifactKey(o.Pipeline, u, port))
				}
			}
		}
		p.fitsMetadata(o, v, n, key)
		p.fitsEnvironments(o, uri)
	})
}

func longer(a, b string) string {
	if len(b) > len(a) {
		return b
	}
	return a
}

// fitsMetadata judges how much a version carries, and under which keys.
func (p *pass) fitsMetadata(o *ir.Origin, v *ir.ModelVersion, n int, key string) {
	where, rel := point(o.Register.Pos), related(point(v.Pos), "%s comes from it", v.Name)
	if most := limits.Of("CustomerMetadataMap"); !most.Allows(n) {
		p.report(where, fmt.Sprintf("a version of %q carries %d properties for the %d steps that its model is made by, and the service takes %d",
			o.Register.Name, n, len(o.Uses), *most.Max), "put several outputs or steps together", rel)
	}
	if most := limits.Of("CustomerMetadataKey"); !most.Allows(len(key)) {
		p.report(where, fmt.Sprintf("a version of %q carries a property called %q, whose %d characters are more than the service takes: %d",
			o.Register.Name, key, len(key), *most.Max), "shorten the name of the step or of its output", rel)
	}
}

// fitsEnvironments judges the longest URI of an artifact that a version carries, in
// every environment.
func (p *pass) fitsEnvironments(o *ir.Origin, uri string) {
	most := limits.Of("CustomerMetadataValue")
	for _, e := range p.spec.Environments {
		all := "s3://" + e.Bucket.V + "/" + e.Prefix.V + uri
		if !most.Allows(len(all)) {
			p.report(at(e.Prefix).or(point(e.Pos)), fmt.Sprintf("a version of %q carries the URI of an artifact, which has %d characters in environment %q: the service takes %d",
				o.Register.Name, len(all), e.VarName, *most.Max), "shorten the prefix", related(point(o.Register.Pos), "%s is declared here", o.Register.Name))
		}
	}
}

func unusedVersion(p *pass) {
	p.versions(func(l *links, v *ir.ModelVersion) {
		if l.broken {
			return
		}
		used := slices.ContainsFunc(l.pipe.Uses, func(u *ir.Use) bool { return u.Pin.V == v.Name })
		for _, in := range l.inputs {
			used = used || slices.ContainsFunc(in.feeding(l), func(x ir.Producer) bool { return x.Version == v })
		}
		if !used {
			p.report(point(v.Pos), fmt.Sprintf("nothing uses model version %q", v.Name), "remove it, or let a step read the model or be pinned to it")
		}
	})
}
