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
	"github.com/mlmax/mlmax/gen/plan"
	"github.com/mlmax/mlmax/internal/plantest"
	"github.com/mlmax/mlmax/pipeline/asl"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestCensus holds every file of the example to a golden. Inference has a schedule
// here, which the example does without, and training is there again with environments
// that read elsewhere and tell someone. The templates are scanned as those of generated/ are.
func TestCensus(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*ir.Plan{"census": plantest.Example(t), "inference": scheduled(t), "reaching": reaching(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			holdGoldens(t, name, p)
		})
	}
}

// scheduled is the example's inference with a schedule.
func scheduled(t *testing.T) *ir.Plan {
	t.Helper()
	spec := plantest.Spec(t)
	spec.Pipelines[1].Schedule.V = "cron(0 6 * * ? *)"
	spec.Environments[0].Schedule.V, spec.Environments[0].TimeZone.V = true, "Europe/Berlin"
	return plan.Plan(spec)[1]
}

// reaching is the example's training in an environment that reads elsewhere and tells
// someone, beside one that reads less.
func reaching(t *testing.T) *ir.Plan {
	t.Helper()
	spec := plantest.Spec(t)
	dev := spec.Environments[0]
	dev.Readable = []ir.At[string]{{V: "s3://acme-lake/census/"}, {V: "s3://acme-extracts/"}}
	dev.Notify.V = "ml-team@acme.example"
	prod := *dev
	prod.Name.V, prod.Readable = "prod", dev.Readable[:1]
	spec.Environments = append(spec.Environments, &prod)
	return plan.Plan(spec)[0]
}

func holdGoldens(t *testing.T, name string, p *ir.Plan) {
	t.Helper()
	m := emitasl.Emit(p)
	files := emitcfn.Emit(p, m)
	want := []string{p.Dir + "/" + p.Dir + "/template.json"}
	for _, place := range p.Environments {
		want = append(want, p.Dir+"/"+p.Dir+"/env/"+place.Name+".json")
	}
	var got []string
	for _, f := range files {
		got = append(got, f.Path)
		golden := filepath.Join("testdata", name+"."+filepath.Base(f.Path))
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
	for _, p := range []*ir.Plan{plantest.Example(t), scheduled(t)} {
		p.Schedule = "rate(1 day)" // which adds two
		for _, place := range p.Environments {
			place.Tags = map[string]string{"team": "ml"} // which adds one
			place.Readable = make([]ir.Location, ir.MaxReadable)
		}
		all := document(t, p, emitasl.Emit(p))["Parameters"].(map[string]any)
		most := ir.PipelineParameters + len(p.Registrations())
		for _, j := range p.Jobs() {
			if most += 2; j.Pin != "" {
				most-- // its code is no parameter
			}
		}
		if len(all) != most {
			t.Errorf("the template has %d parameters, and %d are reckoned with", len(all), most)
		}
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
