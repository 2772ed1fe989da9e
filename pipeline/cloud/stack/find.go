// Package stack deploys a pipeline: it makes, changes and deletes the CloudFormation
// stack of an environment, through change sets. In go a [cloud.Place] and what its
// template and parameters are to be; out come the stack's events and how it ended.
package stack

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// A State is what is known of a stack.
type State struct {
	// ID is the stack's ARN.
	Name, ID string
	Status   types.StackStatus
	// Reason is why it has that status, or empty.
	Reason string
	// Parameters and Outputs are those that it was deployed with.
	Parameters, Outputs map[string]string
	Tags                map[string]string
	// Protected says that it may not be deleted.
	Protected        bool
	Created, Updated time.Time
	// Drifted is when it was last found to differ from its template; zero if it was not.
	Drifted time.Time
}

// holds says that what a pipeline needs is the stack's, or is to be: there is one, and it is
// not merely what is left of a first deployment that failed.
func (s *State) holds() bool {
	if s == nil {
		return false
	}
	row := rowOf(s.Status)
	return row.Deploy != Create && row.Next != recreate
}

// Find describes the stack of a place; nil if there is none.
func Find(ctx context.Context, p *cloud.Place) (*State, error) {
	out, err := cloud.CloudFormation(p).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(p.StackName())})
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, p.Explain(err, "looking at stack "+p.StackName())
	}
	return stateOf(&out.Stacks[0]), nil
}

// isMissing says that a stack does not exist: CloudFormation has no error code for it.
func isMissing(err error) bool {
	var refused smithy.APIError
	return errors.As(err, &refused) && refused.ErrorCode() == "ValidationError" && strings.Contains(refused.ErrorMessage(), "does not exist")
}

func stateOf(s *types.Stack) *State {
	state := &State{
		Name: aws.ToString(s.StackName), ID: aws.ToString(s.StackId), Status: s.StackStatus, Reason: terminal.Clean(aws.ToString(s.StackStatusReason)),
		Parameters: map[string]string{}, Outputs: map[string]string{}, Tags: map[string]string{},
		Protected: aws.ToBool(s.EnableTerminationProtection), Created: aws.ToTime(s.CreationTime), Updated: aws.ToTime(s.LastUpdatedTime),
	}
	if d := s.DriftInformation; d != nil && d.StackDriftStatus == types.StackDriftStatusDrifted {
		state.Drifted = aws.ToTime(d.LastCheckTimestamp)
	}
	for _, v := range s.Parameters {
		state.Parameters[aws.ToString(v.ParameterKey)] = aws.ToString(v.ParameterValue)
	}
	for _, v := range s.Outputs {
		state.Outputs[aws.ToString(v.OutputKey)] = aws.ToString(v.OutputValue)
	}
	for _, v := range s.Tags {
		state.Tags[aws.ToString(v.Key)] = aws.ToString(v.Value)
	}
	return state
}
