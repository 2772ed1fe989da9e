package cli

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// TestRow33DeniedNamesTheStatement takes one statement after the other out of the policies
// that are deployed, with the policies enforced. A run then fails, and says which action on
// what, and which generated statement would have allowed it.
func TestRow33DeniedNamesTheStatement(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, role, sid string
		said            string
	}{
		{"the machine makes a job", "MachineRole", "TrainingJobs",
			`^  in step Train: role MachineRole \(arn:aws:sts::123456789012:assumed-role/\S+\) may not sagemaker:CreateTrainingJob on arn:aws:sagemaker:eu-west-1:123456789012:training-job/dev-census-training-train-\S+ \(no identity-based policy allows it\): statement TrainingJobs should allow it, since the machine starts the training jobs of Train`},
		{"the machine passes a role", "MachineRole", "PassJobRoles",
			`^  in step Preprocess: role MachineRole \(\S+\) may not iam:PassRole on arn:aws:iam::123456789012:role/dev-census-training-PreprocessRole-\S+ \(.*\): statement PassJobRoles should allow it, since each job runs under its own role`},
		{"the machine reads a report", "MachineRole", "ReadReports",
			`^  in state Read Evaluate.Report: role MachineRole \(\S+\) may not s3:GetObject on arn:aws:s3:::acme-ml-dev/runs/census-training/\S+/report.json \(.*\): statement ReadReports should allow it`},
		{"the machine writes the manifest", "MachineRole", "WriteManifest",
			`^  in state Write manifest: role MachineRole \(\S+\) may not s3:PutObject on arn:aws:s3:::acme-ml-dev/runs/census-training/\S+/manifest.json \(.*\): statement WriteManifest should allow it`},
		{"a job reads its input", "TrainRole", "ReadInputs",
			`^  in step Train: ClientError: Data download failed: AccessDenied .*train.csv: role TrainRole may not s3:GetObject, and statement ReadInputs should allow it, since step Train reads its code and what it takes`},
		{"a job writes its output", "PreprocessRole", "WriteOutputs",
			`^  in step Preprocess: ClientError: Artifact upload failed: AccessDenied .*: role PreprocessRole may not s3:PutObject, and statement WriteOutputs should allow it`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newFaultAccount(t)
			a.Enforce = true
			whole := a.definition.Template
			a.without(c.role, c.sid)
			a.deployed()
			a.definition.Template = whole
			code, out, said := a.run("run --env dev --run r1")
			if code != exitFailed || !regexp.MustCompile("(?m)"+c.said).MatchString(out+said) {
				t.Errorf("exit code %d\n%s%s\nwant %s", code, out, said, c.said)
			}
			if next := "\n  the deployed role may be older than the template: PROG deploy --env dev; else "; !strings.Contains(out+said, next) {
				t.Errorf("no %q in\n%s%s", next, out, said)
			}
		})
	}
}

// without takes a statement out of a role of the template.
func (a *faultAccount) without(role, sid string) {
	a.t.Helper()
	var template map[string]any
	if err := json.Unmarshal(a.definition.Template, &template); err != nil {
		a.t.Fatal(err)
	}
	found := false
	for _, p := range template["Resources"].(map[string]any)[role].(map[string]any)["Properties"].(map[string]any)["Policies"].([]any) {
		document := p.(map[string]any)["PolicyDocument"].(map[string]any)
		var left []any
		for _, s := range document["Statement"].([]any) {
			text, _ := json.Marshal(s) // it was just read
			if bytes.Contains(text, []byte(`"Sid":"`+sid+`"`)) {
				found = true
				continue
			}
			left = append(left, s)
		}
		document["Statement"] = left
	}
	if !found {
		a.t.Fatalf("%s has no statement %s", role, sid)
	}
	var err error
	if a.definition.Template, err = json.Marshal(template); err != nil {
		a.t.Fatal(err)
	}
}
