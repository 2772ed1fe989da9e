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
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

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
	all := append(rulesWithoutScripts(), scriptRules...)
	slices.SortStableFunc(all, func(x, y Rule) int { return cmp.Compare(x.Code, y.Code) })
	return all
}

// rulesWithoutScripts are those that need no python3.
func rulesWithoutScripts() []Rule {
	return slices.Concat(graphRules, versionRules, pipelineRules, scheduleRules, nameRules, valueRules, conditionRules,
		codeRules, portRules, textRules, environmentRules, limitRules)
}

// Check applies every rule to the spec. The scripts are read by python3 in the
// meantime; when ctx ends, that part is left out with a warning.
func Check(ctx context.Context, s *ir.Spec, bag *diag.Bag) {
	All(ctx, []*ir.Spec{s}, []*diag.Bag{bag})
}

// All checks several specs beside each other, each into the bag of its place. One
// python3 reads the scripts of many: to start one takes longer than to read.
func All(ctx context.Context, specs []*ir.Spec, bags []*diag.Bag) {
	passes := make([]*pass, len(specs))
	parallel(len(specs), func(i int) { passes[i] = newPass(specs[i], bags[i]) })
	wait := startScripts(ctx, passes)
	parallel(len(passes), func(i int) {
		for _, r := range rulesWithoutScripts() {
			passes[i].apply(r)
		}
		passes[i].blame()
	})
	wait()
	parallel(len(passes), func(i int) {
		for _, r := range scriptRules {
			passes[i].apply(r)
		}
	})
}

// parallel calls f for 0 to n-1, as many at a time as there are processors. A panic
// in one is the caller's.
func parallel(n int, f func(i int)) {
	var wait sync.WaitGroup
	var next atomic.Int64
	bugs := make([]any, min(n, runtime.GOMAXPROCS(0)))
	for worker := range bugs {
		wait.Go(func() {
			defer func() { bugs[worker] = recover() }()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wait.Wait()
	for _, bug := range bugs {
		if bug != nil {
			panic(bug)
		}
	}
}

// A pass is the work on one spec: the spec, what was derived from it once, and
// the rule at work.
type pass struct {
	spec *ir.Spec
	bag  *diag.Bag
	rule Rule
	// wiring and links are what references lead to; links are one a pipeline, in the
	// spec's order.
	wiring *ir.Wiring
	links  []*links
	code   map[*ir.Step]*codeState
	facts  *scriptFacts
	known  damage
	// blamed are the places of errors, once the rules about the spec alone are done.
	blamed map[token.Position]bool
}

func newPass(s *ir.Spec, bag *diag.Bag) *pass {
	p := &pass{spec: s, bag: bag, wiring: s.Wiring(), code: map[*ir.Step]*codeState{}, known: assess(s, bag.List())}
	for _, pipe := range s.Pipelines {
		p.links = append(p.links, link(pipe, p.wiring, p.known))
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

// blame notes what has been reported, for the rules that hold scripts against
// structs: what is wrong by itself cannot be right there.
func (p *pass) blame() {
	p.blamed = map[token.Position]bool{}
	for _, d := range p.bag.List() {
		if d.Severity == diag.Error {
			p.blamed[d.Pos] = true
		}
	}
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
