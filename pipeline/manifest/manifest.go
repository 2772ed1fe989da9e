// Package manifest is the description that every run leaves beside its artifacts,
// at runs/PIPELINE/RUN/manifest.json: what the run was made of and what it made,
// in one format on the laptop and on AWS. In go the bytes of a manifest, out comes
// a [Manifest], or an error that names the place of everything that is wrong; and
// the other way. The package reads and writes no file.
//
// Two artifacts are the same if their URIs are: the URI of whatever a step writes
// holds the run and the step's attempt, so that it is written once. Where a digest
// is known as well, it says that two URIs hold the same content. The machine on AWS
// sees no content, so it knows no digest; the local runner does.
package manifest

import (
	"bytes"
	_ "embed" // the schema
	"encoding/json"
	"fmt"
	"time"
)

// Schema1 is the JSON Schema (draft 2020-12) of a manifest.
//
//go:embed manifest.schema.json
var Schema1 []byte

// Version is the "schema" of the manifests that this package reads. It is raised
// when a reader has to know.
const Version = 1

// A Manifest describes one run. Maps by step have the names of the steps as keys,
// and maps by artifact "Step.Output" or the key of a parameter that is data.
type Manifest struct {
	Schema int `json:"schema"`
	// Pipeline is the name on AWS, Run the run's id, Execution the machine's.
	Pipeline  string    `json:"pipeline"`
	Run       string    `json:"run"`
	Execution string    `json:"execution"`
	StartTime time.Time `json:"startTime"`
	// Environment is dev, prod and so on, or local.
	Environment string `json:"environment"`
	// Definition is the hex SHA-256 of the state machine's file with this value left
	// empty in it.
	Definition string `json:"definition"`
	// Parameters is the input over the defaults; a number is a json.Number.
	Parameters map[string]any `json:"parameters"`
	// Code is the digest of each step's code, Images, Instances and Interfaces what it
	// ran in, on, and the hash of its arguments and ports.
	Code       map[string]string `json:"code"`
	Images     map[string]string `json:"images"`
	Instances  map[string]string `json:"instances"`
	Interfaces map[string]string `json:"interfaces"`
	// Steps are each job's name (as "Job") and its outputs; nil where a step did not run.
	Steps map[string]map[string]string `json:"steps"`
	// Artifacts are the URIs of what the steps wrote.
	Artifacts map[string]string `json:"artifacts"`
	// Metrics are the values of reports: "Step.Output", then the field.
	Metrics map[string]map[string]any `json:"metrics"`
	// Models are what was registered, by registration; nil where nothing was, and then
	// NotRegistered may say why.
	Models        map[string]*Registered `json:"models"`
	NotRegistered map[string]string      `json:"notRegistered"`
	// Versions are the model versions that the run started from, by field.
	Versions map[string]ModelVersion `json:"versions,omitzero"`
	// Inputs are the URIs that each job read: "Step.Port".
	Inputs map[string]string `json:"inputs,omitzero"`

	// What follows is known where a client or the local runner writes the manifest; the
	// machine itself writes none of it.

	// Status is a status of Step Functions. Error, Cause and FailedStep say how the run
	// failed.
	Status     string     `json:"status,omitempty"`
	Error      string     `json:"error,omitempty"`
	Cause      string     `json:"cause,omitempty"`
	FailedStep string     `json:"failedStep,omitempty"`
	EndTime    *time.Time `json:"endTime,omitempty"`
	// Commit is the commit of the work tree that the code came from, and Dirty says
	// that the tree differed from it; nil where that is not known.
	Commit string `json:"commit,omitempty"`
	Dirty  *bool  `json:"dirty,omitempty"`
	// Resumes is the run that this one goes on from, Partial the part of the pipeline
	// that was asked for.
	Resumes string `json:"resumes,omitempty"`
	Partial string `json:"partial,omitempty"`
	// Isolation is how jobs were kept apart on this machine: direct or namespace.
	Isolation string `json:"isolation,omitempty"`
	// Digests ("sha256:" and hex) and Bytes are of artifacts and data.
	Digests map[string]string `json:"digests,omitzero"`
	Bytes   map[string]int64  `json:"bytes,omitzero"`
	// Packages are the Python packages that each step had, as "name==version".
	Packages map[string][]string `json:"packages,omitzero"`
	// Times are when each step began and ended.
	Times map[string]Time `json:"times,omitzero"`
	// Cached names the run whose outputs a step's were taken from.
	Cached map[string]string `json:"cached,omitzero"`
	// Record is what the local record holds of the run, for a damaged record to be made
	// again. No other reader needs it, and its form is not part of the format.
	Record json.RawMessage `json:"record,omitempty"`
}

// Registered is a model version that a run registered.
type Registered struct {
	ModelPackageArn string `json:"ModelPackageArn"`
}

// A ModelVersion is a model version that a run started from, as the machine resolved
// it. Its members are those of the machine's variable.
type ModelVersion struct {
	Arn     string `json:"Arn"`
	Version int    `json:"Version"`
	// Data is the URI of the model archive, Image the image it was registered with.
	Data  string `json:"Data"`
	Image string `json:"Image"`
	// Run and Pipeline registered it.
	Run      string `json:"Run"`
	Pipeline string `json:"Pipeline"`
	// Code and Images are by step of that pipeline, Artifacts by "Step.Output".
	Code      map[string]string `json:"Code,omitzero"`
	Images    map[string]string `json:"Images,omitzero"`
	Artifacts map[string]string `json:"Artifacts,omitzero"`
}

// A Time is when a step began and ended; End is nil where it has not.
type Time struct {
	Start time.Time  `json:"start"`
	End   *time.Time `json:"end,omitempty"`
}

// startTime is how the machine writes the time at which it started. The run's id is made
// from this text.
const startTime = "2006-01-02T15:04:05.000Z"

// Encode is the manifest as it is stored: one line of JSON in the same order always.
func (m *Manifest) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		*Manifest
		StartTime string `json:"startTime"`
	}{m, m.StartTime.UTC().Format(startTime)})
	if err != nil {
		return nil, fmt.Errorf("encode the manifest of run %s: %w", m.Run, err)
	}
	return b.Bytes(), nil
}
