package mlmax

// Pipeline makes the struct that embeds it a pipeline. Its tag names it:
//
//	mlmax.Pipeline `name:"census-training"`
type Pipeline struct{}

// Processing makes the struct that embeds it a step that runs as a SageMaker
// processing job: a script with inputs and outputs given as paths.
type Processing struct{}

// Training makes the struct that embeds it a step that runs as a SageMaker
// training job in script mode: channels and hyperparameters in, a model out.
type Training struct{}

// Compute carries no meaning of its own: a blank field of this type is a place
// for those tags of a step that say what it runs on, when the tag of its kind
// would grow past a line.
//
//	_ mlmax.Compute `volume:"50GiB" spot:"true"`
type Compute struct{}

// File makes the artifact that embeds it one file instead of a folder. Its tag
// names the file inside an output:
//
//	mlmax.File `name:"report.json"`
type File struct{}

// Source is data that a pipeline starts from: a key below the environment's
// prefix on AWS, a file or folder of the spec's package on the laptop.
type Source[T any] struct{}

// Input is an artifact that a processing step reads.
type Input[T any] struct{}

// Output is an artifact that a processing step writes.
type Output[T any] struct{}

// Channel is an artifact that a training step reads. The channel's name is the
// field's in lower case.
type Channel[T any] struct{}

// Model is what a training step leaves in its model folder, packed as
// model.tar.gz.
type Model[T any] struct{}

// RegisterModel adds the model of type T to a model group of the environment,
// if its condition holds:
//
//	Register mlmax.RegisterModel[Classifier] `group:"census" when:"Evaluate.Report.ROCAUC >= MinROCAUC"`
type RegisterModel[T any] struct{}

// ModelVersion is a version of the model of type T that another pipeline of the
// package registers: the newest that is approved, or the one that a run asks for. It
// feeds inputs as a step's output does: with its model, and with the artifacts of the
// steps that it was made by. A step with pin:"Model" runs the very code and image
// that the version was made with. The tag's status is what a version must be marked as,
// Approved unless it says otherwise.
//
//	Model mlmax.ModelVersion[Classifier] `from:"Training.Register"`
type ModelVersion[T any] struct{}

// Environment is a place on AWS that pipelines are deployed to: the ML
// engineer's side of a spec. Environments are package-level variables, read as
// data:
//
//	var Dev = mlmax.Environment{Name: "dev", Region: "eu-west-1", Bucket: "acme-ml-dev"}
//
// Every value must be a constant. What can be said here cannot be said in a
// step, and the other way round, but for Instances.
type Environment struct {
	// Name is 1 to 10 lower-case letters and digits; it starts every name on AWS.
	Name string
	// Account is the 12-digit AWS account, if deploying elsewhere is to be refused.
	Account string
	// Region is the AWS Region, such as eu-west-1.
	Region string
	// Bucket is the S3 bucket that holds data, code and results.
	Bucket string
	// Prefix is put before every key in the bucket; it ends in a slash or is empty.
	Prefix string
	// Readable are places outside of the prefix from which runs may take their data,
	// too: "s3://bucket/prefix/", each ending in a slash.
	Readable []string
	// KmsKey is the ARN of the key for volumes and results, or empty.
	KmsKey string
	// Subnets and SecurityGroups put the jobs into a VPC; both or neither.
	Subnets        []string
	SecurityGroups []string
	// PermissionsBoundary is the ARN of the policy that bounds every role made, or empty.
	PermissionsBoundary string
	// LogRetentionDays is how long the state machine's log is kept; 0 means 30.
	LogRetentionDays int
	// Notify is the e-mail address that is told of runs that failed, ran out of time or
	// were aborted, and of schedules that could not start one; empty is nobody.
	Notify string
	// Schedule switches the schedules of the pipelines on; they are off otherwise.
	Schedule bool
	// TimeZone is where cron schedules are counted, such as Europe/Berlin; empty is UTC.
	TimeZone string
	// Instances replaces the instance type of steps: "Training.Train" (pipeline
	// and step) or "Train" (in every pipeline) to an instance type.
	Instances map[string]string
	// Tags are put on every resource and job.
	Tags map[string]string
}
