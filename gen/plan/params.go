package plan

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// dataRoot is where data is uploaded to, below the environment's prefix: every
// location may lie there.
const dataRoot = "data/"

// parameters collects what a run can be given: the pipeline's own first, in source
// order, then those of its steps that nothing fixes.
func (p *planner) parameters() {
	type own struct {
		line, column int
		param        *ir.Parameter
	}
	var all []own
	for _, s := range p.pipe.Sources {
		all = append(all, own{s.Pos.Line, s.Pos.Column, p.location(s)})
	}
	for _, v := range p.pipe.Versions {
		all = append(all, own{v.Pos.Line, v.Pos.Column, p.version(v)})
	}
	for _, v := range p.pipe.Params {
		all = append(all, own{v.Pos.Line, v.Pos.Column, parameter("", v)})
	}
	slices.SortStableFunc(all, func(a, b own) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	for _, o := range all {
		p.out.Parameters = append(p.out.Parameters, o.param)
	}
	for _, u := range p.pipe.Uses {
		for _, v := range u.Step.Params {
			p.resolve(u, v)
		}
	}
}

// location is the parameter that a source is.
func (p *planner) location(s *ir.Source) *ir.Parameter {
	param := &ir.Parameter{
		Key: s.Name, Field: s.Name, Flag: kebab(s.Name), Doc: s.Doc, Type: ir.String,
		Location: true, Artifact: s.Artifact.Name, ArtifactPath: foreign(s.Artifact, p.spec.Path), File: s.Artifact.File,
		Roots: []string{dataRoot},
	}
	if s.Local.V != "" {
		param.Local = p.below(p.spec.Dir, s.Local.V)
	}
	key := s.Default.V
	if key == "" {
		return param
	}
	if !param.File && !strings.HasSuffix(key, "/") {
		key += "/" // S3Prefix takes every key that starts with the text
	}
	param.Default = key
	root := key
	if param.File {
		root = path.Dir(key) + "/"
	}
	switch {
	case root == "./": // a file right below the prefix: that file alone
		param.Roots = append(param.Roots, key)
	case !strings.HasPrefix(root, dataRoot):
		param.Roots = append(param.Roots, root)
	}
	return param
}

// parameter is the parameter that a field is, of a step or of the pipeline itself.
func parameter(step string, v *ir.Param) *ir.Parameter {
	p := &ir.Parameter{
		Key: v.Name, Step: step, Field: v.Name, Flag: kebab(v.Name), Doc: v.Doc, Type: v.Type,
		Default: v.DefaultValue, Enum: v.Enum.V, Pattern: v.Pattern.V,
	}
	if step != "" {
		p.Key = step + "." + v.Name
		p.Flag = kebab(step) + "." + p.Flag
	}
	if v.Min.Written() {
		p.Min = &v.Min.V
	}
	if v.Max.Written() {
		p.Max = &v.Max.V
	}
	return p
}

// resolve finds out where the value of a step's parameter comes from: a literal or
// a parameter of the pipeline that set names, else a parameter of its own.
func (p *planner) resolve(u *ir.Use, v *ir.Param) {
	name := u.Name + "." + v.Name
	for _, a := range u.Set {
		if a.Left.V != v.Name {
			continue
		}
		if i := slices.IndexFunc(p.out.Parameters, func(q *ir.Parameter) bool {
			return q.Step == "" && !q.Location && q.Key == a.Right.V && q.Type == v.Type
		}); i >= 0 {
			narrow(p.out.Parameters[i], parameter(u.Name, v))
			p.values[name] = &ir.Value{Type: v.Type, Param: a.Right.V}
			return
		}
		p.values[name] = &ir.Value{Type: v.Type, Lit: literal(v.Type, a.Right.V)}
		return
	}
	if !p.exists(u, v.Only) {
		return
	}
	param := parameter(u.Name, v)
	p.out.Parameters = append(p.out.Parameters, param)
	p.values[name] = &ir.Value{Type: v.Type, Param: param.Key}
}

// narrow holds a parameter of the pipeline to the bounds of a step's that it is
// bound to, so that no value passes the first check and is refused by the step.
func narrow(p, by *ir.Parameter) {
	if by.Min != nil && (p.Min == nil || *p.Min < *by.Min) {
		p.Min = by.Min
	}
	if by.Max != nil && (p.Max == nil || *p.Max > *by.Max) {
		p.Max = by.Max
	}
	if p.Pattern == "" {
		p.Pattern = by.Pattern
	}
	switch {
	case len(p.Enum) == 0:
		p.Enum = by.Enum
	case len(by.Enum) > 0:
		p.Enum = slices.DeleteFunc(slices.Clone(p.Enum), func(e string) bool { return !slices.Contains(by.Enum, e) })
	}
}

// exists reports whether a port or parameter exists in the mode that the pipeline
// uses its step in.
func (p *planner) exists(u *ir.Use, only ir.At[ir.Only]) bool {
	if only.V.Field.V == "" {
		return true
	}
	for _, a := range u.Set {
		if a.Left.V == only.V.Field.V {
			return a.Right.V == only.V.Value.V
		}
	}
	i := slices.IndexFunc(u.Step.Params, func(v *ir.Param) bool { return v.Name == only.V.Field.V })
	if i < 0 {
		bug("%s: only names no field %q", u.Name, only.V.Field.V)
	}
	return fmt.Sprint(u.Step.Params[i].DefaultValue) == only.V.Value.V
}

// literal is a text of set as a value of the type.
func literal(t ir.Type, text string) any {
	var value any
	var err error
	switch t {
	case ir.Bool:
		value, err = strconv.ParseBool(text)
	case ir.Int:
		value, err = strconv.ParseInt(text, 10, 64)
	case ir.Float:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			bug("%q is not finite", text)
		}
		value = f
	default:
		value = text
	}
	if err != nil {
		bug("%q is not a %s", text, t)
	}
	return value
}
