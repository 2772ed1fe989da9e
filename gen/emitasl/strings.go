package emitasl

import (
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// The longest values that the SageMaker API takes, in characters.
const (
	maxArgument       = 256  // ContainerArgument
	maxProcessingEnv  = 256  // ProcessingEnvironmentValue
	maxTrainingEnv    = 512  // TrainingEnvironmentValue
	maxHyperparameter = 2500 // HyperParameterValue
)

// A use is what the jobs do with a parameter.
type use struct {
	// handedOn says that a job gets it as text.
	handedOn bool
	// of is the term whose length is at most count characters, if count is not 0;
	// people are told shown.
	of           string
	count, shown int
}

// uses are the uses of all parameters that jobs take, with the tightest limit each.
func uses(p *ir.Plan) map[string]use {
	all := map[string]use{}
	hold := func(v *ir.Value, of string, count, shown int) {
		if v == nil || v.Param == "" {
			return
		}
		if u := all[v.Param]; u.count == 0 || count < u.count {
			all[v.Param] = use{true, of, count, shown}
		}
	}
	for _, j := range p.Jobs() {
		for _, a := range j.Args {
			hold(a.Value, "$v", maxArgument, maxArgument)
		}
		for _, h := range j.Hyper {
			// The value is sent as JSON; in brackets, it is two characters longer.
			hold(h.Value, "$string([$v])", maxHyperparameter+2, maxHyperparameter-2)
		}
		for _, v := range j.Env {
			most := maxProcessingEnv
			if j.Kind == ir.Training {
				most = maxTrainingEnv
			}
			hold(v.Value, "$v", most, most)
		}
	}
	return all
}

// regex is a pattern as a JSONata regular expression that must match the whole
// text. A slash would end it, and JSONata counts brackets on its way to the end,
// those that stand for themselves, too: these are written by their number. "${"
// is parted, so that nothing is substituted in it.
func regex(pattern string) string {
	var b strings.Builder
	b.WriteString("/^(?:")
	class := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		escaped := c == '\\' && i+1 < len(pattern)
		if escaped {
			i++
			c = pattern[i]
		}
		switch {
		case c == '/', c == '%', escaped && strings.IndexByte("()[]{}", c) >= 0,
			class && strings.IndexByte("()[{}", c) >= 0:
			b.WriteString(hexEscape(c))
			continue
		case escaped:
			b.WriteByte('\\')
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '$' && !class && i+1 < len(pattern) && pattern[i+1] == '{':
			b.WriteString("(?:$)")
			continue
		}
		b.WriteByte(c)
	}
	b.WriteString(")$/")
	return b.String()
}

func hexEscape(c byte) string {
	const digits = "0123456789abcdef"
	return `\x` + string(digits[c>>4]) + string(digits[c&15])
}
