package ir

// Answer is yes, no, or not known before the run.
type Answer int

// The answers there are.
const (
	No Answer = iota
	Yes
	Open
)

// A Mode is what set fixes in one use of a step: the values of its parameters that
// are known when generating, as text.
type Mode struct{ fixed map[string]string }

// ModeOf reads the mode of a use. A parameter that set binds to one of the
// pipeline's is not fixed.
func ModeOf(p *Pipeline, u *Use) Mode {
	m := Mode{map[string]string{}}
	for _, a := range u.Set {
		if p.Param(a.Right.V) == nil {
			m.fixed[a.Left.V] = a.Right.V
		}
	}
	return m
}

// Fixed is the text that a parameter of the step is fixed to, if it is.
func (m Mode) Fixed(param string) (text string, ok bool) {
	text, ok = m.fixed[param]
	return text, ok
}

// Has says whether something with this condition exists in the mode.
func (m Mode) Has(only At[Only]) Answer {
	if !only.Written() {
		return Yes
	}
	v, ok := m.fixed[only.V.Field.V]
	switch {
	case !ok:
		return Open
	case v == only.V.Value.V:
		return Yes
	}
	return No
}

// Inputs are the ports that a step reads in this mode, as far as their artifacts
// could be read. There may be no step.
func (m Mode) Inputs(s *Step) []*Port {
	if s == nil {
		return nil
	}
	var in []*Port
	for _, port := range s.Ports {
		if port.Form.In() && port.Artifact != nil && m.Has(port.Only) == Yes {
			in = append(in, port)
		}
	}
	return in
}

// Param finds a parameter of the pipeline by its name, or returns nil.
func (p *Pipeline) Param(name string) *Param {
	for _, x := range p.Params {
		if x.Name == name {
			return x
		}
	}
	return nil
}
