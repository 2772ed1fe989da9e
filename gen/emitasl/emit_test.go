package emitasl_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func encode(t *testing.T, m *asl.Machine) []byte {
	t.Helper()
	b, err := asl.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCensus holds the machines of the example to goldens, and the goldens to the
// strict decoder.
func TestCensus(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*ir.Plan{"census": plantest.Example(t), "inference": plantest.Inference(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			holdGolden(t, p, "testdata/"+name+".asl.json")
		})
	}
}

func holdGolden(t *testing.T, p *ir.Plan, golden string) {
	t.Helper()
	got := encode(t, emitasl.Emit(p))
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("machine differs from %s (-want +got):\n%s", golden, d)
	}
	m, err := asl.Decode(golden, got)
	if err != nil {
		t.Fatalf("the machine does not decode: %v", err)
	}
	if again := encode(t, m); !bytes.Equal(again, got) {
		t.Errorf("decoding and encoding changes the machine:\n%s", cmp.Diff(string(got), string(again)))
	}
	for range 20 {
		if again := encode(t, emitasl.Emit(p)); !bytes.Equal(again, got) {
			t.Fatal("emitting twice gives different machines")
		}
	}
}
