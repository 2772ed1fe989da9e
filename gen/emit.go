package gen

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/gen/emitcfn"
	"github.com/mlmax/mlmax/gen/emitdoc"
	"github.com/mlmax/mlmax/gen/emitgo"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/load"
	"github.com/mlmax/mlmax/gen/plan"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// emit plans the pipelines of specs without errors and makes their files; below is
// the output folder as a slash path below the module's root.
func (r *Result) emit(below string, bag *diag.Bag) error {
	for _, s := range r.Specs {
		for i, p := range plan.Plan(s) {
			files, err := emitOne(p, path.Join(p.ModulePath, below))
			if err != nil {
				return fmt.Errorf("writing the Go of pipeline %q: %w", p.Name, err)
			}
			weigh(s.Pipelines[i], files, bag)
			weighPolicies(s, p, bag)
			r.Plans = append(r.Plans, p)
			r.Files = append(r.Files, files...)
		}
	}
	if bag.Failed() {
		r.Plans, r.Files = nil, nil
	}
	return nil
}

// emitOne makes the files of one pipeline; out is the import path of the output
// folder. The Go takes as long as all the rest, and is made beside it.
func emitOne(p *ir.Plan, out string) ([]ir.File, error) {
	machine := emitasl.Emit(p)
	var source []ir.File
	var failed error
	wait := beside(func() { source, failed = emitgo.Emit(p, emitdoc.Mermaid(p), out) })

	definition, err := asl.Encode(machine)
	if err != nil {
		panic(fmt.Sprintf("gen: the machine of %s cannot be encoded: %v", p.Name, err))
	}
	files := []ir.File{{Path: path.Join(p.Dir, p.Dir, p.Dir+".asl.json"), Bytes: definition}}
	files = append(files, emitcfn.Emit(p, machine)...)
	files = append(files, emitdoc.Emit(p, machine, out)...)
	wait()
	if failed != nil {
		return nil, failed
	}
	return append(files, source...), nil
}

// beside calls f in a goroutine of its own. The function that it returns waits for
// the end, and panics if f did, so that a bug is caught where all are.
func beside(f func()) (wait func()) {
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		f()
	}()
	return func() {
		if bug := <-done; bug != nil {
			panic(bug)
		}
	}
}

// moduleOf is a package of the one module that all specs lie in.
func moduleOf(loaded []*load.Package) (*load.Package, error) {
	first := loaded[0]
	for _, p := range loaded {
		switch {
		case p.ModuleDir == "":
			return nil, fmt.Errorf("package %s lies in no module; run go mod init in its folder or above", p.Path)
		case p.ModuleDir != first.ModuleDir:
			return nil, fmt.Errorf("specs lie in two modules, %s and %s; generate each by itself", first.ModulePath, p.ModulePath)
		}
	}
	return first, nil
}

// place finds the output folder: that which was asked for, or "generated" in the
// module of the specs. The generated Go imports the specs and is imported by its
// own main, so it must lie in their module; below is where.
func (r *Result) place(o Options, loaded []*load.Package) (below string, err error) {
	if len(loaded) == 0 {
		return "", nil
	}
	module, err := moduleOf(loaded)
	if err != nil {
		return "", err
	}
	out := o.Out
	switch {
	case out == "":
		out = filepath.Join(module.ModuleDir, "generated")
	case !filepath.IsAbs(out):
		out = filepath.Join(o.Dir, out)
	}
	if r.Out, err = filepath.Abs(out); err != nil {
		return "", fmt.Errorf("finding the output folder: %w", err)
	}
	below, err = filepath.Rel(module.ModuleDir, r.Out)
	if err != nil || below == ".." || strings.HasPrefix(below, ".."+string(filepath.Separator)) {
		return "", fmt.Errorf("output folder %s lies outside of module %s, whose packages the generated Go imports; name one inside with --out", o.Out, module.ModulePath)
	}
	return filepath.ToSlash(below), nil
}

// reachable reports specs that Go does not let the output folder import: those
// below a folder called internal whose parent the output does not lie below.
func reachable(specs []*ir.Spec, below string, bag *diag.Bag) {
	for _, s := range specs {
		out := path.Join(s.ModulePath, below) + "/"
		parts := strings.Split(s.Path, "/")
		for i, part := range parts {
			parent := strings.Join(parts[:i], "/")
			if part != "internal" || strings.HasPrefix(out, parent+"/") {
				continue
			}
			bag.Report(diag.Diagnostic{Pos: s.Pos, Code: diag.NotImportable,
				Message: fmt.Sprintf("package %q lies below an internal folder, and what is generated into %q cannot import it", s.Path, below),
				Hint:    fmt.Sprintf("move the package, or generate with --out below %q", parent)})
			break
		}
	}
}
