package stack

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// Standing finds the stack and waits until nobody works on it; nil if there is none, or
// if it is deleted.
func (d *Deployer) Standing(ctx context.Context, wait bool) (*State, error) {
	state, err := d.idle(ctx, wait)
	if err != nil || state == nil {
		return nil, err
	}
	if row := rowOf(state.Status); row.Destroy == Refuse {
		return nil, fmt.Errorf("stack %s %s (%s); nothing was deleted\n\thint: %s", state.Name, row.Means, state.Status, row.Note)
	}
	return state, protection(d.place, state)
}

// Running are the names of the machine's executions that have not ended, in order.
func (d *Deployer) Running(ctx context.Context) ([]string, error) {
	p := d.place
	var names []string
	for _, status := range []sfntypes.ExecutionStatus{sfntypes.ExecutionStatusRunning, sfntypes.ExecutionStatusPendingRedrive} {
		pages := sfn.NewListExecutionsPaginator(cloud.ListExecutions(cloud.StepFunctions(p).ListExecutions), &sfn.ListExecutionsInput{StateMachineArn: aws.String(p.MachineARN()), StatusFilter: status})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if cloud.HasCode(err, "StateMachineDoesNotExist") {
				return nil, nil
			}
			if err != nil {
				return nil, p.Explain(err, "looking for executions that are running")
			}
			for _, e := range page.Executions {
				names = append(names, aws.ToString(e.Name))
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// Stop stops executions and waits until they have ended: a machine that goes takes the
// permission to stop their jobs with it.
func (d *Deployer) Stop(ctx context.Context, names []string) error {
	p := d.place
	for _, name := range names {
		_, err := cloud.StepFunctions(p).StopExecution(ctx, &sfn.StopExecutionInput{
			ExecutionArn: aws.String(p.ExecutionARN(name)), Error: aws.String("Mlmax.Destroyed"), Cause: aws.String("the pipeline is being destroyed"),
		})
		if err != nil && !cloud.HasCode(err, "ExecutionDoesNotExist") {
			return p.Explain(err, "stopping execution "+name)
		}
		d.display.Say("stopping execution " + name)
	}
	for pause := time.Second; ; pause = min(2*pause, seldom) {
		left, err := d.Running(ctx)
		if err != nil || len(left) == 0 {
			return err
		}
		if err := p.Wait(ctx, pause); err != nil {
			return err
		}
	}
}

// Delete deletes the stack and follows that to its end. Resources of keep are left behind,
// which only a stack that could not be deleted allows. An error of type *Failure is a
// deletion that failed.
func (d *Deployer) Delete(ctx context.Context, s *State, keep []string) error {
	p := d.place
	if keep != nil && s.Status != types.StackStatusDeleteFailed {
		return fmt.Errorf("stack %s %s (%s), and CloudFormation leaves resources behind only when deleting has failed; nothing was deleted\n\thint: %s",
			s.Name, rowOf(s.Status).Means, s.Status, p.Next("destroy"))
	}
	token := d.token("destroy", append([]string{s.ID}, keep...)...)
	start := p.Clock.Now()
	operation, err := d.request(ctx, s.ID, token)
	if err != nil {
		return err
	}
	_, err = cloud.CloudFormation(p).DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String(s.ID), ClientRequestToken: aws.String(token), RetainResources: keep})
	if err := d.took(ctx, err, s.ID, token, "deleting stack "+s.Name); err != nil {
		return err
	}
	tree, err := d.watch(ctx, s.ID, operation, Plant("Deleting", s.Name, p.Region, start))
	if err != nil {
		return err
	}
	if tree.Status == string(types.StackStatusDeleteComplete) {
		return nil
	}
	state, err := d.after(ctx, s.ID)
	if err != nil {
		return err
	}
	return d.deletion(d.failure(state, tree), tree)
}

// deletion names the resources that could not be deleted in the command that leaves them
// behind.
func (d *Deployer) deletion(f *Failure, t Tree) *Failure {
	var flags []string
	for _, b := range t.Branches {
		if b.Phase == Failed {
			flags = append(flags, "--retain "+b.Logical)
		}
	}
	if flags != nil {
		f.Next = "fix it, then: " + d.place.Next("destroy") + "; or leave it behind: " + d.place.Next("destroy "+strings.Join(flags, " "))
	}
	return f
}

// Recreate deletes a stack whose creation failed, so that it can be created.
func (d *Deployer) Recreate(ctx context.Context, s *State) error {
	if err := CanRecreate(d.place, s); err != nil {
		return err
	}
	return d.Delete(ctx, s, nil)
}
