package check

import (
	"cmp"
	"fmt"
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
	all    []producer
	broken bool // a part of the pipeline could not be read: what is missing is no news
}

// A useLink is one use of a step, in its mode.
type useLink struct {
	pipe *ir.Pipeline
	use  *ir.Use
	mode mode
}

// An input is a port that a step reads in its mode, or the model of a
// registration, with what could feed it.
type input struct {
	where      place  // the field in the pipeline
	what       string // for messages
	field      string // the field's name in the pipeline
	port       string // what bind calls it
	index      int
	artifact   *ir.Artifact
	fits       func(producer) bool
	bind       *ir.Assignment // what bind says, or nil
	silent     bool           // something about the field's own tag is reported already
	candidates []producer     // of the same artifact, above it
	chosen     *producer
}

// A producer is a source, or an output of a step that stands in a pipeline.
type producer struct {
	index  int
	source *ir.Source
	use    *ir.Use
	port   *ir.Port
}

// String is how bind names the producer.
func (x producer) String() string {
	if x.source != nil {
		return x.source.Name
	}
	return x.use.Name + "." + x.port.Name
}

func (x producer) artifact() *ir.Artifact {
	if x.source != nil {
		return x.source.Artifact
	}
	return x.port.Artifact
}

// related points to the producer: the source's field or the port in its step.
func (x producer) related(format string) diag.Related {
	if x.source != nil {
		return diag.Related{Pos: x.source.Pos, Message: fmt.Sprintf(format, x)}
	}
	return diag.Related{Pos: x.port.Pos, Message: fmt.Sprintf(format, x)}
}

// link resolves the inputs of a pipeline.
func link(pipe *ir.Pipeline, known damage) *links {
	l := &links{pipe: pipe, all: producers(pipe), broken: known.declaration(pipe.Pos)}
	for _, u := range pipe.Uses {
		l.broken = l.broken || u.Step == nil || known.declaration(u.Step.Pos)
		m := modeOf(pipe, u)
		l.uses = append(l.uses, &useLink{pipe, u, m})
		for _, port := range m.inputs(u.Step) {
			l.inputs = append(l.inputs, l.wire(&input{
				where: point(u.Pos), what: fmt.Sprintf("input %q of step %q", port.Name, u.Name),
				field: u.Name, port: port.Name, index: u.Index, artifact: port.Artifact, fits: anyForm,
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
			field: r.Name, port: registerPort, index: r.Index, artifact: r.Artifact, fits: modelForm,
			silent: known.line(r.Pos) || len(r.Bind) > 0 && r.Bind[0].Left.V != registerPort,
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

// registerPort is what bind calls the one input of a registration.
const registerPort = "Model"

// producers are all sources, and all outputs that may exist in the mode in which
// their step is used, in the order of the pipeline's fields.
func producers(pipe *ir.Pipeline) []producer {
	var all []producer
	for _, s := range pipe.Sources {
		if s.Artifact != nil {
			all = append(all, producer{index: s.Index, source: s})
		}
	}
	for _, u := range pipe.Uses {
		if u.Step == nil {
			continue
		}
		m := modeOf(pipe, u)
		for _, port := range u.Step.Ports {
			if !port.Form.In() && port.Artifact != nil && m.has(port.Only) != no {
				all = append(all, producer{index: u.Index, use: u, port: port})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y producer) int { return cmp.Compare(x.index, y.index) })
	return all
}

func anyForm(producer) bool { return true }

// modelForm holds for what can be registered: the archive of a training job.
func modelForm(x producer) bool { return x.port != nil && x.port.Form == ir.ModelForm }

// wire finds what could feed the input, and what does.
func (l *links) wire(in *input, binds []ir.Assignment) *input {
	for i := range binds {
		if binds[i].Left.V == in.port {
			in.bind = &binds[i]
		}
	}
	for _, x := range l.all {
		if x.index < in.index && same(x.artifact(), in.artifact) {
			in.candidates = append(in.candidates, x)
		}
	}
	for i, x := range in.candidates {
		named := in.bind != nil && x.String() == in.bind.Right.V
		if in.fits(x) && (named || in.bind == nil && len(in.candidates) == 1) {
			in.chosen = &in.candidates[i]
		}
	}
	return in
}

// same reports whether two artifacts are one type.
func same(x, y *ir.Artifact) bool {
	return x == y || x != nil && y != nil && x.Name == y.Name && x.Path == y.Path
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
