package diag

// Code names a kind of mistake. Codes are never reused or renumbered.
type Code string

// Every code says what it means, why it is one, and how it comes about. The
// example changes the package of example.txtar: a declaration takes the place of
// the one of its name there. A test feeds each example through the generator and
// wants exactly its code. `mlmaxgen explain CODE` prints this text.
const (
	// BadPackage: the package does not compile; the message is the compiler's own.
	//
	// A spec is Go, and is read only as far as Go allows. What depends on the broken
	// part is reported once that is mended.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Dat] `default:"data/in.csv"`
	//	}
	BadPackage Code = "MLX001"

	// NoPipelines: the package declares no pipeline.
	//
	// Packages of steps alone may be imported by specs, but there is nothing to
	// generate from them.
	//
	// Example:
	//
	//	type Fit struct{}
	NoPipelines Code = "MLX002"

	// MalformedTag: a struct tag is not a list of key:"value" pairs.
	//
	// Go's own reflect package would skip such a tag silently; a spec loses nothing.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:ml.m5.large`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	MalformedTag Code = "MLX003"

	// UnknownKey: a tag key that this field cannot have.
	//
	// "mlmaxgen explain tags" lists the keys of every kind of field.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.large"`
	//
	//		Depth int `hyper:"depth" defalt:"3"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	UnknownKey Code = "MLX004"

	// DuplicateKey: a tag key is given twice.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.large"`
	//
	//		Depth int `hyper:"depth" default:"3" default:"3"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	DuplicateKey Code = "MLX005"

	// MissingKey: a tag key that this field must have is not there.
	//
	// Of what a step runs on, the instance type must be said: by the step's type, or in
	// the pipeline that uses it.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py"`
	//
	//		Depth int `hyper:"depth" default:"3"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	MissingKey Code = "MLX006"

	// BadValue: a tag value is not of the type that its key takes.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.large" count:"two"`
	//
	//		Depth int `hyper:"depth" default:"3"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	BadValue Code = "MLX007"

	// OutOfRange: a tag value is outside the range that its key or the service allows.
	//
	// The service's ranges come from its own model; see package gen/limits.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"steps/prepare/prepare.py" instance:"ml.m5.large" volume:"20TiB"`
	//
	//		Data  mlmax.Input[Data]   `arg:"--data"`
	//		Clean mlmax.Output[Clean] `arg:"--clean"`
	//	}
	OutOfRange Code = "MLX008"

	// NotInEnum: a value is not one of those allowed.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train
	//		Evaluate Evaluate
	//		Register mlmax.RegisterModel[Classifier] `group:"fit" status:"Aproved"`
	//	}
	NotInEnum Code = "MLX009"

	// UnknownInstance: an instance type that SageMaker does not offer for the kind of job.
	//
	// Processing and training jobs have lists of their own: some types are for training
	// only.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"steps/prepare/prepare.py" instance:"ml.m5.huge"`
	//
	//		Data  mlmax.Input[Data]   `arg:"--data"`
	//		Clean mlmax.Output[Clean] `arg:"--clean"`
	//	}
	UnknownInstance Code = "MLX010"

	// UnknownImage: an image that is not in the catalogue.
	//
	// The catalogue holds for each image where it is and which packages stand for it on
	// the laptop, so that one that it does not hold could run on AWS only.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4" script:"steps/prepare/prepare.py" instance:"ml.m5.large"`
	//
	//		Data  mlmax.Input[Data]   `arg:"--data"`
	//		Clean mlmax.Output[Clean] `arg:"--clean"`
	//	}
	UnknownImage Code = "MLX011"

	// UnknownRegion: a Region that does not exist or has no such image.
	//
	// Example:
	//
	//	var Dev = mlmax.Environment{Name: "dev", Region: "eu-west-11", Bucket: "acme-dev"}
	UnknownRegion Code = "MLX012"

	// ScriptMissing: the step's script does not exist.
	//
	// Paths in tags are relative to the folder of the package that declares the step.
	//
	// Example:
	//
	//	-- steps/train/train.py is missing --
	ScriptMissing Code = "MLX013"

	// ScriptOutside: the step's script lies outside its package.
	//
	// A package must be whole: what is outside is not part of its digest, and another
	// machine may not have it. Links that lead out of the package count as outside, too.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"../prepare/prepare.py" instance:"ml.m5.large"`
	//
	//		Data  mlmax.Input[Data]   `arg:"--data"`
	//		Clean mlmax.Output[Clean] `arg:"--clean"`
	//	}
	ScriptOutside Code = "MLX014"

	// SharedFolder: two steps' scripts lie in one folder. A warning.
	//
	// A step's code is its script's folder. With one folder for two, a change to either
	// is a change to both.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/prepare/train.py" instance:"ml.m5.large"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	//	-- steps/prepare/train.py --
	//	print("trained")
	SharedFolder Code = "MLX015"

	// CodeSymlink: a symbolic link, or anything else that is no file, in a code folder.
	//
	// It would not reach AWS, or not as what it is here.
	//
	// Example:
	//
	//	-- steps/train/common.py -> ../prepare/prepare.py --
	CodeSymlink Code = "MLX016"

	// ProcessingRequirements: requirements.txt on a processing step, which nobody installs on AWS.
	//
	// SageMaker installs it for training jobs only.
	//
	// Example:
	//
	//	-- steps/prepare/requirements.txt --
	//	pandas==2.2.3
	ProcessingRequirements Code = "MLX017"

	// BadDefault: a default that breaks its own bounds, enum, pattern or type.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.large"`
	//
	//		Depth int `hyper:"depth" default:"0" min:"1"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	//	-- steps/train/train.py --
	//	print("trained")
	BadDefault Code = "MLX018"

	// AbsoluteLocation: a location that is an absolute URI instead of a key below the environment's prefix.
	//
	// Which bucket holds the data is the environment's business, so that one pipeline
	// can run in all of them.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"s3://acme-dev/data/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train
	//		Evaluate Evaluate
	//	}
	AbsoluteLocation Code = "MLX019"

	// NoProducer: an input that nothing declared above it produces.
	//
	// An input takes the one output or source of the same artifact type that stands
	// above it in the pipeline. Here the step stands above the one that it needs.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Train    Train
	//		Prepare  Prepare
	//		Evaluate Evaluate
	//	}
	NoProducer Code = "MLX020"

	// ManyProducers: an input that more than one output above it could feed.
	//
	// The type alone does not say which; bind:"Data=New" on the step's field does.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Old mlmax.Source[Data] `default:"data/old.csv"`
	//		New mlmax.Source[Data] `default:"data/new.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train
	//		Evaluate Evaluate
	//	}
	ManyProducers Code = "MLX021"

	// BadBind: bind names something unknown, later, or of another type.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train `bind:"Clean=Data"`
	//		Evaluate Evaluate
	//	}
	BadBind Code = "MLX022"

	// BadAfter: after names something unknown or later.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train    `after:"Prepair"`
	//		Evaluate Evaluate
	//	}
	BadAfter Code = "MLX023"

	// BadSet: set names an unknown field, or gives a value that does not fit it.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train    `set:"Depth=deep"`
	//		Evaluate Evaluate
	//	}
	BadSet Code = "MLX024"

	// BadOnly: only names an unknown field or a value that the field cannot have.
	//
	// What depends on a mode that there cannot be would never exist.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"steps/prepare/prepare.py" instance:"ml.m5.large"`
	//
	//		Mode string `arg:"--mode" enum:"train,infer"`
	//
	//		Data  mlmax.Input[Data]   `arg:"--data"`
	//		Clean mlmax.Output[Clean] `arg:"--clean" only:"Mode=trian"`
	//	}
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare Prepare `set:"Mode=infer"`
	//	}
	//
	//	type Train struct{}
	//
	//	type Evaluate struct{}
	//	-- steps/prepare/prepare.py --
	//	print("prepared")
	BadOnly Code = "MLX025"

	// UnusedStep: a step that no pipeline uses. A warning.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare Prepare
	//		Train   Train
	//	}
	UnusedStep Code = "MLX026"

	// UnusedOutput: an output that nothing uses. A warning.
	//
	// What the last step writes is the pipeline's product, and reports are read by the
	// machine: both count as used.
	//
	// Example:
	//
	//	type Leftovers struct{}
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"steps/prepare/prepare.py" instance:"ml.m5.large"`
	//
	//		Data  mlmax.Input[Data]       `arg:"--data"`
	//		Clean mlmax.Output[Clean]     `arg:"--clean"`
	//		Rest  mlmax.Output[Leftovers] `arg:"--rest"`
	//	}
	//	-- steps/prepare/prepare.py --
	//	print("prepared")
	UnusedOutput Code = "MLX027"

	// PipelineClash: two pipelines have one name or would write the same files.
	//
	// The folder is the type's name in lower case, and a Go package; the name is that on
	// AWS.
	//
	// Example:
	//
	//	type Refit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare Prepare
	//	}
	PipelineClash Code = "MLX028"

	// NameClash: two names are the same, or differ in nothing but case.
	//
	// Channels, flags, folders and AWS know some of them in lower case only.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.large"`
	//
	//		Depth int `hyper:"depth" default:"3"`
	//		DEPTH int `hyper:"deepness" default:"3"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	//	-- steps/train/train.py --
	//	print("trained")
	NameClash Code = "MLX029"

	// NameTooLong: a name exceeds a service limit once environment and attempt are added.
	//
	// A job is called ENVIRONMENT-PIPELINE-STEP-RUN-RETRY-REDRIVE, and has 63 characters.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit-a-classifier-to-the-census"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  Prepare
	//		T        Train
	//		E        Evaluate
	//	}
	NameTooLong Code = "MLX030"

	// UnexportedField: a field of a step or pipeline is not exported.
	//
	// Generated code in another package names the fields.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.large"`
	//
	//		depth int `hyper:"depth" default:"3"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	UnexportedField Code = "MLX031"

	// BadKind: a struct embeds no kind where it must, a second one, or an unknown one.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.large"`
	//		mlmax.Processing
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	BadKind Code = "MLX032"

	// BadStepType: a step is generic, or a pipeline holds it by pointer.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  *Prepare
	//		Train    Train
	//		Evaluate Evaluate
	//	}
	BadStepType Code = "MLX033"

	// WhenSyntax: a condition that cannot be parsed.
	//
	// A condition compares fields and literals with == != < <= > >=, joined by && || and !.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train
	//		Evaluate Evaluate
	//		Register mlmax.RegisterModel[Classifier] `group:"fit" when:"Evaluate.Report.AUC >="`
	//	}
	WhenSyntax Code = "MLX034"

	// WhenUnknown: a condition names an unknown field.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train
	//		Evaluate Evaluate
	//		Register mlmax.RegisterModel[Classifier] `group:"fit" when:"Evaluate.Report.ACU >= 0.7"`
	//	}
	WhenUnknown Code = "MLX035"

	// WhenType: a condition compares values of different types.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train
	//		Evaluate Evaluate
	//		Register mlmax.RegisterModel[Classifier] `group:"fit" when:"Evaluate.Report.AUC >= \"high\""`
	//	}
	WhenType Code = "MLX036"

	// WhenAbsent: a condition reads a report that may not exist.
	//
	// Reports are read where they stand in the pipeline, and ports with only exist in one
	// mode.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train
	//		Register mlmax.RegisterModel[Classifier] `group:"fit" when:"Evaluate.Report.AUC >= 0.7"`
	//		Evaluate Evaluate
	//	}
	WhenAbsent Code = "MLX037"

	// LocalMissing: the local data of a source is not there, or is a folder where one file is wanted.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"fit"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv" local:"testdata/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train
	//		Evaluate Evaluate
	//	}
	LocalMissing Code = "MLX038"

	// Secret: a literal that looks like a secret.
	//
	// Arguments, hyperparameters and environment variables are shown by the console, by
	// Describe calls and in the history. Pass the ARN of a secret instead, and let the
	// script read it.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"steps/prepare/prepare.py" instance:"ml.m5.large"`
	//
	//		Password string `env:"DB_PASSWORD" default:"hunter2"`
	//
	//		Data  mlmax.Input[Data]   `arg:"--data"`
	//		Clean mlmax.Output[Clean] `arg:"--clean"`
	//	}
	Secret Code = "MLX039"

	// LooksSubstituted: text that would be mistaken for a substitution.
	//
	// CloudFormation replaces ${Name} in a state machine, and {{resolve:…}} anywhere; Step
	// Functions evaluates what stands between {% and %}.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"steps/prepare/prepare.py" instance:"ml.m5.large"`
	//
	//		Title string `arg:"--title" default:"run of ${Env}"`
	//
	//		Data  mlmax.Input[Data]   `arg:"--data"`
	//		Clean mlmax.Output[Clean] `arg:"--clean"`
	//	}
	//	-- steps/prepare/prepare.py --
	//	print("prepared")
	LooksSubstituted Code = "MLX040"

	// EnvironmentName: an environment's name is missing, malformed, too long or not unique.
	//
	// It begins every name on AWS, whose length is bounded; 10 characters are left for it.
	//
	// Example:
	//
	//	var Dev = mlmax.Environment{Name: "development", Region: "eu-west-1", Bucket: "acme-dev"}
	EnvironmentName Code = "MLX041"

	// EnvironmentBucket: a bucket name or prefix that S3 does not accept.
	//
	// Example:
	//
	//	var Dev = mlmax.Environment{Name: "dev", Region: "eu-west-1", Bucket: "Acme_Dev"}
	EnvironmentBucket Code = "MLX042"

	// EnvironmentPartition: an environment's Region or ARNs lie in another partition than its pipelines.
	//
	// ARNs cannot cross partitions, and a state machine holds some; a pipeline for China
	// or GovCloud says so: partition:"aws-cn".
	//
	// Example:
	//
	//	var Dev = mlmax.Environment{Name: "dev", Region: "cn-north-1", Bucket: "acme-dev"}
	EnvironmentPartition Code = "MLX043"

	// EnvironmentKey: the ARN of the key or of the permissions boundary is malformed or in another Region or account.
	//
	// Example:
	//
	//	var Dev = mlmax.Environment{
	//		Name: "dev", Region: "eu-west-1", Bucket: "acme-dev",
	//		KmsKey: "arn:aws:kms:eu-west-1:123456789012:alias/ml",
	//	}
	EnvironmentKey Code = "MLX044"

	// EnvironmentNetwork: subnets without security groups, the other way round, or malformed ids.
	//
	// Example:
	//
	//	var Dev = mlmax.Environment{
	//		Name: "dev", Region: "eu-west-1", Bucket: "acme-dev",
	//		Subnets: []string{"subnet-0123456789abcdef0"},
	//	}
	EnvironmentNetwork Code = "MLX045"

	// EnvironmentValue: a member of an environment is not a constant, or has a value that does not fit.
	//
	// Environments are read, never executed.
	//
	// Example:
	//
	//	var Dev = mlmax.Environment{
	//		Name: "dev", Region: "eu-west-1", Bucket: "acme-dev",
	//		Instances: map[string]string{"Fit.Trian": "ml.m5.xlarge"},
	//	}
	EnvironmentValue Code = "MLX046"

	// FieldType: a field has a type that steps or pipelines cannot have.
	//
	// Parameters are string, bool, int or float64, so that what a run is given, what the
	// machine checks and what the script gets are the same.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.large"`
	//
	//		Depth int32 `hyper:"depth" default:"3"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	FieldType Code = "MLX047"

	// ScriptArgument: the struct passes an argument that the script does not accept.
	//
	// It would fail with a usage message once its job has started. A flag that takes no
	// value (store_true), or a type or choice that the value does not have, counts as
	// well. Scripts are read, never executed; what cannot be decided, such as a parser
	// put together in a loop, is left alone.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"steps/prepare/prepare.py" instance:"ml.m5.large"`
	//
	//		Share float64 `arg:"--shares" default:"0.2"`
	//
	//		Data  mlmax.Input[Data]   `arg:"--data"`
	//		Clean mlmax.Output[Clean] `arg:"--clean"`
	//	}
	ScriptArgument Code = "MLX048"

	// ScriptRequires: the script requires an argument that nobody passes.
	//
	// Example:
	//
	//	-- steps/train/train.py --
	//	import argparse
	//
	//	parser = argparse.ArgumentParser()
	//	parser.add_argument("--depth", type=int, default=3)
	//	parser.add_argument("--rate", type=float, required=True)
	//	args = parser.parse_args()
	ScriptRequires Code = "MLX049"

	// ScriptDefault: the script's own default differs from the struct's.
	//
	// Started by hand and in a pipeline, the script would do different things.
	//
	// Example:
	//
	//	-- steps/train/train.py --
	//	import argparse
	//
	//	parser = argparse.ArgumentParser()
	//	parser.add_argument("--depth", type=int, default=5)
	//	args = parser.parse_args()
	ScriptDefault Code = "MLX050"

	// ScriptReads: the script reads a channel or path that nobody supplies.
	//
	// Example:
	//
	//	-- steps/train/train.py --
	//	import os
	//
	//	rows = os.listdir(os.environ["SM_CHANNEL_VALIDATION"])
	ScriptReads Code = "MLX051"

	// ScriptNaN: the script writes a report in which NaN would not be JSON.
	//
	// Python writes NaN as NaN, which no JSON reader takes; the state machine would fail
	// at reading the report, far from the cause. With allow_nan=False the script fails
	// where the number went wrong.
	//
	// Example:
	//
	//	-- steps/evaluate/evaluate.py --
	//	import json
	//
	//	with open("/opt/ml/processing/output/Report/report.json", "w") as out:
	//	    json.dump({"auc": score}, out)
	ScriptNaN Code = "MLX052"

	// ScriptSyntax: the script does not parse.
	//
	// Example:
	//
	//	-- steps/train/train.py --
	//	if True
	//	    print("trained")
	ScriptSyntax Code = "MLX053"

	// NoPython: python3 is not there to read the scripts. A warning.
	//
	// Everything else is checked; only what scripts accept, require and read is not.
	NoPython Code = "MLX054"

	// ServiceLimit: more inputs, arguments, hyperparameters or characters than the service accepts.
	//
	// The limits come from the service's own model; see package gen/limits.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"steps/prepare/prepare.py" instance:"ml.m5.large"`
	//
	//		Data                   mlmax.Input[Data] `arg:"--data"`
	//		A, B, C, D, E, F, G, H mlmax.Input[Data]
	//		I                      mlmax.Input[Data]
	//		Clean                  mlmax.Output[Clean] `arg:"--clean"`
	//	}
	ServiceLimit Code = "MLX055"

	// BadPattern: a pattern that is not a regular expression both here and in JSONata.
	//
	// The laptop's checks are Go's, those of the state machine JSONata's: a pattern may
	// use only what both know.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"steps/prepare/prepare.py" instance:"ml.m5.large"`
	//
	//		Country string `arg:"--country" default:"ch" pattern:"(?i)[a-z]{2}"`
	//
	//		Data  mlmax.Input[Data]   `arg:"--data"`
	//		Clean mlmax.Output[Clean] `arg:"--clean"`
	//	}
	//	-- steps/prepare/prepare.py --
	//	print("prepared")
	BadPattern Code = "MLX056"

	// Stale: a generated file is missing, differs from what its spec leads to, or is left over.
	//
	// "mlmaxgen generate" makes it anew, "mlmaxgen diff" shows the difference.
	Stale Code = "MLX057"

	// ForeignFile: a file to be written exists and was not generated.
	//
	// Generated folders hold generated files only. Move the file, or choose another
	// folder with --out.
	ForeignFile Code = "MLX058"

	// OpenMode: a step whose ports or parameters depend on a mode is used without fixing the mode.
	//
	// Which ports exist shapes the pipeline, and that must be known before it runs.
	//
	// Example:
	//
	//	type Prepare struct {
	//		mlmax.Processing `image:"sklearn:1.4-2" script:"steps/prepare/prepare.py" instance:"ml.m5.large"`
	//
	//		Mode string `arg:"--mode" enum:"train,infer"`
	//
	//		Data  mlmax.Input[Data]   `arg:"--data"`
	//		Clean mlmax.Output[Clean] `arg:"--clean" only:"Mode=train"`
	//	}
	//	-- steps/prepare/prepare.py --
	//	print("prepared")
	OpenMode Code = "MLX059"

	// MisplacedBound: a bound that the type of its field cannot have.
	//
	// Numbers have min and max, strings enum and pattern.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.large"`
	//
	//		Depth int `hyper:"depth" default:"3" enum:"3,5"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	MisplacedBound Code = "MLX060"

	// ReservedName: a name that SageMaker, its toolkit or the generated code has taken.
	//
	// Example:
	//
	//	type Train struct {
	//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.large"`
	//
	//		Depth int `hyper:"sagemaker_depth" default:"3"`
	//
	//		Clean mlmax.Channel[Clean]
	//		Model mlmax.Model[Classifier]
	//	}
	//	-- steps/train/train.py --
	//	print("trained")
	ReservedName Code = "MLX061"

	// BadName: a name with letters that the service, Go or the shell does not accept.
	//
	// Example:
	//
	//	type Fit struct {
	//		mlmax.Pipeline `name:"Fit it"`
	//
	//		Data mlmax.Source[Data] `default:"data/in.csv"`
	//
	//		Prepare  Prepare
	//		Train    Train
	//		Evaluate Evaluate
	//	}
	BadName Code = "MLX062"
)
