package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/stack"
	"github.com/mlmax/mlmax/pipeline/delta"
	"github.com/mlmax/mlmax/pipeline/revision"
	"github.com/spf13/cobra"
)

// A planFlags is what plan was asked.
type planFlags struct {
	awsFlags
	offline          bool
	against          string
	asJSON, markdown bool
}

func (a *app) planCommand() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "plan",
		Short: "Say what deploy would change, and what a run may cost at most",
		Long: `Says what deploy would change: steps, permissions with their reasons, resources
that would be replaced or deleted, and what a run may cost at most.

It compares the generated template, the environment's parameters and the code in
this tree with the deployed stack, by a change set that it deletes again. With
--offline it compares them with a git revision instead, which takes no account
and no credentials: by default the commit where this branch left origin's main
line.

Exit codes: 0 nothing would change; 1 something would; 2 it could not be found
out. "go run" turns 2 into 1: build the command where that matters, as in CI.`,
		Example: "  " + a.command + " plan --env " + a.anyEnvironment() + "\n" +
			"  " + a.command + " plan --env " + a.anyEnvironment() + " --offline --against origin/main --markdown",
		Args: a.noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			// An interrupt ends the calls, so that a change set is deleted even then.
			ctx, heard, stop := a.hearing(c.Context())
			defer stop()
			p, err := a.plan(ctx, &f)
			if err != nil {
				return &exit{code: exitOf(heard(), exitTrouble), err: err}
			}
			if err := a.printPlan(p, &f); err != nil {
				return err
			}
			if !p.Empty() {
				return &exit{code: exitFailed}
			}
			return nil
		},
	}
	c.Flags().SortFlags = false
	addAWS(c, a.definition, &f.awsFlags)
	c.Flags().BoolVar(&f.offline, "offline", false, "compare with a git revision instead of what is deployed; nothing is called")
	c.Flags().StringVar(&f.against, "against", "", "the `REVISION` to compare with, with --offline (default: where this branch left the main line)")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print the plan as one JSON object")
	c.Flags().BoolVar(&f.markdown, "markdown", false, "print the plan as Markdown, for a comment on a pull request")
	c.MarkFlagsMutuallyExclusive("json", "markdown")
	return c
}

// anyEnvironment is the name of an environment, for examples.
func (a *app) anyEnvironment() string {
	names := slices.Sorted(maps.Keys(a.definition.Environments))
	if len(names) == 0 {
		return "dev"
	}
	return names[0]
}

// plan finds out what deploy would change.
func (a *app) plan(ctx context.Context, f *planFlags) (*delta.Plan, error) {
	switch {
	case f.against != "" && !f.offline:
		return nil, errors.New("--against names a git revision, and without --offline the comparison is with what is deployed\n\thint: add --offline")
	case f.offline && f.profile != "":
		return nil, errors.New("--profile says whose credentials to use, and --offline uses none\n\thint: leave one of them out")
	case f.offline:
		return a.planOffline(ctx, f)
	}
	return a.planOnline(ctx, f)
}

// planOffline compares the tree with a git revision.
func (a *app) planOffline(ctx context.Context, f *planFlags) (*delta.Plan, error) {
	if err := f.settle(a); err != nil {
		return nil, err
	}
	if _, err := cloud.Values(a.target(f.awsFlags)); err != nil { // it refuses what deploy would
		return nil, err
	}
	module, err := findModule(a.definition)
	if err != nil {
		return nil, err
	}
	r, err := revision.Open(ctx, module)
	if err != nil {
		return nil, err
	}
	commit, words, err := r.Resolve(ctx, f.against)
	if err != nil {
		return nil, err
	}
	t := revision.Target{Definition: a.definition, Environment: f.env, Bucket: f.bucket, Region: f.region}
	before, err := r.Side(ctx, commit, t)
	if err != nil {
		return nil, err
	}
	tree, err := cloud.Tree(a.definition, module)
	if err != nil {
		return nil, err
	}
	after, err := t.Tree(cloud.Digests(tree))
	if err != nil {
		return nil, err
	}
	p, err := delta.Compare(before, *after, nil)
	if err != nil {
		return nil, err
	}
	p.Against = words
	return p, nil
}

// planOnline compares the tree with the deployed stack. Where there is one that can be
// changed, CloudFormation is asked by a change set, which is deleted again.
func (a *app) planOnline(ctx context.Context, f *planFlags) (p *delta.Plan, err error) {
	place, err := a.place(ctx, f.awsFlags)
	if err != nil {
		return nil, err
	}
	tree, err := a.workTree()
	if err != nil {
		return nil, err
	}
	state, err := stack.Find(ctx, place)
	if err != nil {
		return nil, err
	}
	before, err := stack.Deployed(ctx, place, state)
	if err != nil {
		return nil, err
	}
	deployer := stack.New(place, nil)
	refusal := deployer.Refuses(ctx, state)
	if failure := (*stack.Failure)(nil); refusal != nil && !errors.As(refusal, &failure) {
		return nil, refusal
	}
	want, err := stack.Wanted(ctx, place, state, cloud.Digests(tree), "plan")
	if err != nil {
		return nil, err
	}
	for _, k := range want.Adopted {
		fmt.Fprintf(a.stderr, "%s outlived an earlier stack and would be taken over\n", k)
	}
	resources, err := a.proposed(ctx, deployer, state, before, want)
	if err != nil {
		return nil, err
	}
	p, err = delta.Compare(before, want.Side(), resources)
	if err != nil {
		return nil, err
	}
	if refusal != nil && p.Empty() {
		return nil, refusal // it is not what was wanted, though nothing else is
	}
	if refusal != nil {
		fmt.Fprintf(a.stderr, "deploy refuses as long as this lasts: %v\n", refusal)
	}
	p.Against = "stack " + place.StackName() + " in " + place.Region
	return p, nil
}

// proposed are the resources that CloudFormation would change: nil if it could not be asked.
func (a *app) proposed(ctx context.Context, deployer *stack.Deployer, state *stack.State, before *delta.Side, want *stack.Want) ([]delta.Resource, error) {
	switch {
	case before == nil:
		return nil, nil
	case want.Same(state, before):
		return []delta.Resource{}, nil
	case !stack.Updatable(state.Status):
		fmt.Fprintf(a.stderr, "stack %s is %s, so that CloudFormation was not asked: which resources change is from the templates alone\n", state.Name, state.Status)
		return nil, nil
	}
	set, err := deployer.Propose(ctx, state, want)
	if err != nil {
		return nil, err
	}
	if set == nil {
		return []delta.Resource{}, nil
	}
	return set.Resources(), set.Discard(ctx)
}

// printPlan prints a plan in the form that was asked for.
func (a *app) printPlan(p *delta.Plan, f *planFlags) error {
	var print func(io.Writer) error
	switch {
	case f.asJSON:
		return encode(a.stdout, p)
	case f.markdown:
		print = p.Markdown
	default:
		print = func(w io.Writer) error { return p.Text(w, colored(w)) }
	}
	return print(a.stdout)
}
