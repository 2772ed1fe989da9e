package awsfake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// running is the status of an execution that has not ended.
const running = "RUNNING"

// An execution is one of a state machine.
type execution struct {
	arn, name string
	number    int64 // counts executions
	// machine is as it was when the execution began, decoded its definition.
	machine          *Machine
	decoded          *asl.Machine
	input            string
	started, stopped time.Time
	status           string
	output           json.RawMessage
	failure          *asl.Error // error and cause; a nil one has neither
	events           []asl.HistoryEvent
	redrives         int
	redriven         time.Time
	tokens           []redriveToken

	// lap is the run of the engine that makes events now: one, and one for each redrive.
	lap *lap
}

// A redriveToken makes a redrive safe to be asked for again.
type redriveToken struct {
	text string
	at   time.Time
}

// maxInput is how many bytes an input may have.
const maxInput = 262144

// badName are the characters that no name may have.
var badName = regexp.MustCompile("[\\s<>{}\\[\\]?*\"#%\\\\^|~`$&,;:/]")

// checkName refuses a name of an execution that the service refuses.
func checkName(name string) error {
	switch {
	case utf8.RuneCountInString(name) > maxName:
		return violates("name", "have length less than or equal to %d", maxName)
	case badName.MatchString(name), strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r >= 0xfffe }):
		return refusal("InvalidName", "Invalid Name: '%s'", name)
	}
	return nil
}

func (w *World) startExecution(body []byte) (any, error) {
	var in struct {
		StateMachineArn, Name, TraceHeader string
		Input                              *string
	}
	if err := readStates(body, &in); err != nil {
		return nil, err
	}
	m, err := w.machine(in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	input := "{}"
	if in.Input != nil {
		input = *in.Input
	}
	if err := checkInput(input); err != nil {
		return nil, err
	}
	if in.Name == "" {
		in.Name = w.uuid()
	}
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	arn := w.ARN("states", "execution:"+m.Name+":"+in.Name)
	if before := w.states.executions[arn]; before != nil {
		if before.status != running || before.input != input {
			return nil, refusal("ExecutionAlreadyExists", "Execution Already Exists: '%s'", arn)
		}
		return map[string]any{"executionArn": arn, "startDate": epoch(before.started)}, nil
	}
	decoded, problems := w.problems(m.Definition)
	if len(problems) > 0 {
		return nil, fmt.Errorf("a machine that was checked is wrong: %s", problems[0])
	}
	e := &execution{
		arn: arn, name: in.Name, number: int64(len(w.states.order) + 1), machine: m, decoded: decoded, input: input, started: w.now(), status: running,
	}
	if w.states.executions == nil {
		w.states.executions = map[string]*execution{}
	}
	w.states.executions[arn] = e
	w.states.order = append(w.states.order, e)
	w.trace(e)
	w.launch(e, nil)
	return map[string]any{"executionArn": arn, "startDate": epoch(e.started)}, nil
}

// checkInput refuses what is no input.
func checkInput(text string) error {
	switch {
	case len(text) > maxInput:
		return violates("input", "have length less than or equal to %d", maxInput)
	case !json.Valid([]byte(text)):
		return refusal("InvalidExecutionInput", "Invalid State Machine Execution Input: 'the input is not JSON'")
	}
	return nil
}

// xray are the actions by which an execution is traced.
var xray = []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"}

// trace asks for the permissions of tracing. Without them the execution runs on, and only
// Denied tells.
func (w *World) trace(e *execution) {
	if e.machine.Tracing {
		for _, action := range xray {
			_ = w.permit(e.machine.RoleARN, action, "*", nil)
		}
	}
}

// errStopped is the cause of the end of an execution that was stopped.
var errStopped = errors.New("the execution was stopped")

func (w *World) stopExecution(body []byte) (any, error) {
	var in struct {
		ExecutionArn string
		Error, Cause *string
	}
	if err := readStates(body, &in); err != nil {
		return nil, err
	}
	e, err := w.execution(in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	failure, details := &asl.Error{}, asl.Object{}
	if in.Error != nil {
		if err := within("error", *in.Error, 256); err != nil {
			return nil, err
		}
		failure.Name, details = *in.Error, append(details, asl.Member{Key: "error", Value: *in.Error})
	}
	if in.Cause != nil {
		if err := within("cause", *in.Cause, 32768); err != nil {
			return nil, err
		}
		failure.Cause, failure.HasCause, details = *in.Cause, true, append(details, asl.Member{Key: "cause", Value: *in.Cause})
	}
	if e.status == running {
		w.close(e, asl.Aborted, failure)
		w.add(e, asl.HistoryEvent{Type: "ExecutionAborted", DetailsName: "executionAbortedEventDetails", Details: details, PreviousID: int64(len(e.events))})
		e.lap.stop(errStopped)
	}
	return map[string]any{"stopDate": epoch(e.stopped)}, nil
}

// close sets how an execution ended.
func (w *World) close(e *execution, status string, failure *asl.Error) {
	e.status, e.failure, e.stopped = status, failure, w.now()
}

// The rules of redriving.
const (
	redriveDays   = 14 * 24 * time.Hour
	redriveEvents = 24999
	openYear      = 365 * 24 * time.Hour
	tokenMinutes  = 15 * time.Minute
	tokensKept    = 10
)

// notRedrivable says why an execution cannot be redriven, or "".
func (w *World) notRedrivable(e *execution) string {
	switch {
	case e.status == running || e.status == asl.Succeeded:
		return fmt.Sprintf("Execution is %s and cannot be redriven", e.status)
	case w.now().Sub(e.stopped) > redriveDays:
		return "Execution cannot be redriven: the redrivable period of 14 days has passed"
	case len(e.events) >= redriveEvents:
		return "Execution cannot be redriven: its history has no room for more events"
	case w.now().Sub(e.started) > openYear:
		return "Execution cannot be redriven: it has been open for longer than a year"
	}
	return ""
}

// redriveTokenText is what a client token may be.
var redriveTokenText = regexp.MustCompile(`^[!-~]{1,64}$`)

func (w *World) redriveExecution(body []byte) (any, error) {
	var in struct {
		ExecutionArn string
		ClientToken  *string
	}
	if err := readStates(body, &in); err != nil {
		return nil, err
	}
	e, err := w.execution(in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	if in.ClientToken != nil {
		if !redriveTokenText.MatchString(*in.ClientToken) {
			return nil, violates("clientToken", "satisfy regular expression pattern: [!-~]+")
		}
		i := slices.IndexFunc(e.tokens, func(t redriveToken) bool { return t.text == *in.ClientToken })
		if i >= 0 && w.now().Sub(e.tokens[i].at) < tokenMinutes {
			return map[string]any{"redriveDate": epoch(e.tokens[i].at)}, nil
		}
	}
	if reason := w.notRedrivable(e); reason != "" {
		return nil, refusal("ExecutionNotRedrivable", "The execution %s cannot be redriven: %s", e.arn, reason)
	}
	e.redrives++
	e.redriven = w.now()
	if in.ClientToken != nil {
		e.tokens = append(e.tokens, redriveToken{*in.ClientToken, e.redriven})
		e.tokens = e.tokens[max(0, len(e.tokens)-tokensKept):]
	}
	e.status, e.failure, e.output = running, nil, nil
	w.add(e, asl.HistoryEvent{
		Type: "ExecutionRedriven", DetailsName: "executionRedrivenEventDetails", Details: asl.Object{{Key: "redriveCount", Value: e.redrives}},
		PreviousID: int64(len(e.events)),
	})
	w.trace(e)
	w.launch(e, e.lap)
	return map[string]any{"redriveDate": epoch(e.redriven)}, nil
}

// Ended waits until an execution has ended and nothing of it goes on, and returns its status.
func (w *World) Ended(ctx context.Context, arn string) (string, error) {
	for {
		w.mu.Lock()
		e, err := w.execution(arn)
		if err != nil {
			w.mu.Unlock()
			return "", err
		}
		l := e.lap
		w.mu.Unlock()
		select {
		case <-l.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		w.mu.Lock()
		status, last := e.status, e.lap == l
		w.mu.Unlock()
		if last {
			return status, nil
		}
	}
}
