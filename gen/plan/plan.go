// Package plan resolves a clean specification: in goes an [ir.Spec] in which check
// found no error, out comes one [ir.Plan] a pipeline, with every reference bound,
// every default applied, every name, path and permission worked out, in the order
// of execution. It reports nothing to the user, reads no file and cannot fail: a
// reference that leads nowhere is a bug of check's, and panics.
package plan

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// Plan resolves every pipeline of the spec, in source order.
func Plan(s *ir.Spec) []*ir.Plan {
	plans := make([]*ir.Plan, 0, len(s.Pipelines))
	wiring := s.Wiring()
	for _, p := range s.Pipelines {
		plans = append(plans, newPlanner(s, p, wiring).plan())
	}
	keep(plans)
	return plans
}

// A planner resolves one pipeline.
type planner struct {
	spec   *ir.Spec
	pipe   *ir.Pipeline
	wiring *ir.Wiring
	out    *ir.Plan

	// producers are what inputs can be wired to.
	producers []ir.Producer
	// values holds what each parameter of each use was resolved to, by "Use.Param".
	values map[string]*ir.Value
	// reports by "Use.Port", and the names of variables that are taken.
	reports map[string]*ir.Report
	taken   map[string]bool
}

func newPlanner(s *ir.Spec, p *ir.Pipeline, w *ir.Wiring) *planner {
	return &planner{
		spec: s, pipe: p, wiring: w, producers: w.Producers(p),
		values:  map[string]*ir.Value{},
		reports: map[string]*ir.Report{},
		taken:   map[string]bool{},
	}
}

func (p *planner) plan() *ir.Plan {
	partition := p.pipe.Partition.V
	if partition == "" {
		partition = "aws"
	}
	p.out = &ir.Plan{
		Path: p.spec.Path, Package: p.spec.Name, Source: p.below(p.spec.Dir, ""),
		ModulePath: p.spec.ModulePath,
		GoName:     p.pipe.GoName, Name: p.pipe.Name.V, Dir: strings.ToLower(p.pipe.GoName),
		Doc:            p.pipe.Doc,
		Partition:      partition,
		TimeoutSeconds: seconds(p.pipe.Timeout.V),
		Schedule:       p.pipe.Schedule.V,
	}
	p.parameters()
	p.nodes()
	p.out.Environments = p.places()
	p.out.Roles = roles(p.out)
	return p.out
}

// nodes resolves steps and registrations in order of declaration, which is that of
// execution: whatever a step refers to is declared above it.
func (p *planner) nodes() {
	for _, u := range p.pipe.Uses {
		p.taken[u.Name] = true
	}
	for _, r := range p.pipe.Registers {
		p.taken[r.Name] = true
	}
	uses, registers := p.pipe.Uses, p.pipe.Registers
	for len(uses)+len(registers) > 0 {
		if len(registers) == 0 || len(uses) > 0 && uses[0].Index < registers[0].Index {
			p.out.Nodes = append(p.out.Nodes, &ir.Node{Job: p.job(uses[0])})
			uses = uses[1:]
			continue
		}
		p.out.Nodes = append(p.out.Nodes, &ir.Node{Registration: p.registration(registers[0])})
		registers = registers[1:]
	}
}

// below is a path of the spec's file system as a slash path below the module's root.
func (p *planner) below(dir, name string) string {
	rel, err := filepath.Rel(p.spec.ModuleDir, filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		bug("%s is not below %s", dir, p.spec.ModuleDir)
	}
	return path.Clean(filepath.ToSlash(rel))
}

// bug says that check let something pass that it refuses.
func bug(format string, args ...any) {
	panic("plan: " + fmt.Sprintf(format, args...))
}
