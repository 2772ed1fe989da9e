// Package legacytest holds the language and the local runner to a promise: scripts that
// were written for SageMaker's container layout run as they are. testdata/income is such
// a set (fixed paths below /opt/ml, some relative to "/", writing into an input folder,
// arguments with dashes and underscores, archives that the scripts pack and unpack
// themselves in the working directory) with a spec that says what it reads and writes.
// It has nothing but a test, which generates, builds and runs the pipeline.
package legacytest
