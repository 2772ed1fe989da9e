package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/gen/diag"
)

// TestExamples feeds the example of every code through the command, each a package
// of one module, and demands that each package leads to that code and no other.
func TestExamples(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOPROXY", "off")
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "go.mod"), "module example.test/spec\n\ngo 1.26\n\nrequire github.com/mlmax/mlmax v0.0.0\n\nreplace github.com/mlmax/mlmax => "+repo+"\n")
	args := []string{"-C", dir, "--json", "generate"}
	want := map[string][]string{}
	for _, e := range diag.Explanations() {
		if e.Example == "" {
			continue
		}
		folder := strings.ToLower(string(e.Code))
		args = append(args, "./"+folder)
		want[folder] = []string{string(e.Code)}
		for name, text := range e.Files() {
			if name == "go.mod" || name == "go.sum" {
				continue
			}
			if link, target, ok := strings.Cut(name, " -> "); ok {
				link = filepath.Join(dir, folder, link)
				if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(target, link); err != nil {
					t.Fatal(err)
				}
				continue
			}
			put(t, filepath.Join(dir, folder, filepath.FromSlash(name)), strings.ReplaceAll(text, "example.test/spec/", "example.test/spec/"+folder+"/"))
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(args, nil, &stdout, &stderr); code != exitFound || stderr.Len() > 0 {
		t.Fatalf("exit code %d\n%s", code, stderr.String())
	}
	var list []struct {
		File, Code string
		Related    []struct{ File string }
	}
	if err := json.Unmarshal(stdout.Bytes(), &list); err != nil {
		t.Fatalf("%v in\n%s", err, stdout.String())
	}
	got := map[string][]string{}
	for _, d := range list {
		rel, err := filepath.Rel(dir, d.File)
		if err != nil {
			t.Fatal(err)
		}
		folder, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		if d.Code == string(diag.PipelineClash) && !strings.Contains(d.Related[0].File, "/"+folder+"/") {
			continue // all examples declare the pipeline fit, each by itself
		}
		got[folder] = append(got[folder], d.Code)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("codes by example (-want +got):\n%s", d)
	}
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
