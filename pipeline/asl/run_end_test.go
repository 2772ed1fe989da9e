package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRunAborts stops executions from outside, on the system's clock: they end
// at once, whatever they do, and leave no goroutine (synctest would wait for it).
func TestRunAborts(t *testing.T) {
	t.Parallel()
	wait := `{"Type": "Wait", "Seconds": 1000, "End": true}`
	job := `{"Type": "Task", "Resource": "arn:aws:states:::s3:x", "TimeoutSeconds": 5000, "Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 1000}], "End": true}`
	for name, states := range map[string]string{
		"wait":     `{"A": ` + wait + `}`,
		"task":     `{"A": ` + job + `}`,
		"parallel": `{"A": {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": ` + wait + `}}, {"StartAt": "C", "States": {"C": ` + job + `}}], "End": true}}`,
		"map":      `{"A": {"Type": "Map", "Items": [1, 2, 3], "MaxConcurrency": 2, "ItemProcessor": {"StartAt": "B", "States": {"B": ` + wait + `}}, "End": true}}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				start := time.Now()
				var last string
				r, err := Run(ctx, machine(t, states), nil, Options{
					Handler: handlerFunc(func(ctx context.Context, task Task) (json.RawMessage, error) {
						if task.Attempt == 0 {
							return nil, Fail("X", "")
						}
						<-ctx.Done()
						return nil, ctx.Err()
					}),
					Observe: func(e HistoryEvent) { last = e.Type },
				})
				if err != nil || r.Status != Aborted || last != "ExecutionAborted" {
					t.Errorf("result %+v, error %v, last event %s", r, err, last)
				}
				if took := time.Since(start); took != 10*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// TestRunTrouble passes trouble of the world on as it is: no Retry or Catch sees it.
func TestRunTrouble(t *testing.T) {
	t.Parallel()
	trouble := errors.New("the disk is full")
	m := machine(t, task(`"Retry": [{"ErrorEquals": ["States.ALL"]}], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}], "Next": "End"`))
	r, err := Run(t.Context(), m, nil, Options{Handler: handlerFunc(func(context.Context, Task) (json.RawMessage, error) {
		return nil, fmt.Errorf("write: %w", trouble)
	})})
	if !errors.Is(err, trouble) || r == nil || r.State != "A" {
		t.Errorf("result %+v, error %v", r, err)
	}
	_, err = Run(t.Context(), m, nil, Options{Handler: handlerFunc(func(context.Context, Task) (json.RawMessage, error) {
		return json.RawMessage("{"), nil
	})})
	if err == nil || !strings.Contains(err.Error(), "is not JSON") {
		t.Errorf("error %v for a result that is not JSON", err)
	}
	for _, input := range []string{"{", `"` + strings.Repeat("x", maxPayload) + `"`} {
		if _, err := Run(t.Context(), m, json.RawMessage(input), Options{}); err == nil {
			t.Errorf("no error for an input of %d bytes", len(input))
		}
	}
	if _, err := Run(t.Context(), &Machine{}, nil, Options{}); err == nil {
		t.Error("no error for an invalid machine")
	}
}

// TestRunLimits exceeds the sizes of results, outputs and variables.
func TestRunLimits(t *testing.T) {
	t.Parallel()
	const tooLarge = "FAILED States.DataLimitExceeded: The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit."
	big := `"` + strings.Repeat("x", maxPayload) + `"`
	tests := []struct{ name, states, want string }{
		{"pass", `{"A": {"Type": "Pass", "Output": ` + big + `, "End": true}}`, fmt.Sprintf(tooLarge, "A")},
		{"variable", `{"A": {"Type": "Pass", "Assign": {"v": ` + big + `}, "End": true}}`, fmt.Sprintf(tooLarge, "A")},
		{"task", reachable(task(`"Next": "End"`)), fmt.Sprintf(tooLarge, "sagemaker")},
		{"task caught", task(`"Catch": [{"ErrorEquals": ["States.ALL"], "Output": 1, "Next": "Caught"}], "Next": "End"`), "1"},
		{"all variables", `{"A": {"Type": "Pass", "Output": 1, "Next": "B"}, "B": {"Type": "Pass", "Assign": {"v": "{% $join($map([1..25], function() { $pad('', 10000, 'x') })) %}"},` +
			`"Output": "{% $states.input + 1 %}", "Next": "C"}, "C": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input > 3 %}", "Next": "D"}], "Default": "B"}, "D": {"Type": "Succeed"}}`, "4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := execute(t, machine(t, tt.states), "", handlerFunc(func(context.Context, Task) (json.RawMessage, error) {
				return json.RawMessage(big), nil
			}))
			if o.says() != tt.want {
				t.Errorf("%.300s, want %s", o.says(), tt.want)
			}
		})
	}
}

// TestRunVariablesLimit assigns many variables that are small enough each.
func TestRunVariablesLimit(t *testing.T) {
	t.Parallel()
	m := &Machine{QueryLanguage: "JSONata", StartAt: "S0"}
	for i := range 60 {
		s := &State{Name: fmt.Sprint("S", i), Type: PassState, Assign: Object{{fmt.Sprint("v", i), "{% $join($map([1..20], function() { $pad('', 10000, 'x') })) %}"}}}
		if i < 59 {
			s.Next = fmt.Sprint("S", i+1)
		} else {
			s.End = true
		}
		m.States = append(m.States, s)
	}
	o := execute(t, m, "", nil)
	if o.Status != Failed || o.Err.Name != ErrorDataLimitExceeded || o.State != "S52" { // 53 x 200,002 > 10 MiB
		t.Errorf("%s in %s", o.says(), o.State)
	}
}
