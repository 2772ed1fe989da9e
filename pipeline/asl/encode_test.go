package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestEncodeDecode reads a whole machine and writes the same bytes.
func TestEncodeDecode(t *testing.T) {
	t.Parallel()
	want := readTestdata(t, "training.asl.json")
	m, err := Decode("training.asl.json", want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("bytes (-want +got):\n%s", diff)
	}
	compact, err := m.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := json.Compact(&buf, want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(buf.String(), string(compact)); diff != "" {
		t.Errorf("compact (-want +got):\n%s", diff)
	}
}

// TestRoundTrip holds for any valid machine: decoding what was encoded gives the
// machine, and encoding that the same bytes.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := anyMachine(t, "", 2)
		m.QueryLanguage = "JSONata"
		m.Version = rapid.SampledFrom([]string{"", "1.0"}).Draw(t, "version")
		m.TimeoutSeconds = rapid.IntRange(0, maxSeconds).Draw(t, "timeout")
		b, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode("m.json", b)
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if diff := cmp.Diff(m, got, cmpopts.IgnoreUnexported(Machine{})); diff != "" {
			t.Fatalf("machine (-want +got):\n%s", diff)
		}
		again, err := Encode(got)
		if err != nil || !bytes.Equal(b, again) {
			t.Fatalf("encoded anew: %v\n%s\n%s", err, b, again)
		}
	})
}

// anyMachine draws a chain of states of all types.
func anyMachine(t *rapid.T, prefix string, depth int) *Machine {
	n := rapid.IntRange(1, 4).Draw(t, "states")
	m := &Machine{Comment: rapid.String().Draw(t, "comment"), StartAt: prefix + "0"}
	for i := range n {
		s := &State{Name: fmt.Sprint(prefix, i), Comment: rapid.String().Draw(t, "comment")}
		last := i == n-1
		next := fmt.Sprint(prefix, i+1)
		s.Type = rapid.SampledFrom(stateTypes).Draw(t, "type")
		if !last && (s.Type == SucceedState || s.Type == FailState) || last && s.Type == ChoiceState ||
			depth == 0 && (s.Type == ParallelState || s.Type == MapState) {
			s.Type = PassState
		}
		if last && s.Type != SucceedState && s.Type != FailState {
			s.End = true
		} else if !last && s.Type != ChoiceState {
			s.Next = next
		}
		anyFields(t, s, next, depth)
		m.States = append(m.States, s)
	}
	return m
}

func anyFields(t *rapid.T, s *State, next string, depth int) {
	if s.Type != FailState && rapid.Bool().Draw(t, "output") {
		s.Output = anyValue(t, 2)
		if s.Output == nil {
			s.Output = Null
		}
	}
	switch s.Type {
	case TaskState:
		s.Resource = "arn:aws:states:::s3:getObject"
		s.Arguments = anyObject(t, 2)
		s.TimeoutSeconds = json.Number("60")
		attempts, rate := rapid.IntRange(0, 9).Draw(t, "attempts"), rapid.Float64Range(1, 9).Draw(t, "rate")
		s.Retry = []*Retrier{{ErrorEquals: []string{ErrorTimeout}, MaxAttempts: &attempts, BackoffRate: &rate, JitterStrategy: "FULL"}}
		if s.Next != "" {
			s.Catch = []*Catcher{{ErrorEquals: []string{ErrorAll}, Assign: Object{{"v" + s.Name, true}}, Output: anyObject(t, 1), Next: s.Next}}
		}
	case PassState:
		s.Assign = Object{{"v" + s.Name, anyValue(t, 2)}}
	case ChoiceState:
		s.Choices = []*Choice{{Condition: true, Next: next}, {Condition: "{% $states.input.a = 1 %}", Output: anyObject(t, 1), Next: next}}
		s.Default = next
	case WaitState:
		s.Timestamp = "2026-01-31T12:00:00Z"
	case FailState:
		s.Error, s.Cause = "Name", "{% 'text' %}"
	case ParallelState:
		s.Branches = []*Machine{anyMachine(t, s.Name+"a", depth-1), anyMachine(t, s.Name+"b", depth-1)}
	case MapState:
		s.Items, s.ItemSelector = []any{json.Number("1")}, anyObject(t, 1)
		s.ItemProcessor, s.ProcessorMode = anyMachine(t, s.Name+"i", depth-1), "INLINE"
		s.MaxConcurrency = json.Number("2")
	}
}

func anyObject(t *rapid.T, depth int) Object {
	keys := rapid.SliceOfNDistinct(rapid.String(), 0, 3, rapid.ID).Draw(t, "keys")
	o := Object{}
	for _, key := range keys {
		o = append(o, Member{key, anyValue(t, depth-1)})
	}
	return o
}

func anyValue(t *rapid.T, depth int) any {
	switch rapid.IntRange(0, 3+2*min(depth, 1)).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?`).Draw(t, "number"))
	case 3:
		return rapid.String().Draw(t, "string")
	case 4:
		return anyObject(t, depth)
	}
	list := []any{}
	for range rapid.IntRange(0, 3).Draw(t, "items") {
		list = append(list, anyValue(t, depth-1))
	}
	return list
}

// FuzzDecode looks for panics, and for machines that do not come back.
func FuzzDecode(f *testing.F) {
	f.Add(readTestdata(f, "training.asl.json"))
	f.Add([]byte(`{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Map","End":true,"Items":{"k":1},` +
		`"ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"B","States":{"B":{"Type":"Succeed"}}}}}}`))
	f.Add([]byte(`{"StartAt":"A","StartAt":1,"States":{"A":{"Type":"Fail","Error":"{% $ %}","Next":null}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode("m.json", b)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without text")
			}
			return
		}
		text, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode("m.json", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(m, again, cmpopts.IgnoreUnexported(Machine{})); diff != "" {
			t.Fatalf("machine (-want +got):\n%s", diff)
		}
	})
}
