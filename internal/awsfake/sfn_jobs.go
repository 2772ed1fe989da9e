package awsfake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local"
)

// sageMakerRefused is how the optimized integration names what SageMaker's model does not.
const sageMakerRefused = "SageMaker.AmazonSageMakerException"

// A jobRequest is what this account looks at in both requests for a job.
type jobRequest struct {
	ProcessingJobName, TrainingJobName string
	RoleArn                            string
	AppSpecification                   struct{ ImageUri string }
	AlgorithmSpecification             struct{ TrainingImage string }
	ProcessingOutputConfig             struct{ KmsKeyId string }
	OutputDataConfig                   struct{ KmsKeyId string }
	ProcessingResources                struct {
		ClusterConfig struct{ VolumeKmsKeyId string }
	}
	ResourceConfig struct{ VolumeKmsKeyId string }
	NetworkConfig  struct{ VpcConfig *struct{ Subnets []string } }
	VpcConfig      *struct{ Subnets []string }
}

// A job is one of SageMaker's.
type job struct {
	t    *tasks
	task asl.Task
	// kind is Processing or Training, id "processing-job/NAME".
	kind, name, id, arn  string
	role, image          string
	outputKey, volumeKey string
	network              bool
	arguments            map[string]any
	stream               string
	// begun describes it as it began; nil until it has been created.
	begun map[string]any
	logs  bool

	mu sync.Mutex
	// left says that the state has ended without the job.
	left bool
}

// newJob reads a request that Step Functions and SageMaker would take.
func (t *tasks) newJob(task asl.Task) (*job, error) {
	var r jobRequest
	if err := local.ReadRequest(task, &r); err != nil {
		return nil, err
	}
	j := &job{
		t: t, task: task, kind: "Processing", name: r.ProcessingJobName, role: r.RoleArn, image: r.AppSpecification.ImageUri,
		outputKey: r.ProcessingOutputConfig.KmsKeyId, volumeKey: r.ProcessingResources.ClusterConfig.VolumeKmsKeyId, network: r.NetworkConfig.VpcConfig != nil,
	}
	if strings.HasSuffix(task.Resource, trainingSync) {
		j.kind, j.name, j.image = "Training", r.TrainingJobName, r.AlgorithmSpecification.TrainingImage
		j.outputKey, j.volumeKey, j.network = r.OutputDataConfig.KmsKeyId, r.ResourceConfig.VolumeKmsKeyId, r.VpcConfig != nil
	}
	j.id = strings.ToLower(j.kind) + "-job/" + j.name
	j.arn = t.w.ARN("sagemaker", j.id)
	return j, json.Unmarshal(task.Arguments, &j.arguments)
}

// job does the two integrations that make a job and wait for its end.
func (t *tasks) job(ctx context.Context, task asl.Task) (json.RawMessage, error) {
	j, err := t.newJob(task)
	if err != nil {
		return nil, err
	}
	t.w.mu.Lock()
	runner, err := t.w.runner()
	t.w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	// The job ends with its state only if the role may stop it.
	own, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	type answer struct {
		raw json.RawMessage
		err error
	}
	done := make(chan answer, 1)
	t.w.states.running.Go(func() {
		defer stop(nil)
		raw, err := runner.Do(own, local.JobCall{Task: task, Store: &jobStore{j}, Accept: j.accept, Log: j.line})
		j.ended(raw, err)
		done <- answer{raw, err}
	})
	select {
	case a := <-done:
		return j.result(a.raw, a.err)
	case <-ctx.Done():
	}
	if t.may("sagemaker:Stop"+j.kind+"Job", j.arn, nil) != nil && t.w.alive() {
		j.mu.Lock()
		j.left = true
		j.mu.Unlock()
		context.AfterFunc(t.w.states.ctx, func() { stop(context.Canceled) })
		return nil, context.Cause(ctx)
	}
	stop(context.Cause(ctx))
	a := <-done
	return a.raw, a.err
}

// result is what the state gets of a job that has ended.
func (j *job) result(raw json.RawMessage, err error) (json.RawMessage, error) {
	// The event tells of the job's end, and the call that would ask for it is only noted.
	_ = j.t.may("sagemaker:Describe"+j.kind+"Job", j.arn, nil)
	return raw, err
}

// accept creates the job, or refuses it as CreateProcessingJob and CreateTrainingJob do. A job
// that was created and cannot start fails with the error that it returns, too.
func (j *job) accept() error {
	if err := j.mayCreate(); err != nil {
		return asl.Fail(sageMakerRefused, fmt.Sprintf("%v (Service: AmazonSageMaker; Status Code: 400; Error Code: AccessDeniedException; Request ID: fake; Proxy: null)", err))
	}
	w := j.t.w
	w.mu.Lock()
	if w.jobs[j.id] != nil {
		w.mu.Unlock()
		return asl.Fail("SageMaker.ResourceInUseException", fmt.Sprintf("%s job already exists with the name %s", j.kind, j.name))
	}
	if role := w.roleOf(j.role); role == nil || !w.trusts(role, "sagemaker.amazonaws.com", j.arn) {
		w.mu.Unlock()
		return asl.Fail(sageMakerRefused, fmt.Sprintf("Could not assume role %s. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to "+
			"assume the role. (Service: AmazonSageMaker; Status Code: 400; Error Code: ValidationException; Request ID: fake; Proxy: null)", j.role))
	}
	now := w.now().UnixMilli()
	j.begun = map[string]any{
		j.kind + "JobArn": j.arn, j.kind + "JobStatus": "InProgress", "CreationTime": now, "LastModifiedTime": now,
	}
	maps.Copy(j.begun, j.arguments)
	delete(j.begun, "Tags")
	w.jobs[j.id] = j.begun
	j.stream = fmt.Sprintf("%s/algo-1-%d", j.name, now/1000)
	w.mu.Unlock()
	if err := j.submit(); err != nil {
		return err
	}
	if reason := j.prepare(); reason != "" {
		return j.fails(reason)
	}
	return nil
}

// submit tells the history that the job was created.
func (j *job) submit() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.left {
		return context.Canceled
	}
	answer, err := json.Marshal(map[string]any{
		j.kind + "JobArn": j.arn, "SdkHttpMetadata": map[string]any{"HttpStatusCode": 200}, "SdkResponseMetadata": map[string]any{"RequestId": "fake"},
	})
	if err != nil {
		return err
	}
	j.task.Submitted(answer)
	return nil
}

// mayCreate asks for what the machine's role needs to make a job.
func (j *job) mayCreate() error {
	for _, call := range []struct {
		action, resource string
		context          map[string][]string
	}{
		{"sagemaker:Create" + j.kind + "Job", j.arn, nil},
		{"sagemaker:AddTags", j.arn, nil}, // Step Functions adds its own
		{"iam:PassRole", j.role, map[string][]string{"iam:PassedToService": {"sagemaker.amazonaws.com"}}},
	} {
		if err := j.t.may(call.action, call.resource, call.context); err != nil {
			return err
		}
	}
	return nil
}

// registry is an image in ECR: account, Region and repository.
var registry = regexp.MustCompile(`^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)[:@]`)

// network are the actions that a job in a VPC needs.
var networkActions = []string{
	"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcs", "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces",
	"ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission",
}

// prepare does what SageMaker does with a job's role before the container starts. It returns
// the reason for which the job fails, or "".
func (j *job) prepare() string {
	w := j.t.w
	w.mu.Lock()
	defer w.mu.Unlock()
	may := func(action, resource string, context map[string][]string) bool {
		return w.permit(j.role, action, resource, context) == nil
	}
	if j.network {
		for _, action := range networkActions {
			if !may(action, "*", nil) {
				return fmt.Sprintf("ClientError: Access denied when calling %s. Please ensure the role has permission to call this API", action)
			}
		}
	}
	if j.volumeKey != "" && !(may("kms:DescribeKey", j.volumeKey, nil) &&
		may("kms:CreateGrant", j.volumeKey, map[string][]string{"kms:GrantIsForAWSResource": {"true"}})) {
		return "ClientError: The role does not have permission to use the KMS key of the volume: " + j.volumeKey
	}
	const noImage = "ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect."
	image := registry.FindStringSubmatch(j.image)
	if image == nil || !may("ecr:GetAuthorizationToken", "*", nil) {
		return noImage
	}
	repository := "arn:" + w.Partition + ":ecr:" + image[2] + ":" + image[1] + ":repository/" + image[3]
	for _, action := range []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"} {
		if !may(action, repository, nil) {
			return noImage
		}
	}
	group := w.ARN("logs", "log-group:"+j.group())
	j.logs = may("logs:CreateLogGroup", group, nil) && may("logs:CreateLogStream", group+":log-stream:"+j.stream, nil) &&
		may("logs:DescribeLogStreams", group, nil) && may("logs:PutLogEvents", group+":log-stream:"+j.stream, nil)
	_ = may("cloudwatch:PutMetricData", "*", map[string][]string{"cloudwatch:namespace": {j.group()}}) // without it there are none
	return ""
}

// group is the log group of jobs of its kind, and the namespace of their metrics.
func (j *job) group() string { return "/aws/sagemaker/" + j.kind + "Jobs" }

// line logs a line that the job printed.
func (j *job) line(text string) {
	if j.logs {
		j.t.w.Log(j.group(), j.stream, LogLine{j.t.w.now(), text})
	}
}

// fails is the error of a job that failed for a reason.
func (j *job) fails(reason string) error {
	describe := maps.Clone(j.begun)
	describe[j.kind+"JobStatus"], describe["FailureReason"] = "Failed", reason
	if j.kind == "Training" {
		describe["SecondaryStatus"] = "Failed"
	}
	cause, err := json.Marshal(describe)
	if err != nil {
		return err
	}
	return asl.Fail(asl.ErrorTaskFailed, string(cause))
}

// ended notes how a job ended, for those who describe it. One that was not created did not.
func (j *job) ended(raw json.RawMessage, err error) {
	if j.begun == nil {
		return
	}
	describe := maps.Clone(j.begun)
	describe["LastModifiedTime"] = j.t.w.now().UnixMilli()
	var failed *asl.Error
	switch {
	case err == nil:
		describe = described(raw, describe)
	case errors.As(err, &failed):
		describe[j.kind+"JobStatus"], describe["FailureReason"] = "Failed", failed.Cause
		describe = described([]byte(failed.Cause), describe)
	default:
		describe[j.kind+"JobStatus"] = "Stopped"
	}
	j.show(describe)
}

// described is the description that a text is, or else otherwise.
func described(text []byte, otherwise map[string]any) map[string]any {
	var describe map[string]any
	if json.Unmarshal(text, &describe) != nil || describe == nil {
		return otherwise
	}
	return describe
}

// show makes a description what the Describe call says.
func (j *job) show(describe map[string]any) {
	j.t.w.mu.Lock()
	defer j.t.w.mu.Unlock()
	j.t.w.jobs[j.id] = describe
}

// faulty makes a job that fails as it was asked to.
func (t *tasks) faulty(task asl.Task, fault *jobFault) (json.RawMessage, error) {
	j, err := t.newJob(task)
	if err == nil {
		err = j.accept()
	}
	if err != nil {
		return nil, err
	}
	err = asl.Fail(asl.ErrorTaskFailed, fault.cause)
	if fault.cause == "" {
		err = j.fails(fault.reason).(*asl.Error)
	}
	j.ended(nil, err)
	return nil, err
}

// alive says that the account has not been closed.
func (w *World) alive() bool { return w.states.ctx.Err() == nil }
