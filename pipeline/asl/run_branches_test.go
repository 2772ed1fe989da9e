package asl

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRunBranches executes Parallel and Map states.
func TestRunBranches(t *testing.T) {
	t.Parallel()
	const inner = `"ItemProcessor": {"StartAt": "B", "States": {"B": `
	tests := []struct {
		name, states, input string
		answers             map[string][]string
		want, types         string
		took                time.Duration
	}{
		{
			name: "parallel", input: `{"n": 1}`,
			states: `{"A": {"Type": "Parallel", "Assign": {"v": "{% $states.result[0] %}"}, "Output": {"all": "{% $states.result %}"}, "Next": "End", "Branches": [` +
				`{"StartAt": "B", "States": {"B": {"Type": "Pass", "Output": "{% $states.input.n %}", "End": true}}},` +
				`{"StartAt": "C", "States": {"C": {"Type": "Succeed", "Output": 2}}}]}, "End": {"Type": "Succeed", "Output": ["{% $v %}", "{% $states.input.all %}"]}}`,
			want: `[1,[1,2]]`,
		},
		{
			name: "branches read outer variables and lose their own",
			states: `{"A": {"Type": "Pass", "Assign": {"outer": "o"}, "Next": "P"}, "P": {"Type": "Parallel", "Arguments": "{% $outer %}", "Next": "End", "Branches": [` +
				`{"StartAt": "B", "States": {"B": {"Type": "Pass", "Assign": {"own": 1}, "Next": "C"}, "C": {"Type": "Pass", "Output": "{% $states.input & $outer & $own %}", "End": true}}}]},` +
				`"End": {"Type": "Succeed", "Output": ["{% $states.input[0] %}", "{% $exists($own) %}"]}}`,
			want: `["oo1",false]`,
		},
		{
			name: "a branch fails and is caught",
			states: `{"A": {"Type": "Parallel", "Catch": [{"ErrorEquals": ["X"], "Assign": {"e": "{% $states.errorOutput.Cause %}"}, "Next": "End"}], "End": true, "Branches": [` +
				`{"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "arn:aws:states:::s3:x", "End": true}}}]}, "End": {"Type": "Succeed", "Output": "{% $e %}"}}`,
			answers: map[string][]string{"B": {"!X"}}, want: `"cause of X"`,
			types: "ParallelStateEntered ParallelStateStarted TaskStateEntered TaskScheduled TaskStarted TaskFailed TaskStateAborted ParallelStateFailed ParallelStateExited SucceedStateEntered SucceedStateExited",
		},
		{
			name:    "a parallel is tried again",
			states:  `{"A": {"Type": "Parallel", "Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 5}], "End": true, "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "arn:aws:states:::s3:x", "End": true}}}]}}`,
			answers: map[string][]string{"B": {"!X", "1"}}, want: `[1]`, took: 5 * time.Second,
		},
		{
			name: "map", input: `[1, 2]`,
			states: `{"A": {"Type": "Map", "MaxConcurrency": 1, "End": true, ` + inner + `{"Type": "Succeed", "Output": "{% $states.input * 10 + $states.context.Map.Item.Index %}"}}}}}`,
			want:   `[10,21]`,
			types: "MapStateEntered MapStateStarted MapIterationStarted SucceedStateEntered SucceedStateExited MapIterationSucceeded " +
				"MapIterationStarted SucceedStateEntered SucceedStateExited MapIterationSucceeded MapStateSucceeded MapStateExited",
		},
		{
			name: "empty map", input: `[]`, want: `[]`,
			states: `{"A": {"Type": "Map", "End": true, ` + inner + `{"Type": "Succeed"}}}}}`,
			types:  "MapStateEntered MapStateStarted MapStateSucceeded MapStateExited",
		},
		{
			name:   "map over an object with a selector",
			states: `{"A": {"Type": "Map", "Items": {"x": "{% 1 + 1 %}", "y": 3}, "ItemSelector": {"k": "{% $states.context.Map.Item.Key %}", "v": "{% $states.context.Map.Item.Value %}"}, "End": true, ` + inner + `{"Type": "Succeed"}}}}}`,
			want:   `[{"k":"x","v":2},{"k":"y","v":3}]`,
		},
		{
			name:   "map over an object",
			states: `{"A": {"Type": "Map", "Items": {"x": 1}, "End": true, ` + inner + `{"Type": "Succeed"}}}}}`,
			want:   `[{"Key":"x","Value":1}]`,
		},
		{
			name:   "all iterations at once, in order",
			states: `{"A": {"Type": "Map", "Items": "{% [1..30] %}", "Output": "{% $sum($states.result) & ' ' & $states.result[29] %}", "End": true, ` + inner + `{"Type": "Succeed"}}}}}`,
			want:   `"465 30"`,
		},
		{
			name: "an iteration fails", input: `[1, 2]`,
			states: `{"A": {"Type": "Map", "MaxConcurrency": 1, "End": true, ` + inner + `{"Type": "Fail", "Error": "E"}}}}}`,
			want:   `FAILED E`,
			types:  "MapStateEntered MapStateStarted MapIterationStarted FailStateEntered MapIterationFailed MapStateFailed",
		},
		{
			name: "distributed", input: `[1, 2]`,
			states: `{"A": {"Type": "Pass", "Assign": {"outer": 1}, "Next": "M"}, "M": {"Type": "Map", "End": true, "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "B", "States": {"B": {"Type": "Succeed", "Output": "{% $exists($outer) %}"}}}}}`,
			want:   `[false,false]`,
			types:  "PassStateEntered PassStateExited MapStateEntered MapStateStarted MapRunStarted MapRunSucceeded MapStateSucceeded MapStateExited",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := execute(t, machine(t, tt.states), tt.input, answers(tt.answers))
			if diff := cmp.Diff(tt.want, o.says()); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.types, o.types()); tt.types != "" && diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if o.took != tt.took {
				t.Errorf("took %v, want %v", o.took, tt.took)
			}
		})
	}
}

// TestRunItemReader refuses what this interpreter does not do, by name.
func TestRunItemReader(t *testing.T) {
	t.Parallel()
	m := machine(t, `{"A": {"Type": "Map", "ItemReader": {"Resource": "arn:aws:states:::s3:getObject"}, "End": true,
		"ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "B", "States": {"B": {"Type": "Succeed"}}}}}`)
	_, err := Run(t.Context(), m, nil, Options{})
	const want = `run state "A": a distributed Map with ItemReader, ItemBatcher, ResultWriter or tolerated failures cannot be run here: run it on AWS`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
