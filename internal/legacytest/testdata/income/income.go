// Package income brings scripts that were written for SageMaker's container layout into
// a pipeline without changing them.
package income

import "github.com/mlmax/mlmax"

// Census is the raw extract, under the name that the script asks for.
type Census struct {
	mlmax.File `name:"census-income.csv"`
}

// TrainSet and TestSet are train_features.csv, train_labels.csv and so on.
type (
	TrainSet struct{}
	TestSet  struct{}
)

// Transformer is proc_model.tar.gz, which the script packs and unpacks itself.
type Transformer struct {
	mlmax.File `name:"proc_model.tar.gz"`
}

// Classifier is the fitted model.
type Classifier struct{}

// Report is evaluation.json.
type Report struct {
	mlmax.File `name:"evaluation.json"`
	Accuracy   float64 `json:"accuracy"`
	ROCAUC     float64 `json:"roc_auc"`
}

// Preprocess splits the data and fits the transformer.
type Preprocess struct {
	mlmax.Processing `image:"sklearn:0.20.0" script:"steps/preprocess/preprocess.py" instance:"ml.m5.large"`

	SplitRatio  float64 `arg:"--train-test-split-ratio" default:"0.3" min:"0" max:"1"`
	RandomState int     `arg:"--random_state" default:"0"`

	Raw         mlmax.Input[Census]       `path:"/opt/ml/processing/input"`
	Train       mlmax.Output[TrainSet]    `path:"/opt/ml/processing/train"`
	Test        mlmax.Output[TestSet]     `path:"/opt/ml/processing/test"`
	Transformer mlmax.Output[Transformer] `path:"/opt/ml/processing/proc_model"`
}

// Train fits the model.
type Train struct {
	mlmax.Training `image:"sklearn:0.20.0" script:"steps/train/train.py" instance:"ml.m5.large"`

	MaxIter int    `hyper:"max_iter" default:"100"`
	Weight  string `hyper:"class-weight" default:"balanced" enum:"balanced"`

	Train mlmax.Channel[TrainSet]
	Model mlmax.Model[Classifier]
}

// Evaluate scores the model.
type Evaluate struct {
	mlmax.Processing `image:"sklearn:0.20.0" script:"steps/evaluate/evaluate.py" instance:"ml.m5.large"`

	Model       mlmax.Input[Classifier]  `path:"/opt/ml/processing/model"`
	Transformer mlmax.Input[Transformer] `path:"/opt/ml/processing/proc_model"`
	Test        mlmax.Input[TestSet]     `path:"/opt/ml/processing/test"`
	Report      mlmax.Output[Report]     `path:"/opt/ml/processing/evaluation"`
}

// Training trains and evaluates the model.
type Training struct {
	mlmax.Pipeline `name:"income-training"`

	Data mlmax.Source[Census] `default:"data/census-income.csv" local:"testdata/census-income.csv"`

	Preprocess Preprocess
	Train      Train
	Evaluate   Evaluate
}
