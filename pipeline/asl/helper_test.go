package asl

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var testStart = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// handlerFunc lets a function be a Handler.
type handlerFunc func(context.Context, Task) (json.RawMessage, error)

func (h handlerFunc) Do(ctx context.Context, t Task) (json.RawMessage, error) { return h(ctx, t) }

// answers is a handler that gives each state its answers in turn: JSON text, or
// "!Name" for an error; the last one again and again.
func answers(byState map[string][]string) Handler {
	tries := map[string]int{}
	return handlerFunc(func(_ context.Context, t Task) (json.RawMessage, error) {
		list := byState[t.State]
		answer := list[min(tries[t.State], len(list)-1)]
		tries[t.State]++
		if name, is := strings.CutPrefix(answer, "!"); is {
			return nil, Fail(name, "cause of "+name)
		}
		return json.RawMessage(answer), nil
	})
}

// machine decodes the states of a machine that begins with the state "A".
func machine(t testing.TB, states string) *Machine {
	t.Helper()
	m, err := Decode("test.asl.json", []byte(`{"QueryLanguage": "JSONata", "StartAt": "A", "States": `+states+`}`))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// An observed execution.
type observed struct {
	*Result
	events []HistoryEvent
	clock  *VirtualClock
	took   time.Duration
}

// execute runs a machine on a virtual clock.
func execute(t testing.TB, m *Machine, input string, h Handler) observed {
	t.Helper()
	o := observed{clock: NewVirtualClock(testStart)}
	r, err := Run(t.Context(), m, json.RawMessage(input), Options{
		Handler: h, Clock: o.clock, Rand: func() float64 { return 0.5 },
		Observe: func(e HistoryEvent) { o.events = append(o.events, e) },
		Context: ExecutionContext{
			ExecutionID:   "arn:aws:states:eu-west-1:111111111111:execution:m:e",
			ExecutionName: "e", RoleARN: "arn:aws:iam::111111111111:role/r",
			MachineID: "arn:aws:states:eu-west-1:111111111111:stateMachine:m", MachineName: "m",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Result, o.took = r, o.clock.Now().Sub(testStart)
	return o
}

// types are the types of the events between the first and the last.
func (o observed) types() string {
	var list []string
	for _, e := range o.events[1 : len(o.events)-1] {
		list = append(list, e.Type)
	}
	return strings.Join(list, " ")
}

// says is the whole result in one line.
func (o observed) says() string {
	if o.Status == Succeeded {
		return string(o.Output)
	}
	if o.Err == nil {
		return o.Status
	}
	return o.Status + " " + o.Err.Error()
}

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
