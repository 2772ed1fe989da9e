// Package local runs pipelines on this machine: it interprets the state machine
// that was generated for AWS, with a handler for each call that the machine makes.
// Jobs run as processes with the files, variables and paths that SageMaker would
// give them; S3 and the model registry are a folder, the workspace.
//
// In goes a generated [pipeline.Definition] and an execution input; out come
// events and an outcome, and in the workspace the record of what happened, logs
// and artifacts. It talks to no AWS service, writes nothing outside the workspace,
// and leaves no process behind.
//
// # The workspace
//
// By default it is the folder .mlmax in the module's root:
//
//	mlmax.db             the record: runs, steps, artifacts, models
//	lock                 who is running in it
//	s3/BUCKET/KEY        the local S3
//	objects/sha256/      the content of its objects
//	envs/                Python environments
//	runs/RUN/STEP.0.log  the log of each try of each step
//	tmp/                 emptied at the start of each run
//
// # What is not run again
//
// A job's row in the record has the key of its recipe: a digest of all that its result
// depends on. A job whose key a whole result has is not run; its outputs are linked and
// recorded as this run's own, and the machine gets the response that the job would give.
//
// # Jobs of others
//
// [Jobs] runs a job for an engine that is not a [Runner]'s, by the same handlers: in a
// workspace that lasts as long as the job, with inputs from and outputs to a store of the
// caller's.
//
// # Names
//
// A run has an execution id and a start time, as on AWS, and its id is what the
// machine computes from them: the first 12 hex digits of the SHA-256 of
// $states.context.Execution.Id followed by $states.context.Execution.StartTime.
package local
