package read

import (
	"fmt"
	"go/types"
	"math"
	"strconv"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/tag"
)

// artifactOf is the artifact that a port or source holds, or nil if its type
// argument is not one; that is reported.
func (r *reader) artifactOf(f field) *ir.Artifact {
	if !f.decl.valid(f.word.arg) || f.word.argType == nil {
		return nil
	}
	if _, ok := types.Unalias(f.word.argType).(*types.TypeParam); ok {
		return nil // reported of the step that has it
	}
	named, ok := types.Unalias(f.word.argType).(*types.Named)
	var d *decl
	if ok {
		d = r.decls[named.Obj()]
	}
	if d == nil || d.spec.TypeParams != nil {
		r.reportAt(f.word.arg, diag.FieldType, fmt.Sprintf("%s is not an artifact", types.ExprString(f.word.arg)),
			"name a struct type declared for it, such as type TrainSet struct{}")
		return nil
	}
	for _, g := range d.body.Fields.List {
		if w := d.word(g.Type); len(g.Names) == 0 && kinds[w.name] != "" && w.name != "File" {
			r.reportAt(f.word.arg, diag.FieldType, fmt.Sprintf("%q is %s, not an artifact", d.spec.Name.Name, kinds[w.name]),
				"name the type of what it writes",
				diag.Related{Pos: r.at(d.spec.Name.Pos()), Message: fmt.Sprintf("%q is declared here", d.spec.Name.Name)})
			return nil
		}
	}
	return r.artifact(d)
}

// artifact reads an artifact's type, once.
func (r *reader) artifact(d *decl) *ir.Artifact {
	if a := r.artifacts[d.object]; a != nil {
		return a
	}
	a := &ir.Artifact{Name: d.spec.Name.Name, Path: d.pkg.Path, Pos: r.at(d.spec.Name.Pos()), Doc: d.doc}
	r.artifacts[d.object] = a
	r.spec.Artifacts = append(r.spec.Artifacts, a)

	var k kind
	for _, f := range d.body.Fields.List {
		if d.word(f.Type).name == "File" && len(f.Names) == 0 {
			k = kind{"File", f}
			a.File = true
			var directive tag.File
			r.decode(d, f.Type, &directive, f)
			a.FileName = val(r, directive.Name)
			break
		}
	}
	fields, compute := r.fields(d, k)
	for _, f := range compute {
		r.reportAt(f.Type, diag.FieldType, fmt.Sprintf("artifact %q runs on nothing", a.Name), "remove the field")
	}
	for _, f := range fields {
		r.reportField(a, f)
	}
	return a
}

func (r *reader) reportField(a *ir.Artifact, f field) {
	t := f.basic()
	switch {
	case !a.File:
		r.reportAt(f.name, diag.FieldType, fmt.Sprintf("artifact %q is a folder: nothing can be read into its field %q", a.Name, f.name.Name),
			"embed mlmax.File in "+a.Name+", or remove the field")
		return
	case t == "":
		r.badType(f, "a report's values are string, bool, int or float64", "use one of these types")
		return
	}
	var directive tag.ReportField
	r.decode(f.decl, f.name, &directive, f.syn)
	v := &ir.ReportField{Name: f.name.Name, Pos: r.at(f.name.Pos()), Doc: f.doc, Type: t, JSON: val(r, directive.JSON)}
	if v.JSON.V == "" {
		v.JSON.V = v.Name
	}
	a.Values = append(a.Values, v)
}

// finite reads a decimal number that JSON can hold.
func finite(s string) (float64, bool) {
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}
