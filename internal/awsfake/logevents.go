package awsfake

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A page of log events has at most so many, and so many bytes with 26 for each event.
const (
	mostEvents = 10000
	mostBytes  = 1 << 20
)

// sequenceToken is what PutLogEvents gives and no longer asks for.
const sequenceToken = "49640000000000000000000000000000000000000000000000000001"

func (w *World) logsPutEvents(body []byte) (any, error) {
	var in struct {
		LogGroupName  string `json:"logGroupName"`
		LogStreamName string `json:"logStreamName"`
		SequenceToken string `json:"sequenceToken"`
		LogEvents     []struct {
			Timestamp int64  `json:"timestamp"`
			Message   string `json:"message"`
		} `json:"logEvents"`
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	g, err := w.logGroup(in.LogGroupName, "")
	if err != nil {
		return nil, err
	}
	s, err := g.logStream(in.LogStreamName)
	if err != nil {
		return nil, err
	}
	if n := len(in.LogEvents); n < 1 || n > 10000 {
		return nil, badParameter(n, "logEvents", "have length between 1 and 10000")
	}
	for i, e := range in.LogEvents {
		if e.Message == "" {
			return nil, badParameter("", fmt.Sprintf("logEvents.%d.member.message", i+1), "have length greater than or equal to 1")
		}
		if i > 0 && cmp.Less(e.Timestamp, in.LogEvents[i-1].Timestamp) {
			return nil, refusal("InvalidParameterException", "Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	for _, e := range in.LogEvents {
		s.Lines = append(s.Lines, LogLine{time.UnixMilli(e.Timestamp).UTC(), e.Message})
	}
	return map[string]string{"nextSequenceToken": sequenceToken}, nil
}

// between is a span of time in milliseconds: from start on, before end. 0 is no bound.
type between struct{ start, end int64 }

func (b between) has(l LogLine) bool {
	at := l.Time.UnixMilli()
	return at >= b.start && (b.end == 0 || at < b.end)
}

// event is what GetLogEvents says of a line.
func (l LogLine) event() map[string]any {
	return map[string]any{"timestamp": l.Time.UnixMilli(), "message": l.Message, "ingestionTime": l.Time.UnixMilli()}
}

// logToken is a token of GetLogEvents: where in the stream it points, forward or backward,
// and whether the page before was left empty.
type logToken struct {
	forward bool
	at      int
	empty   bool
}

// logTokenText is how tokens look.
var logTokenText = regexp.MustCompile(`^([fb])/(\d{56})/([se])$`)

func (t logToken) String() string {
	return fmt.Sprintf("%s/%056d/%s", either(t.forward, "f", "b"), t.at, either(t.empty, "e", "s"))
}

func (w *World) logsGetEvents(body []byte) (any, error) {
	var in struct {
		LogGroupName       string `json:"logGroupName"`
		LogGroupIdentifier string `json:"logGroupIdentifier"`
		LogStreamName      string `json:"logStreamName"`
		StartTime          int64  `json:"startTime"`
		EndTime            int64  `json:"endTime"`
		NextToken          string `json:"nextToken"`
		Limit              *int   `json:"limit"`
		StartFromHead      bool   `json:"startFromHead"`
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	g, err := w.logGroup(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	s, err := g.logStream(in.LogStreamName)
	if err != nil {
		return nil, err
	}
	limit, err := eventLimit(in.Limit)
	if err != nil {
		return nil, err
	}
	from := logToken{forward: in.StartFromHead}
	if !from.forward {
		from.at = len(s.Lines)
	}
	if in.NextToken != "" {
		match := logTokenText.FindStringSubmatch(in.NextToken)
		if match == nil {
			return nil, refusal("InvalidParameterException", "The specified nextToken is invalid.")
		}
		at, err := strconv.Atoi(match[2])
		if err != nil || at > len(s.Lines) {
			return nil, refusal("InvalidParameterException", "The specified nextToken is invalid.")
		}
		from = logToken{match[1] == "f", at, match[3] == "e"}
		if from.forward && !in.StartFromHead {
			return nil, refusal("InvalidParameterException", "awsfake: with a nextForwardToken startFromHead must be true")
		}
	}
	return w.logEvents(s, from, between{in.StartTime, in.EndTime}, limit), nil
}

// eventLimit is how many events a page can have.
func eventLimit(limit *int) (int, error) {
	if limit == nil {
		return mostEvents, nil
	}
	if *limit < 1 || *limit > mostEvents {
		return 0, badParameter(*limit, "limit", "have value between 1 and 10000")
	}
	return *limit, nil
}

// logEvents is a page. At the end of a stream the token is the one that was given, and
// only that says that it is the end.
func (w *World) logEvents(s *LogStream, from logToken, span between, limit int) map[string]any {
	events := []map[string]any{}
	lo, hi := from.at, from.at
	left := mostBytes
	for len(events) < limit {
		i := hi
		if !from.forward {
			i = lo - 1
		}
		if i < 0 || i >= len(s.Lines) {
			break
		}
		line := s.Lines[i]
		if span.has(line) {
			if left -= len(line.Message) + 26; left < 0 && len(events) > 0 {
				break
			}
			events = append(events, line.event())
		}
		if from.forward {
			hi++
		} else {
			lo--
		}
	}
	if !from.forward {
		slices.Reverse(events)
	}
	if w.SparseLogs && !from.empty && len(events) > 0 {
		forward, backward := logToken{true, from.at, from.forward}, logToken{false, from.at, !from.forward}
		return map[string]any{"events": []any{}, "nextForwardToken": forward.String(), "nextBackwardToken": backward.String()}
	}
	forward, backward := logToken{true, hi, false}, logToken{false, lo, false}
	if len(events) == 0 && from.empty { // it was the token that said so
		forward.empty, backward.empty = from.forward, !from.forward
	}
	return map[string]any{"events": events, "nextForwardToken": forward.String(), "nextBackwardToken": backward.String()}
}

// filterTerm is one term of a filter pattern that is known here: a word or a quoted text.
var filterTerm = regexp.MustCompile(`^\s*("([^"]*)"|[A-Za-z0-9_]+)`)

// filterTerms takes a pattern of plain terms apart. JSON patterns, alternatives and
// exclusions are refused.
func filterTerms(pattern string) ([]string, error) {
	var terms []string
	for rest := strings.TrimSpace(pattern); rest != ""; {
		match := filterTerm.FindStringSubmatch(rest)
		if match == nil {
			return nil, refusal("InvalidParameterException", "Invalid filter pattern (awsfake knows words and quoted texts)")
		}
		terms = append(terms, strings.Trim(strings.TrimSpace(match[0]), `"`))
		rest = strings.TrimSpace(rest[len(match[0]):])
	}
	return terms, nil
}

func (w *World) logsFilterEvents(body []byte) (any, error) {
	var in struct {
		LogGroupName       string   `json:"logGroupName"`
		LogGroupIdentifier string   `json:"logGroupIdentifier"`
		LogStreamNames     []string `json:"logStreamNames"`
		Prefix             string   `json:"logStreamNamePrefix"`
		StartTime          int64    `json:"startTime"`
		EndTime            int64    `json:"endTime"`
		FilterPattern      string   `json:"filterPattern"`
		NextToken          string   `json:"nextToken"`
		Limit              *int     `json:"limit"`
		Interleaved        *bool    `json:"interleaved"`
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	g, err := w.logGroup(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if len(in.LogStreamNames) > 0 && in.Prefix != "" {
		return nil, refusal("InvalidParameterException", "logStreamNamePrefix and logStreamNames cannot both be specified.")
	}
	for _, name := range in.LogStreamNames {
		if _, err := g.logStream(name); err != nil {
			return nil, err
		}
	}
	limit, err := eventLimit(in.Limit)
	if err != nil {
		return nil, err
	}
	terms, err := filterTerms(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	chosen := func(stream string) bool {
		return strings.HasPrefix(stream, in.Prefix) && (len(in.LogStreamNames) == 0 || slices.Contains(in.LogStreamNames, stream))
	}
	found := g.filter(chosen, between{in.StartTime, in.EndTime}, terms)
	request := []any{g.Name, in.LogStreamNames, in.Prefix, in.StartTime, in.EndTime, in.FilterPattern}
	from, err := w.readToken(in.NextToken, request...)
	if err != nil || from > int64(len(found)) {
		return nil, refusal("InvalidParameterException", "The specified nextToken is invalid.")
	}
	found = found[from:]
	next := ""
	if len(found) > limit {
		next = w.nextToken(from+int64(limit), request...)
		found = found[:limit]
	}
	out := logAnswer("events", found, next)
	out["searchedLogStreams"] = []any{}
	return out, nil
}

// filter finds a group's events in the order of time.
func (g *LogGroup) filter(chosen func(string) bool, span between, terms []string) []map[string]any {
	found := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(g.streams)) {
		if !chosen(name) {
			continue
		}
		for i, line := range g.streams[name].Lines {
			if !span.has(line) || slices.ContainsFunc(terms, func(term string) bool { return !strings.Contains(line.Message, term) }) {
				continue
			}
			event := line.event()
			event["logStreamName"] = name
			event["eventId"] = fmt.Sprintf("%056d", i)
			found = append(found, event)
		}
	}
	slices.SortStableFunc(found, func(a, b map[string]any) int { return int(a["timestamp"].(int64) - b["timestamp"].(int64)) })
	return found
}
