package read_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/load"
	"github.com/mlmax/mlmax/gen/read"
)

// spec reads a spec of one file, which must be free of mistakes.
func spec(t testing.TB, source string) *ir.Spec {
	t.Helper()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"spec.go": source,
		"go.mod":  "module example.com/m\n\ngo 1.26\n\nrequire github.com/mlmax/mlmax v0.0.0\n\nreplace github.com/mlmax/mlmax => " + repo + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var bag diag.Bag
	loaded, err := load.Load(context.Background(), dir, nil, &bag)
	if err != nil {
		t.Fatal(err)
	}
	s := read.Read(loaded[0], &bag)
	for _, d := range bag.List() {
		t.Fatalf("%s: %s: %s", d.Pos, d.Code, d.Message)
	}
	return s
}

const everything = `// Package m has one of everything.
package m

import vocabulary "github.com/mlmax/mlmax"

type Raw struct{ vocabulary.File }

// Set is a set.
type Set struct{}

type Weights struct{}

type Report struct {
	vocabulary.File ` + "`name:\"report.json\"`" + `
	// Score is how good it is.
	Score float64 ` + "`json:\"score\"`" + `
	Rows  int
}

type input = vocabulary.Input[Raw]

// Prepare prepares.
type Prepare struct {
	vocabulary.Processing "image:\"sklearn:1.4-2\" script:\"a/\x61.sh\" instance:\"ml.m5.large\""
	_ vocabulary.Compute  ` + "`volume:\"50GiB\" timeout:\"20m\"`" + `

	Mode  string  ` + "`arg:\"--mode\" enum:\"train, infer\" default:\"train\"`" + `
	Ratio float64 ` + "`arg:\"--ratio\" env:\"RATIO\" default:\"0.5\" min:\"0\" max:\"1\" only:\"Mode=train\"`" + `

	Raw input ` + "`arg:\"--raw\"`" + `
	Set vocabulary.Output[Set] ` + "`arg:\"--set\" only:\"Mode=train\"`" + `
}

type Fit struct {
	vocabulary.Training ` + "`image:\"sklearn:1.4-2\" script:\"b/b.sh\" instance:\"ml.m5.large\" count:\"2\" spot:\"true\" max-wait:\"2h\" isolated:\"false\"`" + `

	A, B int ` + "`hyper:\"ab\" default:\"7\"`" + `

	Set   vocabulary.Channel[Set]
	Model vocabulary.Model[Weights]
}

type Score struct {
	vocabulary.Processing ` + "`image:\"sklearn:1.4-2\" script:\"c/c.sh\" instance:\"ml.m5.large\"`" + `

	Model  vocabulary.Input[Weights] ` + "`arg:\"--model\"`" + `
	Report vocabulary.Output[Report] ` + "`arg:\"--report\"`" + `
}

type Line struct {
	vocabulary.Pipeline ` + "`name:\"line\" timeout:\"12h\" partition:\"aws-cn\"`" + `

	Data vocabulary.Source[Raw] ` + "`default:\"data/raw.csv\" local:\"raw.csv\"`" + `
	Min  float64 ` + "`default:\"0.7\"`" + `

	Prepare  Prepare ` + "`set:\"Mode=train, Ratio=Min\" instance:\"ml.m5.xlarge\"`" + `
	Fit      Fit ` + "`bind:\"Set=Prepare.Set\" after:\"Prepare\" spot:\"false\"`" + `
	Score    Score
	Register vocabulary.RegisterModel[Weights] ` + "`group:\"g\" status:\"Approved\" when:\"Score.Report.Score >= Min && !(Score.Report.Rows == -3)\"`" + `
}

const name = "de" + "v"

// Dev is for trying out.
var Dev = vocabulary.Environment{
	Name: name, Region: "eu-west-1", Bucket: "acme", LogRetentionDays: 7 * 2,
	Subnets: []string{"subnet-1", "subnet-2"}, Tags: map[string]string{"owner": "me"},
}
`

// TestPositions demands of every value of a spec that its position encloses the
// very text that says it.
func TestPositions(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	s := spec(t, everything)
	count := 0
	walk(reflect.ValueOf(s), func(v reflect.Value) {
		at, ok := v.Interface().(ir.At[string])
		if !ok || !at.Written() {
			return
		}
		count++
		written := everything[at.Pos.Offset:at.End.Offset]
		folded := strings.NewReplacer(`\x61`, "a", `name`, "dev").Replace(strings.Trim(written, `"`))
		if folded != at.V {
			t.Errorf("%s: %q stands where %q was read", at.Pos, written, at.V)
		}
	})
	if count < 50 {
		t.Errorf("only %d values were found", count)
	}
}

func walk(v reflect.Value, visit func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	case reflect.Struct:
		visit(v)
		for i := range v.NumField() {
			walk(v.Field(i), visit)
		}
	}
}

// TestRead samples what was read.
func TestRead(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	s := spec(t, everything)
	prepare, fit, line, dev := s.Steps[0], s.Steps[1], s.Pipelines[0], s.Environments[0]
	register := line.Registers[0]
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"package", s.Doc, "Package m has one of everything."},
		{"artifacts", len(s.Artifacts), 4},
		{"report file", s.Artifacts[3].FileName.V, "report.json"},
		{"report value", s.Artifacts[3].Values[0].JSON.V + " " + s.Artifacts[3].Values[0].Doc, "score Score is how good it is."},
		{"report value without a tag", s.Artifacts[3].Values[1].JSON.V, "Rows"},
		{"step", prepare.Name + " " + prepare.Doc + " " + string(prepare.Kind), "Prepare Prepare prepares. processing"},
		{"compute", fmt.Sprint(prepare.Settings.Volume.V, prepare.Settings.Timeout.V), "50 20m0s"},
		{"enum", strings.Join(prepare.Params[0].Enum.V, "|"), "train|infer"},
		{"default", prepare.Params[1].DefaultValue, 0.5},
		{"only", prepare.Params[1].Only.V.Field.V + prepare.Params[1].Only.V.Value.V, "Modetrain"},
		{"aliased input", string(prepare.Ports[0].Form) + " " + prepare.Ports[0].Artifact.Name, "Input Raw"},
		{"two names", fit.Params[1].Name + " " + fit.Params[1].Hyper.V, "B ab"},
		{"int default", fit.Params[1].DefaultValue, int64(7)},
		{"channel", string(fit.Ports[0].Form), "Channel"},
		{"order", fmt.Sprint(line.Sources[0].Index, line.Uses[0].Index, register.Index), "0 2 5"},
		{"override", line.Uses[0].Settings.Instance.V, "ml.m5.xlarge"},
		{"set", line.Uses[0].Set[1].Left.V + "=" + line.Uses[0].Set[1].Right.V, "Ratio=Min"},
		{"same step", line.Uses[1].Step == fit, true},
		{"after", line.Uses[1].After[0].V, "Prepare"},
		{"condition", text(register.Cond), "((Score.Report.Score >= Min) && (! (Score.Report.Rows == -3)))"},
		{"environment", fmt.Sprint(dev.VarName, dev.Name.V, dev.LogRetentionDays.V, dev.Subnets[1].V, dev.Tags[0].Value.V, dev.Doc), "Devdev14subnet-2meDev is for trying out."},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
}

func text(e *ir.Expr) string {
	switch {
	case e.Op != "" && e.Y != nil:
		return "(" + text(e.X) + " " + e.Op + " " + text(e.Y) + ")"
	case e.Op != "":
		return "(" + e.Op + " " + text(e.X) + ")"
	case e.Ref != "":
		return e.Ref
	}
	return fmt.Sprint(e.Lit)
}
