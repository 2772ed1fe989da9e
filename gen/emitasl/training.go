package emitasl

import (
	"fmt"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// codeChannel is the channel by which an isolated training job gets its code.
const codeChannel = "code"

// training adds a Pass state with the constant part of a CreateTrainingJob in
// script mode, and makes s the Task that sends it: VpcConfig is a member of the
// request itself and must be absent where there is none, so that the request is one
// expression; what can be read as JSON stays JSON. RetryStrategy is not requested:
// whether Step Functions knows it is not documented, and an unknown member fails
// where no Retry sees it.
func (e *emitter) training(j *ir.Job, s *asl.State) {
	request := members(
		"RoleArn", "${"+j.RoleName+"}",
		"AlgorithmSpecification", members("TrainingImage", jobImage(j), "TrainingInputMode", "File"),
		"HyperParameters", e.hyperparameters(j),
	)
	if channels := e.channels(j); len(channels) > 0 {
		request = append(request, asl.Member{Key: "InputDataConfig", Value: channels})
	}
	request = append(request, members(
		"ResourceConfig", expr(cluster(j)),
		"StoppingCondition", stopping(j),
		"EnableNetworkIsolation", j.Isolated,
		"EnableInterContainerTrafficEncryption", true,
	)...)
	if j.Spot {
		request = append(request, asl.Member{Key: "EnableManagedSpotTraining", Value: true})
	}
	if env := environment(j); env != nil {
		request = append(request, asl.Member{Key: "Environment", Value: env})
	}
	request = append(request, asl.Member{Key: "Tags", Value: e.tags(j)})
	e.add(&asl.State{
		Name: prepareState(j), Type: asl.PassState,
		Comment: "What every try of " + j.Name + " requests alike.",
		Assign:  members("request", request), Next: j.Name,
	})
	s.Resource = e.resource("sagemaker:createTrainingJob.sync")
	s.Arguments = expr(fmt.Sprintf("$merge([$request, %s])", object(
		"TrainingJobName", e.jobName(j),
		"OutputDataConfig", object("S3OutputPath", e.attemptURI(j), "KmsKeyId", ifSet("KmsKey")),
		"VpcConfig", vpc)))
	s.Assign = members(j.Name, expr("("+completed(j, "the training", "TrainingJobStatus", "SecondaryStatus")+"; "+
		result(j, "TrainingJobName", func(*ir.Output) string {
			return "$states.result.ModelArtifacts.S3ModelArtifacts"
		})+")"))
}

// prepareState is the state before a training job.
func prepareState(j *ir.Job) string { return ir.StateName("Prepare " + j.Name) }

func stopping(j *ir.Job) asl.Object {
	limits := members("MaxRuntimeInSeconds", j.TimeoutSeconds)
	if j.Spot {
		limits = append(limits, asl.Member{Key: "MaxWaitTimeInSeconds", Value: j.MaxWaitSeconds})
	}
	return limits
}

// hyperparameters are the toolkit's own, then the user's: all JSON in strings.
// The toolkit fetches the code itself, from S3. A job without network cannot: it
// gets the archive by a channel, and the path of that in place of the URI.
func (e *emitter) hyperparameters(j *ir.Job) asl.Object {
	archive := codeFolder
	if j.Isolated {
		archive = ir.ChannelPath + codeChannel + "/"
	}
	hyper := members(
		"sagemaker_program", text(encode(j.Script)),
		"sagemaker_submit_directory", withCode(`"`+archive, j, `.tar.gz"`),
		"sagemaker_container_log_level", "20",
		"sagemaker_region", `"${Region}"`,
	)
	for _, h := range j.Hyper {
		hyper = append(hyper, asl.Member{Key: h.Name, Value: hyperparameter(h.Value)})
	}
	return hyper
}

func (e *emitter) channels(j *ir.Job) []any {
	var channels []any
	for _, in := range j.Inputs {
		channels = append(channels, channel(in.Channel, expr(source(in))))
	}
	if j.Isolated {
		channels = append(channels, channel(codeChannel, withCode(codeFolder, j, ".tar.gz")))
	}
	return channels
}

func channel(name string, uri any) asl.Object {
	return members("ChannelName", name, "DataSource", members("S3DataSource", members(
		"S3DataType", "S3Prefix",
		"S3Uri", uri,
		"S3DataDistributionType", "FullyReplicated",
	)))
}
