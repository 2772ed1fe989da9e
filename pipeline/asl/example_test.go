package asl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// jobs answers each Task with its arguments.
type jobs struct{}

func (jobs) Do(_ context.Context, t asl.Task) (json.RawMessage, error) { return t.Arguments, nil }

func ExampleRun() {
	definition, err := asl.Substitute([]byte(`{
		"QueryLanguage": "JSONata",
		"StartAt": "Train",
		"States": {
			"Train": {
				"Type": "Task",
				"Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
				"Arguments": {"TrainingJobName": "{% '${Env}-train-' & $states.input.Run %}"},
				"Output": "{% $states.result.TrainingJobName %}",
				"Next": "Rest"
			},
			"Rest": {"Type": "Wait", "Seconds": 3600, "End": true}
		}
	}`), map[string]string{"Env": "dev"})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := asl.Decode("training.asl.json", definition)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := asl.Run(context.Background(), m, json.RawMessage(`{"Run": "7"}`), asl.Options{
		Handler: jobs{},
		Clock:   asl.NewVirtualClock(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)),
		Observe: func(e asl.HistoryEvent) { fmt.Println(e.Timestamp.Format(time.TimeOnly), e.ID, e.Type) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Status, string(r.Output))
	// Output:
	// 12:00:00 1 ExecutionStarted
	// 12:00:00 2 TaskStateEntered
	// 12:00:00 3 TaskScheduled
	// 12:00:00 4 TaskStarted
	// 12:00:00 5 TaskSucceeded
	// 12:00:00 6 TaskStateExited
	// 12:00:00 7 WaitStateEntered
	// 13:00:00 8 WaitStateExited
	// 13:00:00 9 ExecutionSucceeded
	// SUCCEEDED "dev-train-7"
}

func ExampleDecode() {
	_, err := asl.Decode("m.asl.json", []byte(`{
  "QueryLanguage": "JSONata",
  "StartAt": "Trian",
  "States": {
    "Train": {"Type": "Pass", "ResultPath": "$", "End": true}
  }
}`))
	fmt.Println(err)
	// Output:
	// m.asl.json:3:14: /StartAt: unknown state "Trian"
	// m.asl.json:5:31: /States/Train/ResultPath: QueryLanguage JSONPath is not supported: "ResultPath" is a field of JSONPath
}
