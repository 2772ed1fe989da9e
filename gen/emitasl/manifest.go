package emitasl

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// manifestSchema is raised when a reader of manifests has to know.
const manifestSchema = 1

// definitionKey is the manifest's member that sign fills.
const definitionKey = "definition"

// manifestURI is where the manifest lies.
func (e *emitter) manifestURI() string { return e.runURI("/manifest.json") }

// manifest adds the states that describe the run and write the description to S3.
// The body is an object: a string would be stored with its JSON quotes.
func (e *emitter) manifest() {
	e.add(&asl.State{
		Name: describeState, Type: asl.PassState,
		Comment: "What the run was made of and what it made: the same on the laptop and on AWS.",
		Assign:  members("manifest", e.description()),
		Next:    manifestState,
	})
	e.add(&asl.State{
		Name: manifestState, Type: asl.TaskState,
		Resource: e.resource("aws-sdk:s3:putObject"),
		Arguments: expr(object(
			"Bucket", "'${Bucket}'",
			"Key", fmt.Sprintf("'${Prefix}runs/%s/' & $run & '/manifest.json'", e.plan.Name),
			"ContentType", "'application/json'",
			"Body", "$manifest",
			"ServerSideEncryption", "'${KmsKey}' != '' ? 'aws:kms'",
			"SSEKMSKeyId", ifSet("KmsKey"),
		)),
		Output:         e.output(),
		TimeoutSeconds: callSeconds,
		Retry:          sdkRetry("S3"),
		End:            true,
	})
}

// description is the manifest's content.
func (e *emitter) description() asl.Object {
	var code, images, instances, interfaces, inputs, steps, metrics, models asl.Object
	for _, j := range e.plan.Jobs() {
		code = append(code, asl.Member{Key: j.Name, Value: jobCode(j)})
		images = append(images, asl.Member{Key: j.Name, Value: jobImage(j)})
		instances = append(instances, asl.Member{Key: j.Name, Value: "${" + j.InstanceName + "}"})
		interfaces = append(interfaces, asl.Member{Key: j.Name, Value: j.Interface})
		for _, in := range j.Inputs {
			inputs = append(inputs, asl.Member{Key: j.Name + "." + in.Name, Value: expr(source(in))})
		}
		steps = append(steps, asl.Member{Key: j.Name, Value: expr("$" + j.Name)})
	}
	for _, r := range e.plan.Reports() {
		metrics = append(metrics, asl.Member{Key: r.Step + "." + r.Output, Value: expr("$" + r.Variable)})
	}
	for _, r := range e.plan.Registrations() {
		models = append(models, asl.Member{Key: r.Name, Value: expr("$" + r.Name)})
	}
	return members(
		"schema", manifestSchema,
		"pipeline", e.plan.Name,
		"run", expr("$run"),
		"execution", expr("$states.context.Execution.Id"),
		"startTime", expr("$states.context.Execution.StartTime"),
		"environment", "${Env}",
		definitionKey, "",
		"parameters", expr("$params"),
		"code", orEmpty(code),
		"images", orEmpty(images),
		"instances", orEmpty(instances),
		"interfaces", orEmpty(interfaces),
		"versions", e.versions(),
		"inputs", orEmpty(inputs),
		"steps", orEmpty(steps),
		"artifacts", e.artifacts(),
		"metrics", orEmpty(metrics),
		"models", orEmpty(models),
		"notRegistered", expr("$notRegistered"),
	)
}

// output is the machine's.
func (e *emitter) output() asl.Object {
	var metrics, models asl.Object
	for _, j := range e.plan.Jobs() {
		var reports asl.Object
		for _, r := range j.Reports {
			reports = append(reports, asl.Member{Key: r.Output, Value: expr("$" + r.Variable)})
		}
		if reports != nil {
			metrics = append(metrics, asl.Member{Key: j.Name, Value: reports})
		}
	}
	for _, r := range e.plan.Registrations() {
		models = append(models, asl.Member{Key: r.Name, Value: expr("$" + r.Name)})
	}
	var versions asl.Object
	for _, v := range e.plan.Versions {
		versions = append(versions, asl.Member{Key: v.Name, Value: members(
			"Arn", expr("$"+v.Name+".Arn"), "Version", expr("$"+v.Name+".Version"))})
	}
	return members(
		"Run", expr("$run"),
		"Metrics", orEmpty(metrics),
		"Models", orEmpty(models),
		"NotRegistered", expr("$notRegistered"),
		"Versions", orEmpty(versions),
		"Artifacts", e.artifacts(),
	)
}

// versions are the model versions that the run started from, by name.
func (e *emitter) versions() asl.Object {
	all := asl.Object{}
	for _, v := range e.plan.Versions {
		all = append(all, asl.Member{Key: v.Name, Value: expr("$" + v.Name)})
	}
	return all
}

// artifacts are the URIs of all outputs, by "Step.Output".
func (e *emitter) artifacts() asl.Object {
	all := asl.Object{}
	for _, j := range e.plan.Jobs() {
		for _, out := range j.Outputs {
			all = append(all, asl.Member{Key: j.Name + "." + out.Name, Value: expr("$" + j.Name + "." + out.Name)})
		}
	}
	return all
}

// orEmpty is an object that is there though it is empty.
func orEmpty(o asl.Object) asl.Object {
	if o == nil {
		return asl.Object{}
	}
	return o
}

// sign writes into the manifest which definition made it: the hex SHA-256 of the
// machine's file with this value left empty, so that the file alone can tell.
func sign(m *asl.Machine) {
	b, err := asl.Encode(m)
	if err != nil {
		panic(fmt.Sprintf("emitasl: %v", err))
	}
	sum := sha256.Sum256(b)
	manifest, _ := m.State(describeState).Assign.Get("manifest")
	body := manifest.(asl.Object)
	for i := range body {
		if body[i].Key == definitionKey {
			body[i].Value = hex.EncodeToString(sum[:])
		}
	}
}
