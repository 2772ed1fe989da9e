// Package openlineage tells what a run does in the words of OpenLineage, for
// catalogues that collect such events. In go the [pipeline.Event]s of a run and what
// the record says of its steps; out go run events (START, COMPLETE, FAIL, ABORT) of
// the specification 2-0-2, for the run and for each try of each step, to a file or an
// HTTP endpoint. It never holds up a run, and never fails one.
//
// # Names
//
// The job of a run is the pipeline, that of a step PIPELINE.STEP, in the namespace
// mlmax/local. A dataset is an artifact: its namespace is s3://BUCKET, its name the
// key, which holds run and attempt; its version is the digest of its content. Run ids
// are UUIDs of version 5, made from run, step and attempt, so that the same try
// always has the same one.
package openlineage

import "time"

// What events and facets say of where they come from and what they look like.
const (
	producer   = "https://github.com/mlmax/mlmax"
	eventURL   = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
	facetsURL  = "https://openlineage.io/spec/facets/"
	integrator = "MLMAX"
)

// A RunEvent is a transition of a run or step.
type RunEvent struct {
	// EventType is START, COMPLETE, FAIL or ABORT.
	EventType string    `json:"eventType"`
	EventTime time.Time `json:"eventTime"`
	Run       Run       `json:"run"`
	Job       Job       `json:"job"`
	Inputs    []Dataset `json:"inputs"`
	Outputs   []Dataset `json:"outputs"`
	Producer  string    `json:"producer"`
	SchemaURL string    `json:"schemaURL"`
}

// A Run is one try of a job.
type Run struct {
	RunID  string     `json:"runId"`
	Facets *RunFacets `json:"facets,omitempty"`
}

// RunFacets are what is said of a run.
type RunFacets struct {
	Parent           *Parent           `json:"parent,omitempty"`
	ErrorMessage     *ErrorMessage     `json:"errorMessage,omitempty"`
	ProcessingEngine *ProcessingEngine `json:"processing_engine,omitempty"`
	Parameters       *Parameters       `json:"executionParameters,omitempty"`
	Tags             *Tags             `json:"tags,omitempty"`
}

// A Job is a pipeline or a step of one.
type Job struct {
	Namespace string     `json:"namespace"`
	Name      string     `json:"name"`
	Facets    *JobFacets `json:"facets,omitempty"`
}

// JobFacets are what is said of a job.
type JobFacets struct {
	JobType            *JobType            `json:"jobType,omitempty"`
	Documentation      *Documentation      `json:"documentation,omitempty"`
	SourceCodeLocation *SourceCodeLocation `json:"sourceCodeLocation,omitempty"`
}

// A Dataset is an artifact that was read or written.
type Dataset struct {
	Namespace    string         `json:"namespace"`
	Name         string         `json:"name"`
	Facets       *DatasetFacets `json:"facets,omitempty"`
	InputFacets  *InputFacets   `json:"inputFacets,omitempty"`
	OutputFacets *OutputFacets  `json:"outputFacets,omitempty"`
}

// DatasetFacets are what is said of a dataset.
type DatasetFacets struct {
	Version *DatasetVersion `json:"version,omitempty"`
}

// InputFacets are what is said of a dataset as an input.
type InputFacets struct {
	Statistics *Statistics `json:"inputStatistics,omitempty"`
}

// OutputFacets are what is said of a dataset as an output.
type OutputFacets struct {
	Statistics *Statistics `json:"outputStatistics,omitempty"`
}

// A Facet is what every facet begins with.
type Facet struct {
	Producer  string `json:"_producer"`
	SchemaURL string `json:"_schemaURL"`
}

// facet is the beginning of one: name is the schema's, such as ParentRunFacet.
func facet(version, name string) Facet {
	return Facet{Producer: producer, SchemaURL: facetsURL + version + "/" + name + ".json#/$defs/" + name}
}

// Parent says which run a step is of.
type Parent struct {
	Facet
	Run Run `json:"run"`
	Job Job `json:"job"`
}

// ErrorMessage says why a run or step failed.
type ErrorMessage struct {
	Facet
	Message             string `json:"message"`
	ProgrammingLanguage string `json:"programmingLanguage"`
}

// ProcessingEngine says what ran it.
type ProcessingEngine struct {
	Facet
	Version string `json:"version"`
	Name    string `json:"name"`
}

// Parameters are the values that a run was given.
type Parameters struct {
	Facet
	Parameters []Parameter `json:"parameters"`
}

// A Parameter is one value, as text.
type Parameter struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Tags mark a run.
type Tags struct {
	Facet
	Tags []Tag `json:"tags"`
}

// A Tag is one mark.
type Tag struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// JobType says what kind of a job it is.
type JobType struct {
	Facet
	ProcessingType string `json:"processingType"`
	Integration    string `json:"integration"`
	JobType        string `json:"jobType"`
}

// Documentation is a sentence about a job.
type Documentation struct {
	Facet
	Description string `json:"description"`
}

// SourceCodeLocation says where a job's code is kept, and which version of it ran.
type SourceCodeLocation struct {
	Facet
	Type    string `json:"type"`
	URL     string `json:"url"`
	RepoURL string `json:"repoUrl,omitempty"`
	Path    string `json:"path,omitempty"`
	Version string `json:"version,omitempty"`
}

// DatasetVersion is the digest of a dataset's content.
type DatasetVersion struct {
	Facet
	DatasetVersion string `json:"datasetVersion"`
}

// Statistics are the size of what was read or written.
type Statistics struct {
	Facet
	Size int64 `json:"size"`
}
