package plantest

import (
	"go/token"
	"testing"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/gen/plan"
)

// InferenceSpec is Spec with the second pipeline.
func InferenceSpec(t testing.TB) *ir.Spec {
	s := Spec(t)
	training := s.Pipelines[0]
	classifier := training.Registers[0].Artifact
	at := func(line int) token.Position { return token.Position{Filename: "x", Line: line, Column: 2} }
	said := func(v string) ir.At[string] { return ir.At[string]{V: v, Pos: at(1)} }
	step := func(name string) *ir.Step {
		for _, st := range s.Steps {
			if st.Name == name {
				return st
			}
		}
		panic(name)
	}
	src := *training.Sources[0]
	src.Default, src.Local, src.Pos, src.Index = said("incoming/census.csv"), said("testdata/unlabelled.csv"), at(900), 1
	s.Pipelines = append(s.Pipelines, &ir.Pipeline{
		GoName: "Inference", Name: said("census-inference"), Doc: "Inference scores.",
		Sources:  []*ir.Source{&src},
		Versions: []*ir.ModelVersion{{Name: "Model", Index: 2, Pos: at(901), Artifact: classifier, From: said("Training.Register")}},
		Uses: []*ir.Use{
			{Name: "Preprocess", Index: 3, Step: step("Preprocess"), Pin: said("Model"), Set: []ir.Assignment{{Left: said("Mode"), Right: said("infer")}}},
			{Name: "Predict", Index: 4, Step: step("Predict")},
		},
	})
	return s
}

// Inference is the plan of the example that starts from a model version.
func Inference(t testing.TB) *ir.Plan {
	t.Helper()
	return plan.Plan(InferenceSpec(t))[1]
}

// Both are the plans of the example's two pipelines.
func Both(t testing.TB) (training, inference *ir.Plan) {
	t.Helper()
	plans := plan.Plan(InferenceSpec(t))
	return plans[0], plans[1]
}
