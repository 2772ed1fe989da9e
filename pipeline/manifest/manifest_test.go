package manifest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// schema compiles the schema, with its formats asserted.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(manifest.Schema1))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const name = "https://github.com/mlmax/mlmax/pipeline/manifest/manifest.schema.json"
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valid is what the schema says of a manifest, nil if it fits.
func valid(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// written are the manifests of a run of the training pipeline: the machine's, and the
// local runner's, which completes it.
func written(t *testing.T, input string) [][]byte {
	t.Helper()
	m := censustest.New(t)
	o := m.Succeed(input, nil)
	machine, err := os.ReadFile(filepath.Join(m.Workspace(), "s3/local/runs", m.Definition.Name, o.Run, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	runner, err := os.ReadFile(local.ManifestFile(m.Workspace(), o.Run))
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{machine, runner}
}

// TestManifestOfAFailedRunFits has a step that fails.
func TestManifestOfAFailedRunFits(t *testing.T) {
	t.Parallel()
	m := censustest.New(t)
	m.Write("specs/census/steps/train/train.sh", "#!/bin/sh\nexit 3\n", 0o755)
	o := m.Run(t.Context(), `{}`, nil)
	text, err := os.ReadFile(local.ManifestFile(m.Workspace(), o.Run))
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, schema(t), text); err != nil {
		t.Error(err)
	}
	d, err := manifest.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if d.Status != "FAILED" || d.FailedStep != "Train" || d.Steps["Train"] != nil || d.Steps["Preprocess"] == nil {
		t.Errorf("manifest: %s in %q, steps %v", d.Status, d.FailedStep, d.Steps)
	}
}

// TestWrittenManifestsFit holds what the generated machine and the local runner write to
// the schema and to the reader: with a model, and with none because of the gate.
func TestWrittenManifestsFit(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for input, models := range map[string]int{`{}`: 1, `{"MinROCAUC": 0.99}`: 0} {
		for _, text := range written(t, input) {
			if err := valid(t, s, text); err != nil {
				t.Errorf("input %s: %v\n%s", input, err, text)
			}
			m, err := manifest.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			made := 0
			for _, model := range m.Models {
				if model != nil {
					made++
				}
			}
			if made != models || len(m.NotRegistered) != 1-models {
				t.Errorf("input %s: models %v, not registered %v", input, m.Models, m.NotRegistered)
			}
			for name, uri := range m.Artifacts {
				if !strings.HasPrefix(uri, "s3://local/runs/"+m.Pipeline+"/"+m.Run+"/") {
					t.Errorf("artifact %s has URI %s, which does not hold the run", name, uri)
				}
			}
			again, err := m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			var before, after any
			if err := errors.Join(json.Unmarshal(text, &before), json.Unmarshal(again, &after)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("read and written: %s", diff)
			}
		}
	}
}

// full is a manifest with every member.
func full() *manifest.Manifest {
	hash := strings.Repeat("ab", 32)
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	dirty := true
	return &manifest.Manifest{
		Schema: 1, Pipeline: "census-inference", Run: "0123456789ab", Execution: "arn:aws:states:x", StartTime: at, Environment: "local",
		Definition: hash, Parameters: map[string]any{"Rows": json.Number("9007199254740993")}, Code: map[string]string{"Predict": hash},
		Images: map[string]string{"Predict": "sklearn:1.4-2"}, Instances: map[string]string{"Predict": "ml.m5.xlarge"}, Interfaces: map[string]string{"Predict": hash},
		Steps:     map[string]map[string]string{"Predict": {"Job": "j", "Predictions": "s3://local/runs/p/"}, "Later": nil},
		Artifacts: map[string]string{"Predict.Predictions": "s3://local/runs/p/"}, Metrics: map[string]map[string]any{"Predict.Report": {"Rows": json.Number("3")}},
		Models: map[string]*manifest.Registered{"Register": {ModelPackageArn: "arn:x"}, "Other": nil}, NotRegistered: map[string]string{"Other": "a < b"},
		Versions: map[string]manifest.ModelVersion{"Model": {
			Arn: "arn:y", Version: 3, Data: "s3://local/m.tar.gz", Image: "i", Run: "r", Pipeline: "p", Code: map[string]string{"Preprocess": hash},
			Images: map[string]string{"Preprocess": "i"}, Artifacts: map[string]string{"Preprocess.Transformer": "s3://local/t/"},
		}},
		Inputs: map[string]string{"Predict.Model": "s3://local/m.tar.gz"},
		Status: "FAILED", Error: "States.TaskFailed", Cause: "why", FailedStep: "Predict", EndTime: &at, Commit: hash[:40], Dirty: &dirty,
		Resumes: "abc", Partial: "until Predict", Isolation: "direct", Digests: map[string]string{"Predict.Predictions": "sha256:" + hash},
		Bytes: map[string]int64{"Predict.Predictions": 5}, Packages: map[string][]string{"Predict": {"numpy==1.26.4"}},
		Times: map[string]manifest.Time{"Predict": {Start: at, End: &at}}, Cached: map[string]string{"Predict": "fedcba987654"},
		Record: json.RawMessage(`{"rows":[1]}`),
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	text, err := full().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, schema(t), text); err != nil {
		t.Error(err)
	}
	got, err := manifest.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full(), got); diff != "" {
		t.Error(diff)
	}
}

// TestSchemaNamesEveryMember holds the schema, the type and the reader to the same
// members.
func TestSchemaNamesEveryMember(t *testing.T) {
	t.Parallel()
	var s struct {
		Required   []string
		Properties map[string]any
		Defs       map[string]struct {
			Required   []string
			Properties map[string]any
		} `json:"$defs"`
	}
	if err := json.Unmarshal(manifest.Schema1, &s); err != nil {
		t.Fatal(err)
	}
	check := func(typ reflect.Type, properties map[string]any, must []string) {
		var names, required []string
		for f := range typ.Fields() {
			name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
			if option == "" {
				required = append(required, name)
			}
		}
		slices.Sort(names)
		slices.Sort(required)
		if diff := cmp.Diff(names, slices.Sorted(maps.Keys(properties))); diff != "" {
			t.Errorf("members of %s: %s", typ, diff)
		}
		if diff := cmp.Diff(required, slices.Sorted(slices.Values(must))); diff != "" {
			t.Errorf("required of %s: %s", typ, diff)
		}
	}
	check(reflect.TypeFor[manifest.Manifest](), s.Properties, s.Required)
	version := s.Defs["version"]
	check(reflect.TypeFor[manifest.ModelVersion](), version.Properties, version.Required)
}

// TestMistakesAreNamedByPath changes a good manifest in one place each. The schema
// must refuse what the reader refuses.
func TestMistakesAreNamedByPath(t *testing.T) {
	t.Parallel()
	good, err := full().Encode()
	if err != nil {
		t.Fatal(err)
	}
	s := schema(t)
	cases := map[string]struct {
		change func(m map[string]any)
		want   string
	}{
		"missing":       {func(m map[string]any) { delete(m, "run") }, "/run is missing"},
		"unknown":       {func(m map[string]any) { m["color"] = 1 }, "/color is not a member of manifests"},
		"run":           {func(m map[string]any) { m["run"] = "XY" }, `/run is "XY", not a run's id of 12 hex digits`},
		"time":          {func(m map[string]any) { m["startTime"] = "noon" }, `/startTime is "noon", not a time such as`},
		"null":          {func(m map[string]any) { m["artifacts"] = nil }, `/artifacts is null, not an object`},
		"digest":        {func(m map[string]any) { m["digests"].(map[string]any)["A/B~"] = "x" }, `/digests/A~1B~0 is "x", not "sha256:"`},
		"uri":           {func(m map[string]any) { m["inputs"].(map[string]any)["Predict.Model"] = "file:x" }, `/inputs/Predict.Model is "file:x", not an s3:// URI`},
		"step":          {func(m map[string]any) { m["steps"].(map[string]any)["Predict"] = "j" }, `/steps/Predict is "j", not an object`},
		"bytes":         {func(m map[string]any) { m["bytes"].(map[string]any)["X"] = -1 }, `/bytes/X is -1, not a whole number from 0`},
		"packages":      {func(m map[string]any) { m["packages"].(map[string]any)["X"] = []any{"a", 1} }, `/packages/X/1 is 1, not text`},
		"dirty":         {func(m map[string]any) { m["dirty"] = "no" }, `/dirty is "no", not true or false`},
		"status":        {func(m map[string]any) { m["status"] = "DONE" }, `/status is "DONE", not a status`},
		"model":         {func(m map[string]any) { m["models"].(map[string]any)["Register"] = map[string]any{} }, `/models/Register/ModelPackageArn is missing`},
		"version":       {func(m map[string]any) { delete(m["versions"].(map[string]any)["Model"].(map[string]any), "Data") }, `/versions/Model/Data is missing`},
		"version's":     {func(m map[string]any) { m["versions"].(map[string]any)["Model"].(map[string]any)["X"] = 1 }, `/versions/Model/X is not a member`},
		"time's":        {func(m map[string]any) { m["times"].(map[string]any)["Predict"] = map[string]any{"end": "x"} }, `/times/Predict/start is missing; /times/Predict/end is "x"`},
		"other version": {func(m map[string]any) { m["schema"] = 2 }, `/schema is 2, and this version of mlmax reads 1`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m map[string]any
			if err := json.Unmarshal(good, &m); err != nil {
				t.Fatal(err)
			}
			c.change(m)
			text, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := manifest.Decode(text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %s", err, c.want)
			}
			if err := valid(t, s, text); err == nil {
				t.Error("the schema takes it")
			}
		})
	}
}

func TestDamagedText(t *testing.T) {
	t.Parallel()
	good, err := full().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                                  "unexpected EOF",
		"[]":                                "it is no JSON object",
		string(good[:len(good)/2]):          "unexpected EOF",
		string(good) + "{}":                 "there is more",
		`{"schema":1,"schema":1}`:           "/schema is there twice",
		`{"schema":1,"code":{"a":1,"a":2}}`: "/code/a is there twice",
	} {
		if _, err := manifest.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error is %v, want %s", text, err, want)
		}
	}
}
