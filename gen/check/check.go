// Package check judges a spec. In goes an [ir.Spec] as it was read, out come
// diagnostics; it changes nothing, and of the world it reads only what the spec
// names: code folders, scripts and local data.
//
// The rules stand in a table, one row a code, one file a family. A rule stays
// silent about what another rule or the reader has reported already, so that one
// mistake leads to one diagnostic.
package check

import (
	"cmp"
	"context"
	"fmt"
	"go/token"
	"slices"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// A Rule finds one kind of mistake.
type Rule struct {
	// Code is that of everything the rule reports.
	Code diag.Code
	// Doc says what the rule looks at, in one line.
	Doc string
	// Severity is that of everything the rule reports.
	Severity diag.Severity
	run      func(*pass)
}

// Rules returns the table of rules, in the order of their codes. Rules that look
// into the scripts come last in time, whatever their place here.
func Rules() []Rule {
	all := slices.Concat(graphRules, pipelineRules, nameRules, valueRules, conditionRules, codeRules,
		textRules, environmentRules, limitRules, scriptRules)
	slices.SortStableFunc(all, func(x, y Rule) int { return cmp.Compare(x.Code, y.Code) })
	return all
}

// Check applies every rule to the spec. The scripts are read by python3 in the
// meantime; when ctx ends, that part is left out with a warning.
func Check(ctx context.Context, s *ir.Spec, bag *diag.Bag) {
	p := newPass(s, bag)
	facts := p.startScripts(ctx)
	for _, r := range slices.Concat(graphRules, pipelineRules, nameRules, valueRules, conditionRules,
		codeRules, textRules, environmentRules, limitRules) {
		p.apply(r)
	}
	p.facts = <-facts
	for _, r := range scriptRules {
		p.apply(r)
	}
}

// A pass is the work on one spec: the spec, what was derived from it once, and
// the rule at work.
type pass struct {
	spec  *ir.Spec
	bag   *diag.Bag
	rule  Rule
	links []*links // one a pipeline, in the spec's order
	code  map[*ir.Step]*codeState
	facts *scriptFacts
	known damage
}

func newPass(s *ir.Spec, bag *diag.Bag) *pass {
	p := &pass{spec: s, bag: bag, code: map[*ir.Step]*codeState{}, known: assess(s, bag.List())}
	for _, pipe := range s.Pipelines {
		p.links = append(p.links, link(pipe, p.known))
	}
	for _, st := range s.Steps {
		p.code[st] = inspectCode(st)
	}
	return p
}

func (p *pass) apply(r Rule) {
	p.rule = r
	r.run(p)
}

// A place is where a diagnostic points: positions of [ir.At] and of whole nodes.
type place struct{ pos, end token.Position }

func at[T any](a ir.At[T]) place     { return place{a.Pos, a.End} }
func point(pos token.Position) place { return place{pos: pos} }

// or is the first place that stands in the source.
func (x place) or(y place) place {
	if x.pos.IsValid() {
		return x
	}
	return y
}

// report adds one diagnostic of the rule at work.
func (p *pass) report(where place, message, hint string, related ...diag.Related) {
	p.bag.Report(diag.Diagnostic{
		Pos: where.pos, End: where.end,
		Code: p.rule.Code, Severity: p.rule.Severity,
		Message: message, Hint: hint, Related: related,
	})
}

// own are the steps declared in the spec's package. Those of other packages that
// are used here are judged, too, for their own package may hold no pipeline; but
// whether all of them is used is not this package's business.
func (p *pass) own() []*ir.Step {
	var own []*ir.Step
	for _, s := range p.spec.Steps {
		if s.Path == p.spec.Path {
			own = append(own, s)
		}
	}
	return own
}

func related(where place, format string, args ...any) diag.Related {
	return diag.Related{Pos: where.pos, Message: fmt.Sprintf(format, args...)}
}
