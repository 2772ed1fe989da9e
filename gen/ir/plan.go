package ir

import "strings"

// A Plan is one pipeline resolved: every reference bound, every default applied,
// in the order of execution. Emitters see nothing else, and a Plan of a clean
// Spec can always be emitted.
type Plan struct {
	// Path and Package are the spec package's import path and name; Source is its
	// slash path below the module's root ("specs/census").
	Path, Package, Source string
	ModulePath            string
	// GoName is the pipeline's type ("Training"), Name its name on AWS
	// ("census-training"), Dir the folder and package name of its output
	// ("training").
	GoName, Name, Dir string
	Doc               string
	// Partition is aws, aws-cn or aws-us-gov.
	Partition string
	// TimeoutSeconds bounds one run; 0 is none.
	TimeoutSeconds int

	// Schedule is when it starts by itself: an expression of EventBridge Scheduler, or empty.
	Schedule string `json:",omitempty"`

	// Versions are the model versions that it starts from; the machine resolves them
	// before its first job.
	Versions     []*Version   `json:",omitempty"`
	Parameters   []*Parameter // the pipeline's own first, then its steps', in source order
	Nodes        []*Node      // in order of execution
	Roles        []*Role      // the machine's first, then one a job, then the schedule's
	Environments []*Place     // sorted by name
}

// Jobs are the plan's jobs in order of execution.
func (p *Plan) Jobs() []*Job {
	var jobs []*Job
	for _, n := range p.Nodes {
		if n.Job != nil {
			jobs = append(jobs, n.Job)
		}
	}
	return jobs
}

// Registrations are the plan's registrations in order of execution.
func (p *Plan) Registrations() []*Registration {
	var all []*Registration
	for _, n := range p.Nodes {
		if n.Registration != nil {
			all = append(all, n.Registration)
		}
	}
	return all
}

// Reports are the reports that the machine reads, in order of execution.
func (p *Plan) Reports() []*Report {
	var all []*Report
	for _, j := range p.Jobs() {
		all = append(all, j.Reports...)
	}
	return all
}

// Tagged reports whether any environment puts tags of its own on jobs.
func (p *Plan) Tagged() bool {
	for _, place := range p.Environments {
		if len(place.Tags) > 0 {
			return true
		}
	}
	return false
}

// Readable is how many places outside of its prefix any environment lets runs read.
func (p *Plan) Readable() int {
	most := 0
	for _, place := range p.Environments {
		most = max(most, len(place.Readable))
	}
	return most
}

// A Node is one link of the chain; exactly one member is set.
type Node struct {
	Job          *Job          `json:",omitempty"`
	Registration *Registration `json:",omitempty"`
}

// A Parameter is a key of the execution input, a flag of the main and a field of
// the typed Params.
type Parameter struct {
	// Key is flat: "MinROCAUC" or "Train.Strength".
	Key string
	// Step and Field are the two halves of Key; Step is empty for the pipeline's own.
	Step, Field string
	// Flag is the main's flag without dashes: "min-rocauc", "train.strength".
	Flag string
	Doc  string
	Type Type
	// Location says that the value is a place of data: an S3 URI in the execution
	// input. Its Default is a key below the environment's prefix, and Local the
	// slash path below the module's root of the file or folder that a local run
	// takes.
	Location bool
	Local    string `json:",omitempty"`
	// Artifact is the artifact's type name, for a location, and ArtifactPath the
	// import path of its package; empty is the plan's.
	Artifact     string `json:",omitempty"`
	ArtifactPath string `json:",omitempty"`
	// File says that a location is one file and not a folder.
	File bool `json:",omitempty"`
	// Roots are the keys below the environment's prefix in which a location may
	// lie ("data/"): those that the roles can read.
	Roots []string `json:",omitempty"`
	// Default is a string, bool, int64 or float64, or nil if the value must be given.
	Default  any      `json:",omitempty"`
	Enum     []string `json:",omitempty"`
	Min, Max *float64 `json:",omitempty"`
	Pattern  string   `json:",omitempty"`
}

// A Version is a model version that a pipeline starts from. The machine's variable of
// its name holds it once it is resolved.
type Version struct {
	// Name is the field's.
	Name, Doc string
	// Artifact is the model's type, ArtifactPath the import path of its package; empty
	// is the plan's.
	Artifact     string
	ArtifactPath string `json:",omitempty"`
	// Group is the model group without the environment, Status that which a version
	// must have.
	Group, Status string
	// Param is the key of the parameter that asks for an exact version: an int, 0 is
	// the newest.
	Param string
	// Pipeline is the name on AWS of the pipeline that registers it, Dir the folder of
	// its output, Step the step there that made the model.
	Pipeline, Dir, Step string
	// Pins are the steps of that pipeline whose code and image jobs here run.
	Pins []*Pin `json:",omitempty"`
	// Parts are the artifacts of that pipeline's steps that jobs here read.
	Parts []*Part `json:",omitempty"`
}

// A Pin is a step that a model version was made by, whose code and image are run
// again. Interface is what the version must have been made with.
type Pin struct {
	Step, Interface string
}

// A Part is an artifact that a model version was made with or by, besides the model.
type Part struct {
	Step, Output string
	Artifact     string
	ArtifactPath string `json:",omitempty"`
}

// A Value is what an argument, hyperparameter or variable holds: a parameter if
// Param is not empty, else the literal.
type Value struct {
	Type  Type
	Param string `json:",omitempty"` // key of a parameter
	Lit   any    `json:",omitempty"` // string, bool, int64 or float64
}

// A Job is one step, run as a SageMaker job.
type Job struct {
	// Name is the field in the pipeline, the state's name and the variable that
	// holds the result. Type is the step type's name, TypePath its package.
	Name, Type, TypePath string
	Doc                  string
	Kind                 Kind
	// JobName is the constant middle of the job's name: "${Env}-" + JobName +
	// "-HASH-retry-redrive".
	JobName string
	// Framework and Version are the image ("sklearn", "1.4-2").
	Framework, Version string
	// CodeDir is the folder of the code below the module's root, Script the file
	// in it.
	CodeDir, Script string

	Instance       string
	Count          int
	VolumeGB       int
	TimeoutSeconds int // of the job
	StateSeconds   int // of the state: the job's and time in the queue
	Spot           bool
	MaxWaitSeconds int
	Isolated       bool

	Args    []*Argument // processing: in source order
	Hyper   []*Named    // training: user's hyperparameters, in source order
	Env     []*Named
	Inputs  []*Input
	Outputs []*Output
	Reports []*Report
	After   []string
	// Unused are the step type's fields that are not in this pipeline: ports of
	// another mode, and parameters that are fixed or of another mode.
	Unused []*Unused `json:",omitempty"`

	// Interface is the hash of the script's name, argument names, types and ports: hex
	// SHA-256.
	Interface string
	// Pin is the model version whose code and image the job runs, PinStep the step that
	// it was made by; both are empty for the deployed code.
	Pin     string `json:",omitempty"`
	PinStep string `json:",omitempty"`
	// ImageOf is the model version in whose model's image a job runs that is not pinned
	// and reads that model.
	ImageOf string `json:",omitempty"`
	// The names of what differs between places: "TrainRole", "TrainImage",
	// "TrainInstance", "TrainCode". A pinned job's CodeName and ImageName are not
	// in the machine: the version brings both.
	RoleName, ImageName, InstanceName, CodeName string
}

// Unused is a field of a step type that a pipeline does not use: a parameter if Type
// is not empty, else a port.
type Unused struct {
	Name         string
	Type         Type   `json:",omitempty"`
	Form         Form   `json:",omitempty"`
	Artifact     string `json:",omitempty"`
	ArtifactPath string `json:",omitempty"`
}

// An Argument is one "--flag value" of a processing job; exactly one of Value and
// Path is set.
type Argument struct {
	Flag  string
	Value *Value `json:",omitempty"`
	Path  string `json:",omitempty"` // container path of a port
	// Param is the location parameter of an input that is one file: the file's own
	// name is put after Path.
	Param string `json:",omitempty"`
}

// Named is a hyperparameter or environment variable.
type Named struct {
	Name  string
	Value *Value
}

// An Input is an artifact that a job reads. It comes from a location parameter
// if Param is not empty, from a model version if Version is not, else from another
// job's output.
type Input struct {
	// Name is the field's; it is the InputName. Channel is the channel's name, for
	// training.
	Name     string
	Channel  string `json:",omitempty"`
	Artifact string
	// ArtifactPath is the import path of the artifact's package; empty is the job's.
	ArtifactPath string `json:",omitempty"`
	File         bool   `json:",omitempty"`
	// LocalPath is the container folder in which it is found.
	LocalPath string
	Param     string `json:",omitempty"`
	Step      string `json:",omitempty"`
	Output    string `json:",omitempty"`
	// Version is the model version that it is a part of: with Step and Output empty the
	// model itself, else that step's output.
	Version string `json:",omitempty"`
}

// An Output is an artifact that a job writes. A training job's model is one, too.
type Output struct {
	Name     string
	Artifact string
	// ArtifactPath is the import path of the artifact's package; empty is the job's.
	ArtifactPath string `json:",omitempty"`
	Model        bool   `json:",omitempty"`
	// LocalPath is the container folder; FileName the file in it, for an artifact
	// that is a file.
	LocalPath string
	FileName  string `json:",omitempty"`
	// Used says that a later step, registration or report reads it.
	Used bool
}

// A Report is an output whose JSON the machine reads after the step.
type Report struct {
	// Step and Output name the output; State is the state that reads it, Variable
	// the variable that holds its values.
	Step, Output, State, Variable string
	Artifact                      string
	FileName                      string
	Fields                        []*Field
}

// A Field is one value of a report.
type Field struct {
	Name, JSON, Doc string
	Type            Type
}

// A Registration adds a model version to a group.
type Registration struct {
	// Name is the field, state and variable; Gate the name of the Choice before
	// it, empty without a condition.
	Name, Gate string
	Doc        string
	// Group is the model group without the environment: "${Env}-" + Group.
	Group  string
	Status string
	// When is the condition as written, for people; Cond the resolved one.
	When string `json:",omitempty"`
	Cond *Cond  `json:",omitempty"`
	// Step and Output name the model that is registered.
	Step, Output string
	// Metrics is the report that goes with it, or nil.
	Metrics *Report `json:",omitempty"`
	// Pins and Parts are what pipelines of the package take of its versions: the steps
	// whose code and image they run, and the artifacts that they read.
	Pins  []string `json:",omitempty"`
	Parts []*Part  `json:",omitempty"`
}

// A Cond is a resolved condition. Leaves are a parameter, a report's value or a
// literal.
type Cond struct {
	Op    string `json:",omitempty"` // as in Expr
	X, Y  *Cond  `json:",omitempty"`
	Param string `json:",omitempty"` // key
	// Report and Field name a value of a report: Report is its Variable.
	Report string `json:",omitempty"`
	Field  string `json:",omitempty"`
	Lit    any    `json:",omitempty"`
	// Type is that of a leaf; empty for an operation.
	Type Type `json:",omitempty"`
	// Text is the part of the condition as written.
	Text string
}

// A Role is one IAM role of the template.
type Role struct {
	// Name is the logical id: "MachineRole", "TrainRole", "ScheduleRole".
	Name string
	// Principal is the service that assumes it: states, sagemaker or scheduler.
	Principal string
	// For is the job it is for, empty for the machine's and the schedule's.
	For        string `json:",omitempty"`
	Statements []*Statement
}

// A Statement allows actions on resources, for a reason.
type Statement struct {
	Sid       string
	Actions   []string
	Resources []string // with ${AWS::Partition}, ${Bucket}, … as Fn::Sub takes them
	// Conditions are operator, key, values: StringEquals, iam:PassedToService, …
	Conditions []*Condition `json:",omitempty"`
	// If is the template condition under which the statement exists, such as HasKmsKey.
	If string `json:",omitempty"`
	// Reason is one sentence for people; Needs the fields that it is derived from.
	Reason string
	Needs  []string
}

// A Condition narrows a statement.
type Condition struct {
	Operator, Key string
	Values        []string
}

// A Place is an environment, resolved.
type Place struct {
	Name, Account, Region, Bucket, Prefix string
	// Readable are the places outside of the prefix that runs may read.
	Readable                []Location `json:",omitempty"`
	KmsKey                  string
	Subnets, SecurityGroups []string
	PermissionsBoundary     string
	LogRetentionDays        int
	// Notify is the address that is told of failed runs, or empty.
	Notify string `json:",omitempty"`
	// Schedule is ENABLED where a pipeline that has a schedule starts by itself, else
	// DISABLED; TimeZone is the one that its expression means.
	Schedule, TimeZone string
	Doc                string
	// Instances holds the instance type of every job of this plan here, by job name.
	Instances map[string]string
	Tags      map[string]string
}

// A Location is a place in S3: a bucket, and what the keys begin with, which is empty
// or ends in a slash.
type Location struct{ Bucket, Prefix string }

// ParseLocation reads "s3://bucket/prefix/"; ok is false for what is no such thing.
func ParseLocation(uri string) (l Location, ok bool) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	if !ok {
		return Location{}, false
	}
	l.Bucket, l.Prefix, ok = strings.Cut(rest, "/")
	return l, ok && (l.Prefix == "" || strings.HasSuffix(l.Prefix, "/"))
}

// String is the place as it is written.
func (l Location) String() string { return "s3://" + l.Bucket + "/" + l.Prefix }

// A File is one generated file: a slash path relative to the output folder.
type File struct {
	Path  string
	Bytes []byte
}
