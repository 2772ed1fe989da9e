package ledger

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// failedJob is how a job's failure reaches the machine.
func failedJob(reason string) *asl.Error {
	cause, err := json.Marshal(map[string]string{"ProcessingJobStatus": "Failed", "FailureReason": reason})
	if err != nil {
		panic(err)
	}
	return asl.Fail(asl.ErrorTaskFailed, string(cause))
}

// valid holds a manifest to its schema.
func valid(t *testing.T, m *manifest.Manifest) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(manifest.Schema1)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("manifest.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("the manifest breaks its schema: %v\n%s", err, text)
	}
}

// only are the members of a manifest that the machine itself writes.
var only = cmpopts.IgnoreFields(manifest.Manifest{}, "Status", "Error", "Cause", "FailedStep", "EndTime", "Times")

func TestTheWholeHistoryGivesWhatTheMachineWrote(t *testing.T) {
	t.Parallel()
	s := &service{}
	for _, d := range []func() (x Description, events []asl.HistoryEvent, got *manifest.Manifest){
		func() (Description, []asl.HistoryEvent, *manifest.Manifest) {
			d := trainingDefinition()
			x, events := execute(t, d, dev(d), s, `{"MinROCAUC":0.9}`, 0)
			m, err := FromHistory(d, dev(d), x, events)
			if err != nil {
				t.Fatal(err)
			}
			return x, events, m
		},
		func() (Description, []asl.HistoryEvent, *manifest.Manifest) {
			d := inferenceDefinition()
			x, events := execute(t, d, dev(d), s, `{}`, 0)
			m, err := FromHistory(d, dev(d), x, events)
			if err != nil {
				t.Fatal(err)
			}
			return x, events, m
		},
	} {
		x, _, got := d()
		if x.Status != asl.Succeeded {
			t.Fatalf("the machine ended %s: %s %s", x.Status, x.Error, x.Cause)
		}
		want, err := manifest.Decode(s.manifest)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, only, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: the machine's manifest, and that of its history:\n%s", want.Pipeline, diff)
		}
		if got.Run != RunID(x.ARN, x.Started) {
			t.Errorf("run is %s, and computed %s", got.Run, RunID(x.ARN, x.Started))
		}
		valid(t, got)
	}
}

func TestAFailedExecutionIsDescribedAsFarAsItCame(t *testing.T) {
	t.Parallel()
	d := trainingDefinition()
	whole := &service{}
	execute(t, d, dev(d), whole, `{}`, 0)
	full, err := manifest.Decode(whole.manifest)
	if err != nil {
		t.Fatal(err)
	}
	steps := []string{"Preprocess", "Train", "Evaluate"}
	for i, failing := range steps {
		for name, definition := range map[string]bool{"with the deployed machine": true, "with the committed one": false} {
			s := &service{fails: map[string]*asl.Error{failing: failedJob("ClientError: no such column")}, times: map[string]int{failing: -1}}
			x, events := execute(t, d, dev(d), s, `{}`, 0)
			if definition {
				x.Definition = deployed(t, d, dev(d))
			}
			m, err := FromHistory(d, dev(d), x, events)
			if err != nil {
				t.Fatalf("%s failed, %s: %v", failing, name, err)
			}
			valid(t, m)
			if m.Status != asl.Failed || m.Error != asl.ErrorTaskFailed || m.Cause != "ClientError: no such column" || m.FailedStep != failing || m.EndTime == nil {
				t.Errorf("%s failed, %s: it says %s, %s, %q in %s at %v", failing, name, m.Status, m.Error, m.Cause, m.FailedStep, m.EndTime)
			}
			want := *full
			want.Steps = map[string]map[string]string{"Preprocess": nil, "Train": nil, "Evaluate": nil}
			want.Artifacts, want.Inputs, want.Metrics, want.Models = map[string]string{}, map[string]string{}, nil, map[string]*manifest.Registered{"Register": nil}
			for _, done := range steps[:i] {
				want.Steps[done] = full.Steps[done]
			}
			for name, uri := range full.Artifacts {
				if step, _, _ := strings.Cut(name, "."); slices.Contains(steps[:i], step) {
					want.Artifacts[name] = uri
				}
			}
			for name, uri := range full.Inputs {
				if step, _, _ := strings.Cut(name, "."); slices.Contains(steps[:i+1], step) {
					want.Inputs[name] = uri
				}
			}
			if !definition { // of steps that did not begin only the environment's instance is known, if at all
				want.Code, want.Images, want.Instances = map[string]string{}, map[string]string{}, map[string]string{}
				for _, begun := range steps[:i+1] {
					want.Code[begun], want.Images[begun], want.Instances[begun] = full.Code[begun], full.Images[begun], full.Instances[begun]
				}
			}
			if diff := cmp.Diff(&want, m, only, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s failed, %s:\n%s", failing, name, diff)
			}
			if len(m.Times) != i+1 {
				t.Errorf("%s failed: times are of %v", failing, m.Times)
			}
		}
	}
}

func TestAnExecutionThatDidNotBeginAStep(t *testing.T) {
	t.Parallel()
	d := trainingDefinition()
	for input, problem := range map[string]string{
		`{"MinROCAUC":7}`: "MinROCAUC must be a number from 0 to 1, got 7",
		`[1]`:             "the input must be an object of parameters",
	} {
		x, events := execute(t, d, dev(d), &service{}, input, 0)
		m, err := FromHistory(d, dev(d), x, events)
		if err != nil {
			t.Fatal(err)
		}
		valid(t, m)
		if m.Error != "BadParameters" || !strings.Contains(m.Cause, problem) || m.FailedStep != "Bad parameters" || len(m.Inputs) > 0 {
			t.Errorf("input %s: %s %q in %s, inputs %v", input, m.Error, m.Cause, m.FailedStep, m.Inputs)
		}
	}
}

func TestTriesCountAndTheLastOneIsDescribed(t *testing.T) {
	t.Parallel()
	d := trainingDefinition()
	s := &service{
		fails: map[string]*asl.Error{"Train": asl.Fail("SageMaker.AmazonSageMakerException", "Rate exceeded"), "Evaluate": failedJob("x")},
		times: map[string]int{"Train": 2, "Evaluate": -1},
	}
	x, events := execute(t, d, dev(d), s, `{}`, 0)
	m, err := FromHistory(d, dev(d), x, events)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(m.Steps["Train"]["Job"], "-2-0") || !strings.Contains(m.Artifacts["Train.Model"], "/Train/0-2/") {
		t.Errorf("Train is %v", m.Steps["Train"])
	}
	tries, err := Tries(events)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range tries {
		got = append(got, one.Step+" "+string(one.Status)+" "+one.Error)
	}
	want := []string{
		"Preprocess SUCCEEDED ", "Train FAILED SageMaker.AmazonSageMakerException", "Train FAILED SageMaker.AmazonSageMakerException", "Train SUCCEEDED ",
		"Evaluate FAILED States.TaskFailed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("tries are %q", got)
	}
	if !strings.HasPrefix(tries[4].Job, "dev-census-training-evaluate-"+m.Run) || tries[4].Kind != "processing" {
		t.Errorf("the last try is job %q, %s", tries[4].Job, tries[4].Kind)
	}
}

// redriven joins the history of an execution that failed with that of its redrive, as
// Step Functions does: the state is scheduled again and not entered.
func redriven(failed, whole []asl.HistoryEvent, state string) []asl.HistoryEvent {
	all := slices.Clone(failed)
	last := all[len(all)-1]
	all = append(all, asl.HistoryEvent{ID: last.ID + 1, PreviousID: last.ID, Type: "ExecutionRedriven", Timestamp: last.Timestamp})
	seen := false
	shift := int64(0)
	for _, e := range whole {
		if !seen && e.State == state && e.Type == "TaskScheduled" {
			seen, shift = true, last.ID+2-e.ID
		}
		if seen {
			e.ID += shift
			e.PreviousID += shift
			all = append(all, e)
		}
	}
	return all
}

func TestARedriveThatSucceedsIsDescribedAsSuch(t *testing.T) {
	t.Parallel()
	d := trainingDefinition()
	_, failed := execute(t, d, dev(d), &service{fails: map[string]*asl.Error{"Train": failedJob("x")}, times: map[string]int{"Train": -1}}, `{}`, 0)
	s := &service{}
	x, whole := execute(t, d, dev(d), s, `{}`, 1)
	m, err := FromHistory(d, dev(d), x, redriven(failed, whole, "Train"))
	if err != nil {
		t.Fatal(err)
	}
	valid(t, m)
	if m.Status != asl.Succeeded || m.FailedStep != "" || m.Error != "" || !strings.HasSuffix(m.Steps["Train"]["Job"], "-0-1") {
		t.Errorf("it says %s in %q, Train %v", m.Status, m.FailedStep, m.Steps["Train"])
	}
	if !strings.HasSuffix(m.Steps["Preprocess"]["Job"], "-0-0") {
		t.Errorf("Preprocess is %v: it ran before the redrive", m.Steps["Preprocess"])
	}
}
