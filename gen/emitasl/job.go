package emitasl

import (
	"fmt"
	"path"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// attempt tells tries of one step apart: RetryCount starts at 0 again after a
// redrive (Step Functions Developer Guide, redriving executions).
const (
	retryCount   = "$states.context.State.RetryCount"
	redriveCount = "$states.context.Execution.RedriveCount"
)

// job adds the state that runs a step, and those that read its reports.
func (e *emitter) job(j *ir.Job, next string) {
	s := &asl.State{
		Name: j.Name, Type: asl.TaskState,
		Comment:        plain(j.Doc),
		TimeoutSeconds: j.StateSeconds,
		Retry:          createRetry(),
		Next:           next,
	}
	if j.Kind == ir.Training {
		e.training(j, s)
	} else {
		e.processing(j, s)
	}
	e.add(s)
	for i, r := range j.Reports {
		if i == 0 {
			s.Next = r.State
		}
		after := next
		if i+1 < len(j.Reports) {
			after = j.Reports[i+1].State
		}
		e.readReport(r, after)
	}
}

// createRetry tries a refused creation again, and nothing else: a job that was
// created and failed comes as States.TaskFailed, leaves the execution where it
// stands, and is redriven. Together they stay below ten tries, so that the count
// is one digit of the job's name.
func createRetry() []*asl.Retrier {
	return []*asl.Retrier{{
		Comment:         "a quota of the account: wait for other jobs to end",
		ErrorEquals:     []string{"SageMaker.ResourceLimitExceededException"},
		IntervalSeconds: ptr(60), BackoffRate: ptr(2.0), MaxAttempts: ptr(5), MaxDelaySeconds: ptr(600), JitterStrategy: "FULL",
	}, {
		Comment:         "throttled, or the service's own trouble",
		ErrorEquals:     []string{"SageMaker.AmazonSageMakerException", "ThrottlingException"},
		IntervalSeconds: ptr(5), BackoffRate: ptr(2.0), MaxAttempts: ptr(3), MaxDelaySeconds: ptr(60), JitterStrategy: "FULL",
	}}
}

func ptr[T any](v T) *T { return &v }

// jobName is unique among all jobs of an account: SageMaker keeps names for good.
func (e *emitter) jobName(j *ir.Job) string {
	return fmt.Sprintf("'${Env}-%s-' & $run & '-' & %s & '-' & %s", j.JobName, retryCount, redriveCount)
}

// attemptURI is the folder of one try of a step.
func (e *emitter) attemptURI(j *ir.Job) string {
	return fmt.Sprintf("%s & %s & '-' & %s", e.runURI("/"+j.Name+"/"), redriveCount, retryCount)
}

// runURI is a place in the run's folder.
func (e *emitter) runURI(rest string) string {
	return fmt.Sprintf("'s3://${Bucket}/${Prefix}runs/%s/' & $run & %s", e.plan.Name, quote(rest))
}

// source is the URI of the artifact that an input takes.
func source(in *ir.Input) string {
	switch {
	case in.Param != "":
		return param(in.Param)
	case in.Version != "":
		return partOf(in)
	}
	return "$" + in.Step + "." + in.Output
}

// tags are put on every job, and the environment's after them where any environment
// has some; Step Functions adds two, and the limit is 50 (TagList).
func (e *emitter) tags(j *ir.Job) any {
	tags := []struct {
		key   string
		value any
		term  string // the value in an expression
	}{
		{"mlmax:pipeline", e.plan.Name, quote(e.plan.Name)},
		{"mlmax:step", j.Name, quote(j.Name)},
		{"mlmax:run", expr("$run"), "$run"},
		{"mlmax:environment", "${Env}", "'${Env}'"},
	}
	var list []any
	var terms []string
	for _, t := range tags {
		list = append(list, members("Key", t.key, "Value", t.value))
		terms = append(terms, object("Key", quote(t.key), "Value", t.term))
	}
	if !e.plan.Tagged() {
		return list
	}
	return expr("$append([" + strings.Join(terms, ", ") + "], $tags)")
}

// environmentTags are the environment's tags, which it gives as "key=value,key=value".
const environmentTags = "'${Tags}' = '' ? [] : [$map($split('${Tags}', ','), function($t) { " +
	"{'Key': $substringBefore($t, '='), 'Value': $substringAfter($t, '=')} })]"

// vpc is the VpcConfig where there is one.
const vpc = "'${Subnets}' != '' ? {'Subnets': [$split('${Subnets}', ',')], 'SecurityGroupIds': [$split('${SecurityGroups}', ',')]}"

// completed asserts a job's status: one that was stopped, or ran out of time, may
// come back as a result (TrainingJobStatus Stopped, SecondaryStatus
// MaxRuntimeExceeded), and is no success.
func completed(j *ir.Job, kind, status, why string) string {
	return fmt.Sprintf("$assert($states.result.%s = 'Completed', %s & $states.result.%[1]s & ': ' & $states.result.%[3]s)",
		status, quote(kind+" job of "+j.Name+" ended "), why)
}

// result is the step's variable: its job's name, and the URI of each output.
func result(j *ir.Job, name string, uri func(*ir.Output) string) string {
	pairs := []string{"Job", "$states.result." + name}
	for _, out := range j.Outputs {
		pairs = append(pairs, out.Name, uri(out))
	}
	return object(pairs...)
}

// localFile is the path of an argument.
func localFile(a *ir.Argument) any {
	if a.Param == "" {
		return text(a.Path)
	}
	// One object lands below LocalPath under its own name.
	return expr(quote(path.Clean(a.Path)+"/") + " & $split(" + param(a.Param) + ", '/')[-1]")
}

// environment is the Environment of a job, or nil: a map of strings.
func environment(j *ir.Job) any {
	if len(j.Env) == 0 {
		return nil
	}
	var env asl.Object
	for _, v := range j.Env {
		env = append(env, asl.Member{Key: v.Name, Value: argument(v.Value)})
	}
	return env
}
