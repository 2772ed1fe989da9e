// Package failpoint names the moments at which a run may be killed, for tests that
// kill it there. [Hit] marks one. It is an empty function, unless the program is
// built with the tag failpoint: then MLMAX_FAILPOINT="name:N" makes the process
// kill itself with SIGKILL at the Nth hit of that point, and MLMAX_FAILPOINT_TRACE
// names a file that gets a line a hit. A program that people use has none of it.
package failpoint

// A Point is a moment in a run after which everything that it has written must do
// for the next run to go on from.
type Point string

// The points of a run, of each step, and of calls. Nothing is synced to the disk at
// any of them (docs/architecture.md), so there is none before a sync.
const (
	// RunRecorded is when the row of the run has been written.
	RunRecorded Point = "run-recorded"
	// RunEnding is before the end of the run is committed, RunEnded after it.
	RunEnding Point = "run-ending"
	RunEnded  Point = "run-ended"
	// RunManifest is when the run's manifest lies beside its place.
	RunManifest Point = "run-manifest"

	// StepRecorded is when the row of a step has been written.
	StepRecorded Point = "step-recorded"
	// BeforeSpawn is when everything that the job's process needs is there, AfterSpawn
	// when its helper has been told to start it, AfterExit when it has ended.
	BeforeSpawn Point = "before-spawn"
	AfterSpawn  Point = "after-spawn"
	AfterExit   Point = "after-exit"
	// MidCopy is when one more object of a batch is in the pool, and others may follow.
	// A step's outputs are a batch, and so are code, data and what a call puts.
	MidCopy Point = "mid-copy"
	// BeforePlace is when all of a batch is in the pool, AfterRename when it is at its
	// keys and not in the index, AfterCommit when it is.
	BeforePlace Point = "before-place"
	AfterRename Point = "after-rename"
	AfterCommit Point = "after-commit"

	// ModelRegistered is when a model has its version and the machine does not know it.
	ModelRegistered Point = "model-registered"
	// ObjectPut is when a call has put an object, such as the machine's manifest, and is
	// not recorded.
	ObjectPut Point = "object-put"
)

// Points are all of them.
func Points() []Point {
	return []Point{
		RunRecorded, RunEnding, RunEnded, RunManifest,
		StepRecorded, BeforeSpawn, AfterSpawn, AfterExit, MidCopy, BeforePlace, AfterRename, AfterCommit,
		ModelRegistered, ObjectPut,
	}
}
