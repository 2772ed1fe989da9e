package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/plan"
	"github.com/mlmax/mlmax/internal/plantest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestCensus holds the plan of the example to a golden; the emitters' tests start
// from the same file.
func TestCensus(t *testing.T) {
	t.Parallel()
	plans := plan.Plan(plantest.Spec(t))
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(plans); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/census.plan.json"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("plan differs from %s (-want +got):\n%s", golden, d)
	}
}
