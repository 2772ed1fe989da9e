package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
)

// chain is a machine of n Tasks, each with some ten expressions as a generated
// one has.
func chain(n int) *Machine {
	m := &Machine{QueryLanguage: "JSONata", StartAt: "S0"}
	for i := range n {
		name := fmt.Sprintf("S%d", i)
		s := &State{
			Name: name, Type: TaskState, Resource: "arn:aws:states:::sagemaker:createProcessingJob.sync", TimeoutSeconds: 60,
			Arguments: Object{
				{"ProcessingJobName", "{% 'dev-" + name + "-' & $substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 12) & '-' & $states.context.State.RetryCount %}"},
				{"RoleArn", "arn:aws:iam::111111111111:role/dev"},
				{"Outputs", "{% [{'OutputName': 'Report', 'S3Uri': 's3://bucket/" + name + "/', 'KmsKeyId': '' != '' ? ''}] %}"},
				{"Cluster", Object{{"InstanceCount", 1}, {"InstanceType", "{% 'ml.m5.xlarge' %}"}}},
				{"Args", []any{"--a", "{% $string(1 + 2) %}", "--b", "{% $exists($V) ? $V : 'none' %}"}},
			},
			Assign: Object{{"V", "{% $states.result.Uri & '" + name + "' %}"}},
			Retry:  []*Retrier{{ErrorEquals: []string{"SageMaker.AmazonSageMakerException"}}},
			Output: "{% {'Uri': $states.result.Uri} %}",
		}
		if i+1 < n {
			s.Next = fmt.Sprintf("S%d", i+1)
		} else {
			s.End = true
		}
		m.States = append(m.States, s)
	}
	return m
}

// BenchmarkRun measures what the engine adds to each state: at most 0.3 ms.
func BenchmarkRun(b *testing.B) {
	noop := handlerFunc(func(context.Context, Task) (json.RawMessage, error) {
		return json.RawMessage(`{"Uri":"s3://bucket/key"}`), nil
	})
	for _, n := range []int{3, 10, 50} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := chain(n)
			for b.Loop() {
				r, err := Run(b.Context(), m, nil, Options{Handler: noop, Observe: func(HistoryEvent) {}})
				if err != nil || r.Status != Succeeded {
					b.Fatal(r, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "us/state")
		})
	}
}

// BenchmarkDecode measures reading and validating a machine of 100 states.
func BenchmarkDecode(b *testing.B) {
	text, err := Encode(chain(100))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Decode("chain.asl.json", text); err != nil {
			b.Fatal(err)
		}
	}
}
