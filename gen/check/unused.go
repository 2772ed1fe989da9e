package check

import (
	"fmt"

	"github.com/mlmax/mlmax/gen/ir"
)

// unusedStep looks at the package's own steps. A package without pipelines is a
// library of steps, or has another diagnostic.
func unusedStep(p *pass) {
	if len(p.spec.Pipelines) == 0 {
		return
	}
	used := map[*ir.Step]bool{}
	for _, l := range p.links {
		if l.broken {
			return
		}
		for _, u := range l.uses {
			used[u.use.Step] = true
		}
	}
	for _, s := range p.own() {
		if !used[s] {
			p.report(point(s.Pos), fmt.Sprintf("no pipeline uses step %q", s.Name), "use it in a pipeline or remove it")
		}
	}
}

// unusedOutput reports an output that nothing reads in any of the pipelines in
// which it exists. What the last step of a pipeline writes is the pipeline's
// product, and a report with values is read by the machine.
func unusedOutput(p *pass) {
	exists, used := map[*ir.Port]bool{}, map[*ir.Port]bool{}
	for _, l := range p.links {
		if l.broken {
			return
		}
		last := 0
		for _, u := range l.uses {
			last = max(last, u.use.Index)
		}
		for _, x := range l.all {
			if x.Port == nil {
				continue
			}
			exists[x.Port] = true
			if x.Index == last || len(x.Port.Artifact.Values) > 0 {
				used[x.Port] = true
			}
		}
		for _, in := range l.inputs {
			for _, x := range in.feeding(l) {
				if x.Port != nil {
					used[x.Port] = true
				}
			}
		}
	}
	for _, s := range p.own() {
		for _, port := range s.Ports {
			if exists[port] && !used[port] {
				p.report(point(port.Pos), fmt.Sprintf("nothing uses output %q of step %q", port.Name, s.Name),
					"remove it, or let a later step read it")
			}
		}
	}
}

// feeding is what feeds the input; where that is in doubt, everything of its type.
func (in *input) feeding(l *links) []ir.Producer {
	if in.chosen != nil {
		return []ir.Producer{*in.chosen}
	}
	var all []ir.Producer
	for _, x := range l.all {
		if x.Artifact().Same(in.artifact) {
			all = append(all, x)
		}
	}
	return all
}
