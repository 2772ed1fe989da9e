package emitgo_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/internal/plantest"
)

// censusSpec is what plantest.Census stands for.
const censusSpec = `package census

import "github.com/mlmax/mlmax"

type (
	Census      struct{ mlmax.File }
	TrainSet    struct{}
	TestSet     struct{}
	Transformer struct{}
	Classifier  struct{}
	Report      struct{ mlmax.File }
)

type Preprocess struct {
	mlmax.Processing
	_           mlmax.Compute
	SplitRatio  float64
	Seed        int
	Raw         mlmax.Input[Census]
	Train       mlmax.Output[TrainSet]
	Test        mlmax.Output[TestSet]
	Transformer mlmax.Output[Transformer]
}

type Train struct {
	mlmax.Training
	Strength      float64
	Balanced      bool
	MaxIterations int
	Train         mlmax.Channel[TrainSet]
	Model         mlmax.Model[Classifier]
}

type Evaluate struct {
	mlmax.Processing
	Model       mlmax.Input[Classifier]
	Transformer mlmax.Input[Transformer]
	Test        mlmax.Input[TestSet]
	Report      mlmax.Output[Report]
}

type Training struct {
	mlmax.Pipeline
	Data       mlmax.Source[Census]
	MinROCAUC  float64
	Preprocess Preprocess
	Train      Train
	Evaluate   Evaluate
	Register   mlmax.RegisterModel[Classifier]
}
`

const bareSpec = `package bare

import (
	"example.com/m/json"
	"github.com/mlmax/mlmax"
)

type Run struct {
	mlmax.Processing
	Mode  string
	Other mlmax.Input[json.Rows]
}

type Bare struct {
	mlmax.Pipeline
	Run Run
}
`

// module writes the generated packages of the plans, with what they embed and
// import, as a module of its own.
func module(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := func(name string, content []byte) {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put("go.mod", fmt.Appendf(nil, "module example.com/m\n\ngo 1.26.0\n\nrequire github.com/mlmax/mlmax v0.0.0\n\nreplace github.com/mlmax/mlmax => %q\n", root))
	put("specs/census/census.go", []byte(censusSpec))
	put("json/json.go", []byte(plantest.OddSpec))
	put("bare/bare.go", []byte(bareSpec))
	put("score/score.go", []byte(plantest.ScoringSpec))
	put("use/use_test.go", []byte(use))
	census := plantest.Census()
	for _, j := range census.Jobs() {
		j.TypePath = "example.com/m/specs/census"
	}
	census.Path, census.ModulePath = "example.com/m/specs/census", "example.com/m"
	bare := plantest.Bare("example.com/m/bare")
	bare.Jobs()[0].Unused = []*ir.Unused{
		{Name: "Mode", Type: ir.String},
		{Name: "Other", Form: ir.InputForm, Artifact: "Rows", ArtifactPath: "example.com/m/json"},
	}
	for _, p := range []*ir.Plan{census, plantest.Odd("example.com/m/json"), bare, plantest.Scoring("example.com/m/score")} {
		for _, f := range emit(t, p, "example.com/m/generated") {
			if strings.HasSuffix(f.Path, "/main.go") {
				continue // its imports are the runtime's, which the real generated mains are built with
			}
			put("generated/"+f.Path, f.Bytes)
		}
		put("generated/"+p.Dir+"/"+p.Dir+"/"+p.Dir+".asl.json", []byte("{}"))
		put("generated/"+p.Dir+"/"+p.Dir+"/template.json", []byte("{}"))
		for _, place := range p.Environments {
			put("generated/"+p.Dir+"/"+p.Dir+"/env/"+place.Name+".json", []byte("{}"))
		}
	}
	return dir
}

// run runs the go command offline in a module.
func run(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	c := exec.Command("go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := c.CombinedOutput()
	return string(out), err
}

func TestCompiles(t *testing.T) {
	t.Parallel()
	dir := module(t)
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		if out, err := run(t, dir, args...); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	// A renamed field of the spec is seen by the compiler.
	name := filepath.Join(dir, "specs/census/census.go")
	drifted := strings.Replace(censusSpec, "Strength      float64", "Strength      int", 1)
	drifted = strings.Replace(drifted, "Test        mlmax.Output[TestSet]", "Test        mlmax.Output[TrainSet]", 1)
	if err := os.WriteFile(name, []byte(drifted), 0o666); err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(dir, "score/score.go")
	if err := os.WriteFile(name, []byte(strings.Replace(plantest.ScoringSpec, "ModelVersion[Net]", "ModelVersion[Rows]", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, dir, "build", "./generated/scoring/scoring"); err == nil || !strings.Contains(out, "mlmax.ModelVersion[score.Net]") {
		t.Errorf("drift of a version is not seen: %v\n%s", err, out)
	}
	out, err := run(t, dir, "build", "./generated/training/training")
	if err == nil || !strings.Contains(out, "float64(0)") || !strings.Contains(out, "mlmax.Output[census.TestSet]") {
		t.Errorf("drift is not seen: %v\n%s", err, out)
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	plans := []*ir.Plan{plantest.Census(), plantest.Odd("example.com/m/json"), plantest.Bare("example.com/m/bare"), plantest.Scoring("example.com/m/score")}
	for _, p := range plans {
		for _, f := range emit(t, p, "example.com/m/generated") {
			formatted, err := format.Source(f.Bytes)
			if err != nil {
				t.Fatalf("%s: %v", f.Path, err)
			}
			if !bytes.Equal(formatted, f.Bytes) {
				t.Errorf("%s is not as gofmt has it", f.Path)
			}
			file, err := parser.ParseFile(token.NewFileSet(), f.Path, f.Bytes, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if !ast.IsGenerated(file) {
				t.Errorf("%s is not known as generated", f.Path)
			}
			undocumented(t, f.Path, file)
		}
	}
}

// undocumented reports exported declarations without a comment.
func undocumented(t *testing.T, path string, file *ast.File) {
	if file.Doc == nil {
		t.Errorf("%s has no package comment", path)
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil {
				t.Errorf("%s: %s is not documented", path, d.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if s, ok := s.(*ast.TypeSpec); ok && d.Doc == nil {
					t.Errorf("%s: %s is not documented", path, s.Name)
				}
			}
		}
	}
}

func TestDeterministic(t *testing.T) {
	t.Parallel()
	first := emit(t, plantest.Census(), "example.com/m/generated")
	for range 20 {
		for i, f := range emit(t, plantest.Census(), "example.com/m/generated") {
			if !bytes.Equal(f.Bytes, first[i].Bytes) {
				t.Fatalf("%s differs from one time to the next", f.Path)
			}
		}
	}
}
