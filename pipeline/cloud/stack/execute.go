package stack

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// Execute deploys the change set and follows that to its end. An error of type *Failure
// is a deployment that failed, *Detached one that goes on.
func (c *ChangeSet) Execute(ctx context.Context) (*State, error) {
	d, p := c.deployer, c.deployer.place
	token := d.token("deploy", c.id)
	set, stack := c.name()
	start := p.Clock.Now()
	operation, err := d.request(ctx, c.stackID, token)
	if err != nil {
		return nil, errors.Join(err, c.Discard(ctx))
	}
	_, err = cloud.CloudFormation(p).ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{
		ChangeSetName: set, StackName: stack, ClientRequestToken: aws.String(token),
		DisableRollback: aws.Bool(false), RetainExceptOnCreate: aws.Bool(true),
	})
	if told := d.took(ctx, err, c.stackID, token, "deploying stack "+p.StackName()); told != nil {
		if isOvertaken(err) && d.untouched(ctx, c.stackID, token) {
			told = c.overtaken()
		}
		return nil, errors.Join(told, c.Discard(ctx))
	}
	tree := Plant("Deploying", p.StackName(), p.Region, start, c.expected()...)
	tree, err = d.watch(ctx, c.stackID, operation, tree)
	if err != nil {
		return nil, err
	}
	state, err := d.after(ctx, c.stackID)
	if err != nil {
		return nil, err
	}
	if state.Status != types.StackStatusCreateComplete && state.Status != types.StackStatusUpdateComplete {
		return state, d.failure(state, tree)
	}
	return state, nil
}

// isOvertaken recognizes the answers for a change set that somebody else's deployment has
// made worthless: CloudFormation deletes all of a stack when it executes one, takes none
// while it works on the stack, and creates no stack that there is.
func isOvertaken(err error) bool {
	return cloud.HasCode(err, "ChangeSetNotFound", "InvalidChangeSetStatus") ||
		cloud.HasCode(err, "ValidationError") && (strings.Contains(err.Error(), "_IN_PROGRESS") || strings.Contains(err.Error(), "already exists and cannot be created again"))
}

// overtaken is the error of such a change set.
func (c *ChangeSet) overtaken() error {
	p := c.deployer.place
	return fmt.Errorf("somebody else has deployed stack %s, or deploys it, since this command looked at it; nothing was changed by this command\n\thint: see what is left to change: %s", p.StackName(), p.Next("deploy"))
}

// expected are the resources that the change set works on, in the plan's order.
func (c *ChangeSet) expected() [][2]string {
	var all [][2]string
	for _, r := range c.Resources() {
		all = append(all, [2]string{r.Logical, r.Type})
	}
	return all
}

// after describes a stack by its ARN, so that it is found when it is deleted, too.
func (d *Deployer) after(ctx context.Context, id string) (*State, error) {
	out, err := cloud.CloudFormation(d.place).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(id)})
	if err != nil {
		return nil, d.place.Explain(err, "looking at stack "+d.place.StackName())
	}
	return stateOf(&out.Stacks[0]), nil
}

// A Failure is the error of work on a stack that ended badly: the service did what it
// was asked to, and something in it failed.
type Failure struct {
	Stack  string
	Status types.StackStatus
	// Resource is the logical id of what failed first, Kind its type, Reason why; empty
	// where no event tells.
	Resource, Kind, Reason string
	// Fact is what happened in a sentence, Next the command that a person runs next.
	Fact, Next string
}

func (f *Failure) Error() string { return f.Fact + "\n\thint: " + f.Next }

// failure says in words how a stack comes to be in its status.
func (d *Deployer) failure(s *State, t Tree) *Failure {
	f := &Failure{Stack: s.Name, Status: s.Status}
	first := t.First
	if s.Status == types.StackStatusUpdateRollbackFailed && t.Stuck != nil {
		first = t.Stuck // that is what can be skipped
	}
	why := s.Reason
	if first != nil {
		f.Resource, f.Kind, f.Reason = first.Logical, first.Type, first.Reason
		why = fmt.Sprintf("%s (%s): %s", readable(first.Logical, first.Type), first.Logical, first.Reason)
	}
	if why == "" {
		why = "CloudFormation gives no reason"
	}
	row := rowOf(s.Status)
	switch s.Status {
	case types.StackStatusRollbackComplete:
		f.Fact = fmt.Sprintf("the first deploy of %s failed and was rolled back: %s. Only delete is possible", s.Name, why)
	case types.StackStatusCreateFailed:
		f.Fact = fmt.Sprintf("the first deploy of %s failed and was not rolled back: %s. Only delete is possible", s.Name, why)
	case types.StackStatusRollbackFailed:
		f.Fact = fmt.Sprintf("the first deploy of %s failed and could not be rolled back: %s. Only delete is possible", s.Name, why)
	case types.StackStatusUpdateRollbackFailed:
		f.Fact = fmt.Sprintf("the last update of %s and its rollback failed at %s", s.Name, why)
		if first == nil {
			f.Fact = fmt.Sprintf("the last update of %s and its rollback failed: %s", s.Name, why)
		}
	case types.StackStatusUpdateRollbackComplete:
		f.Fact = fmt.Sprintf("the update of %s failed and was rolled back, so that it is as before: %s", s.Name, why)
	default:
		f.Fact = fmt.Sprintf("stack %s %s (%s): %s", s.Name, row.Means, s.Status, why)
	}
	f.Next = d.next(row, s)
	return f
}

// next is the command by which a person goes on.
func (d *Deployer) next(row Row, s *State) string {
	p := d.place
	switch {
	case row.Status == types.StackStatusUpdateRollbackFailed:
		return "fix it, then: " + p.Next(rollOn+" [--skip RESOURCE]")
	case strings.HasPrefix(row.Next, "aws "):
		return fmt.Sprintf("%s --stack-name %s --region %s", row.Next, s.Name, p.Region)
	case row.Next == recreate:
		return "fix it, then: " + p.Next(recreate)
	case row.Next != "":
		return p.Next(row.Next)
	case row.Deploy == Refuse:
		return row.Note
	}
	return "fix it, then: " + p.Next("deploy")
}
