package ir

import (
	"cmp"
	"slices"
)

// A Producer is what an input can be fed by: a source, an output of a step, or a
// model version with what it was made with.
type Producer struct {
	// Index is that of its field in the pipeline.
	Index  int
	Source *Source
	// Use and Port are a step and its output: of the pipeline itself, or with Version,
	// of the one that registers it.
	Use  *Use
	Port *Port
	// Version is a model version: with Use and Port its part, without the model itself.
	Version *ModelVersion
}

// String is how bind names it: "Data", "Preprocess.Train", "Model" or
// "Model.Preprocess.Transformer".
func (x Producer) String() string {
	switch {
	case x.Source != nil:
		return x.Source.Name
	case x.Version != nil && x.Use == nil:
		return x.Version.Name
	case x.Version != nil:
		return x.Version.Name + "." + x.Use.Name + "." + x.Port.Name
	}
	return x.Use.Name + "." + x.Port.Name
}

// Artifact is what it gives.
func (x Producer) Artifact() *Artifact {
	switch {
	case x.Source != nil:
		return x.Source.Artifact
	case x.Port != nil:
		return x.Port.Artifact
	}
	return x.Version.Artifact
}

// Same reports whether two artifacts are one type.
func (a *Artifact) Same(b *Artifact) bool {
	return a == b || a != nil && b != nil && a.Name == b.Name && a.Path == b.Path
}

// Choose finds what can feed an input of the artifact whose field stands at index,
// and what does: the producer that bind names for it, else the only one.
func Choose(all []Producer, index int, input string, a *Artifact, binds []Assignment) (candidates []Producer, chosen *Producer) {
	for _, x := range all {
		if x.Index < index && x.Artifact().Same(a) {
			candidates = append(candidates, x)
		}
	}
	bound := slices.IndexFunc(binds, func(b Assignment) bool { return b.Left.V == input })
	for i, x := range candidates {
		if bound >= 0 && x.String() == binds[bound].Right.V || bound < 0 && len(candidates) == 1 {
			chosen = &candidates[i]
		}
	}
	return candidates, chosen
}

// An Origin is what the versions that a registration makes were made by.
type Origin struct {
	Pipeline *Pipeline
	Register *Register
	// Use and Port are the step that made the model, and the model among its outputs.
	Use  *Use
	Port *Port
	// Uses are the steps that the model was made by, that one included: whatever it
	// was computed from, in the order of the pipeline.
	Uses []*Use
}

// Of are the steps of one type that the model was made by.
func (o *Origin) Of(s *Step) []*Use {
	var all []*Use
	for _, u := range o.Uses {
		if u.Step == s || u.Step.Name == s.Name && u.Step.Path == s.Path {
			all = append(all, u)
		}
	}
	return all
}

// A Wiring answers what feeds what in the pipelines of a spec. It judges nothing:
// what leads nowhere is absent.
type Wiring struct {
	spec *Spec
	// origins are those that are known; nil is one that is being looked for, too, so
	// that pipelines that wait for each other come to an end.
	origins map[*ModelVersion]*Origin
}

// Wiring begins to answer; the spec must not change meanwhile.
func (s *Spec) Wiring() *Wiring {
	return &Wiring{spec: s, origins: map[*ModelVersion]*Origin{}}
}

// Producers are all sources, model versions with their parts, and outputs that may
// exist in the mode in which their step is used, in the order of the pipeline's
// fields.
func (w *Wiring) Producers(p *Pipeline) []Producer {
	var all []Producer
	for _, s := range p.Sources {
		if s.Artifact != nil {
			all = append(all, Producer{Index: s.Index, Source: s})
		}
	}
	for _, v := range p.Versions {
		if v.Artifact != nil {
			all = append(all, Producer{Index: v.Index, Version: v})
		}
		all = append(all, w.parts(v)...)
	}
	for _, u := range p.Uses {
		for _, port := range outputs(p, u) {
			all = append(all, Producer{Index: u.Index, Use: u, Port: port})
		}
	}
	slices.SortStableFunc(all, func(x, y Producer) int { return cmp.Compare(x.Index, y.Index) })
	return all
}

// parts are what the steps wrote that a version was made by, besides the model.
func (w *Wiring) parts(v *ModelVersion) []Producer {
	o := w.Origin(v)
	if o == nil {
		return nil
	}
	var all []Producer
	for _, u := range o.Uses {
		for _, port := range outputs(o.Pipeline, u) {
			if u != o.Use || port != o.Port {
				all = append(all, Producer{Index: v.Index, Version: v, Use: u, Port: port})
			}
		}
	}
	return all
}

// outputs are what a step may write in the mode in which it is used.
func outputs(p *Pipeline, u *Use) []*Port {
	if u.Step == nil {
		return nil
	}
	m := ModeOf(p, u)
	var all []*Port
	for _, port := range u.Step.Ports {
		if !port.Form.In() && port.Artifact != nil && m.Has(port.Only) != No {
			all = append(all, port)
		}
	}
	return all
}

// Origin is what a version was made by: nil if its from names no registration, if
// the model that is registered is in doubt, or if its pipeline starts from itself.
func (w *Wiring) Origin(v *ModelVersion) *Origin {
	if o, known := w.origins[v]; known {
		return o
	}
	w.origins[v] = nil
	pipe, register := w.spec.Registration(v.From.V)
	if register == nil {
		return nil
	}
	all := w.Producers(pipe)
	model := Registered(all, register)
	if model == nil {
		return nil
	}
	o := &Origin{Pipeline: pipe, Register: register, Use: model.Use, Port: model.Port}
	made := map[*Use]bool{model.Use: true}
	for _, u := range slices.Backward(pipe.Uses) { // whatever a step reads stands above it
		if !made[u] {
			continue
		}
		o.Uses = append(o.Uses, u)
		for _, port := range ModeOf(pipe, u).Inputs(u.Step) {
			if _, x := Choose(all, u.Index, port.Name, port.Artifact, u.Bind); x != nil && x.Version == nil && x.Use != nil {
				made[x.Use] = true
			}
		}
	}
	slices.Reverse(o.Uses)
	w.origins[v] = o
	return o
}

// ModelInput is what bind calls the one input of a registration.
const ModelInput = "Model"

// Registered is the model that a registration takes, of those that its pipeline
// makes; nil if it is in doubt.
func Registered(all []Producer, r *Register) *Producer {
	own := slices.DeleteFunc(slices.Clone(all), func(x Producer) bool { return x.Version != nil })
	_, x := Choose(own, r.Index, ModelInput, r.Artifact, r.Bind)
	if x == nil || x.Port == nil || x.Port.Form != ModelForm {
		return nil
	}
	return x
}
