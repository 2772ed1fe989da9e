package ir

import "strings"

// Container folders (SageMaker Developer Guide: build your own processing container;
// Amazon SageMaker training storage folders).
const (
	// ProcessingPath holds every port of a processing job.
	ProcessingPath = "/opt/ml/processing/"
	// InputPath and OutputPath hold the ports of which nothing else is said.
	InputPath  = ProcessingPath + "input/"
	OutputPath = ProcessingPath + "output/"
	// CodePath is where the code of a processing job is.
	CodePath = InputPath + "code"
	// ChannelPath holds the channels of a training job, ModelPath what it leaves.
	ChannelPath = "/opt/ml/input/data/"
	ModelPath   = "/opt/ml/model"
)

// Folder is where the port is in the container: what path says, else the place by
// convention.
func (p *Port) Folder() string {
	switch {
	case p.Path.V != "":
		return p.Path.V
	case p.Form == ChannelForm:
		return ChannelPath + strings.ToLower(p.Name)
	case p.Form == ModelForm:
		return ModelPath
	case p.Form == InputForm:
		return InputPath + p.Name
	}
	return OutputPath + p.Name
}
