package local

import (
	"fmt"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// requests are the shapes of the calls, and how what SageMaker and S3 refuse is named.
var requests = map[string]struct {
	shape   structure
	refused string
}{
	"sagemaker:createProcessingJob.sync":     {processingRequest, sageMakerRefused},
	"sagemaker:createTrainingJob.sync":       {trainingRequest, sageMakerRefused},
	"aws-sdk:sagemaker:createModelPackage":   {createModelPackageRequest, sdkRefused},
	"aws-sdk:sagemaker:describeModelPackage": {describeModelPackageRequest, sdkRefused},
	"aws-sdk:sagemaker:listModelPackages":    {listModelPackagesRequest, sdkRefused},
	"aws-sdk:s3:getObject":                   {getObjectRequest, s3Refused},
	"aws-sdk:s3:putObject":                   {putObjectRequest, s3Refused},
}

// ReadRequest reads a Task's arguments into target, if Step Functions and the service would
// take them for a resource; else the error is the one that they would give.
func ReadRequest(t asl.Task, target any) error {
	match := statesARN.FindStringSubmatch(t.Resource)
	if match == nil {
		return fmt.Errorf("state %q calls %s, which has no local counterpart", t.State, t.Resource)
	}
	r, ok := requests[match[1]]
	if !ok {
		return fmt.Errorf("state %q calls %s, which has no local counterpart", t.State, t.Resource)
	}
	return decode(t.Arguments, r.shape, r.refused, target)
}
