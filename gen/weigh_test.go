package gen

import (
	"go/token"
	"testing"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// TestWeigh wants a diagnostic at the pipeline's name for what the services refuse.
func TestWeigh(t *testing.T) {
	t.Parallel()
	pos := token.Position{Filename: "a.go", Line: 3, Column: 25}
	p := &ir.Pipeline{Name: ir.At[string]{V: "fit", Pos: pos, End: pos}}
	for _, tt := range []struct {
		name  string
		path  string
		bytes int
		want  string
	}{
		{"template that fits", "fit/fit/template.json", 1_000_000, ""},
		{"template", "fit/fit/template.json", 1_000_001, `pipeline "fit" leads to a template of 1000001 bytes, and the service takes 1000000`},
		{"machine that fits", "fit/fit/fit.asl.json", 1_048_576, ""},
		{"machine", "fit/fit/fit.asl.json", 1_048_577, `pipeline "fit" leads to a state machine of 1048577 bytes, and the service takes 1048576`},
		{"anything else", "fit/README.md", 2_000_000, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var bag diag.Bag
			weigh(p, []ir.File{{Path: tt.path, Bytes: make([]byte, tt.bytes)}}, &bag)
			got := ""
			for _, d := range bag.List() {
				got += d.Message
				if d.Code != diag.ServiceLimit || d.Pos != pos {
					t.Errorf("got %s at %v", d.Code, d.Pos)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
