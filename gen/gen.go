// Package gen calls the stages of the generator in order, and nothing else:
//
//	patterns -> load -> read -> Spec -> check -> plan -> Plan -> emit… -> files
//
// Stages collect what is wrong; an error stops the run before the plan, so that
// an emitter never meets a mistake. The package writes nothing: [Result.Files] is
// what there should be on disk, which is gen/write's business.
package gen

import (
	"context"
	"fmt"
	"slices"

	"github.com/mlmax/mlmax/gen/check"
	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/load"
	"github.com/mlmax/mlmax/gen/read"
)

// Options say what to generate.
type Options struct {
	// Dir is the folder that patterns are relative to; empty is the current one.
	Dir string
	// Patterns name packages as the go command does; none is ".".
	Patterns []string
	// Out is the folder to write below, relative to Dir; empty is "generated" in
	// the module of the specs.
	Out string
}

// A Result is what a run found and what it leads to.
type Result struct {
	// Specs are the packages read, in the order of their paths.
	Specs []*ir.Spec
	// Plans are those of all pipelines; nil if there is any error.
	Plans []*ir.Plan
	// Files are to be written below Out, an absolute folder; nil if there is any
	// error.
	Files []ir.File
	Out   string
	// Diagnostics are all that was found, errors and warnings.
	Diagnostics diag.List
}

// Run loads, reads and checks the packages, and emits the files of their
// pipelines if no error was found. The error is the world's trouble; mistakes in
// the packages are diagnostics.
func Run(ctx context.Context, o Options) (*Result, error) {
	var bag diag.Bag
	loaded, err := load.Load(ctx, o.Dir, o.Patterns, &bag)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	var sound []*ir.Spec // those that mean something
	for _, p := range loaded {
		s := read.Read(p, &bag)
		r.Specs = append(r.Specs, s)
		if compiles(p) && len(s.Pipelines) > 0 {
			sound = append(sound, s)
		}
	}
	checkAll(ctx, sound, &bag)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("checking specs: %w", err)
	}
	below, err := r.place(o, loaded)
	if err == nil {
		reachable(sound, below, &bag)
	}
	r.Diagnostics = bag.List()
	switch {
	case bag.Failed() || len(loaded) == 0:
		return r, nil
	case err != nil:
		return nil, err
	}
	if err := r.emit(below, &bag); err != nil {
		return nil, err
	}
	r.Diagnostics = bag.List()
	return r, nil
}

// checkAll checks specs by themselves and beside each other. Each check sees what
// was reported before, to be silent about the same; the bag takes repetitions as
// one.
func checkAll(ctx context.Context, specs []*ir.Spec, bag *diag.Bag) {
	before := bag.List()
	bags := make([]*diag.Bag, len(specs))
	for i := range specs {
		bags[i] = &diag.Bag{}
		for _, d := range before {
			bags[i].Report(d)
		}
	}
	check.All(ctx, specs, bags)
	for _, b := range bags {
		for _, d := range b.List() {
			bag.Report(d)
		}
	}
	check.Clashes(specs, bag)
}

// compiles reports whether the package and those of its steps compile. What means
// nothing to the compiler is not judged any further.
func compiles(p *load.Package) bool {
	return p.Compiles && !slices.ContainsFunc(p.Deps, func(d *load.Package) bool { return !d.Compiles })
}
