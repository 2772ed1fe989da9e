package awsfake

import (
	"fmt"
	"regexp"
)

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
