package tag

import "time"

// Pipeline is the tag of an embedded mlmax.Pipeline: what the whole pipeline is
// called and how long one run may take.
type Pipeline struct {
	// Name is what the pipeline is called on AWS: lower-case letters, digits and
	// hyphens. It is a part of every job's name.
	//
	// Type: text. Example: name:"census-training". Default: none, it must be given.
	// From: CreateStateMachine name, and the names of its jobs.
	Name Val[string] `tag:"name,required"`
	// Timeout is how long one run may take.
	//
	// Type: duration. Example: timeout:"12h". Default: no limit of its own.
	// From: TimeoutSeconds of the state machine.
	Timeout Val[time.Duration] `tag:"timeout"`
	// Partition is the part of AWS that the pipeline is for: aws, aws-cn or
	// aws-us-gov. Environments elsewhere are refused.
	//
	// Type: text. Example: partition:"aws-cn". Default: aws.
	// From: the partition of ARNs.
	Partition Val[string] `tag:"partition"`
	// Schedule is when the pipeline starts by itself on AWS, in those environments that
	// switch schedules on: cron(MINUTE HOUR DAY MONTH WEEKDAY YEAR) or rate(N UNIT), as
	// EventBridge Scheduler has them. Each such run gets defaults only. Cron counts in
	// the environment's TimeZone.
	//
	// Type: schedule. Example: schedule:"cron(0 6 * * ? *)". Default: none; it runs when
	// it is started. From: ScheduleExpression of an EventBridge schedule.
	Schedule Val[string] `tag:"schedule"`
}

// Resources are the keys that say what a step runs on. They stand in the tag of
// the step's kind or of a mlmax.Compute beside it, and in a pipeline in the tag of
// the step's field, where they override the step type's.
type Resources struct {
	// Instance is the SageMaker instance type.
	//
	// Type: text. Example: instance:"ml.m5.xlarge". Default: none, it must be given;
	// an environment may replace it. From: InstanceType of the job.
	Instance Val[string] `tag:"instance"`
	// Count is the number of instances.
	//
	// Type: whole number. Example: count:"2". Default: 1.
	// From: InstanceCount of the job.
	Count Val[int] `tag:"count"`
	// Volume is the size of the disk of each instance.
	//
	// Type: size in GiB or TiB. Example: volume:"50GiB". Default: 30GiB.
	// From: VolumeSizeInGB of the job.
	Volume Val[GiB] `tag:"volume"`
	// Timeout is how long the job may run; it is stopped after that.
	//
	// Type: duration. Example: timeout:"20m". Default: 24h.
	// From: StoppingCondition.MaxRuntimeInSeconds of the job.
	Timeout Val[time.Duration] `tag:"timeout"`
	// Isolated takes the network away from the job's containers. SageMaker brings
	// inputs and takes outputs all the same.
	//
	// Type: true or false. Example: isolated:"false". Default: true for a processing
	// step of one instance, else false.
	// From: EnableNetworkIsolation of the job.
	Isolated Val[bool] `tag:"isolated"`
}

// SpotResources are those keys that training jobs have besides.
type SpotResources struct {
	// Spot trains on spare capacity, which is cheaper and may be interrupted.
	//
	// Type: true or false. Example: spot:"true". Default: false.
	// From: EnableManagedSpotTraining of a training job.
	Spot Val[bool] `tag:"spot"`
	// MaxWait is how long a spot training job may take with the time that it waits
	// for capacity; at least its timeout.
	//
	// Type: duration. Example: max-wait:"36h". Default: the job's timeout.
	// From: StoppingCondition.MaxWaitTimeInSeconds of a training job.
	MaxWait Val[time.Duration] `tag:"max-wait"`
}

// Code are the keys that say what a step runs.
type Code struct {
	// Image is the framework and version of the SageMaker image that the script
	// runs in. On the laptop, packages of the same versions stand for it.
	//
	// Type: FRAMEWORK:VERSION. Example: image:"sklearn:1.4-2". Default: none, it must
	// be given. From: AppSpecification.ImageUri or AlgorithmSpecification.TrainingImage.
	Image Val[string] `tag:"image,required"`
	// Script is the file that is run, .py or .sh, relative to the spec's package.
	// All of its folder goes with it, and no other step's script may lie there.
	//
	// Type: path with slashes. Example: script:"steps/train/train.py". Default: none,
	// it must be given. From: ContainerEntrypoint, or sagemaker_program.
	Script Val[string] `tag:"script,required"`
}

// Processing is the tag of an embedded mlmax.Processing, and of a mlmax.Compute
// in the same struct.
type Processing struct {
	Code
	Resources
}

// Training is the tag of an embedded mlmax.Training, and of a mlmax.Compute in the
// same struct.
type Training struct {
	Code
	Resources
	SpotResources
}

// File is the tag of an embedded mlmax.File.
type File struct {
	// Name is the file's name inside an output that holds it. A step that writes
	// the artifact needs to know it.
	//
	// Type: file name. Example: name:"report.json". Default: none.
	// From: the key below the output's S3Uri.
	Name Val[string] `tag:"name"`
}

// ReportField is the tag of a field of an artifact that is a file.
type ReportField struct {
	// JSON is the member of the file's JSON object that holds the value.
	//
	// Type: text. Example: json:"roc_auc". Default: the field's name.
	// From: the report that the step writes.
	JSON Val[string] `tag:"json"`
}

// Source is the tag of a field of type mlmax.Source in a pipeline.
type Source struct {
	// Default is where the data is on AWS, unless a run says otherwise: a key below
	// the environment's bucket and prefix, never a whole URI.
	//
	// Type: key with slashes. Example: default:"data/census.csv". Default: none; each
	// run must say where. From: S3Uri of the inputs that read it.
	Default Val[string] `tag:"default"`
	// Local is the file or folder that a run on the laptop takes, relative to the
	// spec's package.
	//
	// Type: path with slashes. Example: local:"testdata/census.csv". Default: none;
	// each local run must say which. From: the local runner.
	Local Val[string] `tag:"local"`
	// Label is the column that holds the answer, which data has that is learned from.
	// Where a pipeline that starts from a model version reads the same artifact from a
	// source without label, the column is not there, and no step may need it.
	//
	// Type: name of a column. Example: label:"income". Default: none; nothing is known
	// of the data's columns. From: the check of scripts; nothing on AWS.
	Label Val[string] `tag:"label"`
}

// ModelVersion is the tag of a field of type mlmax.ModelVersion in a pipeline.
type ModelVersion struct {
	// From is where the model is registered: a pipeline type of the same package, and its
	// field of type mlmax.RegisterModel.
	//
	// Type: Pipeline.Registration. Example: from:"Training.Register". Default: none, it
	// must be given. From: ModelPackageGroupName of ListModelPackages.
	From Val[string] `tag:"from,required"`
	// Status is what a version must be marked as: Approved or PendingManualApproval.
	//
	// Type: text. Example: status:"PendingManualApproval". Default: Approved.
	// From: ModelApprovalStatus of ListModelPackages.
	Status Val[string] `tag:"status"`
}

// When a step has modes, only says in which of them a field exists.
type When struct {
	// Only keeps the field for one value of a parameter of the step that has an enum:
	// in other modes it is neither passed nor wired.
	//
	// Type: Parameter=value. Example: only:"Mode=infer". Default: always.
	// From: the value that a pipeline gives the parameter by set.
	Only Only `tag:"only"`
}

// Place is the key that puts a port where a script insists on finding it.
type Place struct {
	// Path is the folder of the port in the container, for a script that was written
	// with a fixed path: below /opt/ml/processing/, and not that of the code. An input or
	// output may lie in the folder of an input.
	//
	// Type: absolute path. Example: path:"/opt/ml/processing/train". Default:
	// /opt/ml/processing/input/FIELD or /opt/ml/processing/output/FIELD.
	// From: LocalPath of a processing job's input or output.
	Path Val[string] `tag:"path"`
}

// Input is the tag of a field of type mlmax.Input.
type Input struct {
	// Arg is the flag that carries the path of the file or folder to the script.
	//
	// Type: text. Example: arg:"--raw". Default: none; the script finds it at
	// /opt/ml/processing/input/FIELD. From: ContainerArguments of a processing job.
	Arg Val[string] `tag:"arg"`
	Place
	When
}

// Output is the tag of a field of type mlmax.Output.
type Output struct {
	// Arg is the flag that carries the path of the file or folder to the script.
	//
	// Type: text. Example: arg:"--report". Default: none; the script writes to
	// /opt/ml/processing/output/FIELD. From: ContainerArguments of a processing job.
	Arg Val[string] `tag:"arg"`
	Place
	When
}

// Channel is the tag of a field of type mlmax.Channel.
type Channel struct {
	When
}

// Model is the tag of a field of type mlmax.Model. It takes no keys.
type Model struct{}

// Bounds are the keys that say which values a parameter may have.
type Bounds struct {
	// Default is the value if a run gives none.
	//
	// Type: that of the field. Example: default:"0.2". Default: none; a run or set must
	// give it. From: the execution input, merged by the machine's first state.
	Default Val[string] `tag:"default,empty"`
	// Enum lists the values that a string may have.
	//
	// Type: list. Example: enum:"train,infer". Default: any value.
	// From: the machine's first check.
	Enum Val[[]string] `tag:"enum"`
	// Min is the least value that a number may have.
	//
	// Type: number. Example: min:"0". Default: no bound.
	// From: the machine's first check.
	Min Val[float64] `tag:"min"`
	// Max is the greatest value that a number may have.
	//
	// Type: number. Example: max:"1". Default: no bound.
	// From: the machine's first check.
	Max Val[float64] `tag:"max"`
	// Pattern is a regular expression that the whole of a string must match.
	//
	// Type: regular expression. Example: pattern:"[a-z]+". Default: any text.
	// From: the machine's first check.
	Pattern Val[string] `tag:"pattern"`
}

// ProcessingParam is the tag of a string, bool, int or float64 of a processing
// step. It needs arg, env or both.
type ProcessingParam struct {
	// Arg is the flag that carries the value to the script.
	//
	// Type: text. Example: arg:"--mode". Default: none.
	// From: ContainerArguments of a processing job.
	Arg Val[string] `tag:"arg"`
	// Env is the environment variable that carries the value to the script.
	//
	// Type: text. Example: env:"LOG_LEVEL". Default: none.
	// From: Environment of the job.
	Env Val[string] `tag:"env"`
	Bounds
	When
}

// TrainingParam is the tag of a string, bool, int or float64 of a training step.
// It needs hyper, env or both.
type TrainingParam struct {
	// Hyper is the hyperparameter that carries the value; the script gets it as
	// "--strength 1.0".
	//
	// Type: text. Example: hyper:"strength". Default: none.
	// From: HyperParameters of a training job.
	Hyper Val[string] `tag:"hyper"`
	// Env is the environment variable that carries the value to the script.
	//
	// Type: text. Example: env:"LOG_LEVEL". Default: none.
	// From: Environment of the job.
	Env Val[string] `tag:"env"`
	Bounds
	When
}

// PipelineParam is the tag of a string, bool, int or float64 of a pipeline.
type PipelineParam struct {
	Bounds
}

// Wiring are the keys that place something in a pipeline.
type Wiring struct {
	// Bind says which output feeds an input, where the type alone does not.
	//
	// Type: Input=Step.Output, Input=Source, Input=Version or Input=Version.Step.Output,
	// separated by commas. Example: bind:"Test=Preprocess.Test". Default: the one output
	// above of the same type.
	// From: the order of the pipeline's fields.
	Bind Assignments `tag:"bind"`
	// After adds steps that must be finished first, though nothing of theirs is read.
	//
	// Type: list of fields. Example: after:"Evaluate". Default: none.
	// From: the order of the machine's states.
	After Names `tag:"after"`
}

// Use is the tag of a processing step's field in a pipeline.
type Use struct {
	// Set fixes parameters of the step to a value, or binds them to a parameter of
	// the pipeline. What is set is no parameter of the run any more.
	//
	// Type: Parameter=value, separated by commas. Example:
	// set:"Mode=train,SplitRatio=TestShare". Default: none.
	// From: ContainerArguments, HyperParameters or Environment of the job.
	Set Assignments `tag:"set"`
	// Pin runs the very code and image that a model version was made with, by the step
	// of the same type there, whatever the script is today.
	//
	// Type: name of a field of type mlmax.ModelVersion. Example: pin:"Model". Default:
	// none; the code that was deployed is run. From: the image of the job, and the input or
	// archive that holds its code.
	Pin Val[string] `tag:"pin"`
	Wiring
	Resources
}

// TrainingUse is the tag of a training step's field in a pipeline.
type TrainingUse struct {
	Use
	SpotResources
}

// RegisterModel is the tag of a field of type mlmax.RegisterModel.
type RegisterModel struct {
	// Group is the model group that the version is added to; each environment has
	// its own.
	//
	// Type: text. Example: group:"census". Default: none, it must be given.
	// From: ModelPackageGroupName of CreateModelPackage.
	Group Val[string] `tag:"group,required"`
	// Status is what the new version is marked as: Approved or PendingManualApproval.
	//
	// Type: text. Example: status:"Approved". Default: PendingManualApproval.
	// From: ModelApprovalStatus of CreateModelPackage.
	Status Val[string] `tag:"status"`
	// When is the condition for registering: comparisons of parameters, of report
	// values and of literals, with && || ! and parentheses. A run whose condition is
	// false succeeds and says "not registered".
	//
	// Type: condition. Example: when:"Evaluate.Report.ROCAUC >= MinROCAUC".
	// Default: always. From: a Choice state before the call.
	When Val[string] `tag:"when"`
	Wiring
}
