package lineage_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/pipeline/record"
)

// A workspace is a record filled through its own interface, as the local runner
// fills it.
type workspace struct {
	t  testing.TB
	db *record.DB
	// now goes on with every run.
	now time.Time
}

func newWorkspace(t testing.TB) *workspace {
	t.Helper()
	db, err := record.Open(t.Context(), filepath.Join(t.TempDir(), "mlmax.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &workspace{t: t, db: db, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
}

func (w *workspace) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// digest is the one of a text.
func digest(of string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(of))) }

// start begins a run, with jobs in the given order and data.
func (w *workspace) start(id, pipeline string, data []record.Artifact, jobs ...string) {
	w.t.Helper()
	w.now = w.now.Add(time.Hour)
	var made []record.Job
	for _, name := range jobs {
		made = append(made, record.Job{
			Step: name, Code: digest("code" + name), Image: "sklearn:1.4-2", Python: "3.11.9", Packages: []string{"numpy==1.26.4", "pandas==2.2.2"},
			Environment: "sha256:" + digest("env"),
		})
	}
	w.must(w.db.StartRun(w.t.Context(), record.Run{
		ID: id, Pipeline: pipeline, Status: "RUNNING", Definition: digest(pipeline), Commit: digest("commit")[:40], Dirty: id[0] == 'd', Started: w.now,
		Input: json.RawMessage(`{}`), Parameters: json.RawMessage(`{}`), TotalSteps: len(jobs),
	}, made, data))
}

// step runs a step to its end: in and out are its ports.
func (w *workspace) step(run, name, kind, request string, in, out []record.Port) int64 {
	w.t.Helper()
	id, err := w.db.StartStep(w.t.Context(), record.Step{
		Run: run, Name: name, Kind: kind, Status: "RUNNING", Job: "local-" + strings.ToLower(name) + "-" + run, Request: json.RawMessage(request), Started: w.now,
	}, in)
	w.must(err)
	var objects []record.Object
	for _, p := range out {
		key := strings.TrimPrefix(p.Artifact.URI, "s3://local/")
		if strings.HasSuffix(key, "/") {
			key += strings.ToLower(p.Name) + ".csv"
		}
		objects = append(objects, record.Object{Bucket: "local", Key: key, Digest: digest("file " + p.Artifact.URI), Bytes: p.Artifact.Bytes, Created: w.now})
	}
	w.must(w.db.EndStep(w.t.Context(), record.Step{ID: id, Run: run, Name: name, Status: "SUCCEEDED", Ended: w.now.Add(time.Second)}, out, objects))
	return id
}

// end ends a run.
func (w *workspace) end(run string) {
	w.t.Helper()
	w.must(w.db.EndRun(w.t.Context(), record.Run{ID: run, Status: "SUCCEEDED", Ended: w.now.Add(time.Minute), Output: json.RawMessage(`{}`)}))
}

// port is an artifact at a port; out makes the artifact of a step.
func port(name string, a record.Artifact) record.Port {
	if a.Kind == "" {
		a.Kind = record.External
	}
	return record.Port{Name: name, Artifact: a}
}

func out(run, step, name string) record.Artifact {
	a := record.Artifact{Run: run, Step: step, Name: step + "." + name, Kind: record.Output, Bytes: 1234, Digest: "sha256:" + digest(run+step+name)}
	a.URI = "s3://local/runs/p/" + run + "/" + step + "/0-0/" + name + "/"
	if name == "Model" {
		a.Kind = record.Model
		a.URI = "s3://local/runs/p/" + run + "/" + step + "/0-0/job/output/model.tar.gz"
	}
	return a
}

func census(file string) record.Artifact {
	return record.Artifact{Name: "Data", Kind: record.Data, URI: "s3://local/data/" + digest(file) + "/" + file, Digest: "sha256:" + digest(file), Bytes: 52_000}
}

const preprocessRequest = `{"AppSpecification":{"ImageUri":"sklearn:1.4-2","ContainerEntrypoint":["python3","/opt/ml/processing/input/code/preprocess.py"],` +
	`"ContainerArguments":["--mode","%s","--note","a b\u001b[31m","--raw","/opt/ml/processing/input/Raw/x.csv"]},` +
	`"ProcessingInputs":[{"InputName":"code","S3Input":{"S3Uri":"s3://local/code/%s/"}}],"Environment":{"LEVEL":"2"}}`

const trainRequest = `{"AlgorithmSpecification":{"TrainingImage":"sklearn:1.4-2"},"HyperParameters":{"sagemaker_program":"\"train.py\"",` +
	`"sagemaker_submit_directory":"\"s3://local/code/%s.tar.gz\"","strength":"0.5","solver":"\"lbfgs\""}}`

// training is a run of the training pipeline, which registers a model.
func (w *workspace) training(id, file string) (preprocess int64) {
	w.t.Helper()
	data := census(file)
	w.start(id, "census-training", []record.Artifact{data}, "Preprocess", "Train")
	preprocess = w.step(id, "Preprocess", "processing", fmt.Sprintf(preprocessRequest, "train", digest("codePreprocess")),
		[]record.Port{port("Raw", data)}, []record.Port{port("Train", out(id, "Preprocess", "Train")), port("Transformer", out(id, "Preprocess", "Transformer"))})
	w.fit(id, out(id, "Preprocess", "Train"), out(id, "Preprocess", "Transformer"))
	return preprocess
}

// fit trains and registers.
func (w *workspace) fit(id string, train, transformer record.Artifact) {
	w.t.Helper()
	model := out(id, "Train", "Model")
	w.step(id, "Train", "training", fmt.Sprintf(trainRequest, digest("codeTrain")), []record.Port{port("Train", train)}, []record.Port{port("Model", model)})
	request := fmt.Sprintf(`{"InferenceSpecification":{"Containers":[{"Image":"i","ModelDataUrl":%q}]},"CustomerMetadataProperties":{"artifact.Preprocess.Transformer":%q,"artifact.Train.Model":%q}}`,
		model.URI, transformer.URI, model.URI)
	_, err := w.db.AddModel(w.t.Context(), record.ModelPackage{Group: "local-census", Status: "PendingManualApproval", Run: id, Request: json.RawMessage(request), Created: w.now},
		func(n int) string { return fmt.Sprintf("arn:aws:sagemaker:x:y:model-package/local-census/%d", n) })
	w.must(err)
	w.end(id)
}

// approve approves a version.
func (w *workspace) approve(version int, by, note string) {
	w.t.Helper()
	_, err := w.db.Decide(w.t.Context(), record.Approval{Group: "local-census", Version: version, Status: "Approved", Person: by, Note: note, At: w.now})
	w.must(err)
}

// inference is a run that scores a file with a version that a training run made.
// The run that made the version has its transformer from the run origin.
func (w *workspace) inference(id, file string, version int, by, origin string) {
	w.t.Helper()
	data := census(file)
	w.start(id, "census-inference", []record.Artifact{data}, "Preprocess", "Predict")
	w.must(w.db.AddCall(w.t.Context(), record.Step{
		Run: id, Name: "Describe Model", Kind: "call", Status: "SUCCEEDED",
		Request: fmt.Appendf(nil, `{"ModelPackageName":"arn:aws:sagemaker:x:y:model-package/local-census/%d"}`, version),
	}, nil))
	fitted := out(by, "Preprocess", "Transformer")
	fitted.Digest = out(origin, "Preprocess", "Transformer").Digest
	features, predictions := out(id, "Preprocess", "Features"), out(id, "Predict", "Predictions")
	w.step(id, "Preprocess", "processing", fmt.Sprintf(preprocessRequest, "infer", digest("older code")),
		[]record.Port{port("Raw", data), port("Fitted", fitted)}, []record.Port{port("Features", features)})
	w.step(id, "Predict", "processing", fmt.Sprintf(preprocessRequest, "x", digest("codePredict")),
		[]record.Port{port("Model", out(by, "Train", "Model")), port("Features", features)}, []record.Port{port("Predictions", predictions)})
	w.end(id)
}

// cachedTraining is a training run that took its preprocessing from another.
func (w *workspace) cachedTraining(id, file, from string, origin int64) {
	w.t.Helper()
	data := census(file)
	w.start(id, "census-training", []record.Artifact{data}, "Preprocess", "Train")
	train, transformer := out(id, "Preprocess", "Train"), out(id, "Preprocess", "Transformer")
	train.Digest, transformer.Digest = out(from, "Preprocess", "Train").Digest, out(from, "Preprocess", "Transformer").Digest
	step, err := w.db.StartStep(w.t.Context(), record.Step{
		Run: id, Name: "Preprocess", Kind: "processing", Status: "SUCCEEDED", Job: "local-preprocess-" + id, CachedFrom: origin, Started: w.now,
		Request: fmt.Appendf(nil, preprocessRequest, "train", digest("codePreprocess")),
	}, []record.Port{port("Raw", data)})
	w.must(err)
	w.must(w.db.EndStep(w.t.Context(), record.Step{ID: step, Run: id, Name: "Preprocess", Status: "SUCCEEDED", Ended: w.now},
		[]record.Port{port("Train", train), port("Transformer", transformer)}, nil))
	w.fit(id, train, transformer)
}

// full is a workspace with everything: two trainings on the same data, the second
// with cached preprocessing, an approval, and an inference with each version.
func full(t testing.TB) *workspace {
	w := newWorkspace(t)
	origin := w.training("aaaa00000001", "census.csv")
	w.approve(1, "Jane Doe", "looks\x1b[31m good")
	w.inference("bbbb00000002", "new.csv", 1, "aaaa00000001", "aaaa00000001")
	w.cachedTraining("cccc00000003", "census.csv", "aaaa00000001", origin)
	w.inference("dddd00000004", "new.csv", 2, "cccc00000003", "aaaa00000001")
	return w
}
