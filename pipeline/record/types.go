package record

import (
	"encoding/json"
	"time"
)

// A Run is one execution of a pipeline.
type Run struct {
	// Seq orders the runs of a workspace.
	Seq int64
	// ID names the run, in S3 and in job names too.
	ID string
	// Pipeline is the name on AWS, Package the import path of what was generated.
	Pipeline, Package string
	// Execution is the ARN-like id that the machine saw.
	Execution string
	// Status is a status of Step Functions: RUNNING, SUCCEEDED, …
	Status string
	// Input is the machine's input; Parameters is it over the defaults.
	Input, Parameters json.RawMessage
	// Definition is the SHA-256 of the state machine's text.
	Definition string
	// Commit is the commit of the module's work tree, if known, and Dirty says that
	// the tree differed from it.
	Commit string
	Dirty  bool
	// Isolation is how the jobs ran: direct or namespace.
	Isolation string
	// TotalSteps counts the jobs of the pipeline.
	TotalSteps int
	// PID and PIDStart name the process that ran it.
	PID      int
	PIDStart string

	Started, Ended time.Time
	// Resumes is the run that this one goes on from, and Partial the part of the pipeline
	// that was asked for; both may be empty.
	Resumes, Partial string
	// Error, Cause and FailedStep say how it failed; Output is what it gave.
	Error, Cause, FailedStep string
	Output                   json.RawMessage
}

// A Job is what a job of a run was made from.
type Job struct {
	Run, Step string
	// Code is the digest of its code, Image the catalogue's name of its image.
	Code, Image string
	// Python and Packages are what stood for the image; Environment is their digest.
	Python      string
	Packages    []string
	Environment string
}

// A Step is one try of a Task state.
type Step struct {
	ID      int64
	Run     string
	Name    string
	Attempt int
	// Kind is processing, training, register or call.
	Kind   string
	Status string
	// Job is the job's name, or empty.
	Job string
	// Request and Response are what the machine sent and got.
	Request, Response json.RawMessage
	// Error is the error's name, Reason the cause as a person should read it.
	Error, Reason string
	// Log is the path of its log, relative to the workspace.
	Log      string
	ExitCode int
	// MaxRSS is its peak memory in bytes, where known.
	MaxRSS         int64
	Started, Ended time.Time
	// CacheKey is what its result depends on, KeyParts what the key is made of; both are
	// empty for what is no job. CachedFrom is the step whose outputs were taken, or 0.
	CacheKey   string
	KeyParts   map[string]string
	CachedFrom int64
}

// The kinds of artifacts.
const (
	Data     = "data"     // imported from outside the workspace
	Output   = "output"   // written by a processing job
	Model    = "model"    // a training job's model archive
	External = "external" // read from the local S3, but of no run
)

// An Artifact is something that a step read or wrote.
type Artifact struct {
	ID  int64
	Run string
	// Step made it; it is empty for data.
	Step string
	// Name is "Step.Port", or the parameter's key for data.
	Name string
	Kind string
	URI  string
	// Digest is "sha256:" and hex.
	Digest string
	Bytes  int64
}

// A Port is an artifact at one of a step's inputs or outputs.
type Port struct {
	Name     string
	Artifact Artifact
}

// An Edge says that a step's try read or wrote an artifact.
type Edge struct {
	Run, Step string
	Attempt   int
	// Direction is "in" or "out".
	Direction string
	Port      string
	Artifact  Artifact
}

// An Object is one object of the local S3.
type Object struct {
	Bucket, Key string
	// Digest is the hex SHA-256 of its content.
	Digest  string
	Bytes   int64
	Created time.Time
}

// A ModelPackage is one version in a model group.
type ModelPackage struct {
	Group   string
	Version int
	ARN     string
	// Status is Approved, Rejected or PendingManualApproval.
	Status string
	// Token is the client's, which makes a repeated request give the same version.
	Token string
	Run   string
	// Request is the createModelPackage request.
	Request json.RawMessage
	Created time.Time
}
