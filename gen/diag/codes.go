package diag

// Code names a kind of mistake. Codes are never reused or renumbered.
type Code string

// Every code says what it means and carries an example that leads to it; a test
// feeds each example through the tool. `mlmaxgen explain CODE` prints this text.
const (
	// BadPackage: the package does not compile; the message is the compiler's own.
	BadPackage Code = "MLX001"
	// NoPipelines: the package declares no pipeline.
	NoPipelines Code = "MLX002"
	// MalformedTag: a struct tag is not a list of key:"value" pairs.
	MalformedTag Code = "MLX003"
	// UnknownKey: a tag key that this field cannot have.
	UnknownKey Code = "MLX004"
	// DuplicateKey: a tag key is given twice.
	DuplicateKey Code = "MLX005"
	// MissingKey: a tag key that this field must have is not there.
	MissingKey Code = "MLX006"
	// BadValue: a tag value is not of the type that its key takes.
	BadValue Code = "MLX007"
	// OutOfRange: a tag value is outside the range that its key or the service allows.
	OutOfRange Code = "MLX008"
	// NotInEnum: a value is not one of those allowed.
	NotInEnum Code = "MLX009"
	// UnknownInstance: an instance type that SageMaker does not offer for the kind of job.
	UnknownInstance Code = "MLX010"
	// UnknownImage: an image that is not in the catalogue.
	UnknownImage Code = "MLX011"
	// UnknownRegion: a Region that does not exist or has no such image.
	UnknownRegion Code = "MLX012"
	// ScriptMissing: the step's script does not exist.
	ScriptMissing Code = "MLX013"
	// ScriptOutside: the step's script lies outside its package.
	ScriptOutside Code = "MLX014"
	// SharedFolder: two steps' scripts lie in one folder. A warning.
	SharedFolder Code = "MLX015"
	// CodeSymlink: a symbolic link in a code folder.
	CodeSymlink Code = "MLX016"
	// ProcessingRequirements: requirements.txt on a processing step, which nobody installs on AWS.
	ProcessingRequirements Code = "MLX017"
	// BadDefault: a default that breaks its own bounds, enum, pattern or type.
	BadDefault Code = "MLX018"
	// AbsoluteLocation: a location that is an absolute URI instead of a key below the environment's prefix.
	AbsoluteLocation Code = "MLX019"
	// NoProducer: an input that nothing declared above it produces.
	NoProducer Code = "MLX020"
	// ManyProducers: an input that more than one output above it could feed.
	ManyProducers Code = "MLX021"
	// BadBind: bind names something unknown, later, or of another type.
	BadBind Code = "MLX022"
	// BadAfter: after names something unknown or later.
	BadAfter Code = "MLX023"
	// BadSet: set names an unknown field, or gives a value that does not fit it.
	BadSet Code = "MLX024"
	// BadOnly: only names an unknown field or a value that the field cannot have.
	BadOnly Code = "MLX025"
	// UnusedStep: a step that no pipeline uses. A warning.
	UnusedStep Code = "MLX026"
	// UnusedOutput: an output that nothing uses. A warning.
	UnusedOutput Code = "MLX027"
	// PipelineClash: two pipelines have one name or would write the same files.
	PipelineClash Code = "MLX028"
	// NameClash: two names differ in nothing but case.
	NameClash Code = "MLX029"
	// NameTooLong: a name exceeds a service limit once environment and attempt are added.
	NameTooLong Code = "MLX030"
	// UnexportedField: a field of a step or pipeline is not exported.
	UnexportedField Code = "MLX031"
	// BadKind: a struct embeds no kind where it must, a second one, or an unknown one.
	BadKind Code = "MLX032"
	// BadStepType: a step is generic, or a pipeline holds it by pointer.
	BadStepType Code = "MLX033"
	// WhenSyntax: a condition that cannot be parsed.
	WhenSyntax Code = "MLX034"
	// WhenUnknown: a condition names an unknown field.
	WhenUnknown Code = "MLX035"
	// WhenType: a condition compares values of different types.
	WhenType Code = "MLX036"
	// WhenAbsent: a condition reads a report that may not exist.
	WhenAbsent Code = "MLX037"
	// LocalMissing: the local file of a source does not exist.
	LocalMissing Code = "MLX038"
	// Secret: a literal that looks like a secret.
	Secret Code = "MLX039"
	// LooksSubstituted: text that would be mistaken for a substitution.
	LooksSubstituted Code = "MLX040"
	// EnvironmentName: an environment's name is missing, malformed, too long or not unique.
	EnvironmentName Code = "MLX041"
	// EnvironmentBucket: a bucket name or prefix that S3 does not accept.
	EnvironmentBucket Code = "MLX042"
	// EnvironmentPartition: an environment's Region or ARNs lie in another partition than its pipelines.
	EnvironmentPartition Code = "MLX043"
	// EnvironmentKey: the ARN of the key or of the permissions boundary is malformed or in another Region or account.
	EnvironmentKey Code = "MLX044"
	// EnvironmentNetwork: subnets without security groups, the other way round, or malformed ids.
	EnvironmentNetwork Code = "MLX045"
	// EnvironmentValue: a member of an environment is not a constant, or has a value that does not fit.
	EnvironmentValue Code = "MLX046"
	// FieldType: a field has a type that steps or pipelines cannot have.
	FieldType Code = "MLX047"
	// ScriptArgument: the struct passes an argument that the script does not accept.
	ScriptArgument Code = "MLX048"
	// ScriptRequires: the script requires an argument that nobody passes.
	ScriptRequires Code = "MLX049"
	// ScriptDefault: the script's own default differs from the struct's.
	ScriptDefault Code = "MLX050"
	// ScriptReads: the script reads a channel or path that nobody supplies.
	ScriptReads Code = "MLX051"
	// ScriptNaN: the script writes a report in which NaN would not be JSON.
	ScriptNaN Code = "MLX052"
	// ScriptSyntax: the script does not parse.
	ScriptSyntax Code = "MLX053"
	// NoPython: python3 is not there to read the scripts. A warning.
	NoPython Code = "MLX054"
	// ServiceLimit: more inputs, arguments, hyperparameters, characters than the service accepts.
	ServiceLimit Code = "MLX055"
	// BadPattern: a pattern that is not a regular expression both here and in JSONata.
	BadPattern Code = "MLX056"
	// Stale: a generated file is missing, differs from what its spec leads to, or is left over.
	Stale Code = "MLX057"
	// ForeignFile: a file to be written exists and was not generated.
	ForeignFile Code = "MLX058"
)
