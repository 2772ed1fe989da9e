package read

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strconv"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/tag"
)

// A field is one named field of a struct. A declaration of several names is
// several fields with one tag.
type field struct {
	decl  *decl
	syn   *ast.Field
	name  *ast.Ident
	doc   string
	index int
	word  word
}

// fields lists the named fields that can be read, and reports the others: those
// that are not exported, embedded or blank. Blank fields of type Compute are
// returned apart.
func (r *reader) fields(d *decl, k kind) (all []field, compute []*ast.Field) {
	index := 0
	for _, f := range d.body.Fields.List {
		w := d.word(f.Type)
		if len(f.Names) == 0 {
			if f != k.field && w.name == "" && d.valid(f.Type) {
				hint := "declare its fields here"
				if k.name == "Pipeline" {
					hint = "give the field a name"
				}
				r.reportAt(f.Type, diag.FieldType, fmt.Sprintf("%q embeds %s, which is not a kind", d.spec.Name.Name, types.ExprString(f.Type)), hint)
			}
			continue
		}
		for _, n := range f.Names {
			switch {
			case n.Name == "_" && w.name == "Compute" && k.name != "Pipeline":
				compute = append(compute, f)
			case n.Name == "_" || w.name == "Compute":
				r.reportAt(f.Type, diag.FieldType, fmt.Sprintf("field %q of %q has type %s", n.Name, d.spec.Name.Name, types.ExprString(f.Type)),
					"write _ mlmax.Compute in a step, and give any other field a name")
			case !n.IsExported():
				r.reportAt(n, diag.UnexportedField, fmt.Sprintf("field %q of %q is not exported", n.Name, d.spec.Name.Name),
					"start its name with a capital letter")
			default:
				all = append(all, field{d, f, n, docOf(f.Doc, f.Comment), index, w})
				index++
			}
		}
	}
	return all, compute
}

// valid reports whether the compiler knows the type; what it does not know it
// has reported itself.
func (d *decl) valid(e ast.Expr) bool {
	t := d.pkg.Info.TypeOf(e)
	return t != nil && t.Underlying() != types.Typ[types.Invalid]
}

// badType reports a field of a type that it cannot have.
func (r *reader) badType(f field, why, hint string) {
	if f.decl.valid(f.syn.Type) {
		r.reportAt(f.syn.Type, diag.FieldType, fmt.Sprintf("field %q has type %s: %s", f.name.Name, types.ExprString(f.syn.Type), why), hint)
	}
}

// basic is the type of a parameter or report value, or empty.
func (f field) basic() ir.Type {
	b, ok := types.Unalias(f.decl.pkg.Info.TypeOf(f.syn.Type)).(*types.Basic)
	if !ok {
		return ""
	}
	switch b.Kind() {
	case types.String:
		return ir.String
	case types.Bool:
		return ir.Bool
	case types.Int:
		return ir.Int
	case types.Float64:
		return ir.Float
	}
	return ""
}

// decode reads the tags of fields, one after the other, into a directive. Whole is
// where a missing key is reported. The result says whether the tags could be read
// to their ends and hold no unknown keys: of others nothing can be said to be missing.
func (r *reader) decode(d *decl, whole ast.Node, directive any, fields ...*ast.Field) bool {
	var all, doubtful []tag.Pair
	complete := true
	for _, f := range fields {
		if f.Tag == nil {
			continue
		}
		pairs, problems := tag.Parse(f.Tag.Pos(), d.pkg.Source(f.Tag.Pos(), f.Tag.End()))
		all = append(all, pairs...)
		complete = complete && len(problems) == 0
		if n := len(pairs); len(problems) > 0 && n > 0 {
			doubtful = append(doubtful, pairs[n-1]) // the value before the fault may be what it broke
		}
		r.problems(f.Tag, problems)
	}
	problems := tag.Decode(all, directive)
	if !complete {
		problems = slices.DeleteFunc(problems, func(p tag.Problem) bool {
			return p.Code == diag.MissingKey || slices.ContainsFunc(doubtful, func(d tag.Pair) bool { return p.Pos == d.Value.Pos() })
		})
	}
	r.problems(whole, problems)
	return complete && !slices.ContainsFunc(problems, func(p tag.Problem) bool { return p.Code == diag.UnknownKey })
}

func (r *reader) problems(whole ast.Node, problems []tag.Problem) {
	for _, p := range problems {
		pos, end := p.Pos, p.End
		if !pos.IsValid() {
			pos, end = whole.Pos(), whole.End()
		}
		var related []diag.Related
		for _, more := range p.Related {
			related = append(related, diag.Related{Pos: r.at(more.Pos), Message: more.Message})
		}
		r.report(r.at(pos), r.at(end), p.Code, p.Message, p.Hint, related...)
	}
}

// val is a tag's value with resolved positions.
func val[T any](r *reader, v tag.Val[T]) ir.At[T] {
	return convert(r, v, func(t T) T { return t })
}

func convert[T, U any](r *reader, v tag.Val[T], to func(T) U) ir.At[U] {
	if !v.Set() {
		return ir.At[U]{}
	}
	return ir.At[U]{V: to(v.V), Pos: r.at(v.Pos()), End: r.at(v.End())}
}

func (r *reader) assignments(list tag.Assignments) []ir.Assignment {
	var all []ir.Assignment
	for _, a := range list {
		all = append(all, ir.Assignment{Left: val(r, a.Left), Right: val(r, a.Right)})
	}
	return all
}

func (r *reader) names(list tag.Names) []ir.At[string] {
	var all []ir.At[string]
	for _, n := range list {
		all = append(all, val(r, n))
	}
	return all
}

func (r *reader) only(o tag.Only) ir.At[ir.Only] {
	if !o.Left.Set() {
		return ir.At[ir.Only]{}
	}
	return ir.At[ir.Only]{
		V:   ir.Only{Field: val(r, o.Left), Value: val(r, o.Right)},
		Pos: r.at(o.Left.Pos()), End: r.at(o.Right.End()),
	}
}

// param makes a parameter of a field and its bounds.
func (r *reader) param(f field, t ir.Type, b tag.Bounds) *ir.Param {
	return &ir.Param{
		Name: f.name.Name, Pos: r.at(f.name.Pos()), Doc: f.doc, Type: t,
		Default: val(r, b.Default), DefaultValue: literal(t, b.Default),
		Enum: val(r, b.Enum), Min: val(r, b.Min), Max: val(r, b.Max), Pattern: val(r, b.Pattern),
	}
}

// literal reads a default as its type: nil if there is none or it does not fit.
func literal(t ir.Type, v tag.Val[string]) any {
	if !v.Set() {
		return nil
	}
	switch t {
	case ir.String:
		return v.V
	case ir.Bool:
		if v.V == "true" || v.V == "false" {
			return v.V == "true"
		}
	case ir.Int:
		if n, err := strconv.ParseInt(v.V, 10, 64); err == nil {
			return n
		}
	case ir.Float:
		if x, ok := finite(v.V); ok {
			return x
		}
	}
	return nil
}
