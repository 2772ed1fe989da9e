// Package plantest holds plans for the tests of planning and emitting: that of this
// repository's example, and some written down by hand, so that an emitter can be
// tested by itself. Nothing but tests imports it.
package plantest

import "github.com/mlmax/mlmax/gen/ir"

// Census is a plan as the census example leads to it.
func Census() *ir.Plan {
	p := &ir.Plan{
		Path: "github.com/mlmax/mlmax/specs/census", Package: "census", Source: "specs/census",
		ModulePath: "github.com/mlmax/mlmax",
		GoName:     "Training", Name: "census-training", Dir: "training",
		Doc:       "Training fits, evaluates and, when good enough, registers an income classifier.",
		Partition: "aws",
		Parameters: []*ir.Parameter{
			{Key: "Data", Field: "Data", Flag: "data", Doc: "Data is the extract to learn from.", Type: ir.String,
				Location: true, Local: "specs/census/testdata/census.csv", Artifact: "Census", File: true, Default: "data/census.csv"},
			{Key: "MinROCAUC", Field: "MinROCAUC", Flag: "min-rocauc", Type: ir.Float, Default: 0.8, Min: new(0.0), Max: new(1.0),
				Doc: "MinROCAUC is what a model must reach to be registered. On the 2,000 rows in\ntestdata ten splits give 0.90."},
			{Key: "Preprocess.SplitRatio", Step: "Preprocess", Field: "SplitRatio", Flag: "preprocess.split-ratio", Type: ir.Float,
				Doc: "SplitRatio is the share of the rows that is held out, in each class alike.", Default: 0.2, Min: new(0.05), Max: new(0.95)},
			{Key: "Preprocess.Seed", Step: "Preprocess", Field: "Seed", Flag: "preprocess.seed", Type: ir.Int,
				Doc: "Seed decides which rows are held out.", Default: int64(0), Min: new(0.0), Max: new(4294967295.0)},
			{Key: "Train.Strength", Step: "Train", Field: "Strength", Flag: "train.strength", Type: ir.Float,
				Doc: "Strength is how strongly large coefficients are held down; 0 is not at all.", Default: 1.0, Min: new(0.0)},
			{Key: "Train.Balanced", Step: "Train", Field: "Balanced", Flag: "train.balanced", Type: ir.Bool,
				Doc: "Balanced gives both classes the same weight, however rare one is.", Default: true},
			{Key: "Train.MaxIterations", Step: "Train", Field: "MaxIterations", Flag: "train.max-iterations", Type: ir.Int,
				Doc: "MaxIterations is how many steps the solver may take to converge.", Default: int64(1000), Min: new(1.0)},
		},
	}
	report := &ir.Report{Step: "Evaluate", Output: "Report", State: "ReadEvaluateReport", Variable: "EvaluateReport",
		Artifact: "Report", FileName: "report.json", Fields: []*ir.Field{
			{Name: "ROCAUC", JSON: "roc_auc", Type: ir.Float, Doc: "ROCAUC is the area under the ROC curve of the scores."},
			{Name: "Accuracy", JSON: "accuracy", Type: ir.Float, Doc: "Accuracy is the share of people put on the right side."},
			{Name: "Rows", JSON: "rows", Type: ir.Int, Doc: "Rows is how many people were held out."},
		}}
	preprocess := job(p, "Preprocess", ir.Processing, "Preprocess splits the extract, fits the transformer on the rows to train on,\nand writes both parts as features.")
	preprocess.Inputs = []*ir.Input{{Name: "Raw", Artifact: "Census", File: true, LocalPath: "/opt/ml/processing/input/Raw", Param: "Data"}}
	preprocess.Outputs = []*ir.Output{output("Train", "TrainSet"), output("Test", "TestSet"), output("Transformer", "Transformer")}
	train := job(p, "Train", ir.Training, "Train fits a logistic regression.")
	train.TimeoutSeconds = 3600
	train.Inputs = []*ir.Input{{Name: "Train", Channel: "train", Artifact: "TrainSet", LocalPath: "/opt/ml/input/data/train", Step: "Preprocess", Output: "Train"}}
	train.Outputs = []*ir.Output{{Name: "Model", Artifact: "Classifier", Model: true, LocalPath: "/opt/ml/model", Used: true}}
	evaluate := job(p, "Evaluate", ir.Processing, "Evaluate scores the people held out.")
	evaluate.Instance = "ml.m5.large"
	evaluate.Inputs = []*ir.Input{
		{Name: "Model", Artifact: "Classifier", LocalPath: "/opt/ml/processing/input/Model", Step: "Train", Output: "Model"},
		{Name: "Transformer", Artifact: "Transformer", LocalPath: "/opt/ml/processing/input/Transformer", Step: "Preprocess", Output: "Transformer"},
		{Name: "Test", Artifact: "TestSet", LocalPath: "/opt/ml/processing/input/Test", Step: "Preprocess", Output: "Test"},
	}
	evaluate.Outputs = []*ir.Output{{Name: "Report", Artifact: "Report", LocalPath: "/opt/ml/processing/output/Report", FileName: "report.json", Used: true}}
	evaluate.Reports = []*ir.Report{report}
	register := &ir.Registration{Name: "Register", Gate: "RegisterGate", Doc: "Register puts the model before those who approve it.",
		Group: "census", Status: "PendingManualApproval", When: "Evaluate.Report.ROCAUC >= MinROCAUC",
		Cond: &ir.Cond{Op: ">=", X: &ir.Cond{Report: "EvaluateReport", Field: "ROCAUC", Type: ir.Float}, Y: &ir.Cond{Param: "MinROCAUC", Type: ir.Float}},
		Step: "Train", Output: "Model", Metrics: report}
	p.Nodes = []*ir.Node{{Job: preprocess}, {Job: train}, {Job: evaluate}, {Registration: register}}
	p.Roles = roles()
	p.Environments = []*ir.Place{{Name: "dev", Region: "eu-west-1", Bucket: "acme-ml-dev",
		Doc:       "Dev is where the pipelines of this package are tried on AWS.",
		Instances: map[string]string{"Preprocess": "ml.m5.xlarge", "Train": "ml.m5.xlarge", "Evaluate": "ml.m5.large"}}}
	return p
}

// job is a step of the census example but for its ports.
func job(p *ir.Plan, name string, kind ir.Kind, doc string) *ir.Job {
	lower := map[string]string{"Preprocess": "preprocess", "Train": "train", "Evaluate": "evaluate"}[name]
	return &ir.Job{
		Name: name, Type: name, TypePath: p.Path, Doc: doc, Kind: kind, JobName: p.Name + "-" + lower,
		Framework: "sklearn", Version: "1.4-2", CodeDir: p.Source + "/steps/" + lower, Script: lower + ".py",
		Instance: "ml.m5.xlarge", Count: 1, VolumeGB: 30, TimeoutSeconds: 1200, StateSeconds: 8400,
		Interface: "5c1d8f7f0a1d5c4e9b7f3a2c6d8e0f1a5c1d8f7f0a1d5c4e9b7f3a2c6d8e0f1a",
		RoleName:  name + "Role", ImageName: name + "Image", InstanceName: name + "Instance", CodeName: name + "Code",
	}
}

func output(name, artifact string) *ir.Output {
	return &ir.Output{Name: name, Artifact: artifact, LocalPath: "/opt/ml/processing/output/" + name, Used: true}
}

// roles are two of the roles, enough for a table.
func roles() []*ir.Role {
	return []*ir.Role{
		{Name: "MachineRole", Principal: "states", Statements: []*ir.Statement{
			{Sid: "Processing", Actions: []string{"sagemaker:CreateProcessingJob", "sagemaker:StopProcessingJob"},
				Resources: []string{"arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:processing-job/${Env}-census-training-*"},
				Reason:    "start, watch and stop the processing jobs of the pipeline", Needs: []string{"Preprocess", "Evaluate"}},
			{Sid: "Logging", Actions: []string{"logs:CreateLogDelivery"}, Resources: []string{"*"},
				Reason: "write the machine's log; these actions know no resources"},
		}},
		{Name: "TrainRole", Principal: "sagemaker", For: "Train", Statements: []*ir.Statement{
			{Sid: "Key", Actions: []string{"kms:Decrypt"}, Resources: []string{"${KmsKey}"}, If: "HasKmsKey",
				Reason: "read what is encrypted with the environment's key", Needs: []string{"Train.Train"}},
		}},
	}
}
