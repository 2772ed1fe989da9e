package emitgo_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/gen/emitgo"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const graph = "flowchart TD\n\tTrain\n"

func emit(t *testing.T, p *ir.Plan, out string) []ir.File {
	t.Helper()
	files, err := emitgo.Emit(p, graph, out)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestGolden(t *testing.T) {
	t.Parallel()
	inference := plantest.Inference(t)
	inference.Schedule = "rate(1 day)"
	out := "github.com/mlmax/mlmax/generated"
	for _, f := range append(emit(t, plantest.Census(), out), emit(t, inference, out)...) {
		name := filepath.Join("testdata", filepath.FromSlash(f.Path)+".golden")
		if *update {
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, f.Bytes, 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(f.Bytes)); d != "" {
			t.Errorf("%s (-want +got; go test -update rewrites):\n%s", f.Path, d)
		}
	}
}
