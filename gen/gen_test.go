package gen

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/gen/ir"
	"golang.org/x/tools/txtar"
)

const line = `
-- artifacts.go --
package spec

import "github.com/mlmax/mlmax"

type Raw struct{ mlmax.File }

type Set struct{}
-- steps.go --
package spec

import "github.com/mlmax/mlmax"

// Prepare makes the set.
type Prepare struct {
	mlmax.Processing ` + "`image:\"sklearn:1.4-2\" script:\"steps/prepare/prepare.sh\" instance:\"ml.m5.large\"`" + `

	Raw mlmax.Input[Raw]  ` + "`arg:\"--raw\"`" + `
	Set mlmax.Output[Set] ` + "`arg:\"--set\"`" + `
}
-- pipeline.go --
// Package spec has one pipeline.
package spec

import "github.com/mlmax/mlmax"

// Line makes a set.
type Line struct {
	mlmax.Pipeline ` + "`name:\"line\"`" + `

	Data mlmax.Source[Raw] ` + "`default:\"data.csv\" local:\"data.csv\"`" + `

	Prepare Prepare
}

// Dev is for trying out.
var Dev = mlmax.Environment{Name: "dev", Region: "eu-west-1", Bucket: "acme-ml-dev"}
-- data.csv --
x
-- steps/prepare/prepare.sh --
#!/bin/sh
`

// module writes the spec into a new folder. Rename says what its Go files are
// called, which decides in which order they are read.
func module(t *testing.T, folder string, rename func(string) string) string {
	t.Helper()
	repo, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), folder)
	files := txtar.Parse([]byte(line)).Files
	files = append(files, txtar.File{Name: "go.mod", Data: []byte("module example.com/m\n\ngo 1.26\n\nrequire github.com/mlmax/mlmax v0.0.0\n\nreplace github.com/mlmax/mlmax => " + repo + "\n")})
	for _, f := range files {
		name := filepath.Join(dir, filepath.Dir(f.Name), rename(filepath.Base(f.Name)))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func generate(t *testing.T, dir string) []ir.File {
	t.Helper()
	r, err := Run(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Diagnostics {
		if d.Code != "MLX027" { // nothing reads the set
			t.Fatalf("%s: %s: %s", d.Pos, d.Code, d.Message)
		}
	}
	if r.Out != filepath.Join(dir, "generated") || len(r.Plans) != 1 {
		t.Fatalf("%d plans, to be written below %s", len(r.Plans), r.Out)
	}
	return r.Files
}

// TestSameBytes demands the same files wherever the spec lies and in whatever
// order its files are read, and that none knows where it was made.
func TestSameBytes(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOPROXY", "off")
	same := func(name string) string { return name }
	other := func(name string) string {
		if base, ok := strings.CutSuffix(name, ".go"); ok {
			return strings.Map(func(r rune) rune { return 'z' - (r - 'a') }, base) + ".go"
		}
		return name
	}
	dir := module(t, "one", same)
	want := generate(t, dir)
	if len(want) < 6 {
		t.Fatalf("only %d files", len(want))
	}
	for _, f := range want {
		if bytes.Contains(f.Bytes, []byte(dir)) {
			t.Errorf("%s holds the path of the folder", f.Path)
		}
	}
	for range 3 {
		if d := cmp.Diff(want, generate(t, module(t, "größer und weiter weg", other))); d != "" {
			t.Fatalf("files differ (-want +got):\n%s", d)
		}
	}
}

// TestBeside demands that a panic beside is one where it is waited for.
func TestBeside(t *testing.T) {
	t.Parallel()
	done := false
	beside(func() { done = true })()
	if !done {
		t.Error("it did not run")
	}
	defer func() {
		if bug := recover(); bug != "bug" {
			t.Errorf("recovered %v", bug)
		}
	}()
	beside(func() { panic("bug") })()
	t.Error("the panic was lost")
}
