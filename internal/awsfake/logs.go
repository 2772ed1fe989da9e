package awsfake

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// logOperations are the operations of CloudWatch Logs. Each is called with w.mu held.
var logOperations = map[string]func(*World, []byte) (any, error){
	"CreateLogGroup":     (*World).logsCreateGroup,
	"DeleteLogGroup":     (*World).logsDeleteGroup,
	"PutRetentionPolicy": (*World).logsPutRetention,
	"DescribeLogGroups":  (*World).logsDescribeGroups,
	"CreateLogStream":    (*World).logsCreateStream,
	"DescribeLogStreams": (*World).logsDescribeStreams,
	"PutLogEvents":       (*World).logsPutEvents,
	"GetLogEvents":       (*World).logsGetEvents,
	"FilterLogEvents":    (*World).logsFilterEvents,
}

// logs answers one request of JSON 1.1, which SDKs and CLI speak alike.
func (w *World) logs(rw http.ResponseWriter, r *http.Request) {
	w.json(rw, r, "CloudWatch Logs", logOperations)
}

// retentions are the days that a group can keep its events.
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// What groups and streams can be called.
var (
	logGroupName  = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	logStreamName = regexp.MustCompile(`^[^:*]{1,512}$`)
)

// badParameter is what Logs says of a value that does not fit its model.
func badParameter(value any, member, constraint string) *apiError {
	return refusal("InvalidParameterException", "1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: Member must %s", value, member, constraint)
}

// logGroup finds a group by its name, or by an identifier, which is a name or ARN.
func (w *World) logGroup(name, identifier string) (*LogGroup, error) {
	if name != "" && identifier != "" {
		return nil, refusal("InvalidParameterException", "LogGroupName and LogGroupIdentifier cannot both be specified.")
	}
	if identifier != "" {
		name = strings.TrimPrefix(identifier, w.ARN("logs", "log-group:"))
	}
	if !logGroupName.MatchString(name) {
		return nil, badParameter(name, "logGroupName", `satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)
	}
	if g := w.groups[name]; g != nil {
		return g, nil
	}
	return nil, refusal("ResourceNotFoundException", "The specified log group does not exist.")
}

// logStream finds a stream in a group.
func (g *LogGroup) logStream(name string) (*LogStream, error) {
	if s := g.streams[name]; s != nil {
		return s, nil
	}
	return nil, refusal("ResourceNotFoundException", "The specified log stream does not exist.")
}

func (w *World) logsCreateGroup(body []byte) (any, error) {
	var in struct {
		LogGroupName  string            `json:"logGroupName"`
		KmsKeyID      string            `json:"kmsKeyId"`
		Tags          map[string]string `json:"tags"`
		LogGroupClass string            `json:"logGroupClass"`
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	if !logGroupName.MatchString(in.LogGroupName) {
		return nil, badParameter(in.LogGroupName, "logGroupName", `satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)
	}
	if w.createLogGroup(in.LogGroupName, 0) != nil {
		return nil, refusal("ResourceAlreadyExistsException", "The specified log group already exists")
	}
	return nil, nil
}

func (w *World) logsDeleteGroup(body []byte) (any, error) {
	var in struct {
		LogGroupName string `json:"logGroupName"`
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	if _, err := w.logGroup(in.LogGroupName, ""); err != nil {
		return nil, err
	}
	delete(w.groups, in.LogGroupName)
	return nil, nil
}

func (w *World) logsPutRetention(body []byte) (any, error) {
	var in struct {
		LogGroupName string `json:"logGroupName"`
		Days         int    `json:"retentionInDays"`
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	g, err := w.logGroup(in.LogGroupName, "")
	if err != nil {
		return nil, err
	}
	if !slices.Contains(retentions, in.Days) {
		return nil, badParameter(in.Days, "retentionInDays", "satisfy enum value set: "+strings.ReplaceAll(fmt.Sprint(retentions), " ", ", "))
	}
	g.Days = in.Days
	return nil, nil
}

// logPage cuts a page out of what a Describe operation found.
func logPage[T any](w *World, all []T, limit *int, token string, request ...any) ([]T, string, error) {
	size := 50
	if limit != nil {
		size = *limit
	}
	if size < 1 || size > 50 {
		return nil, "", badParameter(size, "limit", "have value between 1 and 50")
	}
	from, err := w.readToken(token, request...)
	if err != nil || from > int64(len(all)) {
		return nil, "", refusal("InvalidParameterException", "The specified nextToken is invalid.")
	}
	all = all[from:]
	if len(all) <= size {
		return all, "", nil
	}
	return all[:size], w.nextToken(from+int64(size), request...), nil
}

// logAnswer is an answer with a list and the token of the next page.
func logAnswer(name string, list any, next string) map[string]any {
	out := map[string]any{name: list}
	if next != "" {
		out["nextToken"] = next
	}
	return out
}

func (w *World) logsDescribeGroups(body []byte) (any, error) {
	var in struct {
		Prefix    string `json:"logGroupNamePrefix"`
		Pattern   string `json:"logGroupNamePattern"`
		NextToken string `json:"nextToken"`
		Limit     *int   `json:"limit"`
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	if in.Prefix != "" && in.Pattern != "" {
		return nil, refusal("InvalidParameterException", "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(w.groups)) {
		if strings.HasPrefix(name, in.Prefix) && strings.Contains(strings.ToLower(name), strings.ToLower(in.Pattern)) {
			names = append(names, name)
		}
	}
	names, next, err := logPage(w, names, in.Limit, in.NextToken, "groups", in.Prefix, in.Pattern)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, name := range names {
		g := w.groups[name]
		arn := w.ARN("logs", "log-group:"+name)
		one := map[string]any{
			"logGroupName": name, "creationTime": g.Created.UnixMilli(), "metricFilterCount": 0, "arn": arn + ":*", "logGroupArn": arn, "storedBytes": 0, "logGroupClass": "STANDARD",
		}
		if g.Days != 0 {
			one["retentionInDays"] = g.Days
		}
		list = append(list, one)
	}
	return logAnswer("logGroups", list, next), nil
}

func (w *World) logsCreateStream(body []byte) (any, error) {
	var in struct {
		LogGroupName  string `json:"logGroupName"`
		LogStreamName string `json:"logStreamName"`
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	g, err := w.logGroup(in.LogGroupName, "")
	if err != nil {
		return nil, err
	}
	if !logStreamName.MatchString(in.LogStreamName) {
		return nil, badParameter(in.LogStreamName, "logStreamName", "satisfy regular expression pattern: [^:*]*")
	}
	if g.streams[in.LogStreamName] != nil {
		return nil, refusal("ResourceAlreadyExistsException", "The specified log stream already exists")
	}
	g.streams[in.LogStreamName] = &LogStream{Name: in.LogStreamName, Created: w.now()}
	return nil, nil
}

// newest is when a stream's newest event was, zero if it has none.
func (s *LogStream) newest() time.Time {
	if len(s.Lines) == 0 {
		return time.Time{}
	}
	return s.Lines[len(s.Lines)-1].Time
}

func (w *World) logsDescribeStreams(body []byte) (any, error) {
	var in struct {
		LogGroupName       string `json:"logGroupName"`
		LogGroupIdentifier string `json:"logGroupIdentifier"`
		Prefix             string `json:"logStreamNamePrefix"`
		OrderBy            string `json:"orderBy"`
		Descending         bool   `json:"descending"`
		NextToken          string `json:"nextToken"`
		Limit              *int   `json:"limit"`
	}
	if err := readExact(body, &in); err != nil {
		return nil, err
	}
	g, err := w.logGroup(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"", "LogStreamName", "LastEventTime"}, in.OrderBy) {
		return nil, badParameter(in.OrderBy, "orderBy", "satisfy enum value set: [LogStreamName, LastEventTime]")
	}
	if in.OrderBy == "LastEventTime" && in.Prefix != "" {
		return nil, refusal("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	var streams []*LogStream
	for _, name := range slices.Sorted(maps.Keys(g.streams)) {
		if strings.HasPrefix(name, in.Prefix) {
			streams = append(streams, g.streams[name])
		}
	}
	if in.OrderBy == "LastEventTime" {
		slices.SortStableFunc(streams, func(a, b *LogStream) int { return a.newest().Compare(b.newest()) })
	}
	if in.Descending {
		slices.Reverse(streams)
	}
	streams, next, err := logPage(w, streams, in.Limit, in.NextToken, g.Name, in.Prefix, in.OrderBy, in.Descending)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, s := range streams {
		one := map[string]any{
			"logStreamName": s.Name, "creationTime": s.Created.UnixMilli(), "arn": w.ARN("logs", "log-group:"+g.Name+":log-stream:"+s.Name), "storedBytes": 0,
			"uploadSequenceToken": sequenceToken,
		}
		if len(s.Lines) > 0 {
			one["firstEventTimestamp"] = s.Lines[0].Time.UnixMilli()
			one["lastEventTimestamp"] = s.newest().UnixMilli()
			one["lastIngestionTime"] = s.newest().UnixMilli()
		}
		list = append(list, one)
	}
	return logAnswer("logStreams", list, next), nil
}
