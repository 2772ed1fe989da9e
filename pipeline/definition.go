// Package pipeline is what every runner and command of a generated pipeline
// shares: the [Definition] that was generated, the [Runner] that executes it, the
// [Event] it reports while it does, and the [Outcome] in the end. It imports
// nothing but the standard library, and runs nothing itself.
package pipeline

// A Definition is a generated pipeline: what the typed package embeds.
type Definition struct {
	// Name is the pipeline's name on AWS ("census-training"); Doc one sentence.
	Name, Doc string
	// Package is the import path of the generated package, Spec that of the spec.
	Package, Spec string
	// Module is the path of the module that holds both: a local run looks for its
	// go.mod from the working directory upwards, and finds code and data below.
	Module string

	// ASL is the state machine, as committed. Its ${Name} are filled by
	// CloudFormation on AWS and by the local runner on the laptop.
	ASL []byte
	// Template is the CloudFormation template, Environments the parameters of each
	// environment by its name.
	Template     []byte
	Environments map[string][]byte
	// Graph is the pipeline as Mermaid text.
	Graph string

	Parameters []Parameter
	Jobs       []Job
	// Registrations are the model groups it registers to.
	Registrations []Registration
	// Reports are the metrics that the machine's output holds.
	Reports []Report
	// Versions are the model versions that it starts from.
	Versions []Version
	// Schedule is when it starts by itself on AWS, or empty.
	Schedule string
}

// ScheduledTime is the key of the execution input in which a schedule says for when it
// starts a run; pipelines without a schedule do not take it.
const ScheduledTime = "ScheduledTime"

// A Version is a model version that a pipeline starts from.
type Version struct {
	// Name is the field's, Group the model group's without the environment, Status what
	// a version must have: "Approved".
	Name, Group, Status string
	// Param is the key of the parameter that asks for an exact version; 0 is the newest.
	Param string
	// Pipeline is the name on AWS of the pipeline that registers it, and Command the
	// import path of that pipeline's main.
	Pipeline, Command string
}

// A Parameter is one value that a run can be given.
type Parameter struct {
	// Key is the flat key of the execution input: "MinROCAUC", "Train.Strength".
	Key string
	// Flag is the command line's, without dashes: "min-rocauc", "train.strength".
	Flag string
	Doc  string
	// Type is "string", "bool", "int" or "float64".
	Type string
	// Location says that the value is a place of data. Default is then a key below
	// the environment's prefix, and Local the slash path below the module's root
	// that a local run takes instead.
	Location bool
	Local    string
	// File says that a location is one file, not a folder.
	File bool
	// Default is a string, bool, int64 or float64, or nil if a value must be given.
	Default  any
	Enum     []string
	Min, Max *float64
	Pattern  string
}

// The kinds of jobs.
const (
	KindProcessing = "processing"
	KindTraining   = "training"
)

// A Job is a step that runs as a SageMaker job.
type Job struct {
	// Name is the state's name, such as "Train". Kind is KindProcessing or KindTraining.
	Name, Kind, Doc string
	// Image is the catalogue's name of the image, such as "sklearn:1.4-2".
	Image string
	// CodeDir is the slash path of the code's folder below the module's root, and
	// Script the file in it.
	CodeDir, Script string
	// The names in the machine of what differs between places, such as
	// "TrainRole", "TrainImage", "TrainInstance" and "TrainCode".
	RoleName, ImageName, InstanceName, CodeName string
	// Instance is the instance type where no environment says otherwise.
	Instance string
	// Outputs are the artifacts it writes.
	Outputs []Output
	// Interface is the hex SHA-256 of argument names, types and ports.
	Interface string
	// Pin names the model version whose code and image the job runs, and ImageOf the one
	// in whose model's image it runs; the request then says which.
	Pin, ImageOf string
}

// An Output is an artifact of a job.
type Output struct {
	Name, Artifact string
	// Model says that it is a training job's model.
	Model bool
	// FileName is the file in the output's folder, for an artifact that is a file.
	FileName string
}

// A Registration is a model group that a pipeline registers to.
type Registration struct {
	// Name is the state's name, Group the group's without the environment.
	Name, Group string
	// When is the condition as written, or empty.
	When string
}

// A Report is a step's output whose values the machine reads.
type Report struct {
	Step, Output string
	Fields       []ReportField
}

// A ReportField is one value of a report.
type ReportField struct {
	// Name is the Go field, JSON the member in the file, Type as in Parameter.
	Name, JSON, Type string
}
