package model

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// small is a service model with every operation that the table asks for, all of
// one request.
func small(s Service, pattern string) string {
	ops := make([]string, len(s.Operations))
	for i, op := range s.Operations {
		ops[i] = `"` + op + `":{"input":{"shape":"Request"}}`
	}
	return `{"operations":{` + strings.Join(ops, ",") + `},"shapes":{
		"Request":{"type":"structure","members":{"Name":{"shape":"Name"},"Days":{"shape":"Days"},"Tree":{"shape":"Tree"}}},
		"Name":{"type":"string","min":0,"max":63,"pattern":"` + pattern + `"},
		"Days":{"type":"integer","documentation":"<p>Possible values are: 1, 30, and 3.</p>"},
		"Tree":{"type":"list","member":{"shape":"Tree"},"max":5},
		"Unused":{"type":"string","max":1}}}`
}

func TestTable(t *testing.T) {
	t.Parallel()
	models := map[string][]byte{}
	for _, s := range Services {
		models[s.Name] = []byte(small(s, "[a-z]<+"))
	}
	got, err := Table("botocore 1", models)
	if err != nil {
		t.Fatal(err)
	}
	// The first service has no prefix, and capitals sort before small letters.
	want := "{\n  \"source\": \"botocore 1\",\n  \"shapes\": {\n" +
		"    \"Days\": {\"enum\":[\"1\",\"3\",\"30\"]},\n" +
		"    \"Name\": {\"max\":63,\"pattern\":\"[a-z]<+\"},\n" +
		"    \"Tree\": {\"max\":5},\n" +
		"    \"cloudformation.Days\""
	if head := string(got[:min(len(want), len(got))]); head != want {
		t.Errorf("table (-want +got):\n%s", cmp.Diff(want, head))
	}
	if strings.Contains(string(got), "Unused") {
		t.Error("the table holds a shape that no request reaches")
	}
	again, err := Table("botocore 1", models)
	if err != nil || !bytes.Equal(got, again) {
		t.Errorf("a second table differs, or failed: %v", err)
	}
}

func TestTableRefuses(t *testing.T) {
	t.Parallel()
	whole := func() map[string][]byte {
		m := map[string][]byte{}
		for _, s := range Services {
			m[s.Name] = []byte(small(s, "a"))
		}
		return m
	}
	tests := []struct {
		name, want string
		change     func(map[string][]byte)
	}{
		{"no model", "sagemaker is missing", func(m map[string][]byte) { delete(m, "sagemaker") }},
		{"no JSON", "invalid character", func(m map[string][]byte) { m["iam"] = []byte("x") }},
		{"no operation", "operation CreateRole is missing", func(m map[string][]byte) { m["iam"] = []byte("{}") }},
		{"no shape", "shape Tree is missing", func(m map[string][]byte) {
			m["logs"] = bytes.ReplaceAll(m["logs"], []byte(`"Tree":{"type"`), []byte(`"Bush":{"type"`))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := whole()
			tt.change(m)
			if _, err := Table("x", m); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestWheel(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	write := func(name, content string) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".gz") {
			g := gzip.NewWriter(w)
			defer g.Close()
			g.Write([]byte(content))
			return
		}
		w.Write([]byte(content))
	}
	for _, s := range Services {
		write("botocore/data/"+s.Name+"/2016-11-15/service-2.json", "not this one")
		write("botocore/data/"+s.Name+"/2017-07-24/service-2.json.gz", small(s, "a"))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Wheel("/tmp/botocore-1.2.3-py3-none-any.whl", buf.Bytes())
	if err != nil || !strings.Contains(string(got), `"source": "botocore 1.2.3"`) {
		t.Errorf("Wheel = %.60s, %v", got, err)
	}
	if _, err := Wheel("boto3-1.2.3-py3-none-any.whl", buf.Bytes()); err == nil {
		t.Error("the wheel of something else was read")
	}
	if _, err := Wheel("botocore-1.2.3-py3-none-any.whl", []byte("x")); err == nil {
		t.Error("a broken wheel was read")
	}
}
