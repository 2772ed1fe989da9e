package diag

// Code names a kind of mistake. Codes are never reused or renumbered.
type Code string

// Every code says what it means and why it is one. How it comes about is shown by
// examples/CODE.txtar, which changes the package of example.txtar: a declaration
// takes the place of the one of its name there, and the files that follow those of
// their names. A test feeds each example through the generator and wants exactly
// its code. `mlmaxgen explain CODE` prints both. From MLX041 on they are in codes_041.go,
// where new ones are appended; explain.go embeds both files.
const (
	// BadPackage: the package does not compile; the message is the compiler's own.
	//
	// A spec is Go, and is read only as far as Go allows. What depends on the broken
	// part is reported once that is mended.
	BadPackage Code = "MLX001"

	// NoPipelines: the package declares no pipeline.
	//
	// Packages of steps alone may be imported by specs, but there is nothing to
	// generate from them.
	NoPipelines Code = "MLX002"

	// MalformedTag: a struct tag is not a list of key:"value" pairs.
	//
	// A tag stands on one line between back-ticks: pairs key:"value" with a space between
	// them. Go's own reflect package would skip what is not so silently; a spec loses
	// nothing.
	MalformedTag Code = "MLX003"

	// UnknownKey: a tag key that this field cannot have.
	//
	// Which keys a field can have depends on its type, and for parameters on the kind of
	// the step: a processing step passes them by arg, a training step by hyper.
	// "mlmaxgen explain tags" lists the keys of every kind of field.
	UnknownKey Code = "MLX004"

	// DuplicateKey: a tag key is given twice.
	//
	// Go would take the first and drop the other silently. All tags of one step count
	// together: that of its kind and those of its mlmax.Compute fields.
	DuplicateKey Code = "MLX005"

	// MissingKey: a tag key that this field must have is not there.
	//
	// Of what a step runs on, the instance type must be said: by the step's type, or in
	// the pipeline that uses it.
	MissingKey Code = "MLX006"

	// BadValue: a tag value is not of the type that its key takes.
	//
	// Each key takes one type of value: text, true or false, a whole number, a number, a
	// duration such as 20m, a size such as 50GiB, a list a,b or assignments A=x,B=y.
	// "mlmaxgen explain KEY" says which.
	BadValue Code = "MLX007"

	// OutOfRange: a tag value is outside the range that its key or the service allows.
	//
	// The ranges of AWS are those that its own API model states, and the message names
	// them. The minimum and maximum of a parameter must leave room for a value.
	OutOfRange Code = "MLX008"

	// NotInEnum: a value is not one of those allowed.
	//
	// Some keys take one of a few words, written exactly so; the hint names the nearest.
	NotInEnum Code = "MLX009"

	// UnknownInstance: an instance type that SageMaker does not offer for the kind of job.
	//
	// Types begin with ml., such as ml.m5.xlarge. Processing and training jobs have lists
	// of their own: some types are for training only.
	UnknownInstance Code = "MLX010"

	// UnknownImage: an image that is not in the catalogue.
	//
	// The catalogue holds for each image where it is and which packages stand for it on
	// the laptop, so that one that it does not hold could run on AWS only.
	UnknownImage Code = "MLX011"

	// UnknownRegion: a Region that does not exist or has no such image.
	//
	// A Region is written by its code, such as eu-west-1. AWS publishes the images of a
	// framework in some Regions only.
	UnknownRegion Code = "MLX012"

	// ScriptMissing: the step's script does not exist.
	//
	// Paths in tags are relative to the folder of the package that declares the step, and
	// have forward slashes and the case that the file has.
	ScriptMissing Code = "MLX013"

	// ScriptOutside: the step's script lies outside its package.
	//
	// A package must be whole: what is outside is not part of its digest, and another
	// machine may not have it. Links that lead out of the package count as outside, too.
	ScriptOutside Code = "MLX014"

	// SharedFolder: two steps' scripts lie in one folder, or one in a folder of the other's. A warning.
	//
	// A step's code is the whole folder of its script. With one folder for two, a change
	// to either is a change to both: both get a new digest and run anew.
	SharedFolder Code = "MLX015"

	// CodeSymlink: a symbolic link, or anything else that is no file, in a code folder.
	//
	// A step's code is copied to AWS as files. A link would not arrive, or arrive as
	// something else than what it is here.
	CodeSymlink Code = "MLX016"

	// UninstalledRequirements: requirements.txt on a step where nobody can install it.
	//
	// On AWS it is installed by training jobs only, and by those only that have a network:
	// not by one with isolated:"true".
	UninstalledRequirements Code = "MLX017"

	// BadDefault: a default that breaks its own bounds, enum, pattern or type.
	//
	// The default is what a run gets that says nothing, so it must be a value that a run
	// could have given.
	BadDefault Code = "MLX018"

	// AbsoluteLocation: a location that is an absolute URI instead of a key below the environment's prefix.
	//
	// Which bucket holds the data is the environment's business, so that one pipeline
	// can run in all of them.
	AbsoluteLocation Code = "MLX019"

	// NoProducer: an input that nothing declared above it produces.
	//
	// An input takes the one output or source of the same artifact type that stands
	// above it in the pipeline. Here the step stands above the one that it needs.
	NoProducer Code = "MLX020"

	// ManyProducers: an input that more than one output above it could feed.
	//
	// The type alone does not say which; bind:"Data=New" on the step's field does.
	ManyProducers Code = "MLX021"

	// BadBind: bind names something unknown, later, or of another type.
	//
	// bind:"Clean=Prepare.Clean" on a step's field in the pipeline says which output or
	// source feeds an input. On the left stands an input of the step, on the right a
	// source of the pipeline, or the field of a step above and one of its outputs, of the
	// same artifact type.
	BadBind Code = "MLX022"

	// BadAfter: after names something unknown or later.
	//
	// after:"Prepare" makes a step wait for another, of which it reads nothing. It names
	// fields of the pipeline that stand above. What a step reads it waits for anyway.
	BadAfter Code = "MLX023"

	// BadSet: set names an unknown field, or gives a value that does not fit it.
	//
	// set:"Depth=5" on a step's field in the pipeline fixes a parameter of the step, and
	// set:"Depth=MaxDepth" binds it to a parameter of the pipeline. The value must be one
	// that the parameter could have.
	BadSet Code = "MLX024"

	// BadOnly: only names an unknown field or a value that the field cannot have.
	//
	// only:"Mode=infer" lets a port or parameter exist in one mode of the step. Mode is a
	// string parameter of the same step whose enum lists the modes; pipelines choose one
	// by set:"Mode=infer". What depends on a mode that there cannot be would never exist.
	BadOnly Code = "MLX025"

	// UnusedStep: a step that no pipeline uses. A warning.
	//
	// It does no harm, but it may have been meant to run: a step runs when a pipeline has
	// a field of its type.
	UnusedStep Code = "MLX026"

	// UnusedOutput: an output that nothing uses. A warning.
	//
	// What the last step writes is the pipeline's product, and reports are read by the
	// machine: both count as used.
	UnusedOutput Code = "MLX027"

	// PipelineClash: two pipelines have one name or would write the same files.
	//
	// The files go to a folder called as the pipeline's type in lower case, which is a Go
	// package, too; name:"…" is what the pipeline is called on AWS. Both are to be
	// unique in a module, and the folder one that Go takes.
	PipelineClash Code = "MLX028"

	// NameClash: two names are the same, or differ in nothing but case.
	//
	// Names of fields become channels, flags and folders, some of them in lower case, and
	// not every place tells Rate from RATE.
	NameClash Code = "MLX029"

	// NameTooLong: a name exceeds a service limit once environment and attempt are added.
	//
	// A job is called ENVIRONMENT-PIPELINE-STEP-RUN-RETRY-REDRIVE, for which SageMaker has
	// 63 characters; 33 of them are left for pipeline, hyphen and step.
	NameTooLong Code = "MLX030"

	// UnexportedField: a field of a step or pipeline, or the type of either or of an artifact, is not exported.
	//
	// Generated code lies in another package and names types and fields, so their names
	// begin with a capital letter.
	UnexportedField Code = "MLX031"

	// BadKind: a struct embeds no kind where it must, a second one, or an unknown one.
	//
	// What a struct is says the one kind that it embeds: mlmax.Pipeline, mlmax.Processing,
	// mlmax.Training or mlmax.File.
	BadKind Code = "MLX032"

	// BadStepType: a step is generic, or a pipeline holds it by pointer.
	//
	// A step is one thing, with one interface: declare a type for each variant, and hold
	// it by value.
	BadStepType Code = "MLX033"

	// WhenSyntax: a condition that cannot be parsed.
	//
	// A condition is written as in Go: fields and literals, compared with
	// == != < <= > >= and joined by && || ! and parentheses. There is no arithmetic.
	WhenSyntax Code = "MLX034"

	// WhenUnknown: a condition names an unknown field.
	//
	// A name is a parameter of the pipeline (MinAUC), a parameter of a step
	// (Train.Depth), or a value of a report (Evaluate.Report.AUC): the step's field in the
	// pipeline, its output, the report's field. Go's names count, not those of the JSON.
	WhenUnknown Code = "MLX035"

	// WhenType: a condition compares values of different types.
	//
	// Numbers are compared with numbers, strings with strings; a condition as a whole is
	// true or false.
	WhenType Code = "MLX036"

	// WhenAbsent: a condition reads a report that may not exist.
	//
	// A report can be read once its step has run: the step must stand above what is
	// decided, and write the report in the mode in which it is used.
	WhenAbsent Code = "MLX037"

	// LocalMissing: the local data of a source is not there, or is a folder where one file is wanted.
	//
	// A run on the laptop starts from this file or folder, so it belongs to the package.
	// An artifact that embeds mlmax.File is one file, any other a folder.
	LocalMissing Code = "MLX038"

	// Secret: a literal that looks like a secret.
	//
	// Arguments, hyperparameters and environment variables are shown by the console, by
	// Describe calls and in the history. Pass the ARN of a secret instead, and let the
	// script read it.
	Secret Code = "MLX039"

	// LooksSubstituted: text that would be mistaken for a substitution.
	//
	// CloudFormation replaces ${Name} in a state machine, and {{resolve:…}} anywhere; Step
	// Functions evaluates what stands between {% and %}.
	LooksSubstituted Code = "MLX040"
)
