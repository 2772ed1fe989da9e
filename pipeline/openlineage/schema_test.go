package openlineage_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// specVariable names a folder with the published specification: OpenLineage.json and
// facets/*.json, as they are in the folder spec of OpenLineage's repository. No package
// of a registry holds them, and a copy is not ours to commit.
const specVariable = "MLMAX_OPENLINEAGE_SPEC"

// specSum is the SHA-256 of OpenLineage.json 2-0-2.
const specSum = "69f68bee00b9beac88a87059c0102410e7bb05f3f43c46d02a0409831eceb0d2"

// published are the schemas of the folder: of events, and of each facet by its URL.
type published struct {
	compiler *jsonschema.Compiler
	event    *jsonschema.Schema
}

// loadPublished reads them, or returns nil if no folder is named.
func loadPublished(t *testing.T) *published {
	t.Helper()
	dir := os.Getenv(specVariable)
	if dir == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(dir, "OpenLineage.json"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != specSum {
		t.Fatalf("%s holds another version than 2-0-2", dir)
	}
	p := &published{compiler: jsonschema.NewCompiler()}
	p.compiler.AssertFormat()
	files, err := fs.Glob(os.DirFS(dir), "facets/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(files, "OpenLineage.json") {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := p.compiler.AddResource(doc.(map[string]any)["$id"].(string), doc); err != nil {
			t.Fatal(err)
		}
	}
	p.event, err = p.compiler.Compile("https://openlineage.io/spec/2-0-2/OpenLineage.json")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// check holds an event, and each of its facets, to the published schemas.
func (p *published) check(event any) error {
	if err := p.event.Validate(event); err != nil {
		return err
	}
	return facets("", event, func(at string, f map[string]any) error {
		s, err := p.compiler.Compile(f["_schemaURL"].(string))
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if err := s.Validate(f); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		return nil
	})
}

// facets calls do for every facet in an event.
func facets(at string, v any, do func(at string, f map[string]any) error) error {
	switch v := v.(type) {
	case []any:
		for i, one := range v {
			if err := facets(fmt.Sprintf("%s/%d", at, i), one, do); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, one := range v {
			below := at + "/" + name
			if f, ok := one.(map[string]any); ok && (f["_producer"] != nil || strings.HasSuffix(strings.ToLower(path.Base(at)), "facets")) {
				if err := do(below, f); err != nil {
					return err
				}
			}
			if err := facets(below, one, do); err != nil {
				return err
			}
		}
	}
	return nil
}

// needed are the members that the specification requires of each facet that is sent
// (spec/facets/*.json), by the name under which it stands.
var needed = map[string][]string{
	"parent": {"run", "job"}, "errorMessage": {"message", "programmingLanguage"}, "processing_engine": {"version"},
	"executionParameters": {"parameters"}, "tags": {"tags"}, "jobType": {"processingType", "integration"}, "documentation": {"description"},
	"sourceCodeLocation": {"type", "url"}, "version": {"datasetVersion"}, "inputStatistics": {"size"}, "outputStatistics": {"size"},
}

var uuidText = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// checkStructure holds an event to what the specification's text says: it is the part
// of the published schema that events of this package can break.
func checkStructure(event map[string]any) error {
	var problems []string
	report := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if kind := event["eventType"]; !slices.Contains([]any{"START", "COMPLETE", "ABORT", "FAIL"}, kind) {
		report("eventType %v", kind)
	}
	if _, err := time.Parse(time.RFC3339Nano, fmt.Sprint(event["eventTime"])); err != nil {
		report("eventTime: %v", err)
	}
	isURI := func(at string, v any) {
		if u, err := url.Parse(fmt.Sprint(v)); err != nil || !u.IsAbs() {
			report("%s is %v, no URI", at, v)
		}
	}
	isURI("producer", event["producer"])
	if event["schemaURL"] != "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent" {
		report("schemaURL %v", event["schemaURL"])
	}
	run, _ := event["run"].(map[string]any)
	if !uuidText.MatchString(fmt.Sprint(run["runId"])) {
		report("runId %v", run["runId"])
	}
	isNamed := func(at string, v any) {
		o, _ := v.(map[string]any)
		for _, member := range []string{"namespace", "name"} {
			if s, ok := o[member].(string); !ok || s == "" {
				report("%s has %s %v", at, member, o[member])
			}
		}
	}
	isNamed("job", event["job"])
	for _, list := range []string{"inputs", "outputs"} {
		all, ok := event[list].([]any)
		if !ok {
			report("%s is no array", list)
		}
		for i, d := range all {
			isNamed(fmt.Sprintf("%s/%d", list, i), d)
		}
	}
	_ = facets("", event, func(at string, f map[string]any) error {
		isURI(at+"/_producer", f["_producer"])
		isURI(at+"/_schemaURL", f["_schemaURL"])
		members, ok := needed[path.Base(at)]
		if !ok {
			report("%s is a facet that this test does not know", at)
		}
		for _, m := range members {
			if f[m] == nil {
				report("%s lacks %s", at, m)
			}
		}
		return nil
	})
	if problems == nil {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(problems, "; "))
}

// decode reads events, one JSON text a line.
func decode(t *testing.T, text []byte) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range bytes.Lines(text) {
		var event map[string]any
		if err := json.Unmarshal(line, &event); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, event)
	}
	return all
}
