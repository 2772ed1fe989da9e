package check

import "github.com/mlmax/mlmax/gen/ir"

// answer is yes, no, or not known before the run.
type answer int

const (
	no answer = iota
	yes
	open
)

// A mode is what set fixes in one use of a step: the values of its parameters
// that are known when generating, as text.
type mode struct{ fixed map[string]string }

// modeOf reads the mode of a use. A parameter that set binds to one of the
// pipeline's is not fixed.
func modeOf(pipe *ir.Pipeline, u *ir.Use) mode {
	m := mode{fixed: map[string]string{}}
	for _, a := range u.Set {
		if pipelineParam(pipe, a.Right.V) == nil {
			m.fixed[a.Left.V] = a.Right.V
		}
	}
	return m
}

// has says whether something with this condition exists in the mode.
func (m mode) has(only ir.At[ir.Only]) answer {
	if !only.Written() {
		return yes
	}
	v, ok := m.fixed[only.V.Field.V]
	switch {
	case !ok:
		return open
	case v == only.V.Value.V:
		return yes
	}
	return no
}

// inputs are the ports that the step reads in this mode.
func (m mode) inputs(s *ir.Step) []*ir.Port {
	if s == nil {
		return nil
	}
	var in []*ir.Port
	for _, port := range s.Ports {
		if port.Form.In() && port.Artifact != nil && m.has(port.Only) == yes {
			in = append(in, port)
		}
	}
	return in
}

func pipelineParam(pipe *ir.Pipeline, name string) *ir.Param {
	return paramIn(pipe.Params, name)
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
