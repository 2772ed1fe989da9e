package load_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/load"
	"golang.org/x/tools/txtar"
)

// module writes an archive into a new module that takes the vocabulary from this
// repository.
func module(t *testing.T, archive string) string {
	t.Helper()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := txtar.Parse([]byte(archive)).Files
	files = append(files, txtar.File{Name: "go.mod", Data: []byte("module example.com/m\n\ngo 1.26\n\nrequire github.com/mlmax/mlmax v0.0.0\n\nreplace github.com/mlmax/mlmax => " + repo + "\n")})
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const several = `
-- a/a.go --
package a

import (
	"net/http"

	"example.com/m/steps"
	"github.com/mlmax/mlmax"
)

var _ = http.StatusOK

type A struct {
	mlmax.Pipeline
	S steps.Step
}
-- b/b.go --
package b

import ml "github.com/mlmax/mlmax"

type B struct{ ml.Pipeline }
-- steps/steps.go --
package steps

import "github.com/mlmax/mlmax"

type Step struct{ mlmax.Processing }
-- other/other.go --
package other
-- empty/README --
`

func TestLoad(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOPROXY", "off")
	dir := module(t, several)
	for name, c := range map[string]struct {
		dir      string
		patterns []string
		want     []string // name, "named" if it was, its dependencies
		trouble  string
	}{
		"default":        {"b", nil, []string{"b named"}, ""},
		"wildcard":       {"", []string{"./..."}, []string{"a steps", "b", "steps"}, ""},
		"dependency":     {"", []string{"./a"}, []string{"a named steps"}, ""},
		"by path":        {"", []string{"example.com/m/b"}, []string{"b named"}, ""},
		"not a spec":     {"", []string{"./other"}, []string{"other named"}, ""},
		"mixed":          {"", []string{"./...", "./other"}, []string{"a steps", "b", "other named", "steps"}, ""},
		"no such folder": {"", []string{"./nowhere"}, nil, "nowhere"},
		"no Go files":    {"", []string{"./empty"}, nil, "no Go files"},
		"nothing found":  {"", []string{"./other/..."}, nil, "no package that imports github.com/mlmax/mlmax matches ./other/..."},
	} {
		t.Run(name, func(t *testing.T) {
			var bag diag.Bag
			loaded, err := load.Load(t.Context(), filepath.Join(dir, c.dir), c.patterns, &bag)
			if c.trouble != "" {
				if err == nil || !strings.Contains(err.Error(), c.trouble) {
					t.Fatalf("error %v, want %q", err, c.trouble)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range loaded {
				one := p.Name
				if p.Named {
					one += " named"
				}
				for _, d := range p.Deps {
					one += " " + d.Name
				}
				if p.ModulePath != "example.com/m" || !p.Compiles {
					t.Errorf("%s is of module %s and compiles: %v", p.Path, p.ModulePath, p.Compiles)
				}
				got = append(got, one)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("packages (-want +got):\n%s", d)
			}
			if l := bag.List(); len(l) > 0 {
				t.Errorf("diagnostics: %v", l)
			}
		})
	}
}

// TestVocabularyIsOne demands that what a spec and the steps that it imports take
// from the vocabulary is the same, from source, with positions.
func TestVocabularyIsOne(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOPROXY", "off")
	var bag diag.Bag
	loaded, err := load.Load(t.Context(), module(t, several), []string{"./a"}, &bag)
	if err != nil {
		t.Fatal(err)
	}
	a := loaded[0]
	for _, imported := range a.Types.Imports() {
		if imported.Path() != "example.com/m/steps" {
			continue
		}
		if imported != a.Deps[0].Types {
			t.Error("the step's package was loaded twice")
		}
		step := imported.Scope().Lookup("Step")
		if at := a.Fset.Position(step.Pos()); filepath.Base(at.Filename) != "steps.go" || at.Line != 5 || at.Column != 6 {
			t.Errorf("the step is declared at %s", at)
		}
		return
	}
	t.Error("the step's package is not imported")
}

// TestSourceKeepsCarriageReturns demands the text of the file, which the syntax
// does not hold.
func TestSourceKeepsCarriageReturns(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOPROXY", "off")
	archive := strings.ReplaceAll("-- a.go --\npackage a\n\nimport _ \"github.com/mlmax/mlmax\"\n\nconst text = `x\ny`\n", "x\ny", "x\r\ny")
	var bag diag.Bag
	loaded, err := load.Load(t.Context(), module(t, archive), nil, &bag)
	if err != nil {
		t.Fatal(err)
	}
	p := loaded[0]
	decl := p.Syntax[0].Decls[1]
	if got := p.Source(decl.Pos(), decl.End()); got != "const text = `x\r\ny`" {
		t.Errorf("source %q", got)
	}
}
