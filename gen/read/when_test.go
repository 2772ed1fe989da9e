package read

import (
	"go/token"
	"strconv"
	"testing"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/load"
	"github.com/mlmax/mlmax/gen/tag"
)

// FuzzCondition holds the reader of conditions to its promises for any text: it
// gives a condition or one diagnostic, and all positions lie within the tag.
func FuzzCondition(f *testing.F) {
	for _, seed := range []string{
		"A.B.C >= D", "!(A == -1.5) || B != \"x\" && true", "A ==", "f(x)", "A\n==B", "1", "A[0] > 1", "a.b.c.d.e > `x`", "'x' == B", "(", "A > 0x1p4", "é == 1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		literal := strconv.Quote("when:" + strconv.Quote(text))
		fset := token.NewFileSet()
		file := fset.AddFile("spec.go", -1, len(literal))
		pairs, problems := tag.Parse(token.Pos(file.Base()), literal)
		if len(problems) > 0 || len(pairs) != 1 {
			t.Fatalf("%q: %v", literal, problems)
		}
		var bag diag.Bag
		r := &reader{home: &load.Package{Fset: fset}, bag: &bag}
		e := r.condition(pairs[0].Value)
		list := bag.List()
		if (e == nil) != (len(list) > 0) {
			t.Fatalf("%q: condition %v and diagnostics %v", text, e, list)
		}
		inside := func(pos, end token.Position) {
			if pos.Filename != "spec.go" || pos.Offset < 0 || end.Offset < pos.Offset || end.Offset > len(literal) {
				t.Fatalf("%q: %v to %v is outside of the tag", text, pos, end)
			}
		}
		for _, d := range list {
			inside(d.Pos, d.End)
		}
		var visit func(*ir.Expr)
		visit = func(e *ir.Expr) {
			if e != nil {
				inside(e.Pos, e.End)
				visit(e.X)
				visit(e.Y)
			}
		}
		visit(e)
	})
}
