package plantest

import "github.com/mlmax/mlmax/gen/ir"

// OddSpec is the source of the package that Odd stands for.
const OddSpec = `package json

import "github.com/mlmax/mlmax"

type (
	Rows   struct{}
	Report struct{ mlmax.File }
)

type Step struct {
	mlmax.Processing

	Text string
	In   mlmax.Input[Rows]
	Out  mlmax.Output[Rows]
	Report mlmax.Output[Report]
}

type Func struct {
	mlmax.Pipeline

	Input    mlmax.Source[Rows]
	Validate int
	Quoted   string
	Needed   string
	Params   Step
	Evaluate Step
	EvaluateMetrics Step
}
`

// Odd is a plan with the names and texts that code generators trip over: Go's own
// words, the generated package's, quotes, comments, and one step type used thrice.
func Odd(path string) *ir.Plan {
	p := &ir.Plan{
		Path: path, Package: "json", Source: "json", ModulePath: "example.com/m",
		GoName: "Func", Name: "odd", Dir: "func", Partition: "aws",
		Doc: "Func is odd.\r\n*/ //go:build never\n\n\n\n\tcode\x1b[31m",
		Parameters: []*ir.Parameter{
			{Key: "Input", Field: "Input", Flag: "input", Type: ir.String, Location: true, Local: "json/rows", Artifact: "Rows"},
			{Key: "Validate", Field: "Validate", Flag: "validate", Type: ir.Int, Default: int64(-3), Doc: "go:generate rm"},
			{Key: "Quoted", Field: "Quoted", Flag: "quoted", Type: ir.String, Default: "a\"b`c\\ü", Enum: []string{"a\"b`c\\ü", "x"}},
			{Key: "Needed", Field: "Needed", Flag: "needed", Type: ir.String, Pattern: "^`?[a-z]+\"?$"},
			{Key: "Params.Text", Step: "Params", Field: "Text", Flag: "params.text", Type: ir.String, Default: "x"},
			{Key: "Evaluate.Text", Step: "Evaluate", Field: "Text", Flag: "evaluate.text", Type: ir.String, Default: ""},
		},
	}
	for _, name := range []string{"Params", "Evaluate", "EvaluateMetrics"} {
		j := &ir.Job{
			Name: name, Type: "Step", TypePath: path, Kind: ir.Processing, Framework: "sklearn", Version: "1.4-2",
			CodeDir: "json/step", Script: "run.sh", Instance: "ml.m5.large", Count: 2, VolumeGB: 50, Spot: true, Isolated: true,
			Inputs: []*ir.Input{{Name: "In", Artifact: "Rows", LocalPath: "/opt/ml/processing/input/In", Param: "Input"}},
			Outputs: []*ir.Output{
				{Name: "Out", Artifact: "Rows", LocalPath: "/opt/ml/processing/output/Out"},
				{Name: "Report", Artifact: "Report", LocalPath: "/opt/ml/processing/output/Report", FileName: "report.json"},
			},
			Reports: []*ir.Report{{Step: name, Output: "Report", Artifact: "Report", FileName: "report.json",
				Fields: []*ir.Field{{Name: "Score", JSON: "a|b", Type: ir.Float}, {Name: "Note", JSON: "note", Type: ir.String}}}},
		}
		p.Nodes = append(p.Nodes, &ir.Node{Job: j})
	}
	return p
}

// Bare is a plan with nothing but one step without ports.
func Bare(path string) *ir.Plan {
	return &ir.Plan{
		Path: path, Package: "bare", Source: "bare", ModulePath: "example.com/m",
		GoName: "Bare", Name: "bare", Dir: "bare", Partition: "aws",
		Nodes: []*ir.Node{{Job: &ir.Job{Name: "Run", Type: "Run", TypePath: path, Kind: ir.Processing, Framework: "sklearn",
			Version: "1.4-2", CodeDir: "bare/run", Script: "run.py", Instance: "ml.m5.large", Count: 1, VolumeGB: 30}}},
	}
}
