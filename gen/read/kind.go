package read

import (
	"fmt"
	"go/ast"
	"go/types"
	"strconv"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/load"
)

func quote(s string) string { return strconv.Quote(s) }

// A word is a type of the vocabulary as a field names it: its name, and what it
// is instantiated with. The name is empty for any other type.
type word struct {
	name    string
	arg     ast.Expr   // the artifact's type as written, for Input[T] and the like
	argType types.Type // and its type
	pointer bool
}

// word recognises a type of the vocabulary by its identity, so that aliases and
// renamed imports are the same.
func (d *decl) word(e ast.Expr) word { return wordOf(d.pkg, e) }

func wordOf(p *load.Package, e ast.Expr) word {
	w := wordOfType(p.Info.TypeOf(e))
	if w.argType != nil {
		w.arg = e
		if index, ok := ast.Unparen(e).(*ast.IndexExpr); ok {
			w.arg = index.Index
		}
	}
	return w
}

func wordOfType(t types.Type) word {
	if t == nil {
		return word{}
	}
	var w word
	t = types.Unalias(t)
	if ptr, ok := t.(*types.Pointer); ok {
		w.pointer = true
		t = types.Unalias(ptr.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != load.Vocabulary {
		return word{}
	}
	w.name = named.Obj().Name()
	if args := named.TypeArgs(); args.Len() == 1 {
		w.argType = args.At(0)
	}
	return w
}

// A kind is what a struct is: the vocabulary's type that it embeds, and where.
type kind struct {
	name  string
	field *ast.Field
}

// kinds are those types of the vocabulary that say what a struct is.
var kinds = map[string]string{
	"Pipeline":   "a pipeline",
	"Processing": "a processing step",
	"Training":   "a training step",
	"File":       "a file",
}

// parts are those types of the vocabulary that only a step or pipeline can hold.
var parts = map[string]string{
	"Input": "mlmax.Processing", "Output": "mlmax.Processing",
	"Channel": "mlmax.Training", "Model": "mlmax.Training", "Compute": "the step's kind",
	"Source": "mlmax.Pipeline", "RegisterModel": "mlmax.Pipeline", "ModelVersion": "mlmax.Pipeline",
}

// kind finds out what a struct is, and reports if that is not clear.
func (r *reader) kind(d *decl) kind {
	var found kind
	var part *ast.Field
	unclear := false
	for _, f := range d.body.Fields.List {
		w := d.word(f.Type)
		switch {
		case w.name == "":
		case len(f.Names) > 0:
			if kinds[w.name] != "" {
				unclear = true
				r.reportAt(f.Type, diag.BadKind, fmt.Sprintf("field %q has the kind mlmax.%s as its type", f.Names[0].Name, w.name),
					"embed the kind: remove the field's name")
			} else if parts[w.name] != "" && part == nil {
				part = f
			}
		case kinds[w.name] == "" || w.pointer:
			unclear = true
			r.reportAt(f.Type, diag.BadKind, fmt.Sprintf("%s is not a kind that %q can embed", types.ExprString(f.Type), d.spec.Name.Name),
				"embed mlmax.Pipeline, mlmax.Processing, mlmax.Training or mlmax.File")
		case found.field != nil:
			unclear = true
			r.reportAt(f.Type, diag.BadKind, fmt.Sprintf("%q is %s already and cannot be %s, too", d.spec.Name.Name, kinds[found.name], kinds[w.name]),
				"split it into two types", diag.Related{Pos: r.at(found.field.Type.Pos()), Message: "the first kind is embedded here"})
		default:
			found = kind{w.name, f}
		}
	}
	if found.field == nil && part != nil && !unclear {
		unclear = true
		w := d.word(part.Type)
		r.reportAt(d.spec.Name, diag.BadKind, fmt.Sprintf("struct %q embeds no kind, but has a mlmax.%s", d.spec.Name.Name, w.name),
			"embed "+parts[w.name]+" in it",
			diag.Related{Pos: r.at(part.Pos()), Message: fmt.Sprintf("field %q is declared here", part.Names[0].Name)})
	}
	if unclear {
		r.unclear[d] = true
	}
	return found
}
