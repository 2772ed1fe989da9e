// Package read turns typed syntax and tags into an ir.Spec: what is declared, as
// written, every token with its position. It reports what cannot be read: a
// struct of no kind or of two, a field of a type that its struct cannot have, a
// malformed tag or condition, an environment that is not constant. What the
// declarations mean together is not judged here, and nothing is executed.
package read

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/load"
)

// Read reads one package. The Spec holds everything that could be read, even when
// something was reported for it.
func Read(p *load.Package, bag *diag.Bag) *ir.Spec {
	r := &reader{
		home: p, bag: bag,
		decls:     map[*types.TypeName]*decl{},
		artifacts: map[*types.TypeName]*ir.Artifact{},
		steps:     map[*types.TypeName]*ir.Step{},
		unclear:   map[*decl]bool{},
	}
	r.spec = &ir.Spec{Path: p.Path, Name: p.Name, Dir: p.Dir, ModulePath: p.ModulePath, ModuleDir: p.ModuleDir}
	for _, f := range p.Syntax {
		if !r.spec.Pos.IsValid() {
			r.spec.Pos = p.Fset.Position(f.Package)
		}
		if f.Doc != nil && r.spec.Doc == "" {
			r.spec.Doc = strings.TrimSpace(f.Doc.Text())
		}
	}
	for _, dep := range p.Deps {
		r.index(dep)
	}
	own := r.index(p)
	read := make([]kind, len(own))
	for i, d := range own { // all kinds first: a pipeline may hold a step declared below it
		read[i] = r.kind(d)
	}
	for i, d := range own {
		r.declaration(d, read[i])
	}
	r.environments()
	r.sort()
	if len(r.spec.Pipelines) == 0 && p.Named && p.Compiles && len(r.unclear) == 0 {
		r.report(r.spec.Pos, r.spec.Pos, diag.NoPipelines, "package "+quote(p.Name)+" declares no pipeline",
			"embed mlmax.Pipeline in a struct whose fields are steps")
	}
	return r.spec
}

type reader struct {
	home      *load.Package
	bag       *diag.Bag
	spec      *ir.Spec
	decls     map[*types.TypeName]*decl
	artifacts map[*types.TypeName]*ir.Artifact
	steps     map[*types.TypeName]*ir.Step
	unclear   map[*decl]bool // structs of which it was reported that their kind is not clear
	unread    bool           // something in the environment at hand is not constant
}

// A decl is a struct type declared in a package from source.
type decl struct {
	pkg    *load.Package
	spec   *ast.TypeSpec
	body   *ast.StructType
	doc    string
	object *types.TypeName
}

// index finds the struct types that a package declares at its top level.
func (r *reader) index(p *load.Package) []*decl {
	var all []*decl
	for _, file := range p.Syntax {
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, s := range g.Specs {
				t := s.(*ast.TypeSpec)
				body, ok := t.Type.(*ast.StructType)
				object, known := p.Info.Defs[t.Name].(*types.TypeName)
				if !ok || !known || t.Assign.IsValid() {
					continue
				}
				one := &decl{p, t, body, docOf(t.Doc), object}
				if one.doc == "" && !g.Lparen.IsValid() {
					one.doc = docOf(g.Doc)
				}
				r.decls[object] = one
				all = append(all, one)
			}
		}
	}
	return all
}

// declaration reads one struct of the spec's own package.
func (r *reader) declaration(d *decl, k kind) {
	switch k.name {
	case "Pipeline":
		r.pipeline(d, k)
	case "Processing", "Training":
		r.step(d, k)
	case "File":
		r.artifact(d)
	}
}

// sort puts what was found into source order: the package's own first, then that
// of others by path.
func (r *reader) sort() {
	less := func(aPath, bPath string, a, b token.Position) int {
		if (aPath == r.spec.Path) != (bPath == r.spec.Path) {
			if aPath == r.spec.Path {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(aPath, bPath), strings.Compare(a.Filename, b.Filename), cmp.Compare(a.Offset, b.Offset))
	}
	slices.SortFunc(r.spec.Artifacts, func(a, b *ir.Artifact) int { return less(a.Path, b.Path, a.Pos, b.Pos) })
	slices.SortFunc(r.spec.Steps, func(a, b *ir.Step) int { return less(a.Path, b.Path, a.Pos, b.Pos) })
}

// report reports an error at a place that is already resolved.
func (r *reader) report(pos, end token.Position, code diag.Code, message, hint string, related ...diag.Related) {
	r.bag.Report(diag.Diagnostic{Pos: pos, End: end, Code: code, Message: message, Hint: hint, Related: related})
}

// reportAt reports an error at a node.
func (r *reader) reportAt(n ast.Node, code diag.Code, message, hint string, related ...diag.Related) {
	r.report(r.at(n.Pos()), r.at(n.End()), code, message, hint, related...)
}

// at resolves a position; all packages of one load share a file set.
func (r *reader) at(pos token.Pos) token.Position {
	if !pos.IsValid() {
		return token.Position{}
	}
	return r.home.Fset.Position(pos)
}

// docOf is a comment's text.
func docOf(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := strings.TrimSpace(g.Text()); text != "" {
			return text
		}
	}
	return ""
}
