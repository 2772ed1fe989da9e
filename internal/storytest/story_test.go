package storytest

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/pipeline"
)

// Data of this machine for the two pipelines.
const (
	labelled   = " --data specs/census/testdata/census.csv"
	unlabelled = " --data specs/census/testdata/unlabelled.csv"
)

// A chapter is a part of the story. Each goes on where the one before has ended.
type chapter struct {
	title string
	// runs says that it needs an account that executes machines.
	runs bool
	tell func(*story)
}

// chapters are the story.
var chapters = []chapter{
	{"nothing is deployed", false, (*story).nothing},
	{"deploy, and nothing to deploy", false, (*story).deploy},
	{"data is missing", false, (*story).data},
	{"the same result wherever it runs", true, (*story).train},
	{"approve and predict", true, (*story).predict},
	{"where a prediction comes from", true, (*story).lineage},
	{"what has run", true, (*story).look},
	{"a run fails", true, (*story).fail},
	{"detach and stop", false, (*story).stop},
	{"resume", true, (*story).resume},
	{"an edited step", false, (*story).edit},
	{"package", false, (*story).packages},
	{"destroy keeps data", false, (*story).destroy},
	{"deploy takes over what was kept", false, (*story).adopt},
	{"destroy with the data", false, (*story).erase},
}

// tell tells the story until a chapter goes wrong, and logs which it leaves out.
func (s *story) tell() {
	t := s.t
	for _, c := range chapters {
		if c.runs && !s.runs {
			t.Logf("left out: %s: this account does not execute machines", c.title)
			continue
		}
		ok := t.Run(c.title, func(t *testing.T) {
			s.t = t
			c.tell(s)
		})
		if s.t = t; !ok {
			t.FailNow()
		}
	}
}

// where are patterns for an account that executes machines, and has all that is deployed.
func (s *story) where(patterns ...string) []string {
	if s.runs {
		return patterns
	}
	for _, p := range patterns {
		s.t.Logf("not asked of this account: %s", p)
	}
	return nil
}

// run is the command line that starts a run. Where a machine does not have what was deployed,
// that it is another has to be said.
func (s *story) run() string {
	if s.runs {
		return "training run --env dev"
	}
	return "training run --env dev --deployed"
}

func (s *story) nothing() {
	s.does(2, "training run --env dev", `^census-training: pipeline census-training is not deployed in `, `hint: .*training deploy --env dev`)
	s.does(1, "training plan --env dev", `^Plan for census-training in environment dev, compared with stack dev-census-training in .*: nothing is deployed yet$`, `\$\d`)
	s.does(1, "training deploy --env dev", `^uploaded code of Preprocess`, `there is no terminal to ask on; nothing was deployed$`, `hint: .*training deploy --yes --env dev`)
}

func (s *story) deploy() {
	s.does(0, "training deploy --env dev --yes", append(s.where(`^StateMachineArn +arn:aws:states:`), `^  State machine \(Machine\): done|^Stack dev-census-training is deployed\.$`)...)
	s.does(0, "training plan --env dev", `^Nothing would change\.$`)
	s.does(0, "training deploy --env dev", `^No changes to deploy\. Stack dev-census-training is up to date$`)
}

// data has to be given: that of the default is not in the bucket.
func (s *story) data() {
	s.does(2, s.run(), `data for "Data" is missing: there is no s3://`+s.bucket+`/data/census.csv; nothing was started$`,
		`hint: upload what is on this machine: .*training run --env dev .*--data specs/census/testdata/census.csv$`)
}

// train is the training on AWS and here, of the same tree.
func (s *story) train() {
	s.trainedHere = s.outcome("training", pipeline.Succeeded)
	s.trained = s.outcome("training run --env dev --run first"+labelled, pipeline.Succeeded)
	if len(s.trained.Metrics) == 0 || len(s.trained.Metrics) != len(s.trainedHere.Metrics) {
		s.t.Fatalf("metrics are %v, here %v", s.trained.Metrics, s.trainedHere.Metrics)
	}
	for name, value := range s.trained.Metrics {
		there, ok := value.(float64)
		here, ok2 := s.trainedHere.Metrics[name].(float64)
		if !ok || !ok2 || s.same && there != here || math.Abs(there-here) > 1e-6 {
			s.t.Errorf("%s is %v, here %v", name, value, s.trainedHere.Metrics[name])
		}
	}
	if m := s.trained.Model; m == nil || m.Group != "dev-census" || m.Version != 1 || m.Status != pipeline.PendingManualApproval {
		s.t.Errorf("the model is %+v", m)
	}
	if s.trained.Execution != "first" || len(s.trained.Run) != 12 {
		s.t.Errorf("the run is %q, its execution %q", s.trained.Run, s.trained.Execution)
	}
	var manifest struct{ Run, Status string }
	if err := json.Unmarshal(s.object("s3://"+s.bucket+"/runs/census-training/"+s.trained.Run+"/manifest.json"), &manifest); err != nil || manifest.Run != s.trained.Run {
		s.t.Errorf("the manifest is %+v (%v)", manifest, err)
	}
}

// predict approves the model there and here, and scores the same extract with both.
func (s *story) predict() {
	s.does(0, "inference deploy --env dev --yes", `^Stack dev-census-inference is deployed\.$`)
	s.does(1, "inference run --env dev --run early"+unlabelled, `group dev-census has no version that is Approved; approve one: `,
		`^  .*inference run --env dev .*start another: run early cannot be resumed: it ended where the machine gives up \(NoApprovedModel\), and would end there again$`)
	s.does(2, "inference resume early --env dev", `run early cannot be resumed: `, `hint: put right what its cause says, and start another: .*inference run --env dev`)
	s.does(0, "training models --env dev", `^1 +PendingManualApproval .*ROCAUC`)
	for _, where := range []string{"", " --env dev"} {
		s.does(0, "training models approve 1 --by Ada --note sound"+where, `Approved|approved`)
	}
	s.does(0, "training models show 1 --env dev", `Ada`, `sound`)
	s.predictedHere = s.outcome("inference", pipeline.Succeeded)
	s.predicted = s.outcome("inference run --env dev --run scores"+unlabelled, pipeline.Succeeded)
	for _, name := range []string{"predictions.csv", "summary.json"} {
		there := s.object(strings.TrimSuffix(uri(&s.predicted, "Predict.Predictions"), "/") + "/" + name)
		here, err := os.ReadFile(filepath.Join(path(&s.predictedHere, "Predict.Predictions"), name))
		if err != nil {
			s.t.Fatal(err)
		}
		if len(there) == 0 || s.same && !bytes.Equal(there, here) || bytes.Count(there, []byte("\n")) != bytes.Count(here, []byte("\n")) {
			s.t.Errorf("%s is\n%.500s\nhere\n%.500s", name, there, here)
		}
	}
}

// uri is that of an artifact of an outcome, path where it is on this machine.
func uri(o *pipeline.Outcome, name string) string {
	for _, a := range o.Artifacts {
		if a.Name == name {
			return a.URI
		}
	}
	return ""
}

func path(o *pipeline.Outcome, name string) string {
	for _, a := range o.Artifacts {
		if a.Name == name {
			return a.Path
		}
	}
	return ""
}

func (s *story) lineage() {
	s.does(0, "inference lineage "+uri(&s.predicted, "Predict.Predictions")+" --env dev", `^└─ nothing that is known here$`,
		`Predict`, `dev-census/1`, `Ada`, `Train`, `data/[0-9a-f]{64}/unlabelled\.csv`, `data/[0-9a-f]{64}/census\.csv`)
	s.does(0, "training lineage 1 --down --env dev", `census-inference`)
}

func (s *story) look() {
	s.does(0, "training status --env dev", `^census-training SUCCEEDED in .* \(run `+s.trained.Run+`\)$`)
	s.does(0, "training status first --env dev", `SUCCEEDED`)
	s.does(0, "training runs --env dev", `^first +[0-9a-f]{12} +census-training .* SUCCEEDED$`)
	s.does(0, "training logs first Train --env dev", `^==> Train`)
	s.does(0, "training watch first --env dev", `SUCCEEDED`)
	s.does(0, "training run --env dev --run first"+labelled, `^Run first was started before, with the same values; this is that one$`)
	s.does(2, "training run --env dev --run first", `exists with other inputs; choose another --run|data for "Data" is missing`)
}

// fail is a run that fails by its parameters, so that going on with it fails again.
func (s *story) fail() {
	patterns := []string{
		`^census-training FAILED in `, `^  in step Train: AlgorithmError: `, `did not converge in 1 iterations`, `^    \| .*did not converge in 1 iterations`,
		`^Console$`, `^  execution  https://.*/states/`, `^  job        https://.*/sagemaker/`, `^  log        https://.*/cloudwatch/`,
		`^  .*training logs broken Train --env dev`, `^  .*training resume broken --env dev`,
	}
	s.does(1, "training run --env dev --run broken --train.max-iterations 1"+labelled, append(patterns, `^Train: failed after `)...)
	s.does(1, "training status broken --env dev", patterns...)
	s.does(0, "training logs broken Train --env dev", `did not converge in 1 iterations`)
	s.does(0, "training runs --env dev", `^broken +[0-9a-f]{12} +census-training .* FAILED`)
	s.does(0, "training lineage broken --env dev", `Preprocess`) // its manifest was made from its history
	s.does(1, "training resume broken --env dev", append(patterns, `^Run broken goes on: `, `^Preprocess: cached in .* \(complete before the run was resumed\)$`)...)
}

// stop leaves a run that goes on, and stops it.
func (s *story) stop() {
	if s.hold != nil {
		s.hold(true)
	}
	said := s.interrupted(s.run()+" --run held"+labelled, "Run held started: https://")
	s.wrote("run", said, `^Run held goes on, and is no longer watched$`, `^  .*training watch held --env dev`, `^  .*training stop held --env dev`)
	s.does(0, "training status held --env dev", `^census-training RUNNING in `)
	s.does(0, "training runs --env dev", `^held +[0-9a-f]{12} +census-training .* RUNNING$`)
	s.does(2, "training destroy --env dev --yes", `^census-training: 1 execution is running: held; nothing was deleted$`)
	s.does(0, "training stop held --env dev", `^run held is ABORTED; to go on with it `)
	if s.hold != nil {
		s.hold(false)
	}
	s.does(0, "training runs --env dev", `^held +[0-9a-f]{12} +census-training .* ABORTED, resumable$`)
	s.does(0, "training stop held --env dev", `^run held had ended ABORTED; nothing was stopped$`)
}

// resume goes on with the run that was stopped.
func (s *story) resume() {
	s.does(1, "training watch held --env dev", `^census-training ABORTED in `)
	s.does(0, "training resume held --env dev", `^Preprocess: started$`, `^census-training SUCCEEDED in `)
}

// edit edits a step: what is deployed is run only if that is said.
func (s *story) edit() {
	script := filepath.Join(s.module, "specs/census/steps/train/train.py")
	text, err := os.ReadFile(script)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(script, append(text, "# edited\n"...), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.does(2, "training run --env dev --run edited"+labelled, append(s.where(`^	step Train: deployed [0-9a-f]{12}, here [0-9a-f]{12}$`),
		`what is deployed in dev is not what this work tree has; nothing was started$`, `hint: deploy it: .*training deploy --env dev`, `training run --deployed --env dev`)...)
	if s.runs {
		s.does(0, "training run --env dev --run older --deployed"+labelled, `^census-training SUCCEEDED in `)
	}
	s.does(1, "training plan --env dev", `^  ~ Train$`, `^ +code  [0-9a-f]{12} -> [0-9a-f]{12}$`)
	s.does(0, "training deploy --env dev --yes", `^uploaded code of Train`, `^Stack dev-census-training is deployed\.$`)
	s.does(0, "training plan --env dev", `^Nothing would change\.$`)
	if s.runs {
		edited := s.outcome("training run --env dev --run edited"+labelled, pipeline.Succeeded)
		if edited.Metrics["Evaluate.Report.ROCAUC"] != s.trained.Metrics["Evaluate.Report.ROCAUC"] {
			s.t.Errorf("a comment changed the metrics: %v, were %v", edited.Metrics, s.trained.Metrics)
		}
	}
}

func (s *story) packages() {
	out, _ := s.does(0, "training package --env dev")
	var parameters []struct{ ParameterKey, ParameterValue string }
	if err := json.Unmarshal([]byte(out), &parameters); err != nil {
		s.t.Fatalf("%v in %s", err, out)
	}
	values := map[string]string{}
	for _, p := range parameters {
		values[p.ParameterKey] = p.ParameterValue
	}
	if values["Bucket"] != s.bucket || values["Env"] != "dev" || len(values["TrainCode"]) != 64 {
		s.t.Errorf("the parameters are %v", values)
	}
	if keys := s.keys("code/" + values["TrainCode"] + ".json"); len(keys) != 1 {
		s.t.Errorf("the code of Train has the marks %v", keys)
	}
}

// destroy deletes both stacks, and nothing that a run has written.
func (s *story) destroy() {
	before := s.keys("")
	if s.runs {
		s.does(0, "inference destroy --env dev --yes", `^Stack dev-census-inference is deleted$`)
	}
	s.does(0, "training destroy --env dev --yes", append(s.where(`^Kept, since it may be wanted again:$`, `^  log group /aws/vendedlogs/states/dev-census-training$`,
		`^  model group dev-census$`, `^  results of runs below s3://`+s.bucket+`/runs/census-training/`), `^Stack dev-census-training is deleted$`)...)
	if after := s.keys(""); len(after) != len(before) {
		s.t.Errorf("the bucket holds %d objects, held %d", len(after), len(before))
	}
	s.does(0, "training destroy --env dev --yes", `^Nothing to destroy: there is no stack dev-census-training in `)
	if s.runs {
		s.does(0, "training models --env dev", `^1 +Approved`)
	}
}

func (s *story) adopt() {
	s.does(0, "training deploy --env dev --yes", append(s.where(`^log group /aws/vendedlogs/states/dev-census-training outlived an earlier stack and is taken over$`,
		`^model group dev-census outlived an earlier stack and is taken over$`), `^Stack dev-census-training is deployed\.$`)...)
	s.does(0, "training deploy --env dev", `is up to date$`)
}

// erase deletes all but code and data, once that was asked for twice.
func (s *story) erase() {
	s.does(1, "training destroy --env dev --yes --delete-data", `data is deleted only if it is asked for twice; nothing was deleted$`, `--confirm dev-census-training`)
	s.does(0, "training destroy --env dev --yes --delete-data --confirm dev-census-training", append(s.where(`^deleted model group dev-census$`), `^Stack dev-census-training is deleted$`)...)
	if keys := s.keys("runs/census-training/"); len(keys) > 0 {
		s.t.Errorf("runs have left %v", keys)
	}
	if s.runs {
		s.does(0, "inference destroy --env dev --yes --delete-data --confirm dev-census-inference", `^deleted `)
	}
	s.does(0, "training destroy --env dev --yes --delete-data --confirm dev-census-training", `^Nothing to destroy: `)
}
