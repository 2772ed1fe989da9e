package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// filled is a value of the service's model in which every member is set.
func filled(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				filled(v.Field(i))
			}
		}
	case reflect.String:
		v.SetString("text")
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"b": "2", "a": "1"}))
	}
}

func TestEveryTypeOfTheServiceIsKnown(t *testing.T) {
	t.Parallel()
	all := types.HistoryEventTypeEvaluationFailed.Values()
	if len(all) != 62 || len(details) != 62 {
		t.Errorf("the service has %d types, the table %d, want 62", len(all), len(details))
	}
	for _, eventType := range all {
		member, ok := details[eventType]
		if !ok {
			t.Errorf("%s is not in the table", eventType)
			continue
		}
		e := types.HistoryEvent{Type: eventType, Id: 1, Timestamp: aws.Time(time.Unix(1, 0))}
		if member != "" {
			field := reflect.ValueOf(&e).Elem().FieldByName(member)
			if !field.IsValid() {
				t.Errorf("%s: the service's model has no %s", eventType, member)
				continue
			}
			filled(field)
		}
		got, err := NewConverter().Event(e)
		if err != nil {
			t.Errorf("%s: %v", eventType, err)
		}
		if member != "" && len(got.Details) == 0 {
			t.Errorf("%s has no details", eventType)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%s: %v", eventType, err)
		}
	}
}

func TestATypeOfTomorrowIsRefusedByName(t *testing.T) {
	t.Parallel()
	_, err := NewConverter().Event(types.HistoryEvent{Type: "StateTeleported", Id: 12})
	if err == nil || !strings.Contains(err.Error(), `event 12 is a "StateTeleported"`) {
		t.Errorf("error is %v", err)
	}
}

// pages is a service whose history grows, and that gives at most so many events at once.
type pages struct {
	events []types.HistoryEvent
	limit  int
	calls  int
	fail   error
}

func (p *pages) GetExecutionHistory(_ context.Context, in *sfn.GetExecutionHistoryInput, _ ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	p.calls++
	if p.fail != nil {
		return nil, p.fail
	}
	all := slices.Clone(p.events)
	if in.ReverseOrder {
		slices.Reverse(all)
	}
	from := 0
	if in.NextToken != nil {
		fmt.Sscan(*in.NextToken, &from)
	}
	to := min(from+min(int(in.MaxResults), p.limit), len(all))
	out := &sfn.GetExecutionHistoryOutput{Events: all[from:to]}
	if to < len(all) {
		out.NextToken = aws.String(fmt.Sprint(to))
	}
	return out, nil
}

// passing are n events of states that pass one after the other.
func passing(n int) []types.HistoryEvent {
	events := []types.HistoryEvent{{Id: 1, Type: "ExecutionStarted", Timestamp: aws.Time(time.Unix(1, 0))}}
	for i := 2; i <= n; i++ {
		e := types.HistoryEvent{Id: int64(i), PreviousEventId: int64(i - 1), Type: "PassStateEntered", Timestamp: aws.Time(time.Unix(int64(i), 0))}
		name := aws.String(fmt.Sprint("State", i/2))
		if i%2 == 0 {
			e.StateEnteredEventDetails = &types.StateEnteredEventDetails{Name: name}
		} else {
			e.Type, e.StateExitedEventDetails = "PassStateExited", &types.StateExitedEventDetails{Name: name}
		}
		events = append(events, e)
	}
	return events
}

func TestNoEventIsLostOrGivenTwice(t *testing.T) {
	t.Parallel()
	all := passing(5001)
	service := &pages{limit: 300}
	r := NewReader("arn")
	var got []int64
	for _, n := range []int{1, 1, 2, 301, 302, 1500, 4000, 4000, 5001} {
		service.events = all[:n]
		service.fail = errors.New("reset")
		if _, err := r.Next(context.Background(), service); err == nil {
			t.Fatal("an error was not told")
		}
		service.fail = nil
		events, err := r.Next(context.Background(), service)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			got = append(got, e.ID)
		}
		if len(got) != n {
			t.Fatalf("%d events are known of %d", len(got), n)
		}
	}
	for i, id := range got {
		if id != int64(i+1) {
			t.Fatalf("event %d came at place %d", id, i+1)
		}
	}
}

func TestAnEventThatCannotBeSeenYetIsWaitedFor(t *testing.T) {
	t.Parallel()
	all := passing(6)
	service := &pages{limit: 1000, events: []types.HistoryEvent{all[0], all[1], all[3], all[4]}}
	r := NewReader("arn")
	events, err := r.Next(context.Background(), service)
	if err != nil || len(events) != 2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	service.events = all
	events, err = r.Next(context.Background(), service)
	if err != nil || len(events) != 4 || events[0].ID != 3 {
		t.Fatalf("%d events, %v", len(events), err)
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	named := func(name string) *types.StateEnteredEventDetails {
		return &types.StateEnteredEventDetails{Name: aws.String(name)}
	}
	c := NewConverter()
	for i, step := range []struct {
		event    types.HistoryEvent
		previous int64
		state    string
	}{
		{types.HistoryEvent{Type: "ExecutionStarted"}, 0, ""},
		{types.HistoryEvent{Type: "ParallelStateEntered", StateEnteredEventDetails: named("Both")}, 1, "Both"},
		{types.HistoryEvent{Type: "ParallelStateStarted"}, 2, "Both"},
		{types.HistoryEvent{Type: "TaskStateEntered", StateEnteredEventDetails: named("A")}, 3, "A"},
		{types.HistoryEvent{Type: "TaskStateEntered", StateEnteredEventDetails: named("B")}, 3, "B"},
		{types.HistoryEvent{Type: "TaskScheduled"}, 4, "A"},
		{types.HistoryEvent{Type: "TaskScheduled"}, 5, "B"},
		{types.HistoryEvent{Type: "TaskFailed"}, 7, "B"},
		{types.HistoryEvent{Type: "ExecutionFailed"}, 8, ""},
		{types.HistoryEvent{Type: "ExecutionRedriven"}, 9, ""},
		{types.HistoryEvent{Type: "TaskScheduled"}, 10, "B"},
		{types.HistoryEvent{Type: "EvaluationFailed", EvaluationFailedEventDetails: &types.EvaluationFailedEventDetails{State: aws.String("C")}}, 3, "C"},
	} {
		step.event.Id, step.event.PreviousEventId = int64(i+1), step.previous
		got, err := c.Event(step.event)
		if err != nil || got.State != step.state {
			t.Errorf("event %d (%s) belongs to %q, want %q (%v)", i+1, got.Type, got.State, step.state, err)
		}
	}
	if c.State(9) != "B" {
		t.Errorf("the execution failed in %q", c.State(9))
	}
}

// TestTheEnginesHistoryComesBackAsItWas sends what the engine tells through the service's
// model.
func TestTheEnginesHistoryComesBackAsItWas(t *testing.T) {
	t.Parallel()
	m, err := asl.Decode("m.asl.json", []byte(`{"QueryLanguage":"JSONata","StartAt":"A","States":{
		"A":{"Type":"Pass","Assign":{"run":"{% 'r' & 1 %}"},"Next":"B"},
		"B":{"Type":"Fail","Error":"Wrong","Cause":"it is"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	c := NewConverter()
	_, err = asl.Run(context.Background(), m, nil, asl.Options{Clock: asl.NewVirtualClock(time.Unix(1e9, 0).UTC()), Observe: func(e asl.HistoryEvent) {
		sent := types.HistoryEvent{Id: e.ID, PreviousEventId: e.PreviousID, Type: types.HistoryEventType(e.Type), Timestamp: aws.Time(e.Timestamp)}
		if e.DetailsName != "" {
			text, err := json.Marshal(e.Details)
			if err != nil {
				t.Error(err)
			}
			field := reflect.ValueOf(&sent).Elem().FieldByName(strings.ToUpper(e.DetailsName[:1]) + e.DetailsName[1:])
			field.Set(reflect.New(field.Type().Elem()))
			if err := json.Unmarshal(text, field.Interface()); err != nil {
				t.Error(err)
			}
		}
		got, err := c.Event(sent)
		if err != nil {
			t.Error(err)
		}
		if got.State != e.State || got.DetailsName != e.DetailsName || got.Type != e.Type || got.ID != e.ID || !got.Timestamp.Equal(e.Timestamp) {
			t.Errorf("got %+v, want %+v", got, e)
		}
		if plain(t, got.Details) != plain(t, e.Details) {
			t.Errorf("details are %s, want %s", plain(t, got.Details), plain(t, e.Details))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// plain is an object as text, its members in order of their names.
func plain(t *testing.T, o asl.Object) string {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	text, err = json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
