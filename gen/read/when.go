package read

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/tag"
)

// condition parses the value of when: Go's expressions, restricted to comparisons
// of fields and literals with && || ! and parentheses. It is nil if something was
// reported.
func (r *reader) condition(text tag.Text) *ir.Expr {
	c := &cond{r: r, text: text, fset: token.NewFileSet()}
	e, err := parser.ParseExprFrom(c.fset, "", text.S, parser.SkipObjectResolution)
	var list scanner.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		i := min(list[0].Pos.Offset, len(text.S))
		c.fail(i, min(i+1, len(text.S)), "the condition cannot be parsed: "+plain(list[0].Msg),
			`write comparisons joined by && and ||, such as "Evaluate.Report.ROCAUC >= MinROCAUC"`)
		return nil
	}
	x := c.expr(e)
	if x == nil {
		return nil
	}
	if x.Op == "" && x.Lit != nil {
		if _, ok := x.Lit.(bool); !ok {
			c.failAt(e, "the condition is a literal and not a comparison", "compare two values")
			return nil
		}
	}
	return x
}

// plain takes the parser's words about files out of a message about a condition.
func plain(message string) string {
	return strings.NewReplacer("'EOF'", "its end", "newline", "its end").Replace(message)
}

type cond struct {
	r    *reader
	text tag.Text
	fset *token.FileSet
}

// offset is the index in the text of a position of the parsed expression.
func (c *cond) offset(pos token.Pos) int { return min(c.fset.Position(pos).Offset, len(c.text.S)) }

func (c *cond) fail(i, j int, message, hint string) {
	c.r.report(c.r.at(c.text.At(i)), c.r.at(c.text.At(j)), diag.WhenSyntax, message, hint)
}

func (c *cond) failAt(n ast.Node, message, hint string) *ir.Expr {
	c.fail(c.offset(n.Pos()), c.offset(n.End()), message, hint)
	return nil
}

// operators are those that a condition may use.
var operators = map[token.Token]bool{
	token.LAND: true, token.LOR: true, token.EQL: true, token.NEQ: true,
	token.LSS: true, token.LEQ: true, token.GTR: true, token.GEQ: true,
}

func (c *cond) expr(e ast.Expr) *ir.Expr {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return c.expr(e.X)
	case *ast.BinaryExpr:
		if !operators[e.Op] {
			op := c.offset(e.OpPos)
			c.fail(op, op+len(e.Op.String()), fmt.Sprintf("operator %q has no place in a condition", e.Op), "use == != < <= > >= && || or !")
			return nil
		}
		x, y := c.expr(e.X), c.expr(e.Y)
		if x == nil || y == nil {
			return nil
		}
		return c.at(e, ir.Expr{Op: e.Op.String(), X: x, Y: y})
	case *ast.UnaryExpr:
		return c.unary(e)
	case *ast.BasicLit:
		return c.literal(e)
	case *ast.Ident:
		if e.Name == "true" || e.Name == "false" {
			return c.at(e, ir.Expr{Lit: e.Name == "true"})
		}
		return c.at(e, ir.Expr{Ref: e.Name})
	case *ast.SelectorExpr:
		if ref, ok := selector(e); ok {
			return c.at(e, ir.Expr{Ref: ref})
		}
	}
	return c.failAt(e, fmt.Sprintf("%q has no place in a condition", c.text.S[c.offset(e.Pos()):c.offset(e.End())]),
		"use fields such as Evaluate.Report.ROCAUC, literals and comparisons")
}

func (c *cond) unary(e *ast.UnaryExpr) *ir.Expr {
	if lit, ok := e.X.(*ast.BasicLit); ok && e.Op == token.SUB {
		x := c.literal(lit)
		if x == nil {
			return nil
		}
		switch n := x.Lit.(type) {
		case int64:
			return c.at(e, ir.Expr{Lit: -n})
		case float64:
			return c.at(e, ir.Expr{Lit: -n})
		}
	}
	if e.Op != token.NOT {
		op := c.offset(e.OpPos)
		c.fail(op, op+len(e.Op.String()), fmt.Sprintf("operator %q has no place in a condition", e.Op), "use == != < <= > >= && || or !")
		return nil
	}
	x := c.expr(e.X)
	if x == nil {
		return nil
	}
	return c.at(e, ir.Expr{Op: "!", X: x})
}

func (c *cond) literal(e *ast.BasicLit) *ir.Expr {
	switch e.Kind {
	case token.INT:
		if n, err := strconv.ParseInt(e.Value, 10, 64); err == nil {
			return c.at(e, ir.Expr{Lit: n})
		}
	case token.FLOAT:
		if x, ok := finite(e.Value); ok {
			return c.at(e, ir.Expr{Lit: x})
		}
	case token.STRING:
		if s, err := strconv.Unquote(e.Value); err == nil {
			return c.at(e, ir.Expr{Lit: s})
		}
	}
	return c.failAt(e, fmt.Sprintf("%q is not a decimal number or a string", e.Value), `write numbers as 0.7 and strings as \"train\"`)
}

// at gives an expression its place.
func (c *cond) at(n ast.Node, x ir.Expr) *ir.Expr {
	x.Pos = c.r.at(c.text.At(c.offset(n.Pos())))
	x.End = c.r.at(c.text.At(c.offset(n.End())))
	return &x
}

// selector is a chain of names.
func selector(e *ast.SelectorExpr) (string, bool) {
	switch x := e.X.(type) {
	case *ast.Ident:
		return x.Name + "." + e.Sel.Name, true
	case *ast.SelectorExpr:
		left, ok := selector(x)
		return left + "." + e.Sel.Name, ok
	}
	return "", false
}
