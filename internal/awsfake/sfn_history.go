package awsfake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
)

func (w *World) getExecutionHistory(body []byte) (any, error) {
	var in struct {
		ExecutionArn, NextToken string
		MaxResults              int
		ReverseOrder            bool
		IncludeExecutionData    *bool
	}
	if err := readStates(body, &in); err != nil {
		return nil, err
	}
	e, err := w.execution(in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	data := in.IncludeExecutionData == nil || *in.IncludeExecutionData
	request := []any{"history", in.ExecutionArn, in.MaxResults, in.ReverseOrder, data}
	from, err := w.readToken(in.NextToken, request...) // the last event of the page before
	if err != nil {
		return nil, err
	}
	events := e.events
	switch {
	case in.ReverseOrder && from > 0:
		events = events[:from-1]
	case !in.ReverseOrder:
		events = events[from:]
	}
	events = slices.Clone(events)
	if in.ReverseOrder {
		slices.Reverse(events)
	}
	answer := map[string]any{}
	if len(events) > size {
		events = events[:size]
		answer["nextToken"] = w.nextToken(events[size-1].ID, request...)
	}
	list := []any{}
	for i := range events {
		list = append(list, wire(&events[i], data))
	}
	answer["events"] = list
	return answer, nil
}

// wire is an event as JSON 1.0 has it, without inputs and outputs if data is false.
func wire(e *asl.HistoryEvent, data bool) map[string]any {
	all := map[string]any{"timestamp": epoch(e.Timestamp), "type": e.Type, "id": e.ID, "previousEventId": e.PreviousID}
	if e.DetailsName == "" {
		return all
	}
	details := asl.Object{}
	for _, m := range e.Details {
		if !data && slices.Contains([]string{"input", "output", "parameters", "assignedVariables"}, strings.TrimSuffix(m.Key, "Details")) {
			continue
		}
		details = append(details, m)
	}
	all[e.DetailsName] = details
	return all
}

// add appends an event to an execution's history and returns its number.
func (w *World) add(e *execution, event asl.HistoryEvent) int64 {
	event.ID = int64(len(e.events) + 1)
	event.Timestamp = w.now()
	e.events = append(e.events, event)
	w.logEvent(e, &event)
	return event.ID
}

// logEvent writes an event to the machine's log group, as far as its level goes.
func (w *World) logEvent(e *execution, event *asl.HistoryEvent) {
	m := e.machine
	failed := strings.Contains(event.Type, "Failed") || strings.Contains(event.Type, "TimedOut") || strings.Contains(event.Type, "Aborted")
	switch m.LogLevel {
	case "ALL":
	case "ERROR":
		if !failed {
			return
		}
	case "FATAL":
		if !failed || !strings.HasPrefix(event.Type, "Execution") {
			return
		}
	default:
		return
	}
	if w.groups[m.LogGroup] == nil {
		return // deleted since
	}
	shape := wire(event, m.LogData)
	text, err := json.Marshal(map[string]any{
		"id": fmt.Sprint(event.ID), "type": event.Type, "details": shape[event.DetailsName], "previous_event_id": fmt.Sprint(event.PreviousID),
		"event_timestamp": fmt.Sprint(event.Timestamp.UnixMilli()), "execution_arn": e.arn,
	})
	if err != nil {
		panic(err) // the engine made it
	}
	stream := fmt.Sprintf("states/%s/%s/%s", m.Name, e.started.Format("2006-01-02-15-04"), digestOf(e.arn)[:8])
	w.log(m.LogGroup, stream, LogLine{event.Timestamp, string(text)})
}
