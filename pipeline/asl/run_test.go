package asl

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// task is the JSON of a Task state "A" with more fields.
func task(fields string) string {
	return `{"A": {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync", ` + fields + `},
		"Caught": {"Type": "Succeed"}, "End": {"Type": "Succeed"}}`
}

// TestRun executes small machines: what they say in the end, in how much
// virtual time, and their history.
func TestRun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, states, input string
		answers             map[string][]string
		want                string
		took                time.Duration
		types               string // not compared if empty
	}{
		{
			name: "pass", input: `{"a": 12345678901234567890, "b": 1.0, "c": null, "<": "&"}`,
			states: `{"A": {"Type": "Pass", "Output": "{% $states.input %}", "End": true}}`,
			want:   `{"a":12345678901234567890,"b":1,"c":null,"<":"&"}`,
			types:  "PassStateEntered PassStateExited",
		},
		{
			name: "literals", states: `{"A": {"Type": "Pass", "Output": {"b": " {% 1 %}", "a.$": [null, {"x": "{% 1 + 1 %}"}, 1e400, -0]}, "End": true}}`,
			want: `{"b":" {% 1 %}","a.$":[null,{"x":2},1e400,-0]}`,
		},
		{
			name: "computed numbers", states: `{"A": {"Type": "Pass", "Output": "{% [4 / 2, 1 / 3, 1e21, 0.1 + 0.2, -0 * 1, 1e20 * 10] %}", "End": true}}`,
			want: `[2,0.3333333333333333,1e+21,0.30000000000000004,0,1e+21]`,
		},
		{
			name: "absent members drop", states: `{"A": {"Type": "Pass", "Output": "{% {'a': '' != '' ? '', 'b': $states.input.none, 'c': null} %}", "End": true}}`,
			want: `{"c":null}`,
		},
		{
			name:   "assign and output see the entry",
			states: `{"A": {"Type": "Pass", "Assign": {"v": 1}, "Next": "B"}, "B": {"Type": "Pass", "Assign": {"v": 2, "w": "{% $v %}"}, "Output": "{% $v %}", "Next": "C"}, "C": {"Type": "Succeed", "Output": ["{% $v %}", "{% $w %}", "{% $states.input %}"]}}`,
			want:   `[2,1,1]`,
		},
		{
			name:   "undefined variable",
			states: `{"A": {"Type": "Pass", "Output": {"x": ["{% $none %}"]}, "End": true}}`,
			want:   `FAILED States.QueryEvaluationError: An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression '$none' specified for the field 'Output/x[0]' returned nothing (undefined).`,
			types:  "PassStateEntered EvaluationFailed",
		},
		{
			name:   "a function is no result",
			states: `{"A": {"Type": "Pass", "Output": "{% function($x) { $x } %}", "End": true}}`,
			want:   `FAILED States.QueryEvaluationError: An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression 'function($x) { $x }' specified for the field 'Output' returned an unsupported result type.`,
		},
		{
			name:   "no eval",
			states: `{"A": {"Type": "Pass", "Output": "{% $eval('1') %}", "End": true}}`,
			want:   `FAILED States.QueryEvaluationError: An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression '$eval('1')' specified for the field 'Output' threw an error during evaluation. T1006: Attempted to invoke a non-function`,
		},
		{
			name:   "runaway recursion",
			states: `{"A": {"Type": "Pass", "Output": "{% ($f := function($n) { 1 + $f($n) }; $f(1)) %}", "End": true}}`,
			want:   `FAILED States.QueryEvaluationError: An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression '($f := function($n) { 1 + $f($n) }; $f(1))' specified for the field 'Output' threw an error during evaluation. U1001: stack overflow error: evaluation exceeded stack depth 100`,
		},
		{
			name: "choice", input: `{"n": 5}`,
			states: `{"A": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n < 3 %}", "Next": "B"}, {"Condition": "{% $states.input.n < 9 %}", "Output": "rule", "Assign": {"v": "{% $states.input.n %}"}, "Next": "B"}], "Default": "B"}, "B": {"Type": "Succeed", "Output": ["{% $states.input %}", "{% $v %}"]}}`,
			want:   `["rule",5]`,
			types:  "ChoiceStateEntered ChoiceStateExited SucceedStateEntered SucceedStateExited",
		},
		{
			name:   "choice by default",
			states: `{"A": {"Type": "Choice", "Choices": [{"Condition": false, "Next": "B"}], "Output": "default", "Default": "B"}, "B": {"Type": "Succeed"}}`,
			want:   `"default"`,
		},
		{
			name:   "no choice",
			states: `{"A": {"Type": "Choice", "Choices": [{"Condition": false, "Next": "B"}]}, "B": {"Type": "Succeed"}}`,
			want:   `FAILED States.NoChoiceMatched: no rule of the Choice state 'A' matched, and it has no Default`,
		},
		{
			name:   "condition of the wrong type",
			states: `{"A": {"Type": "Choice", "Choices": [{"Condition": "{% 1 %}", "Next": "B"}]}, "B": {"Type": "Succeed"}}`,
			want:   `FAILED States.QueryEvaluationError: An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression '1' specified for the field 'Choices[0]/Condition' returned an unexpected result type. Expected 'boolean', but was 'number' for value: 1`,
		},
		{
			name: "wait", input: `{"s": 90}`,
			states: `{"A": {"Type": "Wait", "Seconds": "{% $states.input.s %}", "Next": "B"}, "B": {"Type": "Wait", "Timestamp": "2026-01-31T13:02:00.5+01:00", "Next": "C"}, "C": {"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", "Output": 1, "End": true}}`,
			want:   `1`, took: 120*time.Second + 500*time.Millisecond,
		},
		{
			name: "fail", input: `{"x": 1}`,
			states: `{"A": {"Type": "Fail", "Error": "E", "Cause": "{% 'x is ' & $states.input.x %}"}}`,
			want:   `FAILED E: x is 1`, types: "FailStateEntered",
		},
		{name: "bare fail", states: `{"A": {"Type": "Fail"}}`, want: `FAILED`},
		{
			name:    "task",
			states:  task(`"Arguments": {"n": "{% $states.context.State.Name & $states.context.State.RetryCount %}"}, "Assign": {"v": "{% $states.result.a %}"}, "Output": {"r": "{% $states.result %}"}, "Next": "End"`),
			answers: map[string][]string{"A": {"{\n \"a\": 1}"}},
			want:    `{"r":{"a":1}}`,
			types:   "TaskStateEntered TaskScheduled TaskStarted TaskSucceeded TaskStateExited SucceedStateEntered SucceedStateExited",
		},
		{
			name:    "lambda function",
			states:  `{"A": {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:111111111111:function:f", "End": true}}`,
			answers: map[string][]string{"A": {`"x"`}}, want: `"x"`,
			types: "TaskStateEntered LambdaFunctionScheduled LambdaFunctionStarted LambdaFunctionSucceeded TaskStateExited",
		},
		{
			name:    "retry with back-off",
			states:  task(`"Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxDelaySeconds": 10, "MaxAttempts": 4}], "Next": "End"`),
			answers: map[string][]string{"A": {"!X", "!X", "!X", "1"}},
			want:    `1`, took: 19 * time.Second, // 3 + 6 + 10
			types: "TaskStateEntered" + strings.Repeat(" TaskScheduled TaskStarted TaskFailed", 3) + " TaskScheduled TaskStarted TaskSucceeded TaskStateExited SucceedStateEntered SucceedStateExited",
		},
		{
			name:    "retry with jitter and defaults",
			states:  task(`"Retry": [{"ErrorEquals": ["States.TaskFailed"], "JitterStrategy": "FULL"}], "Next": "End"`),
			answers: map[string][]string{"A": {"!X"}},
			want:    `FAILED X: cause of X`, took: 3500 * time.Millisecond, // half of 1 + 2 + 4
		},
		{
			name:    "retriers count for themselves",
			states:  task(`"Retry": [{"ErrorEquals": ["X"], "MaxAttempts": 1}, {"ErrorEquals": ["Y"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "IntervalSeconds": 7}], "Catch": [{"ErrorEquals": ["Z", "Y"], "Next": "Caught"}], "Next": "End"`),
			answers: map[string][]string{"A": {"!X", "!W", "!Y"}},
			want:    `{"Error":"Y","Cause":"cause of Y"}`, took: 8 * time.Second,
		},
		{
			name:    "catch with assign and output",
			states:  task(`"Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"e": "{% $states.errorOutput.Error %}"}, "Output": {"in": "{% $states.input %}"}, "Next": "Caught"}], "Next": "End"`),
			answers: map[string][]string{"A": {"!X"}}, input: `[1]`,
			want:  `{"in":[1]}`,
			types: "TaskStateEntered TaskScheduled TaskStarted TaskFailed TaskStateExited SucceedStateEntered SucceedStateExited",
		},
		{
			name:    "a failed evaluation is retried and caught",
			states:  task(`"Output": "{% $states.result.none %}", "Retry": [{"ErrorEquals": ["States.QueryEvaluationError"], "MaxAttempts": 1}], "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "Caught"}], "Next": "End"`),
			answers: map[string][]string{"A": {"{}"}},
			want:    `"States.QueryEvaluationError"`, took: time.Second,
		},
		{
			name:    "runtime errors are not caught",
			states:  task(`"Catch": [{"ErrorEquals": ["States.Runtime"], "Next": "Caught"}, {"ErrorEquals": ["States.ALL"], "Next": "Caught"}], "Next": "End"`),
			answers: map[string][]string{"A": {"!States.Runtime"}},
			want:    `FAILED States.Runtime: cause of States.Runtime`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := execute(t, machine(t, reachable(tt.states)), tt.input, answers(tt.answers))
			if diff := cmp.Diff(tt.want, o.says()); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if o.took != tt.took {
				t.Errorf("took %v, want %v", o.took, tt.took)
			}
			if diff := cmp.Diff(tt.types, o.types()); tt.types != "" && diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// reachable leaves out the states of task that nothing leads to.
func reachable(states string) string {
	for _, name := range []string{"Caught", "End"} {
		if !strings.Contains(states, `"Next": "`+name+`"`) {
			states = strings.Replace(states, `, "`+name+`": {"Type": "Succeed"}`, "", 1)
			states = strings.Replace(states, "\n\t\t\""+name+`": {"Type": "Succeed"},`, "", 1)
		}
	}
	return states
}

// TestRunTimeouts checks all four time-outs, with a handler that works longer
// than it may.
func TestRunTimeouts(t *testing.T) {
	t.Parallel()
	const timedOut = "TaskStateEntered TaskScheduled TaskStarted TaskTimedOut"
	tests := []struct {
		name, states, machine string
		want                  string
		took                  time.Duration
		cause                 error
		types                 string
	}{
		{
			name: "of the state", states: task(`"TimeoutSeconds": 7, "Next": "End"`),
			want: "FAILED States.Timeout", took: 7 * time.Second, cause: ErrTimeout, types: timedOut,
		},
		{
			name: "of the state by expression", states: task(`"TimeoutSeconds": "{% 3 + 4 %}", "Next": "End"`),
			want: "FAILED States.Timeout", took: 7 * time.Second, cause: ErrTimeout,
		},
		{
			name: "caught", states: task(`"TimeoutSeconds": 7, "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}, {"ErrorEquals": ["States.Timeout"], "Next": "Caught"}], "Next": "End"`),
			want: `{"Error":"States.Timeout","Cause":""}`, took: 7 * time.Second, cause: ErrTimeout,
		},
		{
			name: "no heartbeat", states: `{"A": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "TimeoutSeconds": 60, "HeartbeatSeconds": 20, "End": true}}`,
			want: "FAILED States.HeartbeatTimeout", took: 30 * time.Second, cause: ErrHeartbeat, types: timedOut,
		},
		{
			name: "of the machine", states: task(`"TimeoutSeconds": 60, "Next": "End"`), machine: `"TimeoutSeconds": 9, `,
			want: "TIMED_OUT", took: 9 * time.Second, cause: ErrExecutionTimeout, types: "TaskStateEntered TaskScheduled TaskStarted",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Decode("m.json", []byte(`{"QueryLanguage": "JSONata", `+tt.machine+`"StartAt": "A", "States": `+reachable(tt.states)+`}`))
			if err != nil {
				t.Fatal(err)
			}
			clock := NewVirtualClock(testStart)
			var cause error
			slow := handlerFunc(func(ctx context.Context, task Task) (json.RawMessage, error) {
				if err := clock.Wait(ctx, 10*time.Second); err == nil {
					task.Heartbeat()
				}
				err := clock.Wait(ctx, time.Hour)
				cause = context.Cause(ctx)
				return nil, err
			})
			o := observed{}
			o.Result, err = Run(t.Context(), m, nil, Options{Handler: slow, Clock: clock, Observe: func(e HistoryEvent) { o.events = append(o.events, e) }})
			if err != nil {
				t.Fatal(err)
			}
			if o.says() != tt.want || clock.Now().Sub(testStart) != tt.took || !errors.Is(cause, tt.cause) {
				t.Errorf("%s after %v by %v, want %s after %v by %v", o.says(), clock.Now().Sub(testStart), cause, tt.want, tt.took, tt.cause)
			}
			if tt.types != "" && o.types() != tt.types {
				t.Errorf("events %s, want %s", o.types(), tt.types)
			}
		})
	}
}
