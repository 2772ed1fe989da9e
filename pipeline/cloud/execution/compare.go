package execution

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// A Revision is which code a machine runs, as its own text says.
type Revision struct {
	// Code are the digests of the steps' code, by step. A step that runs the code of a
	// model version has an expression.
	Code map[string]string
	// Definition is the hash of the machine's file.
	Definition string
}

// revision reads which code a machine runs from the state that describes its runs.
func revision(definition []byte) Revision {
	var machine struct {
		States map[string]struct{ Assign map[string]json.RawMessage }
	}
	var r Revision
	if json.Unmarshal(definition, &machine) != nil {
		return r
	}
	if raw := machine.States["Describe run"].Assign["manifest"]; raw != nil {
		_ = json.Unmarshal(raw, &r) // a machine that was not generated says nothing of its code
	}
	return r
}

// Deployed gives which code the deployed machine runs.
func Deployed(ctx context.Context, p *cloud.Place) (Revision, error) {
	out, err := cloud.StepFunctions(p).DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: aws.String(p.MachineARN())})
	if isNoMachine(err) {
		return Revision{}, notDeployed(p)
	}
	if err != nil {
		return Revision{}, p.Explain(err, "looking at state machine "+p.StackName())
	}
	return revision([]byte(aws.ToString(out.Definition))), nil
}

// RevisionOf gives which code an execution runs, also after a later deployment.
func RevisionOf(ctx context.Context, p *cloud.Place, d *Description) (Revision, error) {
	out, err := cloud.StepFunctions(p).DescribeStateMachineForExecution(ctx, &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: aws.String(d.ARN)})
	if err != nil {
		return Revision{}, p.Explain(err, "looking at the state machine of run "+d.Name)
	}
	return revision([]byte(aws.ToString(out.Definition))), nil
}

// Compare says, a line each, in which steps a revision has other code than the tree, and
// whether the machine is another one; there names what the revision is of, such as
// "deployed".
func Compare(r Revision, p *cloud.Place, tree []cloud.Code, there string) []string {
	var lines []string
	for i := range p.Definition.Jobs {
		job := &p.Definition.Jobs[i]
		here := digestOf(tree, job.Name)
		if had := r.Code[job.Name]; here != "" && had != here {
			lines = append(lines, fmt.Sprintf("step %s: %s %s, here %s", job.Name, there, short(had), short(here)))
		}
	}
	if here := revision(p.Definition.ASL).Definition; here != r.Definition {
		lines = append(lines, fmt.Sprintf("the state machine: %s %s, here %s", there, short(r.Definition), short(here)))
	}
	return lines
}

// digestOf is the digest of a step's code in the tree, or empty.
func digestOf(tree []cloud.Code, step string) string {
	for _, c := range tree {
		for _, name := range c.Steps {
			if name == step {
				return c.Digest
			}
		}
	}
	return ""
}

// short is the start of a digest.
func short(digest string) string {
	return cmp.Or(clean(digest[:min(12, len(digest))]), "nothing")
}

// RefuseRun is the error of a run of what is deployed where the tree differs; nil where it
// does not.
func RefuseRun(p *cloud.Place, differences []string) error {
	if len(differences) == 0 {
		return nil
	}
	return fmt.Errorf("what is deployed in %s is not what this work tree has; nothing was started\n\t%s\n\thint: deploy it: %s; or run what is deployed: %s",
		p.Environment, strings.Join(differences, "\n\t"), p.Next("deploy"), p.Next("run --deployed"))
}

// RefuseResume is the error of going on with a run whose code is not the tree's; nil where
// it is. A redrive always runs what the execution was started with.
func RefuseResume(p *cloud.Place, name string, differences []string) error {
	if len(differences) == 0 {
		return nil
	}
	return fmt.Errorf("run %s goes on with what it was started with, which is not what this work tree has; nothing was done\n\t%s\n\thint: go on with it all the same: %s; or start another with what is here: %s, then %s",
		name, strings.Join(differences, "\n\t"), p.Next("resume "+name+" --same-code"), p.Next("deploy"), p.Next("run"))
}
