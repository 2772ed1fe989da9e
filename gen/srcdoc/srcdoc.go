// Package srcdoc reads the doc comments of declarations out of Go source, so
// that help texts are printed from the comments next to the code they describe.
// Source goes in (embedded by the package that it belongs to), declarations with
// their comments come out, in source order. It type-checks nothing and reads no
// file itself.
package srcdoc

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
)

// A Value is a constant of a string type, with its comment.
type Value struct {
	Name, Value string
	Doc         string
}

// A Struct is a struct type with its comment and fields.
type Struct struct {
	Name   string
	Doc    string
	Fields []Field
}

// A Field is a field of a struct. An embedded field has the name of its type and
// Embedded set.
type Field struct {
	Name     string
	Type     string // as written
	Tag      reflect.StructTag
	Doc      string
	Embedded bool
}

// Values lists the string constants of a source file in order.
func Values(source string) ([]Value, error) {
	file, err := parse(source)
	if err != nil {
		return nil, err
	}
	var all []Value
	for _, spec := range specs(file, token.CONST) {
		v, ok := spec.node.(*ast.ValueSpec)
		if !ok || len(v.Names) != 1 || len(v.Values) != 1 {
			continue
		}
		lit, ok := v.Values[0].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			continue
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			return nil, fmt.Errorf("reading constant %s: %w", v.Names[0].Name, err)
		}
		all = append(all, Value{v.Names[0].Name, text, doc(v.Doc, spec.doc)})
	}
	return all, nil
}

// Structs lists the struct types of a source file in order.
func Structs(source string) ([]Struct, error) {
	file, err := parse(source)
	if err != nil {
		return nil, err
	}
	var all []Struct
	for _, spec := range specs(file, token.TYPE) {
		t, ok := spec.node.(*ast.TypeSpec)
		if !ok {
			continue
		}
		body, ok := t.Type.(*ast.StructType)
		if !ok {
			continue
		}
		s := Struct{Name: t.Name.Name, Doc: doc(t.Doc, spec.doc)}
		for _, f := range body.Fields.List {
			s.Fields = append(s.Fields, fields(source, f)...)
		}
		all = append(all, s)
	}
	return all, nil
}

func parse(source string) (*ast.File, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parsing embedded source: %w", err)
	}
	return file, nil
}

// A declared is one spec of a declaration; doc is the declaration's comment if
// the spec stands alone in it.
type declared struct {
	node ast.Spec
	doc  *ast.CommentGroup
}

func specs(file *ast.File, tok token.Token) []declared {
	var all []declared
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != tok {
			continue
		}
		for _, s := range g.Specs {
			one := declared{node: s}
			if !g.Lparen.IsValid() {
				one.doc = g.Doc
			}
			all = append(all, one)
		}
	}
	return all
}

func fields(source string, f *ast.Field) []Field {
	typ := source[f.Type.Pos()-1 : f.Type.End()-1]
	one := Field{Type: typ, Doc: doc(f.Doc, nil)}
	if f.Tag != nil {
		if text, err := strconv.Unquote(f.Tag.Value); err == nil {
			one.Tag = reflect.StructTag(text)
		}
	}
	if len(f.Names) == 0 {
		one.Name, one.Embedded = typ[strings.LastIndexByte(typ, '.')+1:], true
		return []Field{one}
	}
	var all []Field
	for _, n := range f.Names {
		one.Name = n.Name
		all = append(all, one)
	}
	return all
}

// doc is the text of the first comment that there is.
func doc(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if g != nil {
			return strings.TrimSpace(g.Text())
		}
	}
	return ""
}
