package emitasl_test

import (
	"testing"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/load"
	"github.com/mlmax/mlmax/gen/plan"
	"github.com/mlmax/mlmax/gen/read"
)

// census is the plan of this repository's example.
func census(t *testing.T) *ir.Plan {
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
	return plan.Plan(spec)[0]
}
