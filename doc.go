// Package mlmax is the vocabulary in which steps and pipelines are declared.
//
// A spec is an ordinary Go package of struct types. Each struct embeds one of
// the kinds below, and its fields say, by type and tag, what the step reads,
// writes and can be told. Nothing in a spec is ever executed: mlmaxgen reads
// the types and tags as a compiler would and writes the state machine, the
// CloudFormation template, typed Go and a README from them.
//
//	// Train fits the classifier.
//	type Train struct {
//		mlmax.Training `image:"sklearn:1.4-2" script:"steps/train/train.py" instance:"ml.m5.xlarge"`
//
//		Strength float64 `hyper:"strength" default:"1.0" min:"0"`
//
//		Train mlmax.Channel[TrainSet]
//		Model mlmax.Model[Classifier]
//	}
//
// # Artifacts
//
// What passes between steps is a named struct type of the spec's own. One that
// embeds [File] is a single file, any other a folder. Exported fields of an
// artifact that is a file are numbers or strings read from its JSON, and can be
// used in conditions.
//
// # Steps
//
// A step is a struct that embeds [Processing] or [Training]. Its ports are
// fields of type [Input], [Output], [Channel] and [Model]; its parameters are
// fields of type string, bool, int or float64.
//
// # Pipelines
//
// A pipeline is a struct that embeds [Pipeline]. Its fields are sources, steps
// (by value), model versions, registrations and parameters, in the order in which
// they run. An input is wired to the one output, source, model version or part of one
// of the same artifact type declared above it.
//
// # Tags
//
// Every tag key is documented by "mlmaxgen explain tags". An unknown key or
// value is an error at its own column.
//
// The package imports nothing but the standard library, and holds no code:
// loading a spec never compiles an SDK.
package mlmax
