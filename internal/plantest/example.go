package plantest

import (
	"testing"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/load"
	"github.com/mlmax/mlmax/gen/plan"
	"github.com/mlmax/mlmax/gen/read"
)

// Spec is the spec of this repository's example, for a test two folders below the
// module's root.
func Spec(t testing.TB) *ir.Spec {
	t.Helper()
	var bag diag.Bag
	packages, err := load.Load(t.Context(), "../..", []string{"./specs/census"}, &bag)
	if err != nil {
		t.Fatal(err)
	}
	if bag.Failed() || len(packages) != 1 {
		t.Fatalf("loading: %v", bag.List())
	}
	spec := read.Read(packages[0], &bag)
	if bag.Failed() {
		t.Fatalf("reading: %v", bag.List())
	}
	return spec
}

// Example is the plan of the example's training.
func Example(t testing.TB) *ir.Plan {
	t.Helper()
	return Both(t)[0]
}

// Inference is the plan of the example's inference.
func Inference(t testing.TB) *ir.Plan {
	t.Helper()
	return Both(t)[1]
}

// Both are the plans that Spec leads to, training's first.
func Both(t testing.TB) []*ir.Plan {
	t.Helper()
	return plan.Plan(Spec(t))
}
