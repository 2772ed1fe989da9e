package read

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// environments reads the package-level variables of type mlmax.Environment.
func (r *reader) environments() {
	for _, file := range r.home.Syntax {
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				doc := docOf(v.Doc, v.Comment)
				if doc == "" && !g.Lparen.IsValid() {
					doc = docOf(g.Doc)
				}
				for i, name := range v.Names {
					r.variable(v, i, name, doc)
				}
			}
		}
	}
}

func (r *reader) variable(v *ast.ValueSpec, i int, name *ast.Ident, doc string) {
	object := r.home.Info.Defs[name]
	if object == nil || !holdsEnvironment(object.Type()) {
		return
	}
	if !isEnvironment(object.Type()) {
		r.reportAt(name, diag.EnvironmentValue, fmt.Sprintf("variable %q holds environments as %s", name.Name, types.TypeString(object.Type(), (*types.Package).Name)),
			"declare a variable of type mlmax.Environment for each")
		return
	}
	e := &ir.Environment{VarName: name.Name, Pos: r.at(name.Pos()), Doc: doc}
	if len(v.Values) == 0 {
		r.reportAt(name, diag.EnvironmentValue, fmt.Sprintf("environment %q has no value", name.Name), "give it a literal mlmax.Environment{…}")
		return
	}
	value := v.Values[min(i, len(v.Values)-1)]
	lit, ok := ast.Unparen(value).(*ast.CompositeLit)
	if !ok {
		r.reportAt(value, diag.EnvironmentValue, fmt.Sprintf("environment %q is not a literal", name.Name), "write its members as mlmax.Environment{…}")
		return
	}
	r.unread = false
	for _, element := range lit.Elts {
		kv, ok := element.(*ast.KeyValueExpr)
		if !ok {
			if !r.home.Compiles {
				return // with what the compiler has said, that would be the same twice
			}
			r.reportAt(element, diag.EnvironmentValue, fmt.Sprintf("a member of environment %q has no name", name.Name), "write each member as Name: value")
			return
		}
		if key, ok := kv.Key.(*ast.Ident); ok {
			r.member(e, key.Name, kv.Value)
		}
	}
	// One that could not be read in full is not judged: an absent member would be
	// taken for one that was not given.
	if !r.unread {
		r.spec.Environments = append(r.spec.Environments, e)
	}
}

func (r *reader) member(e *ir.Environment, name string, value ast.Expr) {
	texts := map[string]*ir.At[string]{
		"Name": &e.Name, "Account": &e.Account, "Region": &e.Region, "Bucket": &e.Bucket, "Prefix": &e.Prefix,
		"KmsKey": &e.KmsKey, "PermissionsBoundary": &e.PermissionsBoundary,
		"TimeZone": &e.TimeZone, "Notify": &e.Notify,
	}
	lists := map[string]*[]ir.At[string]{"Readable": &e.Readable, "Subnets": &e.Subnets, "SecurityGroups": &e.SecurityGroups}
	tables := map[string]*[]ir.Pair{"Instances": &e.Instances, "Tags": &e.Tags}
	switch {
	case texts[name] != nil:
		*texts[name] = r.text(value)
	case lists[name] != nil:
		*lists[name] = r.list(value)
	case tables[name] != nil:
		*tables[name] = r.table(value)
	case name == "LogRetentionDays":
		e.LogRetentionDays = constantOf(r, value, func(v constant.Value) (int, bool) {
			n, ok := constant.Int64Val(constant.ToInt(v))
			return int(n), ok
		})
	case name == "Schedule":
		e.Schedule = constantOf(r, value, func(v constant.Value) (bool, bool) {
			return v.Kind() == constant.Bool && constant.BoolVal(v), v.Kind() == constant.Bool
		})
	case r.home.Compiles:
		panic("read: no way to read member " + name + " of an environment")
	default:
		r.unread = true // there is no such member, and the compiler has said so
	}
}

func (r *reader) text(value ast.Expr) ir.At[string] {
	return constantOf(r, value, func(v constant.Value) (string, bool) {
		return constant.StringVal(v), v.Kind() == constant.String
	})
}

// constantOf folds an expression, or reports that it is not a constant.
func constantOf[T any](r *reader, value ast.Expr, to func(constant.Value) (T, bool)) ir.At[T] {
	at := ir.At[T]{Pos: r.at(value.Pos()), End: r.at(value.End())}
	if v := r.home.Info.Types[value].Value; v != nil {
		if folded, ok := to(v); ok {
			at.V = folded
			return at
		}
	}
	r.notConstant(value, "write it as a literal or a constant")
	return at
}

func (r *reader) notConstant(value ast.Expr, hint string) {
	r.unread = true
	if t := r.home.Info.TypeOf(value); t != nil && t != types.Typ[types.Invalid] {
		r.reportAt(value, diag.EnvironmentValue, types.ExprString(value)+" is not a constant", hint)
	}
}

// elements are the members of a literal list or map; nil counts as an empty one.
func (r *reader) elements(value ast.Expr) []ast.Expr {
	if lit, ok := ast.Unparen(value).(*ast.CompositeLit); ok {
		return lit.Elts
	}
	if !r.home.Info.Types[value].IsNil() {
		r.notConstant(value, "write its members out")
	}
	return nil
}

func (r *reader) list(value ast.Expr) []ir.At[string] {
	var all []ir.At[string]
	for _, e := range r.elements(value) {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value // an index, as in {0: "a"}
		}
		all = append(all, r.text(e))
	}
	return all
}

func (r *reader) table(value ast.Expr) []ir.Pair {
	var all []ir.Pair
	for _, e := range r.elements(value) {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			all = append(all, ir.Pair{Key: r.text(kv.Key), Value: r.text(kv.Value)})
		}
	}
	return all
}

func isEnvironment(t types.Type) bool {
	w := wordOfType(t)
	return w.name == "Environment" && !w.pointer
}

// holdsEnvironment reports whether a type is an environment or a pointer to,
// slice, array or map of them.
func holdsEnvironment(t types.Type) bool {
	if wordOfType(t).name == "Environment" {
		return true
	}
	if e, ok := types.Unalias(t).(interface{ Elem() types.Type }); ok {
		return holdsEnvironment(e.Elem())
	}
	return false
}
