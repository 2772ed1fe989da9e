package stack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// Ready finds the stack and waits for what somebody else does with it, unless wait is
// false: then that is an error. It returns the stack once it can be deployed to, nil if
// there is none. For a status that has to be left first, the error is a *Failure that says
// how.
func (d *Deployer) Ready(ctx context.Context, wait bool) (*State, error) {
	state, err := d.idle(ctx, wait)
	if err != nil || state == nil {
		return nil, err
	}
	switch row := rowOf(state.Status); row.Deploy {
	case Refuse:
		return state, d.refusal(ctx, state)
	case Create:
		if err := d.tellLeftovers(ctx); err != nil {
			return nil, err
		}
	case Update:
		if !state.Drifted.IsZero() {
			d.display.Say(drifted(state))
		}
	}
	return state, nil
}

// Refuses says why the stack has to be mended before it can be deployed to, and how; nil if
// it need not.
func (d *Deployer) Refuses(ctx context.Context, s *State) error {
	if s == nil || rowOf(s.Status).Deploy != Refuse {
		return nil
	}
	return d.refusal(ctx, s)
}

// drifted says that somebody changed by hand what is deployed. Whoever looks for drift is
// always told that a machine with substitutions differs (AWS.md, section 4).
func drifted(s *State) string {
	return fmt.Sprintf("stack %s differed from its template when somebody last looked for drift (%s); a state machine always does. What else was changed by hand stays so until a deployment changes it",
		s.Name, s.Drifted.Local().Format("2006-01-02 15:04"))
}

// idle finds the stack and waits until nobody works on it.
func (d *Deployer) idle(ctx context.Context, wait bool) (*State, error) {
	for {
		state, err := Find(ctx, d.place)
		if err != nil || state == nil {
			return nil, err
		}
		row := rowOf(state.Status)
		switch {
		case row.Destroy == Nothing:
			return nil, nil
		case row.Deploy != Wait:
			return state, nil
		}
		o, err := d.current(ctx, state.ID)
		if err != nil {
			return nil, err
		}
		since := fmt.Sprintf("stack %s %s (since %s, by %s)", state.Name, row.Means, o.since.Local().Format("15:04:05"), by(o.token))
		if !wait {
			return nil, fmt.Errorf("%s; nothing was changed\n\thint: leave --no-wait out to wait for that", since)
		}
		d.display.Say(since + "; waiting")
		tree := Plant(doing(state.Status), state.Name, d.place.Region, o.since).At(d.place.Clock.Now())
		if _, err := d.watch(ctx, state.ID, o, tree); err != nil {
			return nil, err
		}
	}
}

// doing is what is done to a stack that is in a status, as a title.
func doing(s types.StackStatus) string {
	switch {
	case strings.HasPrefix(string(s), "DELETE"):
		return "Deleting"
	case strings.HasPrefix(string(s), "IMPORT"):
		return "Importing into"
	case strings.Contains(string(s), "ROLLBACK"):
		return "Rolling back"
	}
	return "Deploying"
}

// refusal says why a stack cannot be deployed to, from its events.
func (d *Deployer) refusal(ctx context.Context, s *State) error {
	o, err := d.current(ctx, s.ID)
	if err != nil {
		return err
	}
	tree := Plant("", s.Name, d.place.Region, o.since)
	found, _, err := d.events(ctx, s.ID, o.before, o.has, o.ends)
	if err != nil {
		return d.place.Explain(err, "reading the events of stack "+s.Name)
	}
	for _, e := range found {
		tree = Reduce(tree, e)
	}
	if s.Status == types.StackStatusDeleteFailed {
		return d.deletion(d.failure(s, tree), tree)
	}
	return d.failure(s, tree)
}

// leftovers are the names of the stack's change sets.
func leftovers(ctx context.Context, p *cloud.Place) ([]string, error) {
	var names []string
	pages := cloudformation.NewListChangeSetsPaginator(cloud.ListChangeSets(cloud.CloudFormation(p).ListChangeSets), &cloudformation.ListChangeSetsInput{StackName: aws.String(p.StackName())})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if isMissing(err) {
			return nil, nil
		}
		if err != nil {
			return nil, p.Explain(err, "listing the change sets of stack "+p.StackName())
		}
		for _, s := range page.Summaries {
			names = append(names, aws.ToString(s.ChangeSetName))
		}
	}
	slices.Sort(names)
	return names, nil
}

// tellLeftovers says which change sets others have left with a stack that has nothing
// else.
func (d *Deployer) tellLeftovers(ctx context.Context) error {
	names, err := leftovers(ctx, d.place)
	if err != nil {
		return err
	}
	for _, name := range names {
		d.display.Say(fmt.Sprintf("stack %s has no resources yet, but a change set %s that nobody executed; deploying deletes it", d.place.StackName(), name))
	}
	return nil
}

// Remains are the resources that a stack whose creation failed still has, in words: what
// deleting it keeps, and what it deletes.
func (d *Deployer) Remains(ctx context.Context, s *State) (keeps, deletes []Retained, err error) {
	side, err := d.template(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	pages := cloudformation.NewListStackResourcesPaginator(cloud.ListStackResources(cloud.CloudFormation(d.place).ListStackResources), &cloudformation.ListStackResourcesInput{StackName: aws.String(s.ID)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, d.place.Explain(err, "listing the resources of stack "+s.Name)
		}
		for _, r := range page.StackResourceSummaries {
			one := Retained{aws.ToString(r.LogicalResourceId), aws.ToString(r.ResourceType), aws.ToString(r.PhysicalResourceId)}
			switch {
			case r.ResourceStatus == types.ResourceStatusDeleteComplete || one.Name == "":
			case r.ResourceStatus == types.ResourceStatusDeleteSkipped || side.Resources[one.Logical].DeletionPolicy == "Retain":
				keeps = append(keeps, one)
			default:
				deletes = append(deletes, one)
			}
		}
	}
	return keeps, deletes, nil
}

// template is what is deployed, read.
func (d *Deployer) template(ctx context.Context, s *State) (*document, error) {
	out, err := cloud.CloudFormation(d.place).GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String(s.ID), TemplateStage: types.TemplateStageOriginal})
	if isMissing(err) || cloud.HasCode(err, "ValidationError") {
		return &document{}, nil // a stack in review has none
	}
	if err != nil {
		return nil, d.place.Explain(err, "reading the template of stack "+s.Name)
	}
	return read([]byte(aws.ToString(out.TemplateBody)))
}

// CanRecreate refuses to delete a stack that is not of those which can only be deleted.
func CanRecreate(p *cloud.Place, s *State) error {
	if row := rowOf(s.Status); row.Next != recreate {
		return fmt.Errorf("stack %s %s (%s), and --recreate deletes only what could never be deployed; nothing was changed\n\thint: %s",
			s.Name, row.Means, s.Status, p.Next("deploy"))
	}
	return protection(p, s)
}

// protection refuses to delete a protected stack.
func protection(p *cloud.Place, s *State) error {
	if !s.Protected {
		return nil
	}
	return fmt.Errorf("stack %s is protected against deletion; nothing was deleted\n\thint: if it may go: aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name %s --region %s", s.Name, s.Name, p.Region)
}

// ContinueRollback goes on with a rollback that failed, without the resources of skip, and
// follows that to its end.
func (d *Deployer) ContinueRollback(ctx context.Context, s *State, skip []string) (*State, error) {
	p := d.place
	if s == nil || s.Status != types.StackStatusUpdateRollbackFailed {
		what := "there is no stack " + p.StackName()
		if s != nil {
			what = fmt.Sprintf("stack %s %s (%s)", s.Name, rowOf(s.Status).Means, s.Status)
		}
		return nil, fmt.Errorf("%s: no rollback is to be continued; nothing was changed\n\thint: %s", what, p.Next("deploy"))
	}
	token := d.token("rollback", append([]string{s.ID}, skip...)...)
	start := p.Clock.Now()
	operation, err := d.request(ctx, s.ID, token)
	if err != nil {
		return nil, err
	}
	_, err = cloud.CloudFormation(p).ContinueUpdateRollback(ctx, &cloudformation.ContinueUpdateRollbackInput{
		StackName: aws.String(s.ID), ResourcesToSkip: skip, ClientRequestToken: aws.String(token),
	})
	if err := d.took(ctx, err, s.ID, token, "continuing the rollback of stack "+s.Name); err != nil {
		return nil, err
	}
	tree, err := d.watch(ctx, s.ID, operation, Plant("Rolling back", s.Name, p.Region, start))
	if err != nil {
		return nil, err
	}
	after, err := d.after(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	if after.Status != types.StackStatusUpdateRollbackComplete {
		return after, d.failure(after, tree)
	}
	return after, nil
}

// took decides whether a request that was answered with an error took effect all the
// same: the answer may have been lost, or be that of a second try.
func (d *Deployer) took(ctx context.Context, err error, id, token, doing string) error {
	if err == nil {
		return nil
	}
	look, stop := afterwards(ctx)
	defer stop()
	if begun, lookErr := d.begun(look, id, token); lookErr == nil && begun {
		return nil
	}
	return d.place.Explain(err, doing)
}

// untouched reports whether a request is known to have had no effect.
func (d *Deployer) untouched(ctx context.Context, id, token string) bool {
	ctx, stop := afterwards(ctx)
	defer stop()
	begun, err := d.begun(ctx, id, token)
	return err == nil && !begun
}
