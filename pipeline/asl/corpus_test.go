package asl

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The corpus is a folder of executions recorded on AWS. It is no part of this
// repository: ASL_CORPUS names it.
func corpusDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("ASL_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "asl-corpus")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus of recorded executions: %v; ASL_CORPUS names its folder", err)
	}
	return dir
}

// A recorded case; its README describes the fields.
type recorded struct {
	ID          string          `json:"id"`
	API         string          `json:"api"`
	MachineType string          `json:"machine_type"`
	Definition  json.RawMessage `json:"definition"`
	Text        string          `json:"definition_text"`
	Input       json.RawMessage `json:"input"`
	Context     struct {
		MachineName  string `json:"machine_name"`
		ExecutionARN string `json:"execution_arn"`
	} `json:"context"`
	Expected json.RawMessage `json:"expected"`
	Events   []recordedEvent `json:"events"`
	Reliable *bool           `json:"history_reliable"`
	Tasks    struct {
		Functions map[string]behaviour `json:"functions"`
		Recorded  []struct {
			State    string         `json:"state"`
			Attempts []recordedTask `json:"attempts"`
		} `json:"recorded"`
	} `json:"tasks"`
}

// A recordedEvent is an event with its details under their own name.
type recordedEvent map[string]any

type recordedTask struct {
	Output json.RawMessage `json:"output"`
	Error  *string         `json:"error"`
	Cause  any             `json:"cause"`
}

type behaviour struct {
	Behaviour string          `json:"behaviour"`
	Output    json.RawMessage `json:"output"`
	Error     string          `json:"error"`
	Cause     any             `json:"cause"`
}

func readCorpus(t *testing.T, group string) []recorded {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpusDir(t), group, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Skipf("no %s cases in the corpus", group)
	}
	var cases []recorded
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var c recorded
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				t.Fatal(err)
			}
			cases = append(cases, c)
		}
	}
	return cases
}

// A score counts what came out as recorded: status and output or error name;
// the cause, too; and of the histories that can be compared, the types of all
// events in their order, and the whole events with their ids and details.
type score struct{ cases, passed, strict, histories, types, events int }

// TestCorpus fails if a group scores less than it did: the floors only rise.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for group, floor := range map[string]score{
		"pure": {102, 102, 102, 96, 96, 96},
		// One text is compared by a pattern that has keys in the order of the
		// definition as it was, which the corpus sorts.
		"task":        {16, 16, 16, 15, 15, 14},
		"distributed": {1, 1, 1, 1, 1, 1},
	} {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			var got score
			for _, c := range readCorpus(t, group) {
				got.cases++
				replay(t, c, &got)
			}
			t.Logf("%s: %d of %d cases passed, %d strictly; of %d histories %d have the recorded types, %d all details",
				group, got.passed, got.cases, got.strict, got.histories, got.types, got.events)
			if got.cases != floor.cases {
				return // another corpus
			}
			if got.passed < floor.passed || got.strict < floor.strict || got.types < floor.types || got.events < floor.events {
				t.Errorf("score %+v is below the floor %+v", got, floor)
			}
		})
	}
}

func replay(t *testing.T, c recorded, s *score) {
	t.Helper()
	name := c.ID[strings.LastIndex(c.ID, "::")+2:]
	m, err := Decode("definition.json", c.Definition)
	if err != nil {
		t.Logf("%s: %v", name, err)
		return
	}
	var events []HistoryEvent
	arn := c.Context.ExecutionARN
	r, err := Run(t.Context(), m, c.Input, Options{
		Handler: &lambdas{corpus: c, tries: map[string]int{}},
		Clock:   NewVirtualClock(time.Date(2024, 11, 1, 12, 0, 0, 0, time.UTC)),
		Observe: func(e HistoryEvent) { events = append(events, e) },
		Rand:    func() float64 { return 0.5 },
		Context: ExecutionContext{
			ExecutionID: arn, ExecutionName: arn[strings.LastIndex(arn, ":")+1:], RoleARN: "snf_role_arn",
			MachineID: "arn:aws:states:us-east-1:111111111111:stateMachine:" + c.Context.MachineName, MachineName: c.Context.MachineName,
		},
	})
	if err != nil {
		t.Logf("%s: run: %v", name, err)
		return
	}
	passed, strict := c.judge(t, name, r)
	if passed {
		s.passed++
	}
	if strict {
		s.strict++
	}
	c.compareHistory(t, name, events, s)
}

func (c recorded) judge(t *testing.T, name string, r *Result) (passed, strict bool) {
	t.Helper()
	var want struct {
		Status string  `json:"status"`
		Output any     `json:"output"`
		Error  *string `json:"error"`
		Cause  any     `json:"cause"`
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		t.Fatal(err)
	}
	if r.Status != want.Status {
		t.Logf("%s: status %s, recorded %s (%v)", name, r.Status, want.Status, r.Err)
		return false, false
	}
	if r.Status == Succeeded {
		var out any
		if err := json.Unmarshal(r.Output, &out); err != nil {
			t.Fatal(err)
		}
		passed = same(want.Output, out)
		if !passed {
			t.Logf("%s: output %s, recorded %v", name, r.Output, want.Output)
		}
		return passed, passed
	}
	var gotError *string
	var gotCause any
	if r.Err != nil {
		if r.Err.Name != "" {
			gotError = &r.Err.Name
		}
		if r.Err.HasCause {
			gotCause = r.Err.Cause
		}
	}
	passed = reflect.DeepEqual(gotError, want.Error)
	strict = passed && same(want.Cause, gotCause)
	if !strict {
		t.Logf("%s: error %v, recorded %v %v", name, r.Err, want.Error, want.Cause)
	}
	return passed, strict
}

func (c recorded) compareHistory(t *testing.T, name string, events []HistoryEvent, s *score) {
	t.Helper()
	if c.Reliable == nil || !*c.Reliable {
		return // nothing to compare with
	}
	s.histories++
	var got, want []string
	for _, e := range events {
		got = append(got, e.Type)
	}
	for _, e := range c.Events {
		want = append(want, e["type"].(string))
	}
	if !reflect.DeepEqual(got, want) {
		t.Logf("%s: history %v, recorded %v", name, got, want)
		return
	}
	s.types++
	for i, e := range events {
		if !sameEvent(t, c.Events[i], e) {
			b, err := json.Marshal(e)
			t.Logf("%s: event %s %v, recorded %v", name, b, err, c.Events[i])
			return
		}
	}
	s.events++
}

// sameEvent compares all of an event but its time.
func sameEvent(t *testing.T, want recordedEvent, got HistoryEvent) bool {
	t.Helper()
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var event map[string]any
	if err := json.Unmarshal(b, &event); err != nil {
		t.Fatal(err)
	}
	delete(event, "timestamp")
	return same(map[string]any(want), event)
}

// same compares by value; a recorded value may hold the corpus's wildcards. The
// recorder parsed some JSON texts, so texts are compared as JSON.
func same(want, got any) bool {
	if reflect.DeepEqual(want, got) {
		return true
	}
	switch w := want.(type) {
	case string:
		a, isJSON := jsonText(w)
		b, both := jsonText(got)
		return isJSON && both && same(a, b)
	case map[string]any:
		if w["$any"] == true {
			return true
		}
		if re, is := w["$match"].(string); is {
			s, isString := got.(string)
			return isString && regexp.MustCompile(re).MatchString(s)
		}
		if inner, is := w["$json"]; is {
			s, isString := got.(string)
			var v any
			return isString && json.Unmarshal([]byte(s), &v) == nil && same(inner, v)
		}
		if re, is := w["$jsontext"].(string); is {
			b, err := json.Marshal(got)
			return err == nil && regexp.MustCompile(re).Match(b)
		}
		g, is := got.(map[string]any)
		if !is {
			text, isText := jsonText(got)
			return isText && same(want, text)
		}
		if len(g) != len(w) {
			return false
		}
		for key, v := range w {
			if other, has := g[key]; !has || !same(v, other) {
				return false
			}
		}
		return true
	case []any:
		g, is := got.([]any)
		if !is || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !same(w[i], g[i]) {
				return false
			}
		}
		return true
	}
	return false
}

// jsonText is what a string that holds a JSON object or array says.
func jsonText(v any) (parsed any, is bool) {
	s, is := v.(string)
	if !is || strings.IndexAny(s, "[{") != 0 {
		return nil, false
	}
	return parsed, json.Unmarshal([]byte(s), &parsed) == nil
}

// lambdas answers as the recorded functions do. Where a try was recorded, its
// answer is taken; a function's behaviour otherwise.
type lambdas struct {
	corpus recorded
	tries  map[string]int
}

func (l *lambdas) Do(_ context.Context, task Task) (json.RawMessage, error) {
	function := task.Resource
	var request struct {
		FunctionName string
		Payload      json.RawMessage
	}
	payload := task.Arguments
	if strings.HasSuffix(function, "lambda:invoke") {
		if err := json.Unmarshal(task.Arguments, &request); err != nil {
			return nil, err
		}
		function, payload = request.FunctionName, request.Payload
	}
	function = function[strings.LastIndex(function, ":")+1:]
	b, known := l.corpus.Tasks.Functions[function]
	if !known {
		return nil, errors.New("unknown function " + function)
	}
	n := l.tries[task.State]
	l.tries[task.State]++
	for _, r := range l.corpus.Tasks.Recorded {
		if r.State == task.State && n < len(r.Attempts) && r.Attempts[n].Output != nil && b.Behaviour != "error" {
			return unmask(r.Attempts[n].Output)
		}
	}
	switch b.Behaviour {
	case "echo":
		return json.Marshal(map[string]any{"Payload": payload, "StatusCode": 200})
	case "fixed":
		return b.Output, nil
	case "error":
		return nil, Fail(b.Error, `{"errorMessage":"Some exception was raised.","errorType":"Exception","requestId":"1","stackTrace":["  File \"/var/task/handler.py\", line 2, in handler\n    raise Exception(\"Some exception was raised.\")\n"]}`)
	}
	return nil, errors.New("unknown behaviour " + b.Behaviour)
}

// unmask replaces wildcards by text that fits them.
func unmask(raw json.RawMessage) (json.RawMessage, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	return json.Marshal(unmasked(v))
}

func unmasked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v["$any"] == true {
			return "any"
		}
		if s, is := v["recorded"]; is && v["$match"] != nil {
			return s
		}
		for key, item := range v {
			v[key] = unmasked(item)
		}
	case []any:
		for i, item := range v {
			v[i] = unmasked(item)
		}
	}
	return v
}
