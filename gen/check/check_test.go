package check_test

import (
	"fmt"
	"go/token"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/gen/check"
	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// TestRules wants every rule to say what it looks at, one rule a code, and codes
// that are explained as what they are.
func TestRules(t *testing.T) {
	t.Parallel()
	type key struct {
		code diag.Code
		doc  string
	}
	seen := map[key]bool{}
	for _, r := range check.Rules() {
		e, ok := diag.Explain(r.Code)
		if !ok || r.Doc == "" || seen[key{r.Code, r.Doc}] {
			t.Errorf("rule %s %q: no explanation, no doc, or a second one", r.Code, r.Doc)
		}
		seen[key{r.Code, r.Doc}] = true
		if strings.Contains(e.Summary, "A warning.") != (r.Severity == diag.Warning) {
			t.Errorf("rule %s: severity %v is not what its comment says", r.Code, r.Severity)
		}
	}
}

// TestSteps wants one finding for a pipeline with more steps than a template can
// hold the parameters of.
func TestSteps(t *testing.T) {
	t.Parallel()
	pipeline := func(steps int) map[string]string {
		var fields strings.Builder
		for i := range steps {
			fmt.Fprintf(&fields, "\tP%d Prepare\n", i)
		}
		return diag.Explanation{Example: "type Fit struct {\n\tmlmax.Pipeline `name:\"fit\"`\n\n" +
			"\tData mlmax.Source[Data] `default:\"data/in.csv\"`\n\n" + fields.String() + "}\n"}.Files()
	}
	_, found := findings(t, map[string]map[string]string{"most": pipeline(ir.MaxSteps(0)), "more": pipeline(ir.MaxSteps(0) + 2)})
	for name, want := range map[string]int{"most": 0, "more": 1} {
		got := 0
		for _, d := range found[name] {
			if d.Code == diag.ServiceLimit {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d findings, want %d", name, got, want)
		}
	}
}

func TestClashes(t *testing.T) {
	t.Parallel()
	pipe := func(file string, line int, goName, name string) *ir.Spec {
		pos := token.Position{Filename: file, Line: line, Column: 1}
		return &ir.Spec{Pipelines: []*ir.Pipeline{{GoName: goName, Pos: pos, Name: ir.At[string]{V: name, Pos: pos, End: pos}}}}
	}
	tests := []struct {
		name  string
		specs []*ir.Spec
		want  string
	}{
		{"none", []*ir.Spec{pipe("a", 1, "Fit", "fit"), pipe("b", 2, "Refit", "refit")}, ""},
		{"folder", []*ir.Spec{pipe("a", 1, "Fit", "fit"), pipe("b", 2, "FIT", "other")}, `would be written to one folder, "fit"`},
		{"name", []*ir.Spec{pipe("a", 1, "Fit", "fit"), pipe("b", 2, "Refit", "fit")}, `have one name, "fit"`},
		{"keyword", []*ir.Spec{pipe("a", 1, "Import", "fit")}, `a Go package "import"`},
		{"main", []*ir.Spec{pipe("a", 1, "Main", "fit")}, `a Go package "main"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var bag diag.Bag
			check.Clashes(tt.specs, &bag)
			got := text(t, "", bag.List())
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("want %q, got %q", tt.want, got)
			}
		})
	}
}
