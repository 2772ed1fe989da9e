package plantest

import "github.com/mlmax/mlmax/gen/ir"

// ScoringSpec is the source of the package that Scoring stands for.
const ScoringSpec = `package score

import "github.com/mlmax/mlmax"

type (
	Net  struct{}
	Rows struct{}
)

type Score struct {
	mlmax.Processing

	Net mlmax.Input[Net]
	Out mlmax.Output[Rows]
}

type Scoring struct {
	mlmax.Pipeline

	Net   mlmax.ModelVersion[Net]
	Score Score
}
`

// Scoring is a plan that starts from a model version and has nothing else.
func Scoring(path string) *ir.Plan {
	return &ir.Plan{
		Path: path, Package: "score", Source: "score", ModulePath: "example.com/m",
		GoName: "Scoring", Name: "scoring", Dir: "scoring", Partition: "aws", Schedule: "rate(1 day)",
		Parameters: []*ir.Parameter{{Key: "NetVersion", Field: "NetVersion", Flag: "net-version", Type: ir.Int, Default: int64(0), Min: new(0.0)}},
		Versions: []*ir.Version{{Name: "Net", Artifact: "Net", Group: "nets", Status: "Approved", Param: "NetVersion",
			Pipeline: "fit", Dir: "fit", Step: "Train"}},
		Nodes: []*ir.Node{{Job: &ir.Job{Name: "Score", Type: "Score", TypePath: path, Kind: ir.Processing, Framework: "sklearn",
			Version: "1.4-2", CodeDir: "score/run", Script: "run.py", Instance: "ml.m5.large", Count: 1, VolumeGB: 30, ImageOf: "Net",
			Inputs:  []*ir.Input{{Name: "Net", Artifact: "Net", LocalPath: "/opt/ml/processing/input/Net", Version: "Net"}},
			Outputs: []*ir.Output{{Name: "Out", Artifact: "Rows", LocalPath: "/opt/ml/processing/output/Out"}}}}},
	}
}
