package asl

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestValidate shows each rule by a machine that breaks it. The states "A" and
// "Z" (Succeed) are there; s is A's other fields.
func TestValidate(t *testing.T) {
	t.Parallel()
	const job = `"Type": "Task", "Resource": "arn:aws:states:::s3:x", "Next": "Z"`
	const nested = `{"StartAt": "B", "States": {"B": {"Type": "Pass", "Assign": {"v": 1}, "End": true}}}`
	tests := []struct {
		name, s string
		want    []string
	}{
		{"no transition", `"Type": "Pass"`, []string{`/States/A: "Next" or "End": true is required`, `/States/Z: state "Z" is never reached`}},
		{"two transitions", `"Type": "Pass", "Next": "Z", "End": true`, []string{`/States/A/End: "Next" and "End" exclude each other`}},
		{"loop", `"Type": "Pass", "Next": "A"`, []string{`/: no way leads to an end: a state needs "End": true, or the type Succeed or Fail`, `/States/Z: state "Z" is never reached`}},
		{"choice without rules", `"Type": "Choice", "Choices": [], "Default": "Z"`, []string{`/States/A: "Choices" is required, with one rule or more`}},
		{"choice rule", `"Type": "Choice", "Choices": [{"Next": "Y"}, {"Condition": "x"}, {"Condition": "{% $states.result %}", "Next": "Z"}]`, []string{
			`/States/A/Choices/0: "Condition" is required`, `/States/A/Choices/0/Next: unknown state "Y"`,
			`/States/A/Choices/1: "Next" is required`, `/States/A/Choices/1/Condition: "Condition" must be an expression "{% … %}" or a boolean`,
			`/States/A/Choices/2/Condition: $states.result is only there in Assign and Output of Task, Parallel and Map`,
		}},
		{"resource", `"Type": "Task", "Resource": "{% 'arn:x' %}", "Next": "Z"`, []string{`/States/A/Resource: "Resource" must be a constant ARN, not an expression`}},
		{"no ARN", `"Type": "Task", "Resource": "s3", "Next": "Z"`, []string{`/States/A/Resource: "s3" is not an ARN`}},
		{"time-outs", job + `, "TimeoutSeconds": 0, "HeartbeatSeconds": 100000000`, []string{
			`/States/A/HeartbeatSeconds: "HeartbeatSeconds" must be 1 to 99999999, not 100000000`, `/States/A/HeartbeatSeconds: "HeartbeatSeconds" must be less than "TimeoutSeconds"`,
			`/States/A/TimeoutSeconds: "TimeoutSeconds" must be 1 to 99999999, not 0`,
		}},
		{"a number in quotes", job + `, "TimeoutSeconds": "60"`, []string{`/States/A/TimeoutSeconds: "TimeoutSeconds" must be an integer or an expression`}},
		{"credentials", job + `, "Credentials": {}`, []string{`/States/A/Credentials: the field "RoleArn" is required`}},
		{"retry", job + `, "Retry": [{"ErrorEquals": ["States.ALL", "X"], "IntervalSeconds": 0, "BackoffRate": 0.5, "MaxDelaySeconds": 31622401, "JitterStrategy": "SOME"}, {"ErrorEquals": []}]`, []string{
			`/States/A/Retry/0/BackoffRate: "BackoffRate" must be 1 or more`,
			`/States/A/Retry/0/ErrorEquals: "States.ALL" must come last`, `/States/A/Retry/0/ErrorEquals: "States.ALL" must stand alone`,
			`/States/A/Retry/0/IntervalSeconds: "IntervalSeconds" must be 1 to 99999999, not 0`,
			`/States/A/Retry/0/JitterStrategy: "JitterStrategy" must be FULL or NONE`,
			`/States/A/Retry/0/MaxDelaySeconds: "MaxDelaySeconds" must be 1 to 31622400, not 31622401`,
			`/States/A/Retry/1: "ErrorEquals" is required, with one name or more`,
		}},
		{"delay below interval", job + `, "Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 9, "MaxDelaySeconds": 9}]`, []string{`/States/A/Retry/0/MaxDelaySeconds: "MaxDelaySeconds" must be more than "IntervalSeconds"`}},
		{"catch", job + `, "Catch": [{"ErrorEquals": ["X"], "Output": "{% $states.result %}"}]`, []string{
			`/States/A/Catch/0: "Next" is required`, `/States/A/Catch/0/Output: $states.result is only there in Assign and Output of Task, Parallel and Map`,
		}},
		{"error output", job + `, "Output": {"x": ["{% $states . errorOutput.Error %}"]}`, []string{`/States/A/Output/x/0: $states.errorOutput is only there in Assign and Output of a catcher`}},
		{"error output in a text", job + `, "Output": "{% '$states.errorOutput' & /$states.errorOutput/ & /* $states.errorOutput */ '' %}"`, nil},
		{"variables", `"Type": "Pass", "Assign": {"states": 1, "a.b": 2, "1x": 3, "größe_2": 4}, "Next": "Z"`, []string{
			`/States/A/Assign/1x: "1x" is not a variable name: a letter, then letters, digits and _, at most 80 characters`,
			`/States/A/Assign/a.b: "a.b" is not a variable name: a letter, then letters, digits and _, at most 80 characters`,
			`/States/A/Assign/states: the variable name "states" is reserved`,
		}},
		{"outer variable", `"Type": "Parallel", "Assign": {"v": 1}, "Branches": [` + nested + `], "Next": "Z"`, []string{
			`/States/A/Branches/0/States/B/Assign/v: variable "v" belongs to the states around this one, which may only be read here`,
		}},
		{"outer variable of a distributed map", `"Type": "Map", "Assign": {"v": 1}, "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, ` + nested[1:] + `, "Next": "Z"`, nil},
		{"state names", `"Type": "Parallel", "Branches": [{"StartAt": "Z", "States": {"Z": {"Type": "Succeed"}}}], "Next": "Z"`, []string{
			`/States/Z: state name "Z" is taken: /States/A/Branches/0/States/Z has it`,
		}},
		{"a transition out of a branch", `"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "Next": "Z"}}}], "Next": "Z"`, []string{
			`/States/A/Branches/0/States/B/Next: unknown state "Z"`,
		}},
		{"parallel", `"Type": "Parallel", "Next": "Z"`, []string{`/States/A: "Branches" is required, with one branch or more`}},
		{"map", `"Type": "Map", "Items": 1, "MaxConcurrency": -1, "ItemReader": {}, "Next": "Z"`, []string{
			`/States/A: "ItemProcessor" is required`, `/States/A/ItemReader: "ItemReader" needs "ProcessorConfig": {"Mode": "DISTRIBUTED"}`,
			`/States/A/Items: "Items" must be an array, an object or an expression`, `/States/A/MaxConcurrency: "MaxConcurrency" must be 0 to 99999999, not -1`,
		}},
		{"wait", `"Type": "Wait", "Seconds": 1, "Timestamp": "2026-01-31", "Next": "Z"`, []string{
			`/States/A: one of "Seconds" and "Timestamp" is required`,
			`/States/A/Timestamp: "2026-01-31" is not a timestamp of RFC 3339, such as 2026-01-31T12:00:00Z`,
		}},
		{"fail", `"Type": "Fail", "Error": 1, "Cause": {}`, []string{
			`/States/A/Cause: "Cause" must be a string`, `/States/A/Error: "Error" must be a string`, `/States/Z: state "Z" is never reached`,
		}},
		{"empty expression", `"Type": "Pass", "Output": "{%%}", "Next": "Z"`, []string{`/States/A/Output: invalid JSONata: the expression is empty`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Decode("m", []byte(`{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {`+tt.s+`}, "Z": {"Type": "Succeed"}}}`))
			var got []string
			if err != nil {
				got = messages(err)
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(tt.want)), got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// messages are the problems of a DecodeError without their positions, sorted.
func messages(err error) []string {
	var list []string
	for _, line := range strings.Split(err.Error(), "\n") {
		_, message, _ := strings.Cut(line, ": ")
		list = append(list, message)
	}
	slices.Sort(list)
	return list
}

// TestValidateGo is for what only a machine made in Go can have.
func TestValidateGo(t *testing.T) {
	t.Parallel()
	m := &Machine{
		QueryLanguage: "JSONata", Version: "2", TimeoutSeconds: -1, StartAt: "A",
		States: []*State{
			{Name: "A", Type: ParallelState, Branches: []*Machine{{StartAt: "B", TimeoutSeconds: 1, States: []*State{{Name: "B", Type: SucceedState}}}}, Seconds: 1, Next: "C"},
			{Name: "C", Type: PassState, Output: struct{}{}, Next: strings.Repeat("x", 81)},
			{Name: strings.Repeat("x", 81), Type: SucceedState},
		},
	}
	var got []string
	for _, p := range Validate(m) {
		got = append(got, p.String())
	}
	want := []string{
		`/Version: "Version" must be "1.0"`,
		`/TimeoutSeconds: "TimeoutSeconds" must be 1 to 99999999`,
		`/States/A/Seconds: field "Seconds" is not allowed in a Parallel state`,
		`/States/A/Branches/0: a nested machine has only Comment, StartAt and States`,
		`/States/` + strings.Repeat("x", 81) + `: a state's name has 1 to 80 characters, this one 81`,
		`/: encode the machine: write JSON: a struct {} is not a JSON value`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// TestValidateSize refuses a definition beyond the quota.
func TestValidateSize(t *testing.T) {
	t.Parallel()
	m := &Machine{QueryLanguage: "JSONata", StartAt: "A", States: []*State{{Name: "A", Type: SucceedState, Comment: strings.Repeat("ü", maxDefinition)}}}
	problems := Validate(m)
	if len(problems) != 1 || !strings.HasPrefix(problems[0].String(), "/: the definition has 1048") {
		t.Errorf("problems %v", problems)
	}
}
