package local

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
)

// codeInput is the input that the SDK's ScriptProcessor puts a job's code in.
const codeInput = "code"

// processingJob is a createProcessingJob request.
type processingJob struct {
	ProcessingJobName string
	RoleArn           string
	AppSpecification  struct {
		ImageUri            string
		ContainerEntrypoint []string
		ContainerArguments  []string
	}
	ProcessingInputs []struct {
		InputName string
		S3Input   struct {
			S3Uri, LocalPath, S3DataType, S3InputMode, S3DataDistributionType, S3CompressionType string
		}
	}
	ProcessingOutputConfig struct {
		Outputs []struct {
			OutputName string
			S3Output   struct{ S3Uri, LocalPath, S3UploadMode string }
		}
	}
	ProcessingResources struct {
		ClusterConfig struct {
			InstanceCount int
			InstanceType  string
		}
	}
	StoppingCondition struct{ MaxRuntimeInSeconds int64 }
	Environment       map[string]string
}

// processing does sagemaker:createProcessingJob.sync.
func (h *handler) processing(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var request processingJob
	if err := ReadRequest(t, &request); err != nil {
		return nil, err
	}
	j, err := h.processingJob(t, &request)
	if err != nil {
		return nil, err
	}
	defer h.discard(j)
	if err := h.admit(ctx, j); err != nil {
		return nil, err
	}
	if err := h.settle(ctx, j); err != nil {
		return nil, err
	}
	if response, err := h.begin(ctx, j, "Processing"); response != nil || err != nil {
		return response, err
	}
	if err := h.execute(ctx, j); err != nil {
		if ctx.Err() != nil {
			return nil, h.aborted(ctx, j, context.Cause(ctx))
		}
		return nil, err
	}
	if ctx.Err() != nil && !j.result.OK() {
		return nil, h.aborted(ctx, j, context.Cause(ctx))
	}
	return h.endProcessing(ctx, j, &request)
}

// processingJob turns a request into the job to run.
func (h *handler) processingJob(t asl.Task, request *processingJob) (*job, error) {
	j := &job{
		task: t, kind: processingKind, name: request.ProcessingJobName, image: request.AppSpecification.ImageUri,
		argv:     append(append([]string(nil), request.AppSpecification.ContainerEntrypoint...), request.AppSpecification.ContainerArguments...),
		workDir:  "/",
		declared: request.Environment,
		service: map[string]string{
			"PROCESSING_JOB_NAME": request.ProcessingJobName, "PROCESSING_JOB_ARN": h.jobARN("processing-job", request.ProcessingJobName),
		},
		maxRuntime: time.Duration(request.StoppingCondition.MaxRuntimeInSeconds) * time.Second,
	}
	j.recipe = h.recipe(j, request.AppSpecification.ImageUri)
	j.recipe.Entry, j.recipe.Arguments = request.AppSpecification.ContainerEntrypoint, request.AppSpecification.ContainerArguments
	if len(request.AppSpecification.ContainerEntrypoint) == 0 {
		return nil, h.unsupported(t, "a processing job without ContainerEntrypoint, which runs the image's own")
	}
	for _, in := range request.ProcessingInputs {
		if in.S3Input.S3DataType == "ManifestFile" || in.S3Input.S3InputMode == "Pipe" || in.S3Input.S3CompressionType == "Gzip" {
			return nil, h.unsupported(t, fmt.Sprintf("input %q as a manifest, as a pipe or compressed", in.InputName))
		}
		if err := processingPath(in.S3Input.LocalPath); err != nil {
			return nil, err
		}
		one := input{port: in.InputName, uri: in.S3Input.S3Uri, target: path.Clean(in.S3Input.LocalPath)}
		if in.InputName == codeInput {
			one.port = ""
			j.code, j.script = one.uri, scriptIn(one.target, request.AppSpecification.ContainerEntrypoint)
		}
		j.inputs = append(j.inputs, one)
	}
	for _, out := range request.ProcessingOutputConfig.Outputs {
		if err := processingPath(out.S3Output.LocalPath); err != nil {
			return nil, err
		}
		if _, _, err := objects.Parse(out.S3Output.S3Uri); err != nil {
			return nil, asl.Fail(sageMakerRefused, fmt.Sprintf("output %q: %v", out.OutputName, err))
		}
		j.outputs = append(j.outputs, output{port: out.OutputName, target: path.Clean(out.S3Output.LocalPath)})
		j.recipe.Outputs = append(j.recipe.Outputs, recipeOutput{out.OutputName, path.Clean(out.S3Output.LocalPath), h.fileName(t.State, out.OutputName)})
	}
	h.oneHost(t, request.ProcessingResources.ClusterConfig.InstanceCount)
	config, err := processingConfig(t.Arguments, h.jobARN("processing-job", request.ProcessingJobName))
	if err != nil {
		return nil, err
	}
	j.files = []sandbox.File{
		{Path: "/opt/ml/config/processingjobconfig.json", Content: config},
		{Path: "/opt/ml/config/resourceconfig.json", Content: []byte(`{"current_host":"algo-1","current_instance_type":` +
			pyDumps(request.ProcessingResources.ClusterConfig.InstanceType) + `,"hosts":["algo-1"],"network_interface_name":"eth0"}`)},
	}
	return j, nil
}

// processingPath refuses a path where the service would (API ProcessingS3Input:
// it "must begin with /opt/ml/processing/").
func processingPath(local string) error {
	if clean := path.Clean(local); !strings.HasPrefix(clean, "/opt/ml/processing/") {
		return asl.Fail(sageMakerRefused, fmt.Sprintf("LocalPath %q does not begin with /opt/ml/processing/", local))
	}
	return nil
}

// processingConfig is the content of processingjobconfig.json: the request as the
// service completes it.
func processingConfig(arguments json.RawMessage, arn string) ([]byte, error) {
	var all map[string]any
	if err := json.Unmarshal(arguments, &all); err != nil {
		return nil, err
	}
	delete(all, "Tags")
	delete(all, "ExperimentConfig")
	all["ProcessingJobArn"] = arn
	defaults := func(value any, with map[string]any) {
		if object, ok := value.(map[string]any); ok {
			for key, v := range with {
				if _, there := object[key]; !there {
					object[key] = v
				}
			}
		}
	}
	defaults(all["AppSpecification"], map[string]any{"ContainerEntrypoint": nil, "ContainerArguments": nil})
	defaults(all["ProcessingOutputConfig"], map[string]any{"KmsKeyId": nil})
	if resources, ok := all["ProcessingResources"].(map[string]any); ok {
		defaults(resources["ClusterConfig"], map[string]any{"VolumeKmsKeyId": nil})
	}
	if inputs, ok := all["ProcessingInputs"].([]any); ok {
		for _, in := range inputs {
			if object, ok := in.(map[string]any); ok {
				defaults(object["S3Input"], map[string]any{
					"S3DataDistributionType": "FullyReplicated", "S3InputMode": "File", "S3CompressionType": "None", "S3DownloadMode": "StartOfJob",
				})
			}
		}
	}
	return json.Marshal(all)
}

// endProcessing stores what the job wrote and describes it.
func (h *handler) endProcessing(ctx context.Context, j *job, request *processingJob) (json.RawMessage, error) {
	describe, err := h.describe(j, "Processing")
	if err != nil {
		return nil, err
	}
	if message := note(j.sandbox.HostPath("/opt/ml/output/message")); message != "" {
		describe["ExitMessage"] = message
	}
	why := h.verdict(j)
	if why == (endOf{}) {
		why.person = h.missing(j)
		why.service = clip(why.person, reasonLimit)
	}
	if why != (endOf{}) {
		return h.failed(ctx, j, "Processing", describe, why, nil, nil)
	}
	batch := h.store.Batch()
	defer batch.Discard()
	var ports []record.Port
	for _, out := range request.ProcessingOutputConfig.Outputs {
		port, err := h.putOutput(batch, j, out.OutputName, out.S3Output.S3Uri, path.Clean(out.S3Output.LocalPath))
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	describe["ProcessingJobStatus"] = "Completed"
	return h.end(ctx, j, pipeline.Succeeded, describe, "", "", ports, batch)
}
