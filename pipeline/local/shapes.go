package local

import (
	"regexp"
	"sync"
)

// The requests that the local runner takes. Members are those that Step Functions
// is known to accept (Step Functions Developer Guide, connect-sagemaker and its
// sample projects); bounds are those of the SageMaker API's model (botocore shapes
// CreateProcessingJobRequest, CreateTrainingJobRequest, CreateModelPackageInput)
// and of the S3 API. A member that SageMaker has and that has no meaning here
// (tags, keys, subnets) is checked like the others.

// matching is a text of a pattern, which is compiled when it is first needed: a
// program that runs nothing need not wait for it.
func matching(min, max int, pattern string) text {
	return text{min: min, max: max, pattern: sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:` + pattern + `)$`)
	})}
}

func oneOf(values ...string) text { return text{enum: values} }

var (
	// The model's pattern says {0,62}, which 63 characters hold anyway, and which takes
	// 62 times as long to compile.
	jobName     = matching(1, 63, `[a-zA-Z0-9](-*[a-zA-Z0-9])*`)
	roleARN     = matching(20, 2048, `arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)
	s3URI       = matching(0, 1024, `(https|s3)://([^/]+)/?(.*)`)
	image       = matching(0, 255, `.*`)
	line256     = matching(0, 256, `.*`)
	kmsKey      = matching(0, 2048, `[a-zA-Z0-9:/_-]*`)
	channelName = matching(1, 64, `[A-Za-z0-9\.\-_]+`)
	flag        = boolean{}

	tags = list{max: 50, of: structure{
		"Key":   must(matching(1, 128, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`)),
		"Value": must(matching(0, 256, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`)),
	}}
	vpc = structure{
		"SecurityGroupIds": must(list{min: 1, max: 5, of: matching(0, 32, `[-0-9a-zA-Z]+`)}),
		"Subnets":          must(list{min: 1, max: 16, of: matching(0, 32, `[-0-9a-zA-Z]+`)}),
	}
)

var processingRequest = structure{
	"ProcessingJobName": must(jobName),
	"RoleArn":           must(roleARN),
	"AppSpecification": must(structure{
		"ImageUri":            must(image),
		"ContainerEntrypoint": may(list{min: 1, max: 100, of: line256}),
		"ContainerArguments":  may(list{min: 1, max: 100, of: line256}),
	}),
	"ProcessingInputs": may(list{max: 10, of: structure{
		"InputName": must(text{}),
		"S3Input": must(structure{
			"S3Uri":                  must(s3URI),
			"LocalPath":              must(line256),
			"S3DataType":             must(oneOf("ManifestFile", "S3Prefix")),
			"S3InputMode":            may(oneOf("Pipe", "File")),
			"S3DataDistributionType": may(oneOf("FullyReplicated", "ShardedByS3Key")),
			"S3CompressionType":      may(oneOf("None", "Gzip")),
		}),
	}}),
	"ProcessingOutputConfig": may(structure{
		"Outputs": must(list{max: 10, of: structure{
			"OutputName": must(text{}),
			"S3Output": must(structure{
				"S3Uri":        must(s3URI),
				"LocalPath":    must(line256),
				"S3UploadMode": must(oneOf("Continuous", "EndOfJob")),
			}),
		}}),
		"KmsKeyId": may(kmsKey),
	}),
	"ProcessingResources": must(structure{
		"ClusterConfig": must(structure{
			"InstanceCount":  must(integer{1, 100}),
			"InstanceType":   must(text{min: 1}),
			"VolumeSizeInGB": must(integer{1, 16384}),
			"VolumeKmsKeyId": may(kmsKey),
		}),
	}),
	"StoppingCondition": may(structure{"MaxRuntimeInSeconds": must(integer{1, 777600})}),
	"Environment":       may(dict{key: matching(0, 256, `[a-zA-Z_][a-zA-Z0-9_]*`), value: matching(0, 256, `[\S\s]*`), max: 100}),
	"NetworkConfig": may(structure{
		"EnableInterContainerTrafficEncryption": may(flag),
		"EnableNetworkIsolation":                may(flag),
		"VpcConfig":                             may(vpc),
	}),
	"ExperimentConfig": may(anything{}),
	"Tags":             may(tags),
}

var trainingRequest = structure{
	"TrainingJobName": must(jobName),
	"RoleArn":         must(roleARN),
	"AlgorithmSpecification": must(structure{
		"TrainingImage":     must(image),
		"TrainingInputMode": must(oneOf("Pipe", "File", "FastFile")),
		"MetricDefinitions": may(list{max: 40, of: structure{
			"Name":  must(matching(1, 255, `.+`)),
			"Regex": must(matching(1, 500, `.+`)),
		}}),
		"EnableSageMakerMetricsTimeSeries": may(flag),
	}),
	"HyperParameters": may(dict{key: line256, value: matching(0, 2500, `.*`), max: 100}),
	"InputDataConfig": may(list{min: 1, max: 20, of: structure{
		"ChannelName":     must(channelName),
		"ContentType":     may(line256),
		"InputMode":       may(oneOf("Pipe", "File", "FastFile")),
		"CompressionType": may(oneOf("None", "Gzip")),
		"DataSource": must(structure{
			"S3DataSource": must(structure{
				"S3DataType":             must(oneOf("ManifestFile", "S3Prefix", "AugmentedManifestFile")),
				"S3Uri":                  must(s3URI),
				"S3DataDistributionType": may(oneOf("FullyReplicated", "ShardedByS3Key")),
			}),
		}),
	}}),
	"OutputDataConfig": must(structure{
		"S3OutputPath": must(s3URI),
		"KmsKeyId":     may(kmsKey),
	}),
	"ResourceConfig": must(structure{
		"InstanceCount":  must(integer{1, 0}),
		"InstanceType":   must(text{min: 1}),
		"VolumeSizeInGB": must(integer{1, 0}),
		"VolumeKmsKeyId": may(kmsKey),
	}),
	"StoppingCondition": must(structure{
		"MaxRuntimeInSeconds":  may(integer{1, 2419200}),
		"MaxWaitTimeInSeconds": may(integer{1, 0}),
	}),
	"RetryStrategy":                         may(structure{"MaximumRetryAttempts": must(integer{1, 30})}),
	"CheckpointConfig":                      may(structure{"S3Uri": must(s3URI), "LocalPath": may(line256)}),
	"Environment":                           may(dict{key: matching(0, 512, `[a-zA-Z_][a-zA-Z0-9_]*`), value: matching(0, 512, `[\S\s]*`), max: 100}),
	"EnableNetworkIsolation":                may(flag),
	"EnableInterContainerTrafficEncryption": may(flag),
	"EnableManagedSpotTraining":             may(flag),
	"VpcConfig":                             may(vpc),
	"ExperimentConfig":                      may(anything{}),
	"Tags":                                  may(tags),
}

var metricsSource = structure{
	"ContentType":   must(matching(0, 256, `.*`)),
	"S3Uri":         must(s3URI),
	"ContentDigest": may(matching(0, 72, `[Ss][Hh][Aa]256:[0-9a-fA-F]{64}`)),
}

var createModelPackageRequest = structure{
	"ModelPackageGroupName":   must(matching(1, 170, `(arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:[a-z\-]*/)?[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`)),
	"ModelPackageDescription": may(matching(0, 1024, `[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*`)),
	"ModelApprovalStatus":     may(oneOf("Approved", "Rejected", "PendingManualApproval")),
	"ClientToken":             may(matching(1, 36, `[a-zA-Z0-9-]+`)),
	"Tags":                    may(tags), // a member, but not for a version
	"InferenceSpecification": may(structure{
		"Containers": must(list{min: 1, max: 15, of: structure{
			"Image":        must(matching(0, 255, `\S+`)),
			"ModelDataUrl": may(s3URI),
			"Environment":  may(dict{key: matching(0, 1024, `[a-zA-Z_][a-zA-Z0-9_]*`), value: matching(0, 1024, `[\S\s]*`), max: 100}),
		}}),
		"SupportedContentTypes":                   may(list{of: matching(0, 256, `.*`)}),
		"SupportedResponseMIMETypes":              may(list{of: matching(0, 1024, `[-\w]+/.+`)}),
		"SupportedTransformInstanceTypes":         may(list{min: 1, of: text{min: 1}}),
		"SupportedRealtimeInferenceInstanceTypes": may(list{of: text{min: 1}}),
	}),
	"CustomerMetadataProperties": may(dict{
		key:   matching(1, 128, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`),
		value: matching(1, 256, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`),
		min:   1, max: 50,
	}),
	"ModelMetrics": may(structure{
		"ModelQuality":     may(structure{"Statistics": may(metricsSource), "Constraints": may(metricsSource)}),
		"ModelDataQuality": may(structure{"Statistics": may(metricsSource), "Constraints": may(metricsSource)}),
		"Bias":             may(structure{"Report": may(metricsSource), "PreTrainingReport": may(metricsSource), "PostTrainingReport": may(metricsSource)}),
		"Explainability":   may(structure{"Report": may(metricsSource)}),
	}),
	"MetadataProperties": may(structure{
		"CommitId": may(matching(0, 1024, `.*`)), "Repository": may(matching(0, 1024, `.*`)),
		"GeneratedBy": may(matching(0, 1024, `.*`)), "ProjectId": may(matching(0, 1024, `.*`)),
	}),
}

var describeModelPackageRequest = structure{"ModelPackageName": must(text{min: 1, max: 176})}

var listModelPackagesRequest = structure{
	"ModelPackageGroupName": must(text{min: 1, max: 170}),
	"ModelApprovalStatus":   may(oneOf("Approved", "Rejected", "PendingManualApproval")),
	"SortBy":                may(oneOf("Name", "CreationTime")),
	"SortOrder":             may(oneOf("Ascending", "Descending")),
	"MaxResults":            may(integer{1, 100}),
	"NextToken":             may(matching(0, 8192, `.*`)),
}

var getObjectRequest = structure{"Bucket": must(text{min: 1}), "Key": must(text{min: 1, max: 1024})}

var putObjectRequest = structure{
	"Bucket": must(text{min: 1}), "Key": must(text{min: 1, max: 1024}),
	"Body": may(anything{}), "ContentType": may(text{}),
	"ServerSideEncryption": may(text{}), "SSEKMSKeyId": may(text{}),
}
