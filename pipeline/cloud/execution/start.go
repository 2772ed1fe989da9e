package execution

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// A Started execution is one that runs, or ran, with the name and input that were asked
// for.
type Started struct {
	Name, ARN string
	// At is when it started.
	At time.Time
	// Attached says that it had been started before, with the same input.
	Attached bool
}

// Start starts an execution, once: with the same name and input it may be repeated as often
// as need be. One that exists with the same input is taken for the one that was asked for;
// with another input it is refused.
func Start(ctx context.Context, p *cloud.Place, name string, input json.RawMessage) (*Started, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	text, err := canonical(input)
	if err != nil {
		return nil, err
	}
	out, err := cloud.StepFunctions(p).StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: aws.String(p.MachineARN()), Name: aws.String(name), Input: aws.String(text),
	})
	var exists *types.ExecutionAlreadyExists
	switch {
	case errors.As(err, &exists):
		return attach(ctx, p, name, text)
	case isNoMachine(err):
		return nil, notDeployed(p)
	case err != nil:
		return nil, &told{unstarted(p, name, p.Explain(err, "starting run "+name).Error(), err), err}
	}
	return &Started{Name: name, ARN: aws.ToString(out.ExecutionArn), At: aws.ToTime(out.StartDate).UTC()}, nil
}

// unstarted is what is told of a start without an answer that it was one. One that was
// refused says what to do first; any other may have started, and the answer was lost.
func unstarted(p *cloud.Place, name, text string, err error) string {
	fact, hint, _ := strings.Cut(text, "\n\thint: ")
	again := p.Next("run --run " + name)
	if hint != "" && (cloud.IsExpired(err) || cloud.IsDenied(err)) {
		return text + "; then, so that never two are started: " + again
	}
	return fact + "\n\thint: see whether it started: " + p.Next("status "+name) + "; to try again, and never start two: " + again
}

// A told error is told in other words.
type told struct {
	text string
	err  error
}

func (e *told) Error() string { return e.text }
func (e *told) Unwrap() error { return e.err }

// attach takes an execution that exists, if it has the same input.
func attach(ctx context.Context, p *cloud.Place, name, input string) (*Started, error) {
	d, err := Describe(ctx, p, name)
	if err != nil {
		return nil, err
	}
	had, err := canonical(d.Input)
	if err != nil || had != input {
		return nil, fmt.Errorf("run %s exists with other inputs; choose another --run\n\thint: what it was given: %s", name, p.Next("status "+name+" --json"))
	}
	return &Started{Name: name, ARN: d.ARN, At: d.Started, Attached: true}, nil
}

// canonical is an input as it is always sent: its keys in order, its numbers as they were
// written, and an empty object for none.
func canonical(input json.RawMessage) (string, error) {
	if len(bytes.TrimSpace(input)) == 0 {
		return "{}", nil
	}
	d := json.NewDecoder(bytes.NewReader(input))
	d.UseNumber()
	var values map[string]any
	if err := d.Decode(&values); err != nil {
		return "", fmt.Errorf("the input is not a JSON object: %w", err)
	}
	if values == nil {
		return "{}", nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(values); err != nil {
		return "", fmt.Errorf("encode the input: %w", err)
	}
	return string(bytes.TrimSpace(b.Bytes())), nil
}
