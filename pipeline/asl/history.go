package asl

import (
	"encoding/json"
	"sync"
)

// history numbers events and hands them on, one at a time.
type history struct {
	mu      sync.Mutex
	last    int64
	clock   Clock
	observe func(HistoryEvent)
}

// add makes an event that follows the one with id previous, and returns its id.
func (h *history) add(previous int64, eventType, state, detailsName string, details Object) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	if h.observe != nil {
		h.observe(HistoryEvent{
			ID: h.last, PreviousID: previous, Type: eventType, Timestamp: h.clock.Now(),
			State: state, DetailsName: detailsName, Details: details,
		})
	}
	return h.last
}

// MarshalJSON writes the event as GetExecutionHistory does, its details under
// their own name.
func (e HistoryEvent) MarshalJSON() ([]byte, error) {
	stamp, err := json.Marshal(e.Timestamp)
	if err != nil {
		return nil, err
	}
	o := Object{
		{"timestamp", json.RawMessage(stamp)},
		{"type", e.Type},
		{"id", e.ID},
		{"previousEventId", e.PreviousID},
	}
	if e.DetailsName != "" {
		o = append(o, Member{e.DetailsName, e.Details})
	}
	return appendJSON(nil, o)
}

// notTruncated stands beside every payload of an event: nothing is cut here.
var notTruncated = Object{{"truncated", false}}

// payloadDetails are a payload's two members.
func payloadDetails(name string, raw json.RawMessage) Object {
	return Object{{name, string(raw)}, {name + "Details", notTruncated}}
}

// errorDetails are an error's members, those that are there.
func errorDetails(e *Error) Object {
	o := Object{}
	if e == nil {
		return o
	}
	if e.Name != "" {
		o = append(o, Member{"error", e.Name})
	}
	if e.HasCause {
		o = append(o, Member{"cause", e.Cause})
	}
	return o
}
