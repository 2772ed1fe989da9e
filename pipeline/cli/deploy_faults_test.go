package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/mlmax/mlmax/internal/awsfake"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// TestDeployEveryFault lets every fault hit every kind of call of deploy, update and
// destroy, the first and the second of its kind. A command that gives up says what to do,
// and the same command again ends well: the stack is created once, updated once and
// deleted once.
func TestDeployEveryFault(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("hundreds of deployments; not in short mode")
	}
	usual := newAWSAccount(t)
	usual.storyOf(nil)
	counts := usual.proxy.Counts()
	n := 0
	for _, on := range slices.Sorted(maps.Keys(counts)) {
		for _, fault := range awsfake.Faults {
			for nth := 1; nth <= min(2, counts[on]); nth++ {
				n++
				t.Run(fmt.Sprintf("%s at %s %d", fault, on, nth), func(t *testing.T) {
					t.Parallel()
					a := newAWSAccount(t)
					a.storyOf(&awsfake.Rule{On: on, Nth: nth, Fault: fault})
					if len(a.proxy.Struck()) != 1 {
						t.Errorf("hit were %v", a.proxy.Struck())
					}
				})
			}
		}
	}
	t.Logf("%d faults at %d kinds of calls", n, len(counts))
}

// storyOf deploys, deploys a change, and destroys, with one fault somewhere, and each
// command again where that made it give up.
func (a *awsAccount) storyOf(fault *awsfake.Rule) {
	a.t.Helper()
	if fault != nil {
		a.proxy.Inject(*fault)
	}
	a.insist("deploy --env dev --yes")
	client := cloud.CloudFormation(a.place())
	out, err := client.DescribeStacks(a.t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(stackName)})
	if err != nil {
		a.t.Fatal(err)
	}
	id := aws.ToString(out.Stacks[0].StackId)
	a.change(`"TracingConfiguration": {`, `"TracingConfiguration": { `)
	a.change(`"Level": "ALL"`, `"Level": "ERROR"`)
	a.insist("deploy --env dev --yes")
	a.insist("destroy --env dev --yes")
	events, err := client.DescribeStackEvents(a.t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String(id)})
	if err != nil {
		a.t.Fatal(err)
	}
	var begun []string
	for _, e := range events.StackEvents {
		if aws.ToString(e.PhysicalResourceId) == id && aws.ToString(e.ResourceStatusReason) == "User Initiated" {
			begun = append(begun, string(e.ResourceStatus))
		}
	}
	if got := strings.Join(begun, " "); got != "DELETE_IN_PROGRESS UPDATE_IN_PROGRESS CREATE_IN_PROGRESS REVIEW_IN_PROGRESS" {
		a.t.Errorf("the stack's operations, newest first: %s", got)
	}
	a.status("DELETE_COMPLETE")
}

// insist executes a command line, once more if it gives up with a hint.
func (a *awsAccount) insist(line string) {
	a.t.Helper()
	for try := range 3 {
		code, out, said := a.run(line)
		if code == 0 {
			return
		}
		if try == 2 || code != 2 || !strings.Contains(said, "\n\thint: ") {
			a.t.Fatalf("%s: exit code %d\n%s%s", line, code, out, said)
		}
	}
}
