package load

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"golang.org/x/tools/go/packages"
)

// A unit is a package loaded from source.
type unit struct {
	pkg    *Package
	deps   []*unit
	broken bool // syntax errors: there is no sense in reading it
}

type loader struct {
	fset   *token.FileSet
	bag    *diag.Bag
	units  map[string]*unit          // by import path
	opaque map[string]*types.Package // from export data, by import path
}

// usesVocabulary reports whether a package is the vocabulary or imports it,
// directly or not. Such packages are loaded from source.
func usesVocabulary(p *packages.Package, known map[*packages.Package]bool) bool {
	if answer, ok := known[p]; ok {
		return answer
	}
	known[p] = p.PkgPath == Vocabulary
	for _, imp := range p.Imports {
		if usesVocabulary(imp, known) {
			known[p] = true
			break
		}
	}
	return known[p]
}

// export loads the types of all packages that those from source import and that
// do not use the vocabulary themselves.
func (l *loader) export(ctx context.Context, dir string, wanted []*packages.Package) error {
	known, seen := map[*packages.Package]bool{}, map[*packages.Package]bool{}
	var paths []string
	var visit func(*packages.Package)
	visit = func(p *packages.Package) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, imp := range p.Imports {
			switch {
			case usesVocabulary(imp, known):
				visit(imp)
			case imp.PkgPath != "unsafe" && imp.PkgPath != "C" && len(imp.Errors) == 0:
				paths = append(paths, imp.PkgPath)
			}
		}
	}
	for _, p := range wanted {
		visit(p)
	}
	if len(paths) == 0 {
		return nil
	}
	slices.Sort(paths)
	exported, err := packages.Load(&packages.Config{Context: ctx, Dir: dir, Mode: packages.LoadTypes}, slices.Compact(paths)...)
	if err != nil {
		return fmt.Errorf("loading what the spec imports: %w", err)
	}
	for _, p := range exported {
		if len(p.Errors) == 0 {
			l.opaque[p.PkgPath] = p.Types
		}
	}
	return nil
}

// load parses and type-checks a package and what it imports from source.
func (l *loader) load(p *packages.Package, dep bool) *unit {
	if u := l.units[p.PkgPath]; u != nil {
		return u
	}
	u := &unit{pkg: &Package{Path: p.PkgPath, Name: p.Name, Dir: p.Dir, Compiles: true, Fset: l.fset, sources: map[*token.File][]byte{}}}
	l.units[p.PkgPath] = u
	if p.Module != nil {
		u.pkg.ModulePath, u.pkg.ModuleDir = p.Module.Path, p.Module.Dir
	}
	l.parse(u, p.GoFiles)
	if !u.broken {
		l.check(u, p, dep)
	}
	return u
}

func (l *loader) parse(u *unit, files []string) {
	for _, name := range slices.Sorted(slices.Values(files)) {
		src, err := os.ReadFile(name)
		if err != nil {
			l.report(u, token.Position{Filename: name}, err.Error())
			u.broken = true
			continue
		}
		file, err := parser.ParseFile(l.fset, name, src, parser.ParseComments|parser.SkipObjectResolution|parser.AllErrors)
		var list scanner.ErrorList
		if errors.As(err, &list) {
			u.broken = true
			for _, e := range list {
				l.report(u, e.Pos, e.Msg)
			}
			continue
		}
		u.pkg.Syntax = append(u.pkg.Syntax, file)
		u.pkg.sources[l.fset.File(file.FileStart)] = src
	}
}

// check type-checks a unit. The bodies of functions are checked only in the
// packages that were asked for: a body cannot say anything about a step.
func (l *loader) check(u *unit, p *packages.Package, dep bool) {
	u.pkg.Info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Defs:  map[*ast.Ident]types.Object{},
		Uses:  map[*ast.Ident]types.Object{},
	}
	config := types.Config{
		Importer:         importer{l, u, p},
		IgnoreFuncBodies: dep,
		Sizes:            types.SizesFor("gc", runtime.GOARCH),
		FakeImportC:      true, // cgo is not run to read a spec
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		config.GoVersion = "go" + p.Module.GoVersion
	}
	var found diag.List
	config.Error = func(err error) {
		e, ok := errors.AsType[types.Error](err)
		if !ok {
			e.Msg = err.Error()
		}
		at := l.fset.Position(e.Pos)
		if more, ok := strings.CutPrefix(e.Msg, "\t"); ok && len(found) > 0 {
			last := &found[len(found)-1]
			last.Related = append(last.Related, diag.Related{Pos: at, Message: more})
			return
		}
		hint := ""
		if strings.HasPrefix(e.Msg, "could not import "+Vocabulary+" ") {
			hint = "run go get " + Vocabulary
		}
		found = append(found, diag.Diagnostic{Pos: at, Code: diag.BadPackage, Message: e.Msg, Hint: hint})
	}
	u.pkg.Types, _ = config.Check(p.PkgPath, l.fset, u.pkg.Syntax, u.pkg.Info) // errors went to config.Error
	for _, d := range found {
		u.pkg.Compiles = false
		l.bag.Report(d)
	}
}

func (l *loader) report(u *unit, at token.Position, message string) {
	u.pkg.Compiles = false
	l.bag.Report(diag.Diagnostic{Pos: at, Code: diag.BadPackage, Message: message})
}

// An importer finds what one unit imports.
type importer struct {
	l *loader
	u *unit
	p *packages.Package
}

// Import implements types.Importer.
func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	p := i.p.Imports[path]
	if u := i.l.units[path]; p == nil && u != nil && u.pkg.Types == nil { // in the midst of it
		return nil, errors.New("import cycle not allowed")
	}
	if p == nil {
		return nil, errors.New(listError(i.p.Errors, path, "the go command does not list it"))
	}
	if t := i.l.opaque[p.PkgPath]; t != nil {
		return t, nil
	}
	if len(p.GoFiles) == 0 || len(p.Errors) > 0 {
		return nil, errors.New(listError(p.Errors, path, "no Go files"))
	}
	d := i.l.load(p, true)
	i.u.deps = append(i.u.deps, d)
	if d.pkg.Types == nil {
		return nil, fmt.Errorf("package %s does not compile", strconv.Quote(path))
	}
	return d.pkg.Types, nil
}

// listError is what the go command says about an import, on one line.
func listError(list []packages.Error, path, otherwise string) string {
	for _, e := range list {
		if strings.Contains(e.Msg, path) || len(list) == 1 {
			return strings.Join(strings.Fields(e.Msg), " ")
		}
	}
	return otherwise
}
