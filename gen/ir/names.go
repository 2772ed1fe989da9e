package ir

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Limits of the names that are put together on AWS. A job's name is
// "${Env}-MIDDLE-HASH-RETRY-REDRIVE" and must fit into 63 characters
// (ProcessingJobName, TrainingJobName of the SageMaker API).
const (
	// MaxEnvironment is how long an environment's name may be.
	MaxEnvironment = 10
	// RunLength is how many hex digits of a hash name a run.
	RunLength = 12
	// MaxJobMiddle is what is left for pipeline and step: 63 less the
	// environment, the run, two counters of two digits and four hyphens.
	MaxJobMiddle = 63 - MaxEnvironment - RunLength - 2*2 - 4
	// MaxPipelineName keeps "${Env}-NAME" within the 80 characters of a state
	// machine's name (CreateStateMachine).
	MaxPipelineName = 80 - MaxEnvironment - 1
	// MaxGroupName keeps "${Env}-GROUP" within the 63 characters of a model group's
	// name (ModelPackageGroupName).
	MaxGroupName = 63 - MaxEnvironment - 1
)

// PipelineParameters is how many parameters a template has at most besides those of
// its steps and model groups, and maxParameters how many CloudFormation takes.
const (
	PipelineParameters = 15 + 2*MaxReadable
	maxParameters      = 200
)

// MaxReadable is how many places outside of its prefix an environment can name. Each
// takes two parameters, and two statements of a role whose policies are bounded.
const MaxReadable = 8

// MaxSteps is how many steps a pipeline can have that registers to so many model
// groups: its template holds two parameters for each step (instance and code) and
// one for each group.
func MaxSteps(groups int) int { return (maxParameters - PipelineParameters - groups) / 2 }

// ScheduledTime is the key of the execution input in which a schedule says for when it
// starts a run. No parameter has this name.
const ScheduledTime = "ScheduledTime"

// middleHash is how many hex digits stand for what was cut off a middle.
const middleHash = 8

// JobName is the constant middle of the names of a step's jobs: the pipeline's
// name and the step's, in lower case. Of one that is longer than MaxJobMiddle the
// end is replaced by a hash of the whole; shortened says so.
func JobName(pipeline, step string) (name string, shortened bool) {
	full := strings.Map(jobNameRune, strings.ToLower(pipeline+"-"+step))
	if len(full) <= MaxJobMiddle {
		return full, false
	}
	sum := sha256.Sum256([]byte(full))
	head := strings.TrimRight(full[:MaxJobMiddle-middleHash-1], "-")
	return head + "-" + hex.EncodeToString(sum[:])[:middleHash], true
}

// MaxStateName is how long the names of states and variables may be (States
// Language; Step Functions Developer Guide, workflow variables).
const MaxStateName = 80

// StateName is a name of a state or variable that was put together from others: of
// one that is too long, the end is replaced by a hash of the whole.
func StateName(name string) string {
	if len(name) <= MaxStateName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	head := strings.ToValidUTF8(name[:MaxStateName-middleHash-1], "")
	return head + "_" + hex.EncodeToString(sum[:])[:middleHash]
}

// jobNameRune maps what a job's name cannot hold (an identifier's underscore, say)
// to a hyphen.
func jobNameRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}
