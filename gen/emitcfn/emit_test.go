package emitcfn_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/gen/emitasl"
	"github.com/mlmax/mlmax/gen/emitcfn"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestCensus holds every file of the example to a golden.
func TestCensus(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	m := emitasl.Emit(p)
	files := emitcfn.Emit(p, m)
	want := []string{"training/training/template.json", "training/training/env/dev.json"}
	var got []string
	for _, f := range files {
		got = append(got, f.Path)
		golden := filepath.Join("testdata", "census."+filepath.Base(f.Path))
		if *update {
			if err := os.WriteFile(golden, f.Bytes, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(b), string(f.Bytes)); d != "" {
			t.Errorf("%s differs (-want +got):\n%s", golden, d)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files differ (-want +got):\n%s", d)
	}
	for range 20 {
		for i, again := range emitcfn.Emit(p, m) {
			if !bytes.Equal(files[i].Bytes, again.Bytes) {
				t.Fatalf("emitting twice gives two different %s", again.Path)
			}
		}
	}
}

// TestParameters holds the template to the number of parameters by which a
// pipeline's steps are limited.
func TestParameters(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	for _, place := range p.Environments {
		place.Tags = map[string]string{"team": "ml"} // which adds one
	}
	all := document(t, p, emitasl.Emit(p))["Parameters"].(map[string]any)
	if most := ir.PipelineParameters + 2*len(p.Jobs()); len(all) > most {
		t.Errorf("the template has %d parameters, and %d are reckoned with", len(all), most)
	}
}

// document is a generated template, decoded.
func document(t *testing.T, p *ir.Plan, m *asl.Machine) map[string]any {
	t.Helper()
	var doc map[string]any
	d := json.NewDecoder(bytes.NewReader(emitcfn.Emit(p, m)[0].Bytes))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// at follows keys through decoded JSON.
func at(t *testing.T, v any, keys ...string) any {
	t.Helper()
	for _, k := range keys {
		o, ok := v.(map[string]any)
		if !ok || o[k] == nil {
			t.Fatalf("no %q of %v in the template", k, keys)
		}
		v = o[k]
	}
	return v
}

// TestDefinition holds the machine in the template to the machine.
func TestDefinition(t *testing.T) {
	t.Parallel()
	p := plantest.Example(t)
	m := emitasl.Emit(p)
	got := at(t, document(t, p, m), "Resources", "Machine", "Properties", "Definition")
	b, err := asl.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	var want any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the template holds another machine (-asl +template):\n%s", d)
	}
}
