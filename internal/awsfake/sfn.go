package awsfake

import (
	"fmt"
	"time"
)

// states is what Step Functions keeps beside the machines.
type states struct {
	executions map[string]*execution // by ARN
	denied     []Denial
}

// An apiError is a refusal of a service: the HTTP status, the exception's name and its text.
type apiError struct {
	status        int
	code, message string
}

// Error is the text with the name before it.
func (e *apiError) Error() string { return e.code + ": " + e.message }

// refusal makes an exception that the caller is to blame for.
func refusal(code, format string, args ...any) *apiError {
	return &apiError{400, code, fmt.Sprintf(format, args...)}
}

// An execution is one of a state machine.
type execution struct {
	arn, name string
	machine   *Machine
	started   time.Time
	cancel    func(error)
}
