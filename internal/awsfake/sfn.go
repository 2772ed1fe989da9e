package awsfake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/mlmax/mlmax/pipeline/local"
)

// states is what Step Functions keeps beside the machines.
type states struct {
	executions map[string]*execution // by ARN
	order      []*execution          // as they were started
	denied     []Denial
	interfere  func(TaskCall) error
	tasks      int // calls so far

	// ctx ends with the account.
	ctx     context.Context
	end     context.CancelFunc
	running sync.WaitGroup
	jobs    *local.Jobs
	options local.JobsOptions
	dir     string // to be removed
}

// stateOperations are the operations of Step Functions. Each is called with w.mu held, and
// reads its request by readStates.
var stateOperations = map[string]func(*World, []byte) (any, error){
	"StartExecution":                   (*World).startExecution,
	"DescribeExecution":                (*World).describeExecution,
	"GetExecutionHistory":              (*World).getExecutionHistory,
	"StopExecution":                    (*World).stopExecution,
	"RedriveExecution":                 (*World).redriveExecution,
	"ListExecutions":                   (*World).listExecutions,
	"DescribeStateMachine":             (*World).describeStateMachine,
	"DescribeStateMachineForExecution": (*World).describeMachineOf,
	"ListStateMachines":                (*World).listStateMachines,
	"ValidateStateMachineDefinition":   (*World).validateDefinition,
}

// stepFunctions answers one request of JSON 1.0.
func (w *World) stepFunctions(rw http.ResponseWriter, r *http.Request) {
	w.json(rw, r, "Step Functions", stateOperations)
}

// readStates reads a request. What the operation does not have is refused, where AWS would
// pass over it: a client that sends it means something by it.
func readStates(body []byte, in any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return refusal("SerializationException", "%v", err)
	}
	return nil
}

// epoch is a time as JSON 1.0 has it: seconds, with milliseconds.
func epoch(t time.Time) json.Number {
	return json.Number(fmt.Sprintf("%.3f", float64(t.UnixMilli())/1000))
}

// A page is what a NextToken says: where it goes on, and of which request.
type page struct {
	From    int64  `json:"from"`
	Request string `json:"request"`
	Until   int64  `json:"until"`
}

// tokenLife is how long a NextToken can be used.
const tokenLife = 24 * time.Hour

// nextToken makes one for a request that goes on at from.
func (w *World) nextToken(from int64, request ...any) string {
	text, _ := json.Marshal(page{from, digestOf(request), w.now().Add(tokenLife).UnixMilli()}) // it is text and numbers
	return base64.StdEncoding.EncodeToString(text)
}

// readToken says where a request goes on: at 0 without a token. One of another request, or
// one that is too old, is refused.
func (w *World) readToken(token string, request ...any) (int64, error) {
	if token == "" {
		return 0, nil
	}
	var p page
	text, err := base64.StdEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil || p.Request != digestOf(request) || w.now().UnixMilli() > p.Until {
		return 0, refusal("InvalidToken", "Invalid Token: 'Invalid token'")
	}
	return p.From, nil
}

func digestOf(v any) string {
	text, _ := json.Marshal(v) // of texts, numbers and booleans
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// pageSize is how many entries a page has: 100 unless told, at most 1,000.
func pageSize(maxResults int) (int, error) {
	switch {
	case maxResults < 0:
		return 0, violates("maxResults", "have value greater than or equal to 0")
	case maxResults > 1000:
		return 0, violates("maxResults", "have value less than or equal to 1000")
	case maxResults == 0:
		return 100, nil
	}
	return maxResults, nil
}

// within refuses a text that is longer than its model says.
func within(member, text string, most int) error {
	if utf8.RuneCountInString(text) > most {
		return violates(member, "have length less than or equal to %d", most)
	}
	return nil
}
