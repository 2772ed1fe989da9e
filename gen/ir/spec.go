// Package ir holds the two models that stages meet in: [Spec], a package as
// written, every node with its position; and [Plan], a pipeline resolved and
// ordered, to be emitted, without positions. Neither does any work; questions
// about a model are methods of its types.
package ir

import (
	"go/token"
	"strings"
	"time"
)

// At is a value as written, with the place of the token that says it. Pos is the
// zero position for a value that was not written.
type At[T any] struct {
	V        T
	Pos, End token.Position
}

// Written reports whether the value stands in the source.
func (a At[T]) Written() bool { return a.Pos.IsValid() }

// A Spec is one package as written. Everything that could be read is here, even
// when a diagnostic was reported for it.
type Spec struct {
	// Path is the import path, Name the package's name, Dir its absolute folder.
	Path, Name, Dir string
	// ModulePath and ModuleDir are those of the module that holds the package.
	ModulePath, ModuleDir string
	// Doc is the package's doc comment.
	Doc string
	// Pos is the package clause of the first file.
	Pos token.Position

	// Artifacts, Steps, Pipelines and Environments are in source order (by file
	// name, then position). Steps and Artifacts include those of other packages
	// that a pipeline here uses.
	Artifacts    []*Artifact
	Steps        []*Step
	Pipelines    []*Pipeline
	Environments []*Environment
}

// An Artifact is a type of what passes between steps.
type Artifact struct {
	// Name is the type's name, Path the import path of its package.
	Name, Path string
	Pos        token.Position
	Doc        string
	// File says that it is one file; FileName is its name inside an output.
	File     bool
	FileName At[string]
	// Values are the fields read from the file's JSON.
	Values []*ReportField
}

// A ReportField is a field of a report: a number, string or bool in an artifact's JSON.
type ReportField struct {
	Name string // the Go field, such as ROCAUC
	Pos  token.Position
	Doc  string
	Type Type
	JSON At[string] // the member's name, such as roc_auc; never empty
}

// Type is the type of a parameter or report value.
type Type string

// The types there are.
const (
	String Type = "string"
	Bool   Type = "bool"
	Int    Type = "int"
	Float  Type = "float64"
)

// Kind is the kind of a step.
type Kind string

// The kinds of steps there are.
const (
	Processing Kind = "processing"
	Training   Kind = "training"
)

// A Step is a step type.
type Step struct {
	// Name is the type's name, Path the import path and Dir the folder of its
	// package: the script is relative to Dir.
	Name, Path, Dir string
	Pos             token.Position
	Doc             string
	Kind            Kind
	KindPos         token.Position // the embedded kind
	Settings        Settings
	Params          []*Param // in source order
	Ports           []*Port  // in source order
}

// Settings are what the tags of a kind, of Compute, and of a step's field in a
// pipeline can say. A member that was not written has no position.
type Settings struct {
	Image    At[string]        // "sklearn:1.4-2": framework and version of the catalogue
	Script   At[string]        // slash path relative to the step's package
	Instance At[string]        // "ml.m5.xlarge"
	Count    At[int]           // instances
	Volume   At[int]           // GiB
	Timeout  At[time.Duration] // of the job
	Spot     At[bool]          // training only
	MaxWait  At[time.Duration] // training only: with spot, time-out including the wait
	Isolated At[bool]          // network isolation of the job
}

// A Param is a value field of a step or pipeline.
type Param struct {
	Name string
	Pos  token.Position
	Doc  string
	Type Type
	// Arg, Hyper and Env say how a step hands it on: as "--flag value", as a
	// hyperparameter, or as an environment variable. A pipeline's has none.
	Arg, Hyper, Env At[string]
	// Default is the text in the tag; it has been read as Type if DefaultValue
	// is not nil (string, bool, int64 or float64).
	Default      At[string]
	DefaultValue any
	Enum         At[[]string]
	Min, Max     At[float64]
	Pattern      At[string]
	Only         At[Only]
}

// Only is the condition only:"Mode=infer" of a port or parameter.
type Only struct {
	Field, Value At[string]
}

// Form is the type of a port's field.
type Form string

// The forms there are.
const (
	InputForm   Form = "Input"
	OutputForm  Form = "Output"
	ChannelForm Form = "Channel"
	ModelForm   Form = "Model"
)

// In reports whether the step reads the port.
func (f Form) In() bool { return f == InputForm || f == ChannelForm }

// A Port is an input or output of a step.
type Port struct {
	Name     string
	Pos      token.Position
	Doc      string
	Form     Form
	Artifact *Artifact
	Arg      At[string] // processing: the flag that carries the path
	// Path is the container folder of a processing step's port, where it is not the
	// conventional one: path:"/opt/ml/processing/train".
	Path At[string]
	Only At[Only]
}

// A Pipeline is a pipeline type.
type Pipeline struct {
	// GoName is the type's name; Name, from the tag, its name on AWS.
	GoName string
	Pos    token.Position
	Doc    string
	Name   At[string]
	// Timeout is of one whole run.
	Timeout   At[time.Duration]
	Partition At[string] // aws (default), aws-cn, aws-us-gov
	// Schedule is when it starts by itself: "cron(0 6 * * ? *)" or "rate(1 day)".
	Schedule At[string]
	Params   []*Param
	Sources  []*Source
	Versions []*ModelVersion
	// Uses and Registers share one order: Index counts the fields of the struct.
	Uses      []*Use
	Registers []*Register
}

// A Source is data that a pipeline starts from.
type Source struct {
	Name     string
	Index    int
	Pos      token.Position
	Doc      string
	Artifact *Artifact
	Default  At[string] // key below the environment's prefix
	Local    At[string] // slash path relative to the spec's package
	// Label is the column that only data to learn from has.
	Label At[string]
}

// A ModelVersion is a model version that a pipeline starts from.
type ModelVersion struct {
	Name     string
	Index    int
	Pos      token.Position
	Doc      string
	Artifact *Artifact
	From     At[string] // "Training.Register": a pipeline type of the package, and its registration
	Status   At[string] // Approved (default) or PendingManualApproval
}

// Param is the key of the parameter that asks for an exact version.
func (v *ModelVersion) Param() string { return v.Name + "Version" }

// Registration finds what From names, or returns nils.
func (s *Spec) Registration(from string) (*Pipeline, *Register) {
	pipeline, name, _ := strings.Cut(from, ".")
	for _, p := range s.Pipelines {
		if p.GoName != pipeline {
			continue
		}
		for _, r := range p.Registers {
			if r.Name == name {
				return p, r
			}
		}
		return p, nil
	}
	return nil, nil
}

// A Use is a step in a pipeline.
type Use struct {
	Name  string
	Index int
	Pos   token.Position
	Doc   string
	Step  *Step
	// Settings override the step type's.
	Settings Settings
	Set      []Assignment // set:"Mode=train,SplitRatio=TestShare"
	Bind     []Assignment // bind:"Test=Preprocess.Test"
	After    []At[string] // after:"Train"
	// Pin names a ModelVersion of the pipeline: pin:"Model". The step then runs the
	// code and image that the version was made with, by the step of the same type there.
	Pin At[string]
}

// An Assignment is one Left=Right of set or bind.
type Assignment struct {
	Left, Right At[string]
}

// A Register is a registration of a model.
type Register struct {
	Name     string
	Index    int
	Pos      token.Position
	Doc      string
	Artifact *Artifact
	Group    At[string]
	Status   At[string] // Approved or PendingManualApproval (default)
	When     At[string]
	// Cond is When parsed, or nil.
	Cond  *Expr
	Bind  []Assignment // bind:"Model=Train.Model"
	After []At[string]
}

// An Expr is a condition, or a part of one. Exactly one of the groups is set.
type Expr struct {
	Pos, End token.Position
	// Op with X and Y: "&&" "||" "==" "!=" "<" "<=" ">" ">="; with X alone: "!".
	Op   string
	X, Y *Expr
	// Ref is a field: "MinROCAUC", "Train.Strength" or "Evaluate.Report.ROCAUC".
	Ref string
	// Lit is a literal: string, bool, int64 or float64.
	Lit any
}

// An Environment is a place on AWS, as written.
type Environment struct {
	VarName             string
	Pos                 token.Position
	Doc                 string
	Name                At[string]
	Account             At[string]
	Region              At[string]
	Bucket              At[string]
	Prefix              At[string]
	Readable            []At[string]
	KmsKey              At[string]
	Subnets             []At[string]
	SecurityGroups      []At[string]
	PermissionsBoundary At[string]
	LogRetentionDays    At[int]
	Notify              At[string]
	Schedule            At[bool]
	TimeZone            At[string]
	Instances           []Pair
	Tags                []Pair
}

// A Pair is one key and value of a map, as written.
type Pair struct {
	Key, Value At[string]
}
