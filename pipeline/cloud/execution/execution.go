// Package execution runs a deployed pipeline on AWS: it starts an execution of the
// environment's state machine, follows it, stops it and goes on with it. In go a
// [cloud.Place] and an execution's input or name, out come the same [pipeline.Event]s and
// the same [pipeline.Outcome] as from a run on this machine.
//
// Nothing is kept here: an execution is found by its name, and what it did by its history
// and by the manifest in S3. Who stops looking loses nothing.
package execution

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/ledger"
)

// keep is how long after its end an execution can be resumed (Step Functions Developer
// Guide, redrive-executions).
const keep = 14 * 24 * time.Hour

// A Description is what Step Functions knows of an execution.
type Description struct {
	Name, ARN string
	// Status is Step Functions' own, with PENDING_REDRIVE.
	Status pipeline.Status
	// Input and Output are JSON; Output is nil unless it succeeded.
	Input, Output json.RawMessage
	// Error and Cause are the machine's, where it failed or was stopped.
	Error, Cause string
	// Started is when it started first, Stopped when it ended last, or zero.
	Started, Stopped time.Time
	// Redrives is how often it was resumed.
	Redrives int
	// Redrivable says that Step Functions would resume it, NotRedrivable why not.
	Redrivable    bool
	NotRedrivable string
}

// Ended says that it does not go on by itself.
func (d *Description) Ended() bool {
	return d.Status != pipeline.Running && d.Status != pipeline.PendingRedrive
}

// ResumableUntil is when it can no longer be resumed.
func (d *Description) ResumableUntil() time.Time { return d.Stopped.Add(keep) }

// ErrNotFound is the error of an execution that does not exist, as when its machine does
// not. What it wrote may still be there.
var ErrNotFound = errors.New("no such run")

// Describe looks at the execution of a name.
func Describe(ctx context.Context, p *cloud.Place, name string) (*Description, error) {
	out, err := cloud.StepFunctions(p).DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(p.ExecutionARN(name))})
	if err != nil {
		return nil, notFound(p, name, err)
	}
	d := &Description{
		Name: aws.ToString(out.Name), ARN: aws.ToString(out.ExecutionArn), Status: pipeline.Status(out.Status),
		Error: aws.ToString(out.Error), Cause: aws.ToString(out.Cause), Started: aws.ToTime(out.StartDate).UTC(), Stopped: aws.ToTime(out.StopDate).UTC(),
		Redrives: int(aws.ToInt32(out.RedriveCount)), Redrivable: out.RedriveStatus == types.ExecutionRedriveStatusRedrivable,
		NotRedrivable: aws.ToString(out.RedriveStatusReason),
	}
	if out.StopDate == nil {
		d.Stopped = time.Time{}
	}
	if out.Input != nil {
		d.Input = json.RawMessage(*out.Input)
	}
	if out.Output != nil {
		d.Output = json.RawMessage(*out.Output)
	}
	return d, nil
}

// notFound explains the error of a call about one execution.
func notFound(p *cloud.Place, name string, err error) error {
	var missing *types.ExecutionDoesNotExist
	if errors.As(err, &missing) {
		return &told{fmt.Sprintf("%s has no run %q in %s (%s)\n\thint: see %s; Step Functions forgets a run 90 days after its end, and when its machine is deleted",
			p.Definition.Name, name, p.Environment, where(p), p.Next("runs")), ErrNotFound}
	}
	return p.Explain(err, "looking at run "+name)
}

// where is an environment as people are told it: Region and account.
func where(p *cloud.Place) string { return p.Region + "/" + p.Account }

// notDeployed is the error of a machine that does not exist.
func notDeployed(p *cloud.Place) error {
	return &told{fmt.Sprintf("pipeline %s is not deployed in %s\n\thint: %s", p.Definition.Name, where(p), p.Next("deploy")), ErrNotFound}
}

// listed is how many executions a listing looks at, at most.
const listed = 5000

// List gives the newest executions first, at most limit; 0 is as many as are looked at. Of
// each is known what ListExecutions says: no input, no output and no cause.
func List(ctx context.Context, p *cloud.Place, limit int) ([]Description, error) {
	if limit <= 0 || limit > listed {
		limit = listed
	}
	in := &sfn.ListExecutionsInput{StateMachineArn: aws.String(p.MachineARN()), MaxResults: int32(min(limit, 1000))}
	var all []Description
	for len(all) < limit {
		page, err := cloud.StepFunctions(p).ListExecutions(ctx, in)
		if isNoMachine(err) {
			return nil, notDeployed(p)
		}
		if err != nil {
			return nil, p.Explain(err, "listing the runs of "+p.StackName())
		}
		for _, e := range page.Executions {
			d := Description{
				Name: aws.ToString(e.Name), ARN: aws.ToString(e.ExecutionArn), Status: pipeline.Status(e.Status),
				Started: aws.ToTime(e.StartDate).UTC(), Redrives: int(aws.ToInt32(e.RedriveCount)),
			}
			if e.StopDate != nil {
				d.Stopped = e.StopDate.UTC()
			}
			if len(all) < limit {
				all = append(all, d)
			}
		}
		if in.NextToken = page.NextToken; aws.ToString(page.NextToken) == "" {
			break
		}
	}
	return all, nil
}

func isNoMachine(err error) bool {
	var missing *types.StateMachineDoesNotExist
	return errors.As(err, &missing)
}

// isRunID says whether a word may be the run id that a machine makes of an execution.
var isRunID = regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString

// startsRunID says whether a word may be the start of one.
var startsRunID = regexp.MustCompile(`^[0-9a-f]{4,11}$`).MatchString

// Find gives the execution that a person names: by its own name, by the run's id of 12
// digits or the start of it, or as "latest".
func Find(ctx context.Context, p *cloud.Place, ref string) (*Description, error) {
	switch {
	case ref == "latest":
		newest, err := List(ctx, p, 1)
		if err != nil {
			return nil, err
		}
		if len(newest) == 0 {
			return nil, &told{fmt.Sprintf("%s has no runs in %s\n\thint: start one with: %s", p.Definition.Name, where(p), p.Next("run")), ErrNotFound}
		}
		return Describe(ctx, p, newest[0].Name)
	case isRunID(ref):
		name, err := nameOf(ctx, p, ref)
		if err != nil {
			return nil, err
		}
		if name != "" {
			return Describe(ctx, p, name)
		}
	}
	if err := checkName(ref); err != nil {
		return nil, fmt.Errorf("%w\n\thint: see %s", err, p.Next("runs"))
	}
	d, err := Describe(ctx, p, ref)
	if errors.Is(err, ErrNotFound) && startsRunID(ref) {
		name, problem := nameOf(ctx, p, ref)
		if problem != nil {
			return nil, problem
		}
		if name != "" {
			return Describe(ctx, p, name)
		}
	}
	return d, err
}

// nameOf finds the execution's name of a run's id, or of the start of one: in its manifest,
// or else by making the ids of the newest executions again. It is empty if there is none.
func nameOf(ctx context.Context, p *cloud.Place, run string) (string, error) {
	if isRunID(run) {
		m, err := readManifest(ctx, p, run)
		if err == nil && m != nil {
			return path.Base(strings.ReplaceAll(m.Execution, ":", "/")), nil
		}
	}
	all, err := List(ctx, p, 0)
	if err != nil {
		return "", err
	}
	var names []string
	for _, d := range all {
		if strings.HasPrefix(ledger.RunID(d.ARN, d.Started), run) {
			names = append(names, d.Name)
		}
	}
	if len(names) > 1 {
		return "", fmt.Errorf("%q is the start of several runs: %s", run, strings.Join(names, ", "))
	}
	return strings.Join(names, ""), nil
}

// nameLimit is how long an execution's name may be.
const nameLimit = 80

// validName are the names of executions that are safe everywhere: the service allows more
// characters, of which some cannot be logged.
var validName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,80}$`)

// CheckName says why a run cannot be given a name, or returns nil.
func CheckName(name string) error {
	if name == "latest" {
		return errors.New("\"latest\" cannot be the name of a run: every command takes it for the newest")
	}
	return checkName(name)
}

func checkName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%q cannot be the name of a run: it takes 1 to %d of the characters 0-9 A-Z a-z _ and -", name, nameLimit)
	}
	return nil
}

// NewName makes the name of an execution: when, and a part that no other has. It is made
// once a command, so that a start that is repeated stays one.
func NewName(now time.Time, random io.Reader) (string, error) {
	part := make([]byte, 4)
	if _, err := io.ReadFull(random, part); err != nil {
		return "", fmt.Errorf("name the run: %w", err)
	}
	return now.UTC().Format("20060102-150405-") + hex.EncodeToString(part), nil
}
