package gen

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/gen/emitcfn"
	"github.com/mlmax/mlmax/gen/emitdoc"
	"github.com/mlmax/mlmax/gen/emitgo"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/load"
	"github.com/mlmax/mlmax/gen/plan"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// emit plans the pipelines of specs without errors and makes their files.
func (r *Result) emit(o Options, loaded []*load.Package) error {
	if len(loaded) == 0 {
		return nil
	}
	module, err := moduleOf(loaded)
	if err != nil {
		return err
	}
	below := "generated" // the output folder, below the module's root
	r.Out = filepath.Join(module.ModuleDir, below)
	if o.Out != "" {
		if r.Out, below, err = place(o, module); err != nil {
			return err
		}
	}
	for _, s := range r.Specs {
		for _, p := range plan.Plan(s) {
			files, err := emitOne(p, path.Join(p.ModulePath, below))
			if err != nil {
				return fmt.Errorf("writing the Go of pipeline %q: %w", p.Name, err)
			}
			r.Plans = append(r.Plans, p)
			r.Files = append(r.Files, files...)
		}
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

// place is the output folder that was asked for: absolute, and as a slash path
// below the module's root. The generated Go imports the specs and is imported by
// its own main, so it must lie in their module.
func place(o Options, module *load.Package) (abs, below string, err error) {
	abs = o.Out
	if !filepath.IsAbs(abs) {
		abs = filepath.Join(o.Dir, abs)
	}
	if abs, err = filepath.Abs(abs); err != nil {
		return "", "", fmt.Errorf("finding the output folder: %w", err)
	}
	below, err = filepath.Rel(module.ModuleDir, abs)
	if err != nil || below == ".." || strings.HasPrefix(below, ".."+string(filepath.Separator)) {
		return "", "", fmt.Errorf("output folder %s lies outside of module %s, whose packages the generated Go imports; name one inside with --out", o.Out, module.ModulePath)
	}
	return abs, filepath.ToSlash(below), nil
}
