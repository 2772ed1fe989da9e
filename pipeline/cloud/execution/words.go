package execution

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/terminal"
	"github.com/mlmax/mlmax/pipeline/track"
)

// shown is how much of a cause is shown: SageMaker's reasons have 1,024 characters at
// most, so that more is a service's or an answer as a whole.
const shown = 4096

// failure is the error and the cause of an event, each empty where it has none.
func failure(e asl.HistoryEvent) (name, cause string) {
	text := func(key string) string {
		v, _ := e.Details.Get(key)
		s, _ := v.(string)
		return s
	}
	name, cause = text("error"), text("cause")
	if name == "" && strings.HasSuffix(e.Type, "TimedOut") {
		name = asl.ErrorTimeout
	}
	return name, cause
}

// cutReason finds SageMaker's reason in an answer that was cut somewhere behind it.
var cutReason = regexp.MustCompile(`"FailureReason":"((?:[^"\\]|\\.)*)"`)

// words are what a person is told of an error: SageMaker's reason where the cause holds
// one, and what to do about it where something can be done.
func (w *watch) words(state, name, cause string) string {
	text := track.Decoded(cause)
	if text == cause {
		if found := cutReason.FindStringSubmatch(cause); found != nil {
			text = strings.NewReplacer(`\"`, `"`, `\n`, "\n", `\\`, `\`).Replace(found[1])
		}
	}
	text = clip(text, shown)
	if text == "" {
		text = name
	}
	fact, hint := w.p.Words(name, text)
	if _, denied := cloud.ParseDenial(text); denied {
		text = fact // which names the statement, too
	} else if more, next := w.denied(state, text); more != "" {
		text, hint = text+": "+more, next
	}
	if strings.Contains(name, "ResourceLimitExceeded") && !strings.Contains(text, "quota") {
		text = "a quota of the account is used up: " + text
	}
	for _, s := range stops {
		if strings.Contains(text, "ended Stopped: "+s.status) {
			text, hint = text+": "+s.meaning, s.hint
		}
	}
	if hint != "" {
		text += "\n" + hint
	}
	return cleanLines(text)
}

// s3Denied is how SageMaker says that a job's role may not read or write: some texts have
// the action and the object, all say in which direction.
var s3Denied = regexp.MustCompile(`AccessDenied(?s:.*?(s3:[A-Za-z]+) of s3://(\S+))?`)

// denied says which statement of a step's role should have allowed what SageMaker was denied
// for its job; empty if that is not what happened.
func (w *watch) denied(state, text string) (more, hint string) {
	found := s3Denied.FindStringSubmatch(text)
	i := slices.IndexFunc(w.p.Definition.Jobs, func(j pipeline.Job) bool { return j.Name == state })
	if found == nil || i < 0 {
		return "", ""
	}
	action, resource := found[1], ""
	switch {
	case action != "":
		resource = "arn:" + w.p.Partition + ":s3:::" + found[2]
	case strings.Contains(text, "upload"):
		action = "s3:PutObject"
	default:
		action = "s3:GetObject"
	}
	role := w.p.Definition.Jobs[i].RoleName
	if more, hint = w.p.Grant(role, action, resource); more != "" {
		more = "role " + role + " may not " + action + ", and " + more
	}
	return more, hint
}

// stops are the secondary statuses of a job that ended Stopped, which the machine names,
// and what they mean.
var stops = []struct{ status, meaning, hint string }{
	{"Interrupted", "the Spot instance was taken back", "resume it later, or take an instance that is not Spot; the quotas of both are apart"},
	{"MaxWaitTimeExceeded", "no Spot instance was free within the time that the job may wait", "resume it later, or take an instance that is not Spot; the quotas of both are apart"},
	{"MaxRuntimeExceeded", "the job took longer than its step allows", "give the step more time, or a larger instance"},
}

// clip is text of at most so many characters, with how many there were.
func clip(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	n := utf8.RuneCountInString(text)
	if n <= most {
		return text
	}
	note := fmt.Sprintf("… (%d characters; all of them are in the console)", n)
	return string([]rune(text)[:most-utf8.RuneCountInString(note)]) + note
}

// cleanLines is text whose lines cannot steer a terminal.
func cleanLines(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	for i, l := range lines {
		lines[i] = terminal.Clean(strings.TrimSuffix(l, "\r"))
	}
	return strings.Join(lines, "\n")
}

func clean(text string) string { return terminal.Clean(text) }

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
