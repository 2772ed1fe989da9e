package emitasl

import (
	"fmt"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// processing makes a state a CreateProcessingJob. Only members are requested that
// Step Functions has long known: it refuses others when the state runs.
func (e *emitter) processing(j *ir.Job, s *asl.State) {
	s.Resource = e.resource("sagemaker:createProcessingJob.sync")
	app := members(
		"ImageUri", jobImage(j),
		"ContainerEntrypoint", entrypoint(j),
	)
	if args := arguments(j); len(args) > 0 { // an empty list is refused
		app = append(app, asl.Member{Key: "ContainerArguments", Value: args})
	}
	request := members(
		"ProcessingJobName", expr(e.jobName(j)),
		"RoleArn", "${"+j.RoleName+"}",
		"AppSpecification", app,
		"ProcessingInputs", e.inputs(j),
	)
	if len(j.Outputs) > 0 {
		request = append(request, asl.Member{Key: "ProcessingOutputConfig", Value: expr(e.outputs(j))})
	}
	request = append(request, members(
		"ProcessingResources", members("ClusterConfig", expr(cluster(j))),
		"NetworkConfig", expr(object(
			"EnableNetworkIsolation", fmt.Sprint(j.Isolated),
			"EnableInterContainerTrafficEncryption", "true",
			"VpcConfig", vpc)),
		"StoppingCondition", members("MaxRuntimeInSeconds", j.TimeoutSeconds),
	)...)
	if env := environment(j); env != nil {
		request = append(request, asl.Member{Key: "Environment", Value: env})
	}
	s.Arguments = append(request, asl.Member{Key: "Tags", Value: e.tags(j)})
	s.Assign = members(j.Name, expr("("+completed(j, "the processing", "ProcessingJobStatus", "ExitMessage")+"; "+
		result(j, "ProcessingJobName", func(out *ir.Output) string {
			// The artifact's own URI: a folder's ends in a slash, since S3Prefix takes
			// every key that starts with the text.
			return fmt.Sprintf("$states.result.ProcessingOutputConfig.Outputs[OutputName=%s].S3Output.S3Uri & %s",
				quote(out.Name), quote("/"+out.FileName))
		})+")"))
}

// entrypoint runs the script as the local runner does: a .sh by sh, the rest by python3.
func entrypoint(j *ir.Job) []any {
	command := "python3"
	if strings.HasSuffix(j.Script, ".sh") {
		command = "/bin/sh"
	}
	return []any{command, text(ir.CodePath + "/" + j.Script)}
}

func arguments(j *ir.Job) []any {
	var args []any
	for _, a := range j.Args {
		if a.Value != nil {
			args = append(args, text(a.Flag), argument(a.Value))
			continue
		}
		args = append(args, text(a.Flag), localFile(a))
	}
	return args
}

// inputs are the code and what the step reads. Artifacts of steps are named by
// their producer's result, never put together again.
func (e *emitter) inputs(j *ir.Job) []any {
	inputs := []any{processingInput("code", withCode(codeFolder, j, "/"), ir.CodePath)}
	for _, in := range j.Inputs {
		inputs = append(inputs, processingInput(in.Name, expr(source(in)), text(in.LocalPath)))
	}
	return inputs
}

func processingInput(name string, uri, path any) asl.Object {
	return members("InputName", name, "S3Input", members(
		"S3Uri", uri,
		"LocalPath", path,
		"S3DataType", "S3Prefix",
		"S3InputMode", "File",
		"S3DataDistributionType", "FullyReplicated",
	))
}

// outputs is one expression, because a key that is not set must be absent.
func (e *emitter) outputs(j *ir.Job) string {
	var outputs []string
	for _, out := range j.Outputs {
		outputs = append(outputs, object(
			"OutputName", quote(out.Name),
			"S3Output", object(
				"S3Uri", "$at & "+quote("/"+out.Name),
				"LocalPath", quote(out.LocalPath),
				"S3UploadMode", "'EndOfJob'")))
	}
	return fmt.Sprintf("($at := %s; %s)", e.attemptURI(j),
		object("Outputs", "["+strings.Join(outputs, ", ")+"]", "KmsKeyId", ifSet("KmsKey")))
}

// ownStorage matches the types of instances that have disks of their own, which they
// encrypt themselves: SageMaker refuses a VolumeKmsKeyId for them (ResourceConfig;
// sagemaker-python-sdk, instance_supports_kms).
const ownStorage = `/^ml\.(?:[a-z0-9-]*d|g5|g6|p5)[a-z0-9-]*\./`

// cluster is a job's instances.
func cluster(j *ir.Job) string {
	return object(
		"InstanceCount", fmt.Sprint(j.Count),
		"InstanceType", "'${"+j.InstanceName+"}'",
		"VolumeSizeInGB", fmt.Sprint(j.VolumeGB),
		"VolumeKmsKeyId", "'${KmsKey}' != '' and $not($contains('${"+j.InstanceName+"}', "+ownStorage+")) ? '${KmsKey}'")
}
