package diag_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/gen/diag"
)

// TestCodes wants codes in order, without gaps, each explained in words and with
// an example that is Go or a file.
func TestCodes(t *testing.T) {
	t.Parallel()
	for i, e := range diag.Explanations() {
		if want := diag.Code(fmt.Sprintf("MLX%03d", i+1)); e.Code != want {
			t.Errorf("%s is %s, want %s: codes are append-only", e.Name, e.Code, want)
		}
		if e.Summary == "" || strings.HasPrefix(e.Summary, e.Name) || !strings.HasSuffix(e.Summary, ".") || strings.Contains(e.Summary, "\n") {
			t.Errorf("%s: summary %q is no sentence of its own", e.Code, e.Summary)
		}
		if e.Text == "" {
			t.Errorf("%s %s: no word about why, or what to do", e.Code, e.Name)
		}
		if got, ok := diag.Explain(e.Code); !ok || got != e {
			t.Errorf("Explain(%s) = %v, %v", e.Code, got, ok)
		}
	}
	if _, ok := diag.Explain("MLX000"); ok {
		t.Error("MLX000 is explained")
	}
}

// TestExampleNames wants every example to be that of a code.
func TestExampleNames(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("examples/*")
	if err != nil || len(names) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, name := range names {
		code := diag.Code(strings.TrimSuffix(filepath.Base(name), ".txtar"))
		if e, ok := diag.Explain(code); !ok || e.Example == "" {
			t.Errorf("%s is the example of no code", name)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	whole := diag.Explanation{}.Files()
	if _, ok := whole["example.go"]; ok || whole["spec.go"] != diag.ExamplePackage() || whole[""] != "" {
		t.Errorf("without an example the package is as it is, got %d files", len(whole))
	}
	e := diag.Explanation{Example: "type Clean struct{ mlmax.File }\n\nvar Dev = 1\n-- a/b.py --\nx\n-- in.csv is missing --\n-- l -> in.csv --\n"}
	files := e.Files()
	if files["example.go"] != "package spec\n\nimport \"github.com/mlmax/mlmax\"\n\ntype Clean struct{ mlmax.File }\n\nvar Dev = 1\n" {
		t.Errorf("example.go = %q", files["example.go"])
	}
	if spec := files["spec.go"]; strings.Contains(spec, "type Clean") || strings.Contains(spec, "var Dev") || !strings.Contains(spec, "type Classifier struct{}") {
		t.Errorf("spec.go keeps what is replaced, or loses more:\n%s", spec)
	}
	if _, ok := files["in.csv"]; ok || files["a/b.py"] != "x\n" {
		t.Error("files are not added and taken away")
	}
	if _, ok := files["l -> in.csv"]; !ok {
		t.Error("the link is lost")
	}
	if plain := (diag.Explanation{Example: "type Fit struct{}\n"}).Files()["example.go"]; strings.Contains(plain, "import") {
		t.Errorf("an import that is not used: %q", plain)
	}
}
