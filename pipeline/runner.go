package pipeline

import (
	"context"
	"encoding/json"
	"time"
)

// A Runner executes pipelines: on the laptop or on AWS.
type Runner interface {
	// Run executes the pipeline with the given execution input, a JSON object of
	// flat keys; missing keys have their defaults. Locations are local paths or
	// s3:// URIs that the runner can read.
	//
	// The events go to on, in order and never two at once; on may be nil. A run
	// that ended, however it ended, gives an Outcome and a nil error. An error
	// means that it could not be started or finished: what it says includes the
	// next command, and the Outcome, if not nil, is what there is of the run.
	//
	// When ctx ends, the run is stopped with nothing of it left running, and its
	// status is ABORTED.
	Run(ctx context.Context, d *Definition, input json.RawMessage, on func(Event)) (*Outcome, error)
}

// Status is how far a run or step is, in the words of Step Functions.
type Status string

// The statuses of runs and steps.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
	// PendingRedrive is a run on AWS that is about to go on.
	PendingRedrive Status = "PENDING_REDRIVE"
	// Skipped is a step that a condition left out.
	Skipped Status = "SKIPPED"
	// Pending is a step that has not started.
	Pending Status = "PENDING"
)

// An Outcome is a run that ended, or what is known of one. Its JSON is what
// "run --json" prints.
type Outcome struct {
	// Run is the run's id.
	Run string `json:"run"`
	// Execution is the execution's name on AWS, by which commands find it; empty on this
	// machine.
	Execution string `json:"execution,omitempty"`
	Pipeline  string `json:"pipeline"`
	Status    Status `json:"status"`
	// Parameters is the input over the defaults, by flat key.
	Parameters map[string]any `json:"parameters"`
	// Metrics are the values of reports: "Evaluate.Report.ROCAUC" and so on.
	Metrics   map[string]any `json:"metrics"`
	Steps     []StepOutcome  `json:"steps"`
	Artifacts []Artifact     `json:"artifacts"`
	// Model is the version that was registered, or nil.
	Model *ModelVersion `json:"model"`
	// NotRegistered says why no version was registered, where a condition decided so.
	NotRegistered string `json:"notRegistered,omitempty"`
	// Error and Cause are the machine's, when it failed.
	Error string `json:"error,omitempty"`
	Cause string `json:"cause,omitempty"`
	// FailedStep is the step in which it failed, and Log the path of its log.
	FailedStep string `json:"failedStep,omitempty"`
	Log        string `json:"log,omitempty"`
	// Links are pages of the console: the execution's, and of what failed its job's and
	// its log's.
	Links []Link `json:"links,omitempty"`
	// ResumableUntil is when a run on AWS that did not succeed can no longer be resumed,
	// and NotResumable says why it cannot be at all.
	ResumableUntil *time.Time `json:"resumableUntil,omitempty"`
	NotResumable   string     `json:"notResumable,omitempty"`
	// Seconds is the whole run's time.
	Seconds float64 `json:"seconds"`
	// Parity lists what this run did not prove about a run on AWS, a sentence each.
	Parity []string `json:"parity,omitempty"`
	// Resumes is the run that this one goes on from, or empty.
	Resumes string `json:"resumes,omitempty"`
	// Partial says which part of the pipeline was asked for, such as "until Train"; the
	// machine then gives no output.
	Partial string `json:"partial,omitempty"`
	// Versions are the model versions that it started from, by name.
	Versions map[string]ModelVersion `json:"versions,omitempty"`
	// Next are commands that go on from here: how to approve a version that was
	// registered, or what a run lacked that could not go on.
	Next []Suggestion `json:"next,omitempty"`
	// Output is the machine's output, when it succeeded.
	Output json.RawMessage `json:"output,omitempty"`
}

// A Link is a page of the console, and what it shows.
type Link struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// A StepOutcome is one step of an Outcome.
type StepOutcome struct {
	Name    string  `json:"name"`
	Status  Status  `json:"status"`
	Seconds float64 `json:"seconds"`
	// Cached says that its outputs were taken from an earlier run.
	Cached bool `json:"cached"`
	// Attempts counts its tries.
	Attempts int `json:"attempts,omitempty"`
	// Why says from which run its outputs were taken, or, where that was asked for, what
	// made it run.
	Why string `json:"why,omitempty"`
}

// An Artifact is something a step wrote, or data a run started from.
type Artifact struct {
	// Name is "Step.Port", or a parameter's key for data.
	Name string `json:"name"`
	// URI is the s3:// URI by which the run knows it.
	URI string `json:"uri"`
	// Digest is "sha256:" and hex, or empty where it is not known.
	Digest string `json:"digest"`
	Bytes  int64  `json:"bytes"`
	// Path is where a person finds it on this machine, or empty.
	Path string `json:"path,omitempty"`
}

// A ModelVersion is a version in a model group.
type ModelVersion struct {
	Group   string `json:"group"`
	Version int    `json:"version"`
	// Status is Approved, Rejected or PendingManualApproval.
	Status string `json:"status"`
	ARN    string `json:"arn,omitempty"`
}

// EventKind is what an Event tells.
type EventKind string

// The kinds of events, in the order in which a run sends them.
const (
	// RunStarted comes first; Run is set.
	RunStarted EventKind = "RunStarted"
	// Preparing tells of long work before the first step, in Message; Done and
	// Total may be set.
	Preparing EventKind = "Preparing"
	// StepStarted, StepRetried, StepSucceeded, StepFailed and StepSkipped tell of
	// a step. StepRetried has the error in Message and the delay in Wait; StepSucceeded of
	// a step that is Cached has the run that its outputs were taken from.
	StepStarted   EventKind = "StepStarted"
	StepRetried   EventKind = "StepRetried"
	StepSucceeded EventKind = "StepSucceeded"
	StepFailed    EventKind = "StepFailed"
	StepSkipped   EventKind = "StepSkipped"
	// StepExplained tells, where that was asked for, in Message why a step runs and is not
	// cached.
	StepExplained EventKind = "StepExplained"
	// StepLog is one line of a step's output in Message, without control characters.
	StepLog EventKind = "StepLog"
	// Warned is something the user should know, in Message.
	Warned EventKind = "Warned"
	// RunEnded comes last; Status is set.
	RunEnded EventKind = "RunEnded"
)

// An Event is something that happened in a run.
type Event struct {
	Kind EventKind
	Time time.Time
	Run  string
	// Step is the step's name, Attempt its try from 0; of StepRetried, the try that comes.
	Step    string
	Attempt int
	Status  Status
	Message string
	Wait    time.Duration
	// Seconds is how long the step or run took, when it ended.
	Seconds     float64
	Done, Total int64
	Cached      bool
}
