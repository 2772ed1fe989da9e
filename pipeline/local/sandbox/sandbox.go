// Package sandbox runs one job as a process that sees what a SageMaker container
// would see: its inputs and outputs below /opt/ml, configuration files, and an
// environment of exactly the variables it was given. A [Job] goes in, a [Result]
// comes out, and what the job wrote is on the host at [Job.HostPath].
//
// There are two ways to do it. [Direct] works wherever programs run: the job has
// a folder of its own with a private copy of each input, and container paths in
// its arguments and environment are rewritten to host paths. [Namespace] adds, where
// the Linux kernel allows it, a root of the job's own, so that /opt/ml is really
// there, and puts a writable layer over each input instead of copying it. What a job
// changes in an input or writes into "/" is held in memory there, and gone with it;
// /opt/ml and /tmp are on the disk.
//
// # Processes
//
// A job is started by a helper: this same program, started again, which is taken
// over by an init function of this package before main, flags or tests begin. It
// may run other jobs after this one, see [Helpers], but none at the same time. The
// helper is the parent of everything that the job starts, and ends all of it when
// the job's own process ends, when it is told to, or when the program that started
// it is gone, even by kill -9: on Linux also what has left the process group or
// become a daemon (it is the reaper of orphans, and in namespace mode process 1 of
// a PID namespace); on macOS the job's process group.
//
// The package never runs a shell, never changes an input, never writes outside a
// job's folder except for what the job itself does, and reads no configuration. Its
// one file elsewhere says, in the user's cache folder, that namespaces work since
// this boot.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// A Mode is a way of isolating a job.
type Mode string

// The modes.
const (
	// Direct rewrites paths; it works everywhere.
	Direct Mode = "direct"
	// Namespace gives the job its own root; see [Probe].
	Namespace Mode = "namespace"
)

// A MountKind says what is at a container path.
type MountKind int

const (
	// Input is a private, writable view of a host file or folder, which itself
	// never changes.
	Input MountKind = iota
	// Output is an empty folder that exists before the job starts.
	Output
)

// A Mount is one container path of a job. Mounts may lie in each other.
type Mount struct {
	// Target is the container path, below /opt/ml.
	Target string
	Kind   MountKind
	// Source is the host file or folder of an Input. A folder is seen at Target, a
	// file at Target/Name, with its own base name if Name is empty.
	Source string
	Name   string
}

// A File is written before the job starts, such as hyperparameters.json.
type File struct {
	// Path is the container path, below /opt/ml and not in a Mount.
	Path    string
	Content []byte
}

// DefaultLogLimit is how much of a job's output is kept if the job does not say.
const DefaultLogLimit = 64 << 20

// DefaultGrace is the time between SIGTERM and SIGKILL if the job does not say.
// SageMaker's own, for training jobs, is 120 s (API StopTrainingJob).
const DefaultGrace = 10 * time.Second

// A Job is one process to run.
type Job struct {
	// Dir is the host folder of the job's own, absolute; it is empty, not there, or
	// from Folders.
	Dir    string
	Mode   Mode
	Mounts []Mount
	Files  []File
	// Argv is executed as it is, never by a shell. A program without a slash is
	// looked up in the PATH of Env.
	Argv []string
	// Env is the whole environment, as NAME=value.
	Env []string
	// WorkDir is the container path of the working directory, "/" if empty, as in
	// SageMaker's framework images.
	WorkDir string
	// Keep are host folders which the job needs to see where they are, although
	// namespace mode hides what they lie in (/tmp and /opt/ml), such as a Python
	// environment. Those of Argv[0] and of the PATH, and the ones above them, are
	// kept anyway.
	Keep []string
	// Stdout gets both streams, in order, as they are; see LogLimit.
	Stdout io.Writer
	// LogLimit is how many bytes Stdout gets at most, before a line that says so.
	LogLimit int64
	// Grace is the time between SIGTERM and SIGKILL when the job is stopped.
	Grace time.Duration
	// Quit, when closed, ends a stopped job's grace at once. It may be nil.
	Quit <-chan struct{}
	// Helpers, of the job's mode, may have a helper for the job. It may be nil.
	Helpers *Helpers
	// Folders, if Dir is from them, know what is in it. It may be nil.
	Folders *Folders
}

// A Result is how a job ended.
type Result struct {
	// ExitCode is the process's, or -1 if a signal ended it.
	ExitCode int
	// Signal is the signal that ended it, such as "SIGKILL", or empty.
	Signal string
	// Stopped says that the context ended before the process did, and Killed that
	// the process had to be ended by SIGKILL then.
	Stopped, Killed bool
	// MaxRSS is the largest resident set, in bytes, of any one process of the job
	// that was waited for.
	MaxRSS int64
	// Duration is from before the process started until it ended.
	Duration time.Duration
	// LogDropped is how many bytes of output came after the limit. LogError is the
	// first error that Stdout gave; output after it is lost.
	LogDropped int64
	LogError   error
	// Hint is what to do about a failure whose cause the sandbox recognises, or
	// empty.
	Hint string
}

// OK reports whether the process ended by itself with exit code 0.
func (r *Result) OK() bool { return r.ExitCode == 0 && !r.Stopped }

// String says how the job ended: "exit code 3", or "killed by signal 9 (SIGKILL);
// possibly out of memory (peak 1.2 GiB)".
func (r *Result) String() string {
	switch {
	case r.Signal == "":
		return fmt.Sprintf("exit code %d", r.ExitCode)
	case r.Signal == "SIGKILL" && !r.Stopped:
		return fmt.Sprintf("killed by signal %d (SIGKILL); possibly out of memory (peak %s)", signalNumber(r.Signal), size(r.MaxRSS))
	}
	return fmt.Sprintf("killed by signal %d (%s)", signalNumber(r.Signal), r.Signal)
}

// Run runs a job to its end. When ctx ends, the job's process group gets SIGTERM
// and, after the grace, all that is left of it SIGKILL. In the end no process of
// the job is left, whatever happened.
//
// However the job ends, there is a Result. An error means that it could not be
// started: the mistake is in the Job or on the machine, not in the job's program.
func Run(ctx context.Context, j Job) (*Result, error) {
	if err := j.check(); err != nil {
		return nil, fmt.Errorf("start a job in %s: %w", j.Dir, err)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("start a job in %s: %w", j.Dir, err)
	}
	c, err := j.prepare(ctx)
	if err != nil {
		return nil, fmt.Errorf("prepare the folder of a job: %w", err)
	}
	r, err := j.execute(ctx, c)
	if err != nil && j.Mode == Namespace && !isProgram(err) {
		err = fmt.Errorf("%w; use --isolation direct", err)
	}
	if unlockErr := j.unlock(); err == nil && unlockErr != nil {
		err = fmt.Errorf("leave the folder of a job: %w", unlockErr)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// size writes bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// A startError says that the helper could not start a job. At stage program, the
// mistake is in what was to be run; at stage mounts, in the machine.
type startError struct{ stage, text string }

// The stages of starting a job.
const (
	stageMounts  = "mounts"
	stageProgram = "program"
)

func (e *startError) Error() string {
	if e.stage == stageMounts {
		return "build the namespace of a job: " + e.text
	}
	return "start the program of a job: " + e.text
}

func isProgram(err error) bool {
	var start *startError
	return errors.As(err, &start) && start.stage == stageProgram
}
