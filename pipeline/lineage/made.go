package lineage

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/record"
)

// jobRequest is what is read of a createProcessingJob or createTrainingJob request.
type jobRequest struct {
	AppSpecification struct {
		ImageUri                                string
		ContainerEntrypoint, ContainerArguments []string
	}
	AlgorithmSpecification struct{ TrainingImage string }
	HyperParameters        map[string]string
	ProcessingInputs       []struct {
		InputName string
		S3Input   struct{ S3Uri string }
	}
	Environment map[string]string
}

// codeInput is the input that holds the code of a processing job.
const codeInput = "code"

// made is what a step was made from. The request says it: a step may run the code and
// image of a model version, and not what its run's work tree had.
func (s *store) made(step *record.Step) *Made {
	m := &Made{}
	if r := s.runs[step.Run]; r != nil {
		m.Commit, m.Dirty, m.Definition = r.Commit, r.Dirty, r.Definition
	}
	job := s.jobs[step.Run][step.Name]
	if job != nil {
		m.Code, m.Image, m.Python, m.Packages, m.Environment = job.Code, job.Image, job.Python, job.Packages, job.Environment
	}
	var r jobRequest
	if json.Unmarshal(step.Request, &r) != nil {
		return m // an interrupted step may have none
	}
	m.Variables = pairs(r.Environment)
	if r.AlgorithmSpecification.TrainingImage != "" {
		r.training(m)
	} else {
		r.processing(m)
	}
	if job != nil && m.Code != job.Code {
		// The commit is that of the work tree, which this code is not from.
		m.Commit, m.Dirty = "", false
	}
	return m
}

func (r *jobRequest) processing(m *Made) {
	if r.AppSpecification.ImageUri != "" {
		m.Image = r.AppSpecification.ImageUri
	}
	for _, in := range r.ProcessingInputs {
		if digest := path.Base(trim(in.S3Input.S3Uri)); in.InputName == codeInput && digest != "" {
			m.Code = digest
		}
	}
	if n := len(r.AppSpecification.ContainerEntrypoint); n > 0 {
		m.Script = path.Base(r.AppSpecification.ContainerEntrypoint[n-1])
	}
	args := r.AppSpecification.ContainerArguments
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") || i+1 == len(args) {
			m.Arguments = append(m.Arguments, Argument{Value: args[i]})
			continue
		}
		i++
		if strings.HasPrefix(args[i], "/opt/ml/") {
			continue // a place, not a value
		}
		m.Arguments = append(m.Arguments, Argument{Name: strings.TrimLeft(args[i-1], "-"), Value: args[i]})
	}
}

func (r *jobRequest) training(m *Made) {
	m.Image = r.AlgorithmSpecification.TrainingImage
	values := map[string]string{}
	for key, value := range r.HyperParameters {
		switch {
		case key == "sagemaker_program":
			m.Script = text(value)
		case key == "sagemaker_submit_directory":
			m.Code = strings.TrimSuffix(path.Base(text(value)), ".tar.gz")
		case !strings.HasPrefix(key, "sagemaker_"):
			values[key] = text(value)
		}
	}
	m.Arguments = pairs(values)
}

// text is a hyperparameter as a person would write it: the text of one that is a JSON
// string.
func text(value string) string {
	var s string
	if json.Unmarshal([]byte(value), &s) == nil {
		return s
	}
	return value
}

func pairs(values map[string]string) []Argument {
	var all []Argument
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, Argument{Name: name, Value: values[name]})
	}
	return all
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
