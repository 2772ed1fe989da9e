package awsfake

// The integrations of Step Functions that this account has.
const (
	processingSync = "sagemaker:createProcessingJob.sync"
	trainingSync   = "sagemaker:createTrainingJob.sync"
)

type integration struct{}

var integrations = map[string]*integration{
	processingSync:                         {},
	trainingSync:                           {},
	"aws-sdk:s3:getObject":                 {},
	"aws-sdk:s3:putObject":                 {},
	"aws-sdk:sagemaker:createModelPackage": {}, "aws-sdk:sagemaker:describeModelPackage": {}, "aws-sdk:sagemaker:listModelPackages": {},
}
