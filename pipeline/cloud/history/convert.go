package history

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// details says by which member an event of a type tells more: all types that the service
// has. An empty member is an event that tells no more.
var details = map[types.HistoryEventType]string{
	types.HistoryEventTypeActivityFailed:               "ActivityFailedEventDetails",
	types.HistoryEventTypeActivityScheduled:            "ActivityScheduledEventDetails",
	types.HistoryEventTypeActivityScheduleFailed:       "ActivityScheduleFailedEventDetails",
	types.HistoryEventTypeActivityStarted:              "ActivityStartedEventDetails",
	types.HistoryEventTypeActivitySucceeded:            "ActivitySucceededEventDetails",
	types.HistoryEventTypeActivityTimedOut:             "ActivityTimedOutEventDetails",
	types.HistoryEventTypeChoiceStateEntered:           entered,
	types.HistoryEventTypeChoiceStateExited:            exited,
	types.HistoryEventTypeEvaluationFailed:             "EvaluationFailedEventDetails",
	types.HistoryEventTypeExecutionAborted:             "ExecutionAbortedEventDetails",
	types.HistoryEventTypeExecutionFailed:              "ExecutionFailedEventDetails",
	types.HistoryEventTypeExecutionRedriven:            "ExecutionRedrivenEventDetails",
	types.HistoryEventTypeExecutionStarted:             "ExecutionStartedEventDetails",
	types.HistoryEventTypeExecutionSucceeded:           "ExecutionSucceededEventDetails",
	types.HistoryEventTypeExecutionTimedOut:            "ExecutionTimedOutEventDetails",
	types.HistoryEventTypeFailStateEntered:             entered,
	types.HistoryEventTypeLambdaFunctionFailed:         "LambdaFunctionFailedEventDetails",
	types.HistoryEventTypeLambdaFunctionScheduled:      "LambdaFunctionScheduledEventDetails",
	types.HistoryEventTypeLambdaFunctionScheduleFailed: "LambdaFunctionScheduleFailedEventDetails",
	types.HistoryEventTypeLambdaFunctionStarted:        "",
	types.HistoryEventTypeLambdaFunctionStartFailed:    "LambdaFunctionStartFailedEventDetails",
	types.HistoryEventTypeLambdaFunctionSucceeded:      "LambdaFunctionSucceededEventDetails",
	types.HistoryEventTypeLambdaFunctionTimedOut:       "LambdaFunctionTimedOutEventDetails",
	types.HistoryEventTypeMapIterationAborted:          "MapIterationAbortedEventDetails",
	types.HistoryEventTypeMapIterationFailed:           "MapIterationFailedEventDetails",
	types.HistoryEventTypeMapIterationStarted:          "MapIterationStartedEventDetails",
	types.HistoryEventTypeMapIterationSucceeded:        "MapIterationSucceededEventDetails",
	types.HistoryEventTypeMapRunAborted:                "",
	types.HistoryEventTypeMapRunFailed:                 "MapRunFailedEventDetails",
	types.HistoryEventTypeMapRunRedriven:               "MapRunRedrivenEventDetails",
	types.HistoryEventTypeMapRunStarted:                "MapRunStartedEventDetails",
	types.HistoryEventTypeMapRunSucceeded:              "",
	types.HistoryEventTypeMapStateAborted:              "",
	types.HistoryEventTypeMapStateEntered:              entered,
	types.HistoryEventTypeMapStateExited:               exited,
	types.HistoryEventTypeMapStateFailed:               "",
	types.HistoryEventTypeMapStateStarted:              "MapStateStartedEventDetails",
	types.HistoryEventTypeMapStateSucceeded:            "",
	types.HistoryEventTypeParallelStateAborted:         "",
	types.HistoryEventTypeParallelStateEntered:         entered,
	types.HistoryEventTypeParallelStateExited:          exited,
	types.HistoryEventTypeParallelStateFailed:          "",
	types.HistoryEventTypeParallelStateStarted:         "",
	types.HistoryEventTypeParallelStateSucceeded:       "",
	types.HistoryEventTypePassStateEntered:             entered,
	types.HistoryEventTypePassStateExited:              exited,
	types.HistoryEventTypeSucceedStateEntered:          entered,
	types.HistoryEventTypeSucceedStateExited:           exited,
	types.HistoryEventTypeTaskFailed:                   "TaskFailedEventDetails",
	types.HistoryEventTypeTaskScheduled:                "TaskScheduledEventDetails",
	types.HistoryEventTypeTaskStarted:                  "TaskStartedEventDetails",
	types.HistoryEventTypeTaskStartFailed:              "TaskStartFailedEventDetails",
	types.HistoryEventTypeTaskStateAborted:             "",
	types.HistoryEventTypeTaskStateEntered:             entered,
	types.HistoryEventTypeTaskStateExited:              exited,
	types.HistoryEventTypeTaskSubmitFailed:             "TaskSubmitFailedEventDetails",
	types.HistoryEventTypeTaskSubmitted:                "TaskSubmittedEventDetails",
	types.HistoryEventTypeTaskSucceeded:                "TaskSucceededEventDetails",
	types.HistoryEventTypeTaskTimedOut:                 "TaskTimedOutEventDetails",
	types.HistoryEventTypeWaitStateAborted:             "",
	types.HistoryEventTypeWaitStateEntered:             entered,
	types.HistoryEventTypeWaitStateExited:              exited,
}

// The members of the events that begin and end a state, whatever its type.
const (
	entered = "StateEnteredEventDetails"
	exited  = "StateExitedEventDetails"
)

// A Converter gives the events of one execution the shape of the engine's. It remembers
// which state each event belongs to, since an event says only what it follows.
type Converter struct {
	states map[int64]string
}

// NewConverter makes one for an execution that it has seen no event of.
func NewConverter() *Converter { return &Converter{states: map[int64]string{}} }

// Event is one event. Events have to come in the order of their ids. One whose type
// nobody had heard of when this was written is refused by its name.
func (c *Converter) Event(e types.HistoryEvent) (asl.HistoryEvent, error) {
	member, ok := details[e.Type]
	if !ok {
		return asl.HistoryEvent{}, fmt.Errorf("event %d is a %q, which this version does not know\n\thint: a newer version may", e.Id, e.Type)
	}
	event := asl.HistoryEvent{ID: e.Id, PreviousID: e.PreviousEventId, Type: string(e.Type), Timestamp: aws.ToTime(e.Timestamp).UTC()}
	if member != "" {
		event.DetailsName = lowerFirst(member)
		event.Details, _ = value(reflect.ValueOf(e).FieldByName(member)).(asl.Object)
	}
	state := c.stateOf(&event)
	c.states[e.Id] = state
	if !strings.HasPrefix(event.Type, "Execution") {
		event.State = state
	}
	return event, nil
}

// stateOf is the state that an event belongs to: the one that it names, else that of the
// event which it follows.
func (c *Converter) stateOf(e *asl.HistoryEvent) string {
	for _, key := range []string{"name", "state"} {
		name, _ := e.Details.Get(key)
		if text, ok := name.(string); ok && text != "" && (e.DetailsName == lowerFirst(entered) || e.DetailsName == lowerFirst(exited) || e.Type == "EvaluationFailed") {
			return text
		}
	}
	return c.states[e.PreviousID]
}

// State is the state that the event of an id belongs to or follows, or empty.
func (c *Converter) State(id int64) string { return c.states[id] }

// value is a value of the service's model in the shape of the engine's; nil where it is
// absent. Members are in order of their names.
func value(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return value(v.Elem())
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Map:
		if v.IsNil() {
			return nil
		}
		texts, _ := v.Interface().(map[string]string)
		o := asl.Object{}
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			o = append(o, asl.Member{Key: key, Value: texts[key]})
		}
		return o
	case reflect.Struct:
		o := asl.Object{}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				if member := value(v.Field(i)); member != nil {
					o = append(o, asl.Member{Key: lowerFirst(f.Name), Value: member})
				}
			}
		}
		return o
	}
	panic(fmt.Sprintf("an event has a member of type %s", v.Type())) // the test has all of them
}

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }
