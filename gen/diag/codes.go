package diag

// Code names a kind of mistake. Codes are never reused or renumbered.
type Code string

// Every code says what it means and why it is one. How it comes about is shown by
// examples/CODE.txtar, which changes the package of example.txtar: a declaration
// takes the place of the one of its name there, and the files that follow those of
// their names. A test feeds each example through the generator and wants exactly
// its code. `mlmaxgen explain CODE` prints both. New codes are appended.
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

	// EnvironmentName: an environment's name is missing, malformed, too long or not unique.
	//
	// It begins every name on AWS, whose length is bounded; 10 characters are left for it.
	EnvironmentName Code = "MLX041"

	// EnvironmentBucket: a bucket name or prefix that S3 does not accept.
	//
	// A bucket is given by its name alone: 3 to 63 lower-case letters, digits, dots and
	// hyphens. A prefix is empty or ends in a slash.
	EnvironmentBucket Code = "MLX042"

	// EnvironmentPartition: an environment's Region or ARNs lie in another partition than its pipelines.
	//
	// ARNs cannot cross partitions, and a state machine holds some; a pipeline for China
	// or GovCloud says so: partition:"aws-cn".
	EnvironmentPartition Code = "MLX043"

	// EnvironmentKey: the ARN of the key or of the permissions boundary is malformed or in another Region or account.
	//
	// The roles that are made name the key itself, so an alias will not do. Copy the ARN
	// from the console: arn:aws:kms:REGION:ACCOUNT:key/ID.
	EnvironmentKey Code = "MLX044"

	// EnvironmentNetwork: subnets without security groups, the other way round, or malformed ids.
	//
	// SageMaker takes both or neither. With both, the jobs run in your VPC.
	EnvironmentNetwork Code = "MLX045"

	// EnvironmentValue: a member of an environment is not a constant, or has a value that does not fit.
	//
	// Environments are read, never executed, so each is a variable with a literal of
	// constants. Instances names steps by their fields, such as "Train" or "Fit.Train".
	EnvironmentValue Code = "MLX046"

	// FieldType: a field has a type that steps or pipelines cannot have.
	//
	// Parameters are string, bool, int or float64, so that what a run is given, what the
	// machine checks and what the script gets are the same.
	FieldType Code = "MLX047"

	// ScriptArgument: the struct passes an argument that the script does not accept.
	//
	// It would fail with a usage message once its job has started. A flag that takes no
	// value (store_true), or a type or choice that the value does not have, counts as
	// well. Scripts are read, never executed; what cannot be decided, such as a parser
	// put together in a loop, is left alone.
	ScriptArgument Code = "MLX048"

	// ScriptRequires: the script requires an argument that nobody passes.
	//
	// The job would end with a usage message as soon as it has started. Declare a field
	// that passes the argument, or give it a default in the script.
	ScriptRequires Code = "MLX049"

	// ScriptDefault: the script's own default differs from the struct's.
	//
	// Started by hand and in a pipeline, the script would do different things.
	ScriptDefault Code = "MLX050"

	// ScriptReads: the script reads a channel or path that nobody supplies.
	//
	// The training job finds each channel in a folder of the channel's name in lower case,
	// which SM_CHANNEL_NAME holds; a processing job finds each port at its path. What no
	// field of the step declares is not there.
	ScriptReads Code = "MLX051"

	// ScriptNaN: the script writes a report in which NaN would not be JSON. A warning.
	//
	// Python writes NaN as NaN, which no JSON reader takes; the state machine would fail
	// at reading the report, far from the cause. With allow_nan=False the script fails
	// where the number went wrong.
	ScriptNaN Code = "MLX052"

	// ScriptSyntax: the script does not parse.
	//
	// The message is Python's own. Errors that a newer Python than the one here would not
	// find are forgiven.
	ScriptSyntax Code = "MLX053"

	// NoPython: python3 is not there to read the scripts. A warning.
	//
	// Everything else is checked; only what scripts accept, require and read is not.
	NoPython Code = "MLX054"

	// ServiceLimit: more inputs, arguments, hyperparameters or characters than the service accepts.
	//
	// The limits are those that the API model of AWS states, and the message names the
	// shape there.
	ServiceLimit Code = "MLX055"

	// BadPattern: a pattern that is not a regular expression both here and in JSONata.
	//
	// The laptop's checks are Go's, those of the state machine JSONata's: a pattern may
	// use only what both know.
	BadPattern Code = "MLX056"

	// Stale: a generated file is missing, differs from what its spec leads to, or is left over.
	//
	// Generated files are committed, and changed only by changing their spec. "mlmaxgen
	// generate" makes them anew, "mlmaxgen diff" shows the difference.
	Stale Code = "MLX057"

	// ForeignFile: a file to be written exists and was not generated.
	//
	// Nothing that a person or another spec made is overwritten. The second line of a
	// generated Go file says which pipeline it comes from. Move the file away, rename the
	// pipeline, or choose another folder with --out.
	ForeignFile Code = "MLX058"

	// OpenMode: a step whose ports or parameters depend on a mode is used without fixing the mode.
	//
	// Which ports exist shapes the pipeline, and that must be known before it runs: fix the
	// mode where the step is used, by set:"Mode=train".
	OpenMode Code = "MLX059"

	// MisplacedBound: a bound that the type of its field cannot have.
	//
	// Numbers have min and max, strings enum and pattern.
	MisplacedBound Code = "MLX060"

	// ReservedName: a name that SageMaker, its toolkit or the generated code has taken.
	//
	// SageMaker and its training toolkit would overwrite it, drop it or refuse it, and the
	// generated main has flags of its own.
	ReservedName Code = "MLX061"

	// BadName: a name with letters that the service, Go or the shell does not accept.
	//
	// The names in a spec become parts of names on AWS, of flags and of file names; each
	// place takes its own letters. The hint says which.
	BadName Code = "MLX062"

	// NotImportable: a package that generated code cannot import.
	//
	// What is generated from a spec imports it, and Go does not let package main be
	// imported, nor a package below a folder called internal from beside that folder.
	NotImportable Code = "MLX063"

	// BadFrom: a model version's from names no registration, one of another model, or its own pipeline.
	//
	// from:"Training.Register" names a pipeline type of the same package and its field of
	// type mlmax.RegisterModel, which registers the very artifact type that the field
	// holds. A pipeline cannot start from what only it makes, not even by way of another:
	// nothing would ever be there for its first run.
	BadFrom Code = "MLX064"

	// BadPin: pin names no model version above it.
	//
	// pin:"Model" names a field of type mlmax.ModelVersion that stands above in the same
	// pipeline: the step runs the code and image that this version was made with. A training
	// step may be pinned, too, and then trains anew as it was done then.
	BadPin Code = "MLX065"

	// PinnedType: a pinned step is of a type that the model was not made by, or was made by more than once.
	//
	// A pinned step runs the code of the step of the same type that the model was made by:
	// one whose results, directly or not, the registered model was computed from. There
	// must be one, so that it is clear whose code that is.
	PinnedType Code = "MLX066"

	// BadPart: bind names a part that a model version does not have.
	//
	// A version has the artifacts that the steps wrote which its model was made by, in the
	// mode in which they were used there: bind:"Fitted=Model.Prepare.Transformer" names the
	// version, the step in the pipeline that registers, and its output. The model itself
	// is called as the version: bind:"Model=Model".
	BadPart Code = "MLX067"

	// VersionGroup: a model group with capital letters that a model version comes from.
	//
	// The ARN of a version holds the name of its group, and AWS does not say in which
	// case. A run that asks for an exact version puts that ARN together.
	VersionGroup Code = "MLX068"

	// VersionMetadata: a model version would have to carry more than the service takes.
	//
	// A version carries code, image and interface of the steps that pipelines of the
	// package are pinned to, and the artifacts that they read: 50 properties at most, with
	// keys of 128 characters and values of 256.
	VersionMetadata Code = "MLX069"

	// UnusedVersion: a model version that nothing uses. A warning.
	//
	// Each run would look for a version, and fail where there is none, for nothing.
	UnusedVersion Code = "MLX070"

	// BadSchedule: a schedule that EventBridge Scheduler does not take.
	//
	// cron(MINUTE HOUR DAY MONTH WEEKDAY YEAR) has six fields, of which either the day of the
	// month or the weekday is ?, such as cron(0 6 * * ? *) for six o'clock every day and
	// cron(30 18 ? * MON-FRI *). rate(1 day) and rate(12 hours) count from when the schedule
	// was made. at(…) is for once, which is what a person starts.
	BadSchedule Code = "MLX071"

	// ScheduledParameter: a parameter without default in a pipeline that has a schedule.
	//
	// Nobody is there to give it when the schedule starts a run: each such run would fail
	// at once.
	ScheduledParameter Code = "MLX072"

	// EnvironmentTimeZone: an environment's time zone is none of the IANA database.
	//
	// Zones are written as in Europe/Berlin, with their capital letters; UTC is one, and
	// what holds if there is none.
	EnvironmentTimeZone Code = "MLX073"

	// UnusedSchedule: an environment switches schedules on, and no pipeline has one. A warning.
	//
	// When a pipeline starts is said by its own tag: schedule:"cron(0 6 * * ? *)".
	// Environments say only whether it does there.
	UnusedSchedule Code = "MLX074"

	// BadPath: a port's path that a processing job cannot have, or that another port takes.
	//
	// A port lies below /opt/ml/processing/ and not where the code is. Two ports have two
	// folders. In the folder of an input may lie another port's, since what is read is not
	// kept; in that of an output may not, since all of it is uploaded.
	BadPath Code = "MLX075"

	// UnusedMode: ports or parameters for a mode in which no pipeline uses the step. A warning.
	//
	// They are neither passed nor wired anywhere. It does no harm, but a pipeline may have
	// been meant to have the step in this mode.
	UnusedMode Code = "MLX076"

	// LabelAtInference: a script needs the label column of data that does not have it.
	//
	// label:"income" on the source of the pipeline that trains says which column holds the
	// answer. Where a pipeline starts from the model, data of the same artifact comes
	// without it, unless its source has the tag, too. A script that reads the column all the
	// same works in every test on old data, and fails on the first that is new.
	// Scripts are read, never executed: found is what is sure to be run in this mode.
	LabelAtInference Code = "MLX077"

	// LabelMissing: a label that is no column of the source's local data.
	//
	// A label that no data has would keep nothing from being read. The header of local data
	// called .csv is looked at, with any of , ; | and tab between the names.
	LabelMissing Code = "MLX078"
)
