package execution

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// machine is a state machine of two jobs, in the form of the generated ones.
const machine = `{"QueryLanguage":"JSONata","StartAt":"Merge parameters","States":{
	"Merge parameters":{"Type":"Pass","Assign":{"run":"{% 'x' %}"},"Next":"Preprocess"},
	"Preprocess":{"Type":"Task","Resource":"arn:aws:states:::sagemaker:createProcessingJob.sync","Arguments":{},"Next":"Train"},
	"Train":{"Type":"Task","Resource":"arn:aws:states:::sagemaker:createTrainingJob.sync","Arguments":{},"Next":"Describe run",
		"Retry":[{"ErrorEquals":["SageMaker.ResourceLimitExceededException"],"IntervalSeconds":60,"MaxAttempts":5,"MaxDelaySeconds":600}],"Catch":[{"ErrorEquals":["Refused"],"Next":"Bad parameters"}]},
	"Describe run":{"Type":"Pass","Assign":{"manifest":{"schema":1,"pipeline":"demo","run":"{% $run %}","execution":"{% $states.context.Execution.Id %}",
		"startTime":"{% $states.context.Execution.StartTime %}","environment":"dev","definition":"` + machineDigest + `","parameters":{},
		"code":{"Preprocess":"` + codeOne + `","Train":"` + codeTwo + `"},
		"images":{},"instances":{},"interfaces":{},"versions":{},"inputs":{},"steps":{},"artifacts":{},"metrics":{},"models":{},"notRegistered":{}}},"End":true},
	"Bad parameters":{"Type":"Fail","Error":"BadParameters","Cause":"x"}}}`

// The digests that the machine names.
const (
	machineDigest = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	codeOne       = "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1"
	codeTwo       = "c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2"
)

// demo is the pipeline of the tests.
func demo() *pipeline.Definition {
	return &pipeline.Definition{
		Name: "demo", ASL: []byte(machine),
		Environments: map[string][]byte{"dev": []byte(`[{"ParameterKey":"Region","ParameterValue":"eu-west-1"},{"ParameterKey":"Bucket","ParameterValue":"data"},{"ParameterKey":"Prefix","ParameterValue":"p/"}]`)},
		Parameters: []pipeline.Parameter{
			{Key: "Data", Flag: "data", Type: "string", Location: true, File: true, Default: "data/in.csv"},
			{Key: "Rounds", Flag: "rounds", Type: "int", Default: int64(3)},
		},
		Jobs: []pipeline.Job{{Name: "Preprocess", Kind: pipeline.KindProcessing, CodeName: "PreprocessCode"}, {Name: "Train", Kind: pipeline.KindTraining, CodeName: "TrainCode"}},
	}
}

// begin is when every scene starts.
var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A fault is what a call gets instead of an answer. Its effect happens all the same if it
// says so.
type fault struct {
	status        int
	code, message string
	effect        bool
}

// A stage is Step Functions, scripted: a history whose events appear at their times. It has
// what the account of awsfake cannot be made to show: what is late, torn or gone.
type stage struct {
	t     *testing.T
	clock *asl.VirtualClock
	world *awsfake.World

	mu     sync.Mutex
	events []map[string]any // with "at", seconds after begin
	// describe is what DescribeExecution says of the execution, at a time.
	describe func(now time.Duration) map[string]any
	// fault, if not nil, is asked at every call.
	fault func(action string, n int, now time.Duration) *fault
	// logs is what every call of CloudWatch Logs gets, if not nil.
	logs  *fault
	calls map[string]int
	log   []time.Duration // when the history was asked for
	// started are the inputs of the executions, by name; got the last request of each action.
	started map[string]string
	got     map[string]map[string]any
	list    []map[string]any
	noneYet bool // there is no machine
}

// open is a place whose Step Functions is a stage.
func open(t *testing.T) (*stage, *cloud.Place) {
	t.Helper()
	s := &stage{t: t, clock: asl.NewVirtualClock(begin), calls: map[string]int{}, started: map[string]string{}, got: map[string]map[string]any{}}
	world := awsfake.New(awsfake.Options{}, "data")
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	s.world = world
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if service, action := awsfake.Identify(r); service == "states" {
			s.answer(rw, r, action)
			return
		}
		if service, _ := awsfake.Identify(r); service == "logs" && s.logs != nil {
			rw.Header().Set("X-Amzn-Errortype", s.logs.code)
			rw.WriteHeader(s.logs.status)
			fmt.Fprintf(rw, `{"__type":%q,"message":%q}`, s.logs.code, s.logs.message)
			return
		}
		world.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	p, err := cloud.Open(context.Background(), cloud.Target{Definition: demo(), Environment: "dev", Command: "demo"}, cloud.Options{
		Clock: s.clock,
		Load:  awsfake.Config(server.URL),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

// answer answers one call.
func (s *stage) answer(rw http.ResponseWriter, r *http.Request, action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		s.t.Errorf("%s: %v", action, err)
	}
	now := s.clock.Now().Sub(begin)
	s.calls[action]++
	s.got[action] = in
	if action == "GetExecutionHistory" {
		s.log = append(s.log, now)
	}
	var f *fault
	if s.fault != nil {
		f = s.fault(action, s.calls[action], now)
	}
	if f != nil && !f.effect {
		refuse(rw, f)
		return
	}
	out, refused := s.do(action, in, now)
	switch {
	case f != nil:
		refuse(rw, f)
	case refused != nil:
		refuse(rw, refused)
	default:
		rw.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_ = json.NewEncoder(rw).Encode(out)
	}
}

// refuse answers with a fault: a status of 0 cuts the connection, 200 the answer.
func refuse(rw http.ResponseWriter, f *fault) {
	switch f.status {
	case 0:
		panic(http.ErrAbortHandler)
	case http.StatusOK:
		rw.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(rw, `{"events":[`)
		return
	}
	rw.Header().Set("X-Amzn-Errortype", f.code)
	rw.WriteHeader(f.status)
	_ = json.NewEncoder(rw).Encode(map[string]string{"__type": f.code, "message": f.message})
}

func (s *stage) do(action string, in map[string]any, now time.Duration) (any, *fault) {
	name, _ := in["name"].(string)
	if arn, ok := in["executionArn"].(string); ok {
		name = arn[strings.LastIndex(arn, ":")+1:]
	}
	seconds := func(t time.Duration) float64 { return float64(begin.Add(t).UnixMilli()) / 1000 }
	switch action {
	case "StartExecution":
		if s.noneYet {
			return nil, &fault{status: 400, code: "StateMachineDoesNotExist", message: "State Machine Does Not Exist: 'arn'"}
		}
		if had, ok := s.started[name]; ok && (had != in["input"] || s.describe != nil) {
			return nil, &fault{status: 400, code: "ExecutionAlreadyExists", message: "Execution Already Exists: 'arn'"}
		}
		s.started[name], _ = in["input"].(string)
		return map[string]any{"executionArn": "arn:aws:states:eu-west-1:123456789012:execution:dev-demo:" + name, "startDate": seconds(now)}, nil
	case "DescribeExecution":
		if _, ok := s.started[name]; !ok {
			return nil, &fault{status: 400, code: "ExecutionDoesNotExist", message: "Execution Does Not Exist: 'arn'"}
		}
		out := map[string]any{"executionArn": in["executionArn"], "name": name, "startDate": seconds(0), "status": "RUNNING", "input": s.started[name]}
		if s.describe != nil {
			for key, value := range s.describe(now) {
				out[key] = value
			}
		}
		return out, nil
	case "GetExecutionHistory":
		return s.history(in, now)
	case "ListExecutions":
		return map[string]any{"executions": s.list}, nil
	case "DescribeStateMachine", "DescribeStateMachineForExecution":
		if s.noneYet {
			return nil, &fault{status: 400, code: "StateMachineDoesNotExist", message: "State Machine Does Not Exist: 'arn'"}
		}
		return map[string]any{"stateMachineArn": "arn", "name": "dev-demo", "definition": machine, "roleArn": "arn", "type": "STANDARD", "creationDate": seconds(0), "updateDate": seconds(0)}, nil
	case "RedriveExecution":
		return map[string]any{"redriveDate": seconds(now)}, nil
	case "StopExecution":
		return map[string]any{"stopDate": seconds(now)}, nil
	}
	return nil, &fault{status: 400, code: "UnknownOperationException", message: action}
}

// history is a page of the events that have happened.
func (s *stage) history(in map[string]any, now time.Duration) (any, *fault) {
	var all []map[string]any
	for _, e := range s.events {
		if e["at"].(time.Duration) <= now {
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		return nil, &fault{status: 400, code: "ExecutionDoesNotExist", message: "Execution Does Not Exist: 'arn'"}
	}
	if in["reverseOrder"] == true {
		slices.Reverse(all)
	}
	from := 0
	if token, ok := in["nextToken"].(string); ok {
		fmt.Sscan(token, &from)
	}
	most, _ := in["maxResults"].(float64)
	to := min(from+int(most), len(all))
	page := []map[string]any{}
	for _, e := range all[from:to] {
		shown := map[string]any{}
		for key, value := range e {
			if key != "at" {
				shown[key] = value
			}
		}
		page = append(page, shown)
	}
	out := map[string]any{"events": page}
	if to < len(all) {
		out["nextToken"] = fmt.Sprint(to)
	}
	return out, nil
}

// at adds an event that appears some time after the beginning; it follows the one before
// it. Details are pairs of names and values.
func (s *stage) at(after time.Duration, eventType string, details ...string) *stage {
	id := len(s.events) + 1
	e := map[string]any{"at": after, "id": id, "previousEventId": id - 1, "type": eventType, "timestamp": float64(begin.Add(after).UnixMilli()) / 1000}
	if len(details) > 0 {
		values := map[string]any{}
		for i := 1; i < len(details); i += 2 {
			values[details[i]] = details[i+1]
		}
		e[details[0]] = values
	}
	s.events = append(s.events, e)
	return s
}

// opening is how every history of the demo begins.
func (s *stage) opening(run string) *stage {
	s.at(0, "ExecutionStarted", "executionStartedEventDetails", "input", `{"Rounds":5}`)
	s.at(0, "PassStateEntered", "stateEnteredEventDetails", "name", "Merge parameters")
	s.at(0, "PassStateExited", "stateExitedEventDetails", "name", "Merge parameters")
	s.events[2]["stateExitedEventDetails"].(map[string]any)["assignedVariables"] = map[string]string{"run": `"` + run + `"`}
	return s
}

// step is a step that begins and succeeds.
func (s *stage) step(name string, from, to time.Duration) *stage {
	return s.enter(name, from).at(to, "TaskSucceeded", "taskSucceededEventDetails", "resourceType", "sagemaker", "resource", "x", "output", "{}").
		at(to, "TaskStateExited", "stateExitedEventDetails", "name", name, "output", "{}")
}

// enter is a step that begins.
func (s *stage) enter(name string, at time.Duration) *stage {
	s.at(at, "TaskStateEntered", "stateEnteredEventDetails", "name", name, "input", "{}")
	return s.try(name, at)
}

// try is a step's job.
func (s *stage) try(name string, at time.Duration) *stage {
	resource, parameters := "createProcessingJob.sync", `{"ProcessingJobName":"dev-demo-`+strings.ToLower(name)+`"}`
	if name == "Train" {
		resource, parameters = "createTrainingJob.sync", `{"TrainingJobName":"dev-demo-train"}`
	}
	return s.at(at, "TaskScheduled", "taskScheduledEventDetails", "resourceType", "sagemaker", "resource", resource, "region", "eu-west-1", "parameters", parameters)
}

// fails is a job that failed, and the execution with it.
func (s *stage) fails(at time.Duration, name, cause string) *stage {
	s.at(at, "TaskFailed", "taskFailedEventDetails", "resourceType", "sagemaker", "resource", "createTrainingJob.sync", "error", name, "cause", cause)
	return s.ends(at, "FAILED", name, cause)
}

// ends is the end of the execution, as DescribeExecution knows it from then on.
func (s *stage) ends(at time.Duration, status, name, cause string) *stage {
	kind := map[string]string{"FAILED": "ExecutionFailed", "ABORTED": "ExecutionAborted", "TIMED_OUT": "ExecutionTimedOut", "SUCCEEDED": "ExecutionSucceeded"}[status]
	if name == "" {
		s.at(at, kind, strings.ToLower(kind[:1])+kind[1:]+"EventDetails")
	} else {
		s.at(at, kind, strings.ToLower(kind[:1])+kind[1:]+"EventDetails", "error", name, "cause", cause)
	}
	if status == "SUCCEEDED" {
		s.leaveManifest()
	}
	s.describe = func(now time.Duration) map[string]any {
		if now < at {
			return nil
		}
		out := map[string]any{"status": status, "stopDate": float64(begin.Add(at).UnixMilli()) / 1000, "redriveStatus": "REDRIVABLE", "redriveCount": 0}
		if status == "SUCCEEDED" {
			out["output"], out["redriveStatus"] = "{}", "NOT_REDRIVABLE"
		}
		if name != "" {
			out["error"], out["cause"] = name, cause
		}
		return out
	}
	s.started["r1"] = `{"Rounds":5}`
	return s
}

// leaveManifest does what the machine does at its end.
func (s *stage) leaveManifest() {
	m := manifest.Manifest{
		Schema: manifest.Version, Pipeline: "demo", Run: "0123456789ab", Execution: "arn:aws:states:eu-west-1:123456789012:execution:dev-demo:r1", StartTime: begin,
		Environment: "dev", Definition: strings.Repeat("0", 64), Parameters: map[string]any{}, Code: map[string]string{}, Images: map[string]string{},
		Instances: map[string]string{}, Interfaces: map[string]string{}, Steps: map[string]map[string]string{}, Artifacts: map[string]string{},
		Metrics: map[string]map[string]any{}, Models: map[string]*manifest.Registered{}, NotRegistered: map[string]string{},
	}
	text, err := m.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.world.PutObject("data", "p/runs/demo/0123456789ab/manifest.json", text); err != nil {
		s.t.Fatal(err)
	}
}

// lines are the events of a run, a line each.
type lines []string

func (l *lines) take(e pipeline.Event) {
	line := string(e.Kind)
	for _, more := range []string{e.Step, e.Message} {
		if more != "" {
			line += " " + more
		}
	}
	*l = append(*l, line)
}
