// Package history reads what happened in an execution on AWS. In go pages of
// GetExecutionHistory, out come events in the shape of [asl.HistoryEvent], the very one
// in which the engine on this machine tells of its own, with the state that each belongs
// to. The package decides nothing about an execution, and waits for nothing.
package history

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// The sizes of a page: all that the service gives at once, for much that is new; and
// what is likely to hold the news since the last look.
const (
	largePage = 1000
	smallPage = 100
)

// Read gives the events of an execution whose id is greater than after, in order; all of
// them for 0. They are those of now: the execution may go on.
func Read(ctx context.Context, p *cloud.Place, executionARN string, after int64) ([]asl.HistoryEvent, error) {
	all, err := NewReader(executionARN).Next(ctx, cloud.GetExecutionHistory(cloud.StepFunctions(p).GetExecutionHistory))
	if err != nil {
		return nil, p.Explain(err, "reading the history of "+executionARN)
	}
	for i, e := range all {
		if e.ID > after {
			return all[i:], nil
		}
	}
	return nil, nil
}

// A Client is what a reader calls: the SDK's client of Step Functions.
type Client interface {
	GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)
}

// A Reader reads the history of one execution as it grows.
type Reader struct {
	arn     string
	last    int64 // the id of the last event that was given
	burst   bool  // the last look needed more than one page
	calls   int   // of the last look
	convert *Converter
}

// NewReader makes a reader that has given no event yet.
func NewReader(executionARN string) *Reader {
	return &Reader{arn: executionARN, convert: NewConverter()}
}

// State is the state that the event of an id belongs to or follows, or empty.
func (r *Reader) State(id int64) string { return r.convert.State(id) }

// Calls is how many calls the last look made.
func (r *Reader) Calls() int { return r.calls }

// Next gives the events since the last call, in order, none twice and none left out; nil
// where there are none. An error leaves the reader where it was, so that the next call
// gives what this one did not. It is the SDK's own.
//
// The first look reads from the start. A later one reads backwards from the newest event
// to the last known one, which is one call unless much has happened.
func (r *Reader) Next(ctx context.Context, client Client, options ...func(*sfn.Options)) ([]asl.HistoryEvent, error) {
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: aws.String(r.arn), IncludeExecutionData: aws.Bool(true), MaxResults: largePage}
	if r.last > 0 {
		in.ReverseOrder = true
		if !r.burst {
			in.MaxResults = smallPage
		}
	}
	var fresh []types.HistoryEvent
	r.calls = 0
	for done := false; !done; {
		r.calls++
		page, err := client.GetExecutionHistory(ctx, in, options...)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			if e.Id <= r.last {
				done = true
				break
			}
			fresh = append(fresh, e)
		}
		in.NextToken = page.NextToken
		done = done || aws.ToString(page.NextToken) == ""
	}
	r.burst = r.last > 0 && r.calls > 1
	return r.take(fresh)
}

// take converts the new events up to the first gap: what comes behind it is given when
// the missing one is there.
func (r *Reader) take(fresh []types.HistoryEvent) ([]asl.HistoryEvent, error) {
	byID := make(map[int64]types.HistoryEvent, len(fresh))
	for _, e := range fresh {
		byID[e.Id] = e
	}
	var events []asl.HistoryEvent
	for {
		e, ok := byID[r.last+1]
		if !ok {
			return events, nil
		}
		event, err := r.convert.Event(e)
		switch {
		case err != nil && len(events) > 0:
			return events, nil // and the error at the next call
		case err != nil:
			return nil, fmt.Errorf("read the history of %s: %w", r.arn, err)
		}
		events = append(events, event)
		r.last++
	}
}
