package ledger

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// The kinds of tries besides those of jobs, in the words of the record.
const (
	registerKind = "register"
	callKind     = "call"
)

// A Try is one try of a Task state, as an execution's history tells it.
type Try struct {
	// Step is the state's name, Attempt counts its tries from 0, over redrives too.
	Step    string
	Attempt int
	// Kind is processing, training, register or call; Job the job's name, or empty.
	Kind, Job string
	Status    pipeline.Status
	// Request and Response are what the machine sent and got; Error and Cause are the
	// machine's, where the try failed.
	Request, Response json.RawMessage
	Error, Cause      string
	// Started and Ended are by the history; Ended is zero while it goes on.
	Started, Ended time.Time
}

// A story is an execution's history as it is read here.
type story struct {
	tries []*Try
	// variables are the machine's, as they were last assigned: JSON.
	variables map[string]json.RawMessage
	// entered and exited are when states last were, in the order in which they first came.
	states          []string
	entered, exited map[string]time.Time
	// input is the execution's, last its last event.
	input json.RawMessage
	last  asl.HistoryEvent
	// error and cause are those with which the execution ended, state where.
	error, cause, state string
}

// Tries are the tries of an execution's Task states, in order.
func Tries(events []asl.HistoryEvent) ([]Try, error) {
	s, err := read(events)
	if err != nil {
		return nil, err
	}
	all := make([]Try, len(s.tries))
	for i, t := range s.tries {
		all[i] = *t
	}
	return all, nil
}

// read reads a history.
func read(events []asl.HistoryEvent) (*story, error) {
	s := &story{variables: map[string]json.RawMessage{}, entered: map[string]time.Time{}, exited: map[string]time.Time{}}
	open := map[string]*Try{} // by state
	count := map[string]int{}
	for _, e := range events {
		s.last = e
		switch {
		case e.Type == "ExecutionStarted":
			s.input = raw(e, "input")
		case e.Type == "ExecutionRedriven":
			s.error, s.cause, s.state = "", "", ""
		case strings.HasSuffix(e.Type, "StateEntered"):
			if _, again := s.entered[e.State]; !again {
				s.states = append(s.states, e.State)
			}
			s.entered[e.State] = e.Timestamp
			delete(s.exited, e.State)
		case strings.HasSuffix(e.Type, "StateExited"):
			s.exited[e.State] = e.Timestamp
			if err := s.assign(e); err != nil {
				return nil, err
			}
		case e.Type == "TaskScheduled":
			t := scheduled(e, count[e.State])
			count[e.State]++
			open[e.State] = t
			s.tries = append(s.tries, t)
		case strings.HasPrefix(e.Type, "Task") && open[e.State] != nil:
			open[e.State].advance(e)
		case e.Type == "EvaluationFailed" && open[e.State] != nil:
			// The job did its work, and what it gave is not what the machine expects.
			open[e.State].fail(e, pipeline.Failed)
		case strings.HasPrefix(e.Type, "Execution"):
			s.end(e, events, open)
		}
	}
	return s, nil
}

// assign takes the variables that a state left.
func (s *story) assign(e asl.HistoryEvent) error {
	v, ok := e.Details.Get("assignedVariables")
	if !ok {
		return nil
	}
	all, ok := v.(asl.Object)
	if !ok {
		return fmt.Errorf("event %d of the history: its variables are a %T", e.ID, v)
	}
	for _, m := range all {
		value, ok := m.Value.(string)
		if !ok || !json.Valid([]byte(value)) {
			return fmt.Errorf("event %d of the history: its variable %s is no JSON text", e.ID, m.Key)
		}
		s.variables[m.Key] = json.RawMessage(value)
	}
	return nil
}

// scheduled is the try that an event begins.
func scheduled(e asl.HistoryEvent, attempt int) *Try {
	t := &Try{Step: e.State, Attempt: attempt, Kind: callKind, Status: pipeline.Running, Request: raw(e, "parameters"), Started: e.Timestamp}
	switch text(e, "resourceType") + ":" + text(e, "resource") {
	case "sagemaker:createProcessingJob.sync":
		t.Kind = pipeline.KindProcessing
	case "sagemaker:createTrainingJob.sync":
		t.Kind = pipeline.KindTraining
	case "aws-sdk:sagemaker:createModelPackage":
		t.Kind = registerKind
	}
	r := t.request()
	t.Job = r.name()
	return t
}

// advance takes an event of a try.
func (t *Try) advance(e asl.HistoryEvent) {
	switch e.Type {
	case "TaskSucceeded":
		t.Status, t.Response, t.Ended = pipeline.Succeeded, raw(e, "output"), e.Timestamp
	case "TaskTimedOut":
		t.fail(e, pipeline.TimedOut)
	case "TaskFailed", "TaskStartFailed", "TaskSubmitFailed":
		t.fail(e, pipeline.Failed)
	}
}

func (t *Try) fail(e asl.HistoryEvent, status pipeline.Status) {
	t.Status, t.Error, t.Cause, t.Ended = status, text(e, "error"), text(e, "cause"), e.Timestamp
}

// end takes an event that closes the execution: what went on ended with it.
func (s *story) end(e asl.HistoryEvent, events []asl.HistoryEvent, open map[string]*Try) {
	status := ending(e.Type)
	if status == "" || status == pipeline.Succeeded {
		return
	}
	s.error, s.cause, s.state = text(e, "error"), text(e, "cause"), stateBefore(e, events)
	for _, t := range open {
		if t.Status == pipeline.Running {
			t.Status, t.Ended = pipeline.Aborted, e.Timestamp
		}
	}
}

// ending is the status of an execution that an event closes, or empty.
func ending(event string) pipeline.Status {
	switch event {
	case "ExecutionSucceeded":
		return pipeline.Succeeded
	case "ExecutionFailed":
		return pipeline.Failed
	case "ExecutionTimedOut":
		return pipeline.TimedOut
	case "ExecutionAborted":
		return pipeline.Aborted
	}
	return ""
}

// stateBefore is the state that an event came from: that of the nearest event before it
// that belongs to one.
func stateBefore(e asl.HistoryEvent, events []asl.HistoryEvent) string {
	byID := make(map[int64]asl.HistoryEvent, len(events))
	for _, one := range events {
		byID[one.ID] = one
	}
	for id := e.PreviousID; id != 0; {
		before, ok := byID[id]
		if !ok || before.PreviousID >= id {
			break
		}
		if before.State != "" {
			return before.State
		}
		id = before.PreviousID
	}
	return ""
}

// text is a member of an event's details that is text, or empty.
func text(e asl.HistoryEvent, member string) string {
	v, _ := e.Details.Get(member)
	s, _ := v.(string)
	return s
}

// raw is a member that holds JSON as text; nil if it does not.
func raw(e asl.HistoryEvent, member string) json.RawMessage {
	if s := text(e, member); s != "" && json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	return nil
}

// A request is what is read of a createProcessingJob or createTrainingJob request.
type request struct {
	ProcessingJobName, TrainingJobName string
	AppSpecification                   struct{ ImageUri string }
	AlgorithmSpecification             struct{ TrainingImage string }
	HyperParameters                    map[string]string
	ProcessingInputs                   []struct {
		InputName string
		S3Input   struct{ S3Uri string }
	}
	ProcessingResources struct {
		ClusterConfig struct{ InstanceType string }
	}
	ResourceConfig struct{ InstanceType string }
	Tags           []struct{ Key, Value string }
}

// request is that of a try; empty where there is none that can be read.
func (t *Try) request() (r request) {
	if json.Unmarshal(t.Request, &r) != nil {
		return request{}
	}
	return r
}

func (r *request) name() string { return r.ProcessingJobName + r.TrainingJobName } // one of them

func (r *request) image() string {
	return r.AppSpecification.ImageUri + r.AlgorithmSpecification.TrainingImage
}

func (r *request) instance() string {
	return r.ProcessingResources.ClusterConfig.InstanceType + r.ResourceConfig.InstanceType
}

// code is the digest of the code that a job ran: it is in the place where that lies.
func (r *request) code() string {
	place := ""
	for _, in := range r.ProcessingInputs {
		if in.InputName == "code" {
			place = strings.TrimSuffix(in.S3Input.S3Uri, "/")
		}
	}
	if submit, ok := r.HyperParameters["sagemaker_submit_directory"]; ok {
		place = strings.TrimSuffix(unquoted(submit), ".tar.gz")
	}
	return place[strings.LastIndexByte(place, '/')+1:]
}

// unquoted is a hyperparameter's text: it may be a JSON string.
func unquoted(value string) string {
	if s, err := strconv.Unquote(value); err == nil {
		return s
	}
	return value
}

// tag is the value of a tag of a job, or empty.
func (r *request) tag(key string) string {
	for _, t := range r.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// last is the last try of each step, by name; steps are their names in order.
func (s *story) latest() (steps []string, last map[string]*Try) {
	last = map[string]*Try{}
	for _, t := range s.tries {
		if last[t.Step] == nil {
			steps = append(steps, t.Step)
		}
		last[t.Step] = t
	}
	return steps, last
}
