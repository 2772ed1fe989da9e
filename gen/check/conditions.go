package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// conditionRules judge when. Its syntax has been judged by the reader.
var conditionRules = []Rule{
	{Code: diag.WhenUnknown, Doc: "a condition names fields that there are", run: whenUnknown},
	{Code: diag.WhenType, Doc: "a condition compares like with like", run: whenType},
	{Code: diag.WhenAbsent, Doc: "a condition reads reports that exist when it is asked", run: whenAbsent},
	{Code: diag.NotInEnum, Doc: "a condition compares with values that there can be", run: whenEnum},
}

// A target is what a name in a condition stands for.
type target struct {
	typ    ir.Type
	param  *ir.Param
	use    *useLink // for a step's parameter or report
	port   *ir.Port // for a report's value
	absent string   // why it may not exist when asked, or empty
	pos    place
	// If the name leads nowhere: which part is unknown, and what it could be.
	unknown string
	words   []string
}

// conditions calls f for every condition that was parsed.
func (p *pass) conditions(f func(l *links, r *ir.Register)) {
	for _, l := range p.links {
		for _, r := range l.pipe.Registers {
			if r.Cond != nil && !l.broken {
				f(l, r)
			}
		}
	}
}

// refs calls f for every name in the condition.
func refs(e *ir.Expr, f func(*ir.Expr)) {
	if e == nil {
		return
	}
	if e.Op == "" && e.Ref != "" {
		f(e)
	}
	refs(e.X, f)
	refs(e.Y, f)
}

// resolve finds what a name stands for, seen from the field at index.
func (l *links) resolve(ref string, index int) target {
	parts := strings.Split(ref, ".")
	if len(parts) == 1 {
		if x := l.pipe.Param(ref); x != nil {
			return target{typ: x.Type, param: x, pos: point(x.Pos)}
		}
		return target{unknown: ref, words: append(paramNames(l.pipe.Params), useNames(l)...)}
	}
	u := l.use(parts[0])
	if u == nil {
		return target{unknown: parts[0], words: useNames(l)}
	}
	step := u.use.Step
	if len(parts) == 2 {
		if x := paramIn(step.Params, parts[1]); x != nil {
			return u.paramTarget(x)
		}
		words := paramNames(step.Params)
		for _, port := range step.Ports {
			if isReport(port) {
				words = append(words, port.Name)
			}
		}
		if port := portIn(step.Ports, parts[1]); port != nil && isReport(port) {
			return target{unknown: ref, words: valueNames(ref+".", port)}
		}
		return target{unknown: parts[1], words: words}
	}
	port := portIn(step.Ports, parts[1])
	if port == nil || !isReport(port) || len(parts) > 3 {
		var words []string
		for _, x := range step.Ports {
			if isReport(x) {
				words = append(words, x.Name)
			}
		}
		return target{unknown: parts[1], words: words}
	}
	for _, v := range port.Artifact.Values {
		if v.Name != parts[2] {
			continue
		}
		t := target{typ: v.Type, use: u, port: port, pos: point(port.Pos)}
		switch {
		case u.use.Index > index:
			t.absent, t.pos = fmt.Sprintf("step %q is declared below", u.use.Name), point(u.use.Pos)
		case u.mode.Has(port.Only) == ir.No:
			t.absent = fmt.Sprintf("it exists only with %s=%s", port.Only.V.Field.V, port.Only.V.Value.V)
		}
		return t
	}
	return target{unknown: parts[2], words: valueNames("", port)}
}

func (u *useLink) paramTarget(x *ir.Param) target {
	t := target{typ: x.Type, param: x, use: u, pos: point(x.Pos)}
	if u.mode.Has(x.Only) == ir.No {
		t.absent = fmt.Sprintf("it exists only with %s=%s", x.Only.V.Field.V, x.Only.V.Value.V)
	}
	return t
}

// isReport holds for outputs whose values the machine reads.
func isReport(port *ir.Port) bool {
	return port.Form == ir.OutputForm && port.Artifact != nil && len(port.Artifact.Values) > 0
}

func useNames(l *links) []string {
	var names []string
	for _, u := range l.uses {
		names = append(names, u.use.Name)
	}
	return names
}

func valueNames(prefix string, port *ir.Port) []string {
	var names []string
	for _, v := range port.Artifact.Values {
		names = append(names, prefix+v.Name)
	}
	return names
}

func whenUnknown(p *pass) {
	p.conditions(func(l *links, r *ir.Register) {
		refs(r.Cond, func(e *ir.Expr) {
			if t := l.resolve(e.Ref, r.Index); t.unknown != "" && !p.damagedReport(l, e.Ref) {
				p.report(part(e, t.unknown), fmt.Sprintf("unknown field %q in the condition of %q", t.unknown, r.Name),
					diag.DidYouMean(t.unknown, t.words))
			}
		})
	})
}

// damagedReport reports whether a name leads into an artifact that lacks a field,
// which the reader reported.
func (p *pass) damagedReport(l *links, ref string) bool {
	parts := strings.Split(ref, ".")
	if len(parts) < 2 {
		return false
	}
	u := l.use(parts[0])
	if u == nil {
		return false
	}
	port := portIn(u.use.Step.Ports, parts[1])
	return port != nil && port.Artifact != nil && p.known.declaration(port.Artifact.Pos)
}

// part is the place of a part of a name: names hold no escapes, so that their
// characters stand in the source as they are.
func part(e *ir.Expr, unknown string) place {
	pos, end := e.Pos, e.End
	i := strings.LastIndex(e.Ref, unknown)
	if i < 0 || end.Offset-pos.Offset != len(e.Ref) {
		return place{pos, end}
	}
	rest := len(e.Ref) - i - len(unknown)
	pos.Offset, pos.Column = pos.Offset+i, pos.Column+i
	end.Offset, end.Column = end.Offset-rest, end.Column-rest
	return place{pos, end}
}

func whenAbsent(p *pass) {
	p.conditions(func(l *links, r *ir.Register) {
		refs(r.Cond, func(e *ir.Expr) {
			if t := l.resolve(e.Ref, r.Index); t.absent != "" {
				p.report(place{e.Pos, e.End}, fmt.Sprintf("%q may not exist when %q is decided: %s", e.Ref, r.Name, t.absent),
					"use a value that is there before", related(t.pos, "declared here"))
			}
		})
	})
}

func whenType(p *pass) {
	p.conditions(func(l *links, r *ir.Register) {
		if t, ok := p.typeOf(l, r, r.Cond); ok && t != ir.Bool {
			p.report(place{r.Cond.Pos, r.Cond.End}, fmt.Sprintf("the condition of %q is %s, not true or false", r.Name, article(t)),
				"compare it with something")
		}
	})
}

// typeOf is the type of a condition's part. It is not ok when a part has been
// reported, by this rule or another.
func (p *pass) typeOf(l *links, r *ir.Register, e *ir.Expr) (ir.Type, bool) {
	switch {
	case e == nil:
		return "", false
	case e.Op == "" && e.Ref != "":
		t := l.resolve(e.Ref, r.Index)
		return t.typ, t.typ != ""
	case e.Op == "":
		return literalType(e.Lit), true
	}
	x, okX := p.typeOf(l, r, e.X)
	if e.Op == "!" {
		return ir.Bool, okX && p.boolean(e.X, x, e.Op)
	}
	y, okY := p.typeOf(l, r, e.Y)
	if !okX || !okY {
		return "", false
	}
	switch e.Op {
	case "&&", "||":
		return ir.Bool, p.boolean(e.X, x, e.Op) && p.boolean(e.Y, y, e.Op)
	case "==", "!=":
		return ir.Bool, p.comparable(e, x, y)
	}
	if x == ir.Bool && y == ir.Bool {
		p.report(place{e.Pos, e.End}, fmt.Sprintf("%s orders, and bool values have no order", e.Op), "compare with == or !=")
		return "", false
	}
	return ir.Bool, p.comparable(e, x, y)
}

func (p *pass) boolean(e *ir.Expr, t ir.Type, op string) bool {
	if t == ir.Bool {
		return true
	}
	p.report(place{e.Pos, e.End}, fmt.Sprintf("%s takes true or false, and this is %s", op, article(t)), "compare it with something")
	return false
}

func (p *pass) comparable(e *ir.Expr, x, y ir.Type) bool {
	if x == y || isNumber(x) && isNumber(y) {
		return true
	}
	p.report(place{e.Pos, e.End}, fmt.Sprintf("%s is compared with %s", article(x), article(y)), "compare values of one type")
	return false
}

func isNumber(t ir.Type) bool { return t == ir.Int || t == ir.Float }

func literalType(v any) ir.Type {
	switch v.(type) {
	case string:
		return ir.String
	case bool:
		return ir.Bool
	case int64, int:
		return ir.Int
	}
	return ir.Float
}

// whenEnum finds comparisons of a parameter with a text that it can never be.
func whenEnum(p *pass) {
	p.conditions(func(l *links, r *ir.Register) {
		var walk func(e *ir.Expr)
		walk = func(e *ir.Expr) {
			if e == nil {
				return
			}
			if e.Op == "==" || e.Op == "!=" {
				p.enumPair(l, r, e.X, e.Y)
				p.enumPair(l, r, e.Y, e.X)
			}
			walk(e.X)
			walk(e.Y)
		}
		walk(r.Cond)
	})
}

func (p *pass) enumPair(l *links, r *ir.Register, name, literal *ir.Expr) {
	if name == nil || literal == nil || name.Ref == "" || literal.Ref != "" || literal.Op != "" {
		return
	}
	text, ok := literal.Lit.(string)
	t := l.resolve(name.Ref, r.Index)
	if !ok || t.param == nil || !t.param.Enum.Written() || slices.Contains(t.param.Enum.V, text) {
		return
	}
	p.report(place{literal.Pos, literal.End}, fmt.Sprintf("%q can never be %q", name.Ref, text),
		diag.DidYouMean(text, t.param.Enum.V), related(at(t.param.Enum), "the values of %s", t.param.Name))
}
