package local

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// trainingJob is a createTrainingJob request.
type trainingJob struct {
	TrainingJobName        string
	AlgorithmSpecification struct {
		TrainingImage, TrainingInputMode string
		MetricDefinitions                []metricDefinition
	}
	HyperParameters  map[string]string
	InputDataConfig  []channel
	OutputDataConfig struct{ S3OutputPath string }
	ResourceConfig   struct {
		InstanceCount int
		InstanceType  string
	}
	StoppingCondition struct{ MaxRuntimeInSeconds int64 }
	CheckpointConfig  *struct{ S3Uri, LocalPath string }
	Environment       map[string]string
}

// The archives that the service makes of what a training job writes.
const (
	modelArchive  = "model.tar.gz"
	outputArchive = "output.tar.gz"
)

// outputBase is where the service puts them.
func (t *trainingJob) outputBase() string {
	return strings.TrimSuffix(t.OutputDataConfig.S3OutputPath, "/") + "/" + t.TrainingJobName + "/output/"
}

// channel is one input of a training job.
type channel struct {
	ChannelName, ContentType, InputMode, CompressionType string
	DataSource                                           struct {
		S3DataSource struct{ S3DataType, S3Uri string }
	}
}

// maxRuntimeDefault is how long a training job may take that does not say (API
// StoppingCondition: one day).
const maxRuntimeDefault = 86400

// training does sagemaker:createTrainingJob.sync.
func (h *handler) training(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var request trainingJob
	if err := ReadRequest(t, &request); err != nil {
		return nil, err
	}
	j, metrics, err := h.trainingJob(t, &request)
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
	s := newScript(request.HyperParameters, request.Environment)
	h.codeOf(ctx, j, s.submit)
	if response, err := h.begin(ctx, j, "Training"); response != nil || err != nil {
		return response, err
	}
	code, err := h.store.Temp()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(code)
	if err := h.unpackCode(ctx, j, s.submit, code); err != nil {
		return nil, h.store.Explain(err, 0, fmt.Sprintf("unpacking the code of step %s from %s", t.State, s.submit))
	}
	if err := allowProgram(code, s.program); err != nil {
		return nil, fmt.Errorf("make the script of step %s executable: %w", t.State, err)
	}
	j.sandbox.Mounts = append(j.sandbox.Mounts, sandbox.Mount{Target: codeDir, Kind: sandbox.Input, Source: code})
	if err := h.execute(ctx, j); err != nil {
		if ctx.Err() != nil {
			return nil, h.aborted(ctx, j, context.Cause(ctx))
		}
		return nil, err
	}
	if ctx.Err() != nil && !j.result.OK() {
		return nil, h.aborted(ctx, j, context.Cause(ctx))
	}
	return h.endTraining(ctx, j, &request, s, metrics)
}

// trainingJob turns a request into the job to run.
func (h *handler) trainingJob(t asl.Task, request *trainingJob) (*job, *metrics, error) {
	j := &job{
		task: t, kind: trainingKind, name: request.TrainingJobName, workDir: codeDir, declared: request.Environment,
		maxRuntime: time.Duration(request.StoppingCondition.MaxRuntimeInSeconds) * time.Second,
	}
	if j.maxRuntime == 0 {
		j.maxRuntime = maxRuntimeDefault * time.Second
	}
	if request.AlgorithmSpecification.TrainingInputMode == "Pipe" {
		return nil, nil, h.unsupported(t, "TrainingInputMode Pipe")
	}
	if request.CheckpointConfig != nil {
		return nil, nil, h.unsupported(t, "CheckpointConfig")
	}
	var names []string
	for _, c := range request.InputDataConfig {
		source := c.DataSource.S3DataSource
		if source.S3DataType != "S3Prefix" || c.InputMode == "Pipe" || c.CompressionType == "Gzip" {
			return nil, nil, h.unsupported(t, fmt.Sprintf("channel %q as a manifest, as a pipe or compressed", c.ChannelName))
		}
		names = append(names, c.ChannelName)
		j.inputs = append(j.inputs, input{port: c.ChannelName, uri: source.S3Uri, target: path.Join(inputDataDir, c.ChannelName), contentType: c.ContentType})
	}
	j.outputs = []output{{port: h.modelPort(t.State), target: modelDir}, {target: outputDataDir}, {target: intermediateDir}}
	s := newScript(request.HyperParameters, request.Environment)
	if s.program == "" {
		return nil, nil, h.unsupported(t, "a training job without the hyperparameter sagemaker_program, which runs the image's own algorithm")
	}
	j.image, j.code, j.script = request.AlgorithmSpecification.TrainingImage, s.submit, s.program
	j.recipe = h.recipe(j, request.AlgorithmSpecification.TrainingImage)
	j.recipe.Entry, j.recipe.Parameters = []string{s.program}, scriptParameters(request.HyperParameters)
	j.recipe.Outputs = []recipeOutput{{j.outputs[0].port, modelDir, ""}}
	j.recipe.Metrics = request.AlgorithmSpecification.MetricDefinitions
	for i := range j.inputs {
		if path.Dir(path.Clean(s.submit)) == j.inputs[i].target {
			j.inputs[i].port = "" // the channel that the code comes by
			j.code = j.inputs[i].uri
		}
	}
	if !filepath.IsLocal(filepath.FromSlash(s.program)) {
		return nil, nil, asl.Fail(asl.ErrorTaskFailed, fmt.Sprintf("sagemaker_program %q is not in the code folder", s.program))
	}
	h.oneHost(t, request.ResourceConfig.InstanceCount)
	resource := resourceConfig(request.ResourceConfig.InstanceType)
	inputs := inputDataConfig(request.InputDataConfig)
	hyper := make(map[string]any, len(request.HyperParameters))
	for key, value := range request.HyperParameters {
		hyper[key] = value
	}
	j.files = []sandbox.File{
		{Path: inputConfigDir + "/hyperparameters.json", Content: []byte(pyDumps(hyper))},
		{Path: inputConfigDir + "/inputdataconfig.json", Content: []byte(pyDumps(inputs))},
		{Path: inputConfigDir + "/resourceconfig.json", Content: []byte(pyDumps(resource))},
	}
	j.argv = s.argv()
	j.service = s.variables(j.name, h.jobARN("training-job", j.name), names, resource, inputs)
	m, err := newMetrics(request.AlgorithmSpecification.MetricDefinitions)
	if err != nil {
		return nil, nil, asl.Fail(sageMakerRefused, err.Error())
	}
	if m != nil {
		j.line = m.line
	}
	return j, m, nil
}

// codeOf notes which code a job runs, unless a channel brings it. What cannot be read is
// told when it is unpacked.
func (h *handler) codeOf(ctx context.Context, j *job, submit string) {
	if path.IsAbs(submit) {
		return
	}
	if source, err := h.store.Materialise(ctx, submit); err == nil {
		j.recipe.Code = source.Digest
	}
}

// endTraining stores what the job wrote and describes it.
func (h *handler) endTraining(ctx context.Context, j *job, request *trainingJob, s script, m *metrics) (json.RawMessage, error) {
	describe, err := h.describe(j, "Training")
	if err != nil {
		return nil, err
	}
	took := int64(h.clock.Now().Sub(j.started)/time.Second) + 1
	describe["TrainingTimeInSeconds"], describe["BillableTimeInSeconds"] = took, took
	if list := m.final(h.clock.Now()); len(list) > 0 {
		describe["FinalMetricDataList"] = list
	}
	why := h.trainingVerdict(j, s)
	if why == (endOf{}) {
		why.person = h.missing(j)
		why.service = clip(why.person, reasonLimit)
	}
	batch := h.store.Batch()
	defer batch.Discard()
	base := request.outputBase()
	var ports []record.Port
	// What is in output/data is kept however the job ended.
	extra, found, err := h.putArchive(batch, j, outputArchive, base+outputArchive, outputDataDir)
	if err != nil {
		return nil, err
	}
	if found {
		ports = append(ports, extra)
	}
	if why != (endOf{}) && !j.expired {
		return h.failed(ctx, j, "Training", describe, why, ports, batch)
	}
	model, found, err := h.putArchive(batch, j, h.modelPort(j.task.State), base+modelArchive, modelDir)
	if err != nil {
		return nil, err
	}
	if found {
		model.Artifact.Kind = record.Model
		ports = append(ports, model)
		describe["ModelArtifacts"] = map[string]any{"S3ModelArtifacts": base + modelArchive}
	}
	if j.expired {
		return h.failed(ctx, j, "Training", describe, why, ports, batch)
	}
	describe["TrainingJobStatus"], describe["SecondaryStatus"] = "Completed", "Completed"
	return h.end(ctx, j, pipeline.Succeeded, describe, "", "", ports, batch)
}

// trainingVerdict says how the script ended, in the words of the toolkit that runs
// it (its errors.py), or in the script's own, from the failure file.
func (h *handler) trainingVerdict(j *job, s script) endOf {
	why := h.verdict(j)
	if why == (endOf{}) || j.expired {
		return why
	}
	if own := note(j.sandbox.HostPath(outputDir + "/failure")); own != "" {
		return endOf{service: clip("AlgorithmError: "+own, reasonLimit), person: terminal.Line(strings.Join(strings.Fields(own), " "))}
	}
	if j.result.Signal == "" {
		why.service = clip(fmt.Sprintf("AlgorithmError: ExecuteUserScriptError:\nExitCode %d\nErrorMessage %q\nCommand %q",
			j.result.ExitCode, j.log.last(), strings.Join(s.argv(), " ")), reasonLimit)
	}
	return why
}

// putArchive adds a folder, packed, to a batch. It is not found if it has no files.
func (h *handler) putArchive(batch *objects.Batch, j *job, port, uri, target string) (p record.Port, found bool, err error) {
	doing := fmt.Sprintf("saving output %q of step %s", port, j.task.State)
	host := j.sandbox.HostPath(target)
	if !holdsFile(host) {
		return p, false, nil
	}
	bucket, key, err := objects.Parse(uri)
	if err != nil {
		return p, false, asl.Fail(sageMakerRefused, err.Error())
	}
	// Beside the job's folder, which is full of what the script may have written.
	file := j.sandbox.Dir + "-" + path.Base(key)
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return p, false, h.store.Explain(err, filesBytes(host), doing)
	}
	_, skipped, err := pack(out, host)
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = batch.PutFile(bucket, key, file)
	}
	if err != nil {
		return p, false, h.store.Explain(err, filesBytes(host), doing)
	}
	h.skipped(j, port, skipped)
	list := batch.Objects()
	o := list[len(list)-1]
	return record.Port{Name: port, Artifact: record.Artifact{
		Step: j.task.State, Name: j.task.State + "." + port, Kind: record.Output, URI: uri, Digest: "sha256:" + o.Digest, Bytes: o.Bytes,
	}}, true, nil
}

// modelPort is the name of a training job's model.
func (h *handler) modelPort(step string) string {
	outputs := h.declared(step)
	if i := slices.IndexFunc(outputs, func(o pipeline.Output) bool { return o.Model }); i >= 0 {
		return outputs[i].Name
	}
	return "Model"
}

// scriptParameters are the hyperparameters that a script's result depends on: those
// that name the job, its outputs or its code are not among them.
func scriptParameters(all map[string]string) map[string]string {
	kept := maps.Clone(all)
	for _, name := range []string{"sagemaker_job_name", "sagemaker_program", "sagemaker_s3_output", "sagemaker_submit_directory"} {
		delete(kept, name)
	}
	return kept
}

// sortedKeys are a map's keys, in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
