package diag

// The codes from MLX041 on; what is said in codes.go holds for them, too.
const (
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

	// EnvironmentReadable: a further readable place of an environment is none, or one that is read anyway.
	//
	// Readable holds places outside of the environment's prefix from which a run may take
	// its data: "s3://bucket/prefix/", each with a slash at its end, of the same partition.
	// The roles of the steps that read data get to read just these. Code and results of
	// runs are no data: a place must not hold them.
	EnvironmentReadable Code = "MLX079"

	// EnvironmentNotify: what an environment notifies is no e-mail address.
	//
	// Notify is one address, of letters and digits and . _ + - before the @. A list of
	// people is an address of its own with your mail service.
	EnvironmentNotify Code = "MLX080"
)
