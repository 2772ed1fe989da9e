package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/delta"
	"github.com/mlmax/mlmax/pipeline/terminal"
)

// A ChangeSet is what would be done to a stack, made and not executed.
type ChangeSet struct {
	deployer *Deployer
	want     *Want
	// id and stackID are ARNs.
	id, stackID string
	// creates says that the stack does not exist yet.
	creates bool
	changes []types.ResourceChange
}

// Propose makes a change set that would make the stack what is wanted; nil if there is
// nothing to change. state is the stack, nil if there is none. What is made is the
// caller's to execute or discard.
func (d *Deployer) Propose(ctx context.Context, state *State, w *Want) (*ChangeSet, error) {
	c := &ChangeSet{deployer: d, want: w, creates: state == nil || rowOf(state.Status).Deploy == Create}
	in, err := c.request(ctx)
	if err != nil {
		return nil, err
	}
	out, err := cloud.CloudFormation(d.place).CreateChangeSet(ctx, in)
	switch {
	case err == nil:
		c.id, c.stackID = aws.ToString(out.Id), aws.ToString(out.StackId)
	case cloud.HasCode(err, "AlreadyExistsException"):
		// Its name is this invocation's alone: it was made, and the answer was lost.
		c.id = aws.ToString(in.ChangeSetName)
	case isOvertaken(err):
		return nil, c.overtaken()
	default:
		return nil, c.unmade(ctx, aws.ToString(in.ChangeSetName), err)
	}
	empty, err := c.read(ctx)
	if err == nil && !empty {
		return c, nil
	}
	return nil, errors.Join(err, c.Discard(ctx))
}

// unmade is the error of a change set that could not be made. Where no service answered it
// may have been made all the same, and goes again.
func (c *ChangeSet) unmade(ctx context.Context, name string, err error) error {
	explained := c.deployer.place.Explain(err, "making a change set for stack "+c.deployer.place.StackName())
	var refused smithy.APIError
	if errors.As(err, &refused) && refused.ErrorFault() != smithy.FaultServer {
		return explained
	}
	c.id = name
	if c.Discard(ctx) != nil {
		c.deployer.display.Say("it may have been made all the same, and nothing was executed: " + name)
	}
	return explained
}

// request is what makes the change set. Its name and its token follow from what is
// wanted and the invocation, so that sending it again has no second effect.
func (c *ChangeSet) request(ctx context.Context) (*cloudformation.CreateChangeSetInput, error) {
	p, w := c.deployer.place, c.want
	body, err := compact(w.Template)
	if err != nil {
		return nil, err
	}
	parts := []string{string(body)}
	in := &cloudformation.CreateChangeSetInput{
		StackName: aws.String(p.StackName()), ChangeSetType: types.ChangeSetTypeUpdate, Description: aws.String(w.Description),
		Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	}
	if c.creates {
		in.ChangeSetType = types.ChangeSetTypeCreate
	}
	for _, k := range slices.Sorted(maps.Keys(w.Parameters)) {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(k), ParameterValue: aws.String(w.Parameters[k])})
		parts = append(parts, k, w.Parameters[k])
	}
	for _, k := range slices.Sorted(maps.Keys(w.Tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(w.Tags[k])})
		parts = append(parts, k, w.Tags[k])
	}
	token := c.deployer.token("deploy", parts...)
	in.ChangeSetName, in.ClientToken = aws.String(token), aws.String(token)
	if len(body) <= inlineLimit {
		in.TemplateBody = aws.String(string(body))
		return in, nil
	}
	url, err := p.UploadTemplate(ctx, body)
	if err != nil {
		return nil, err
	}
	in.TemplateURL = aws.String(url)
	return in, nil
}

// name is how the change set is addressed: by its ARN, or with its stack by its name.
func (c *ChangeSet) name() (set, stack *string) {
	if strings.HasPrefix(c.id, "arn:") {
		return aws.String(c.id), nil
	}
	return aws.String(c.id), aws.String(c.deployer.place.StackName())
}

// isEmpty recognizes the two reasons that AWS gives for a change set which has nothing to
// change: there is no code for it.
func isEmpty(reason string) bool {
	return strings.Contains(reason, "The submitted information didn't contain changes") || strings.Contains(reason, "No updates are to be performed")
}

// read waits until the change set is made, and reads its changes. empty says that it has
// none.
func (c *ChangeSet) read(ctx context.Context) (empty bool, err error) {
	p := c.deployer.place
	set, stack := c.name()
	in := &cloudformation.DescribeChangeSetInput{ChangeSetName: set, StackName: stack, IncludePropertyValues: aws.Bool(true)}
	// Most change sets are made at once, some take a minute.
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		out, err := cloud.CloudFormation(p).DescribeChangeSet(ctx, in)
		if err != nil {
			return false, p.Explain(err, "reading the change set of stack "+p.StackName())
		}
		c.id, c.stackID = cmp.Or(aws.ToString(out.ChangeSetId), c.id), cmp.Or(aws.ToString(out.StackId), c.stackID)
		for _, change := range out.Changes {
			if change.ResourceChange != nil {
				c.changes = append(c.changes, *change.ResourceChange)
			}
		}
		reason := terminal.Clean(aws.ToString(out.StatusReason))
		switch out.Status {
		case types.ChangeSetStatusCreatePending, types.ChangeSetStatusCreateInProgress:
			if err := p.Wait(ctx, pause); err != nil {
				return false, err
			}
		case types.ChangeSetStatusFailed:
			if isEmpty(reason) {
				return true, nil
			}
			return false, fmt.Errorf("CloudFormation refuses to deploy stack %s: %s\n\thint: nothing was changed; if the template is not as generated, run go generate ./... and build anew", p.StackName(), reason)
		case types.ChangeSetStatusCreateComplete:
			if out.ExecutionStatus != types.ExecutionStatusAvailable {
				return false, c.notAvailable(out.ExecutionStatus)
			}
			if out.NextToken == nil {
				return false, nil
			}
			in.NextToken = out.NextToken
		default:
			return false, c.notAvailable(types.ExecutionStatus(out.Status))
		}
	}
}

// notAvailable is the error of a change set that cannot be executed.
func (c *ChangeSet) notAvailable(s types.ExecutionStatus) error {
	p := c.deployer.place
	return fmt.Errorf("the change set of stack %s is %s: somebody else deploys at the same time; nothing was changed by this command\n\thint: look again: %s", p.StackName(), s, p.Next("deploy"))
}

// Resources are the changes as a plan has them; which of them hold data is the plan's to
// say.
func (c *ChangeSet) Resources() []delta.Resource {
	all := []delta.Resource{}
	for _, r := range c.changes {
		one := delta.Resource{
			Logical: aws.ToString(r.LogicalResourceId), Type: aws.ToString(r.ResourceType), Physical: aws.ToString(r.PhysicalResourceId),
			Kept: r.PolicyAction == types.PolicyActionRetain || r.PolicyAction == types.PolicyActionReplaceAndRetain,
		}
		switch r.Action {
		case types.ChangeActionAdd, types.ChangeActionImport:
			one.Change = delta.Added
		case types.ChangeActionRemove:
			one.Change = delta.Removed
		case types.ChangeActionModify, types.ChangeActionDynamic:
			one.Change = delta.Changed
			switch r.Replacement {
			case types.ReplacementTrue:
				one.Change = delta.Replaced
			case types.ReplacementConditional:
				one.Change, one.Maybe = delta.Replaced, true
			}
		default: // only what CloudFormation notes down changes
			continue
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b delta.Resource) int { return cmp.Compare(a.Logical, b.Logical) })
	return all
}

// Discard deletes the change set, and the stack that it was made for if that is nothing
// but this. It works after an interrupt, too.
func (c *ChangeSet) Discard(ctx context.Context) error {
	ctx, stop := afterwards(ctx)
	defer stop()
	p := c.deployer.place
	set, stack := c.name()
	_, err := cloud.CloudFormation(p).DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: set, StackName: stack})
	if err != nil && !cloud.HasCode(err, "ChangeSetNotFound") {
		return p.Explain(err, "deleting the change set "+c.id)
	}
	if !c.creates {
		return nil
	}
	state, err := Find(ctx, p)
	if err != nil || state == nil || state.Status != types.StackStatusReviewInProgress || c.stackID != "" && state.ID != c.stackID {
		return err
	}
	left, err := leftovers(ctx, p)
	if err != nil || len(left) > 0 {
		return err // another deployment's
	}
	_, err = cloud.CloudFormation(p).DeleteStack(ctx, &cloudformation.DeleteStackInput{
		StackName: aws.String(state.ID), ClientRequestToken: aws.String(c.deployer.token("discard", state.ID)),
	})
	return p.Explain(err, "deleting the stack "+p.StackName()+", which has nothing in it")
}
