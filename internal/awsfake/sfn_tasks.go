package awsfake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local"
)

// The integrations of Step Functions that this account has.
const (
	processingSync = "sagemaker:createProcessingJob.sync"
	trainingSync   = "sagemaker:createTrainingJob.sync"
)

// integrations are what a Task can call. Each is called without w.mu.
var integrations = map[string]func(*tasks, context.Context, asl.Task) (json.RawMessage, error){}

func init() { // which the handlers refer to in their turn
	integrations[processingSync], integrations[trainingSync] = (*tasks).job, (*tasks).job
	integrations["aws-sdk:s3:getObject"], integrations["aws-sdk:s3:putObject"] = (*tasks).getObject, (*tasks).putObject
}

// A TaskCall is one call that an execution makes.
type TaskCall struct {
	// Execution is its ARN; State and Resource are the Task's.
	Execution, State, Resource string
	// N numbers the calls of the account from 1, Attempt the tries of this state from 0.
	N, Attempt int
	Arguments  json.RawMessage
}

// Interfere has f asked before each call that an execution makes. An error that f returns is
// the call's: one of [ResourceLimitExceeded], [Throttled], [JobFails], [JobFailsWith], or any
// other *asl.Error; nil lets it be. f is called without the account's lock, and may wait.
func (w *World) Interfere(f func(TaskCall) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states.interfere = f
}

// ResourceLimitExceeded is what the optimized integration makes of a quota that is used up:
// no job is created.
func ResourceLimitExceeded(instance string) error {
	return asl.Fail("SageMaker.ResourceLimitExceededException", fmt.Sprintf("The account-level service limit '%s for job usage' is 1 Instances, "+
		"with current utilization of 1 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this quota. "+
		"(Service: AmazonSageMaker; Status Code: 400; Error Code: ResourceLimitExceeded; Request ID: fake; Proxy: null)", instance))
}

// Throttled is what the optimized integration makes of throttling: no job is created.
func Throttled() error {
	return asl.Fail(sageMakerRefused, "Rate exceeded (Service: AmazonSageMaker; Status Code: 400; Error Code: ThrottlingException; Request ID: fake; Proxy: null)")
}

// JobFails lets a job be created and end Failed with a reason, such as [CapacityError].
func JobFails(reason string) error { return &jobFault{reason: reason} }

// JobFailsWith lets a job be created and fail with a cause that is not a description of it.
func JobFailsWith(cause string) error { return &jobFault{cause: cause} }

// Reasons of jobs that fail for no fault of theirs, as seen on AWS.
const (
	CapacityError       = "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
	InternalServerError = "InternalServerError: We encountered an internal error. Please try again."
)

// A jobFault is a failure of a job that has been created.
type jobFault struct{ reason, cause string }

func (f *jobFault) Error() string { return f.reason + f.cause }

// tasks does the tasks of one lap.
type tasks struct{ *lap }

// Do implements [asl.Handler].
func (t *tasks) Do(ctx context.Context, task asl.Task) (json.RawMessage, error) {
	before, at := t.remembered(task.State)
	if before != nil {
		return before.raw, before.err
	}
	raw, err := t.call(ctx, task)
	t.remember(at, raw, err)
	return raw, err
}

// call does a task for the first time.
func (t *tasks) call(ctx context.Context, task asl.Task) (json.RawMessage, error) {
	name := strings.TrimPrefix(task.Resource, "arn:"+t.w.Partition+":states:::")
	do := integrations[name]
	if do == nil {
		return nil, fmt.Errorf("state %q calls %s, which this account does not have", task.State, task.Resource)
	}
	t.w.mu.Lock()
	t.w.states.tasks++
	n, interfere := t.w.states.tasks, t.w.states.interfere
	t.w.mu.Unlock()
	if interfere != nil {
		err := interfere(TaskCall{t.e.arn, task.State, task.Resource, n, task.Attempt, task.Arguments})
		var fault *jobFault
		if errors.As(err, &fault) {
			return t.faulty(task, fault)
		}
		if err != nil {
			return nil, err
		}
	}
	return do(t, ctx, task)
}

// role is the ARN of the machine's role.
func (t *tasks) role() string { return t.e.machine.RoleARN }

// may asks whether the machine's role may do something. The error is the text of a denial.
func (t *tasks) may(action, resource string, context map[string][]string) error {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	return t.w.permit(t.role(), action, resource, context)
}

// runner runs jobs; it is made when it is first needed.
func (w *World) runner() (*local.Jobs, error) {
	s := &w.states
	if s.jobs != nil {
		return s.jobs, nil
	}
	o := s.options
	if o.Dir == "" {
		dir, err := os.MkdirTemp("", "awsfake-")
		if err != nil {
			return nil, err
		}
		s.dir, o.Dir = dir, dir
	}
	if o.Isolation == "" {
		o.Isolation = "direct"
	}
	o.Clock, o.Region, o.Account, o.Partition = w.Clock, w.Region, w.Account, w.Partition
	jobs, err := local.NewJobs(o)
	s.jobs = jobs
	return jobs, err
}

// Close ends what still runs in the account, and removes the folder of its jobs.
func (w *World) Close() error {
	w.mu.Lock()
	end := w.states.end
	w.mu.Unlock()
	if end != nil {
		end()
	}
	w.states.running.Wait()
	if w.states.dir == "" {
		return nil
	}
	return os.RemoveAll(w.states.dir)
}
