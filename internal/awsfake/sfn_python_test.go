package awsfake

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/internal/pythontest"
	"github.com/mlmax/mlmax/pipeline/code"
	"github.com/mlmax/mlmax/pipeline/local"
)

// upload stores a step's code as deploy does, as files and as an archive, and returns its
// digest.
func (a *account) upload(step string) string {
	a.t.Helper()
	fsys := os.DirFS(filepath.Join("../../specs/census/steps", step))
	digest, files, err := code.Digest(fsys)
	if err != nil {
		a.t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := code.Archive(&archive, fsys, files); err != nil {
		a.t.Fatal(err)
	}
	all := map[string]string{"code/" + digest + ".tar.gz": archive.String()}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join("../../specs/census/steps", step, filepath.FromSlash(f.Path)))
		if err != nil {
			a.t.Fatal(err)
		}
		all["code/"+digest+"/"+f.Path] = string(text)
	}
	a.put(all)
	return digest
}

// TestCensusWithScikitLearn runs both pipelines as they are committed, with their Python steps
// and policies enforced: deploy, train, approve, predict.
func TestCensusWithScikitLearn(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("scikit-learn takes seconds")
	}
	a := newAccount(t, Options{Enforce: true, Jobs: local.JobsOptions{Python: pythontest.Interpreter(t, "sklearn:1.4-2"), Packages: "installed"}})
	for key, file := range map[string]string{"data/census.csv": "census.csv", "incoming/census.csv": "unlabelled.csv"} {
		text, err := os.ReadFile(filepath.Join("../../specs/census/testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		a.put(map[string]string{key: string(text)})
	}
	values := map[string]string{"Env": "dev", "Bucket": "bucket"}
	for _, step := range []string{"preprocess", "train", "evaluate", "predict"} {
		values[strings.ToUpper(step[:1])+step[1:]+"Code"] = a.upload(step)
	}
	asItIs := func(template string) string { return template }
	of := func(pipeline string) map[string]string {
		all := map[string]string{}
		_, declared := censusTemplate(t, pipeline, nil)
		for key, value := range values {
			if _, ok := declared[key]; ok || !strings.HasSuffix(key, "Code") {
				all[key] = value
			}
		}
		return all
	}
	training, inference := a.deploy("training", of("training"), asItIs), a.deploy("inference", of("inference"), asItIs)
	trained := a.ended(a.start(training, "train", "{}"))
	if trained.Status != "SUCCEEDED" {
		t.Fatal(verdict(trained))
	}
	var output struct {
		Run     string
		Metrics struct {
			Evaluate struct{ Report struct{ ROCAUC float64 } }
		}
		Models struct {
			Register struct{ ModelPackageArn string }
		}
	}
	if err := json.Unmarshal([]byte(*trained.Output), &output); err != nil {
		t.Fatal(err)
	}
	if auc := output.Metrics.Evaluate.Report.ROCAUC; auc < 0.8 || auc > 1 {
		t.Errorf("ROC AUC is %v", auc)
	}
	if want := "arn:aws:sagemaker:eu-west-1:123456789012:model-package/dev-census/1"; output.Models.Register.ModelPackageArn != want {
		t.Errorf("registered %s", output.Models.Register.ModelPackageArn)
	}
	if a.GetObject("bucket", "runs/census-training/"+output.Run+"/manifest.json") == nil {
		t.Errorf("no manifest: %v", a.Keys("bucket", "runs/"))
	}
	a.approve()
	predicted := a.ended(a.start(inference, "predict", "{}"))
	if predicted.Status != "SUCCEEDED" {
		t.Fatal(verdict(predicted))
	}
	var found bool
	for _, key := range a.Keys("bucket", "runs/census-inference/") {
		found = found || strings.HasSuffix(key, "/Predictions/predictions.csv")
	}
	if !found {
		t.Errorf("no predictions: %v", a.Keys("bucket", "runs/census-inference/"))
	}
	if denied := a.Denied(); len(denied) > 0 {
		t.Errorf("refused: %v", denied)
	}
}
