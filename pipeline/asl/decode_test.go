package asl

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDecodeErrors shows each mistake of a definition with its place.
func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	// A definition may name several states; the rest is around it.
	const head = `{"QueryLanguage": "JSONata", "StartAt": "A", "States": {` + "\n"
	tests := []struct {
		name, states string
		want         []string
	}{
		{"unknown field", `"A": {"Type": "Pass", "End": true, "Nxt": "B"}`,
			[]string{`2:36: /States/A/Nxt: unknown field "Nxt" in a Pass state`}},
		{"unknown type", `"A": {"Type": "Job", "End": true}`,
			[]string{`2:15: /States/A/Type: unknown state type "Job"`}},
		{"no type", `"A": {"End": true}`,
			[]string{`2:6: /States/A: "Type" is required`}},
		{"wrong type", `"A": {"Type": "Pass", "Next": 1}`,
			[]string{`2:31: /States/A/Next: "Next" must be a string, not a number`}},
		{"not an object", `"A": []`,
			[]string{`2:6: /States/A: state "A" must be an object, not an array`}},
		{"duplicate key", `"A": {"Type": "Pass", "End": true, "Output": {"a": 1, "a": 2}}`,
			[]string{`2:55: /States/A/Output/a: duplicate key "a"`}},
		{"duplicate field", `"A": {"Type": "Pass", "End": true, "End": true}`,
			[]string{`2:36: /States/A/End: duplicate key "End"`}},
		{"duplicate state", `"A": {"Type": "Succeed"}, "A": {"Type": "Succeed"}`,
			[]string{`2:27: /States/A: duplicate key "A"`}},
		{"field of another type", `"A": {"Type": "Pass", "End": true, "Seconds": 1}`,
			[]string{`2:36: /States/A/Seconds: field "Seconds" is not allowed in a Pass state`}},
		{"field of JSONPath", `"A": {"Type": "Pass", "End": true, "ResultPath": "$.a"}`,
			[]string{`2:36: /States/A/ResultPath: QueryLanguage JSONPath is not supported: "ResultPath" is a field of JSONPath`}},
		{"rule of JSONPath", `"A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 1, "Next": "B"}]}, "B": {"Type": "Succeed"}`,
			[]string{
				`2:38: /States/A/Choices/0/Variable: QueryLanguage JSONPath is not supported: "Variable" is a field of JSONPath`,
				`2:57: /States/A/Choices/0/NumericEquals: QueryLanguage JSONPath is not supported: "NumericEquals" is a field of JSONPath`,
			}},
		{"state of JSONPath", `"A": {"Type": "Succeed", "QueryLanguage": "JSONPath"}`,
			[]string{`2:43: /States/A/QueryLanguage: QueryLanguage JSONPath is not supported: write the state in JSONata`}},
		{"retrier", `"A": {"Type": "Task", "Resource": "arn:aws:states:::s3:x", "End": true, "Retry": [{"ErrorEquals": ["X", 1], "MaxAttempts": 1.5, "Backoff": 2}]}`,
			[]string{
				`2:105: /States/A/Retry/0/ErrorEquals/1: "ErrorEquals" holds strings, not a number`,
				`2:124: /States/A/Retry/0/MaxAttempts: "MaxAttempts" must be an integer, not 1.5`,
				`2:129: /States/A/Retry/0/Backoff: unknown field "Backoff" in a retrier`,
			}},
		{"no resource", `"A": {"Type": "Task", "End": true}`,
			[]string{`2:6: /States/A: "Resource" is required`}},
		{"expression", `"A": {"Type": "Pass", "End": true, "Output": {"x": "{% 1 + %}"}}`,
			[]string{`2:52: /States/A/Output/x: invalid JSONata: S0201 at token "EOF": unexpected end of expression`}},
		{"all at once", `"A": {"Type": "Pass", "Next": "C"}, "B": {"Type": "Wait", "End": true}`,
			[]string{
				`2:31: /States/A/Next: unknown state "C"`,
				`2:42: /States/B: one of "Seconds" and "Timestamp" is required`,
				`2:42: /States/B: state "B" is never reached`,
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkDecode(t, head+tt.states+"}}", tt.want)
		})
	}
}

// TestDecodeMachineErrors is for mistakes outside of states.
func TestDecodeMachineErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"nothing", ` `, []string{`1:2: /: the definition must be a JSON object: unexpected end of JSON input`}},
		{"not JSON", "{\n\"a\": nope}", []string{`2:7: /: the definition must be a JSON object: invalid character 'o' in literal null (expecting 'u')`}},
		{"cut off", `{"StartAt": "A"`, []string{`1:16: /: the definition must be a JSON object: unexpected end of JSON input`}},
		{"two values", `{} {}`, []string{`1:4: /: the definition must be a JSON object: invalid character '{' after top-level value`}},
		{"array", `[]`, []string{`1:1: /: the definition must be a JSON object, not an array`}},
		{"too deep", strings.Repeat("[", 600) + strings.Repeat("]", 600), []string{`1:502: /: the definition must be a JSON object: nested more than 500 levels deep`}},
		{"empty", `{}`, []string{
			`1:1: /: QueryLanguage JSONPath is not supported: the machine names no QueryLanguage, and JSONPath is the default; write "QueryLanguage": "JSONata"`,
			`1:1: /: "States" is required, with one state or more`,
			`1:1: /: "StartAt" is required`,
		}},
		{"JSONPath", `{"QueryLanguage": "JSONPath", "StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 1, "End": true}}}`,
			[]string{`1:19: /QueryLanguage: QueryLanguage JSONPath is not supported: write the machine in JSONata`}},
		{"unknown field", `{"QueryLanguage": "JSONata", "StartAt": "A", "Sates": {}, "States": {"A": {"Type": "Succeed"}}}`,
			[]string{`1:46: /Sates: unknown field "Sates" in a machine`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkDecode(t, tt.text, tt.want)
		})
	}
}

func checkDecode(t *testing.T, text string, want []string) {
	t.Helper()
	_, err := Decode("m.json", []byte(text))
	if err == nil {
		t.Fatal("no error")
	}
	var got []string
	for _, line := range strings.Split(err.Error(), "\n") {
		got = append(got, strings.TrimPrefix(line, "m.json:"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

// TestDecodeUnsubstituted accepts names that are filled later, also where a
// number belongs.
func TestDecodeUnsubstituted(t *testing.T) {
	t.Parallel()
	m := machine(t, `{"A": {"Type": "Wait", "Seconds": "{% ${Delay} %}", "Output": "{% '${Env}' & ${Delay} %}", "End": true}}`)
	if got := m.State("A").Seconds; got != "{% ${Delay} %}" {
		t.Errorf("seconds are %v", got)
	}
}
