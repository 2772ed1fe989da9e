package check

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// links is what the references of one pipeline lead to, as far as they lead
// anywhere; rules report the rest.
type links struct {
	pipe   *ir.Pipeline
	uses   []*useLink
	inputs []*input // of steps and registrations, in the pipeline's order
	all    []ir.Producer
	broken bool // a part of the pipeline could not be read: what is missing is no news
}

// A useLink is one use of a step, in its mode.
type useLink struct {
	pipe *ir.Pipeline
	use  *ir.Use
	mode ir.Mode
}

// An input is a port that a step reads in its mode, or the model of a
// registration, with what could feed it.
type input struct {
	where      place  // the field in the pipeline
	what       string // for messages
	field      string // the field's name in the pipeline
	port       string // what bind calls it
	index      int
	use        *useLink // nil for a registration
	artifact   *ir.Artifact
	fits       func(ir.Producer) bool
	bind       *ir.Assignment // what bind says, or nil
	silent     bool           // something about the field's own tag is reported already
	candidates []ir.Producer  // of the same artifact, above it
	chosen     *ir.Producer
}

// relatedTo points to a producer: the field of the source or version, or the port in
// its step.
func relatedTo(x ir.Producer, format string) diag.Related {
	pos := token.Position{}
	switch {
	case x.Source != nil:
		pos = x.Source.Pos
	case x.Version != nil: // where the part comes from is the business of its from
		pos = x.Version.Pos
	default:
		pos = x.Port.Pos
	}
	return diag.Related{Pos: pos, Message: fmt.Sprintf(format, x)}
}

// link resolves the inputs of a pipeline.
func link(pipe *ir.Pipeline, wiring *ir.Wiring, known damage) *links {
	l := &links{pipe: pipe, all: wiring.Producers(pipe), broken: known.declaration(pipe.Pos)}
	for _, v := range pipe.Versions {
		l.broken = l.broken || wiring.Origin(v) == nil // without it, parts are missing
	}
	for _, u := range pipe.Uses {
		l.broken = l.broken || u.Step == nil || known.declaration(u.Step.Pos)
		link := &useLink{pipe, u, ir.ModeOf(pipe, u)}
		l.uses = append(l.uses, link)
		for _, port := range link.mode.Inputs(u.Step) {
			l.inputs = append(l.inputs, l.wire(&input{
				where: point(u.Pos), what: fmt.Sprintf("input %q of step %q", port.Name, u.Name),
				field: u.Name, port: port.Name, index: u.Index, use: link, artifact: port.Artifact, fits: anyForm,
				silent: known.line(u.Pos) || strayBind(u),
			}, u.Bind))
		}
	}
	for _, r := range pipe.Registers {
		if r.Artifact == nil {
			continue
		}
		l.inputs = append(l.inputs, l.wire(&input{
			where: point(r.Pos), what: fmt.Sprintf("registration %q", r.Name),
			field: r.Name, port: ir.ModelInput, index: r.Index, artifact: r.Artifact, fits: modelForm,
			silent: known.line(r.Pos) || len(r.Bind) > 0 && r.Bind[0].Left.V != ir.ModelInput,
		}, r.Bind))
	}
	slices.SortStableFunc(l.inputs, func(x, y *input) int { return cmp.Compare(x.index, y.index) })
	return l
}

// strayBind reports whether bind names an input that the step does not have: it
// was meant for one that is not bound now.
func strayBind(u *ir.Use) bool {
	for _, b := range u.Bind {
		if port := portIn(u.Step.Ports, b.Left.V); port == nil || !port.Form.In() {
			return true
		}
	}
	return false
}

func anyForm(ir.Producer) bool { return true }

// modelForm holds for what can be registered: the archive of a training job of the
// same pipeline.
func modelForm(x ir.Producer) bool {
	return x.Version == nil && x.Port != nil && x.Port.Form == ir.ModelForm
}

// wire finds what could feed the input, and what does. What a version has been
// registered with is no candidate for being registered anew.
func (l *links) wire(in *input, binds []ir.Assignment) *input {
	for i := range binds {
		if binds[i].Left.V == in.port {
			in.bind = &binds[i]
			break
		}
	}
	all := l.all
	if in.use == nil {
		all = slices.DeleteFunc(slices.Clone(all), func(x ir.Producer) bool { return x.Version != nil })
	}
	in.candidates, in.chosen = ir.Choose(all, in.index, in.port, in.artifact, binds)
	if in.chosen != nil && !in.fits(*in.chosen) {
		in.chosen = nil
	}
	return in
}

// use finds a use by its field's name.
func (l *links) use(name string) *useLink {
	for _, u := range l.uses {
		if u.use.Name == name {
			return u
		}
	}
	return nil
}

func paramIn(params []*ir.Param, name string) *ir.Param {
	for _, x := range params {
		if x.Name == name {
			return x
		}
	}
	return nil
}

func portIn(ports []*ir.Port, name string) *ir.Port {
	for _, x := range ports {
		if x.Name == name {
			return x
		}
	}
	return nil
}
