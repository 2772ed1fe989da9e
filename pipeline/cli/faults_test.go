package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/internal/censustest"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// A disturbed command is one whose every call meets every fault.
type disturbed struct {
	name, line string
	// prepare brings a new account to where the command begins.
	prepare func(a *faultAccount)
	// reads says that the command changes nothing, so that one account will do for all
	// faults. Where restore is given, it undoes what the command did to that account.
	reads   bool
	restore func(a *faultAccount)
	// leaves is the call that cleans up: refused, it leaves a change set, which is named.
	leaves string
	// over is what the command may say when it is repeated and its effect was there already.
	over string
}

// disturbedCommands are all that talk to AWS.
var disturbedCommands = []disturbed{
	{name: "package", line: "package --env dev", prepare: (*faultAccount).nothing},
	{name: "deploy, the first", line: "deploy --env dev --yes", prepare: (*faultAccount).nothing},
	{name: "deploy, an update", line: "deploy --env dev --yes", prepare: (*faultAccount).changed},
	{name: "deploy, nothing to change", line: "deploy --env dev --yes", prepare: (*faultAccount).deployed, reads: true},
	{name: "deploy --recreate", line: "deploy --env dev --yes --recreate", prepare: (*faultAccount).rolledBack, over: "--recreate deletes only what could never be deployed"},
	{name: "plan, the first", line: "plan --env dev", prepare: (*faultAccount).nothing, reads: true},
	{name: "plan, an update", line: "plan --env dev", prepare: (*faultAccount).changed, leaves: "cloudformation.DeleteChangeSet"},
	{name: "run", line: "run --env dev --run r1", prepare: (*faultAccount).deployed},
	{name: "run --data", line: "run --env dev --run r1 --data testdata/steps/preprocess/preprocess.sh", prepare: (*faultAccount).deployed},
	{name: "status", line: "status --env dev", prepare: (*faultAccount).ran, reads: true},
	{name: "watch", line: "watch r1 --env dev", prepare: (*faultAccount).started},
	{name: "runs", line: "runs --env dev", prepare: (*faultAccount).ran, reads: true},
	{name: "logs", line: "logs r1 --env dev", prepare: (*faultAccount).ran, reads: true},
	{name: "logs -f", line: "logs r1 -f --env dev", prepare: (*faultAccount).ran, reads: true},
	{name: "models", line: "models --env dev", prepare: (*faultAccount).ran, reads: true},
	{name: "models approve", line: "models approve 1 --by Ada --note good --env dev", prepare: (*faultAccount).ran, restore: (*faultAccount).pending},
	{name: "lineage", line: "lineage r1/Train.Model --env dev", prepare: (*faultAccount).ran, reads: true},
	{name: "report", line: "report r1 --out - --env dev", prepare: (*faultAccount).ran, reads: true},
	{name: "resume", line: "resume r1 --env dev", prepare: (*faultAccount).failed, over: "is still running|nothing of it is left to do"},
	{name: "stop", line: "stop r1 --env dev", prepare: (*faultAccount).running},
	{name: "destroy", line: "destroy --env dev --yes", prepare: (*faultAccount).ran},
	{name: "destroy --delete-data", line: "destroy --env dev --yes --delete-data --confirm dev-census-training", prepare: (*faultAccount).ran},
	{name: "destroy --stop --delete-data", line: "destroy --env dev --yes --stop --delete-data --confirm dev-census-training", prepare: (*faultAccount).running},
}

// polled are calls that commands make until something has happened: of these, the first
// three meet the faults. Of all others every one does.
var polled = []string{
	"cloudformation.DescribeChangeSet", "cloudformation.DescribeStackEvents", "cloudformation.DescribeStacks",
	"states.DescribeExecution", "states.GetExecutionHistory", "states.ListExecutions",
	"logs.DescribeLogStreams", "logs.GetLogEvents",
}

// sampled says one of how many faults is tried: all where MLMAX_FAULTS is all, as in
// `make bench`; else so many that each call meets some and each fault some calls.
func sampled() int {
	switch {
	case os.Getenv("MLMAX_FAULTS") == "all":
		return 1
	case testing.Short():
		return 43
	}
	return 5
}

// TestEveryCallEveryFault runs each command once undisturbed, and then once for each of its
// calls and each fault. Faults that pass change nothing: the command ends as it did, and the
// account is as it was. After a refusal, which says what to do, the same command ends so. The
// count is what `make bench` shows.
func TestEveryCallEveryFault(t *testing.T) {
	t.Parallel()
	var tried, good atomic.Int64
	t.Run("commands", func(t *testing.T) {
		for i := range disturbedCommands {
			c := &disturbedCommands[i]
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.disturb(t, &tried, &good)
			})
		}
	})
	t.Logf("%d of %d faults: exactly one effect each", good.Load(), tried.Load())
}

// disturb lets every fault hit every call of a command.
func (c *disturbed) disturb(t *testing.T, tried, good *atomic.Int64) {
	usual := newFaultAccount(t)
	c.prepare(usual)
	code, out, said := usual.run(c.line)
	if code > exitFailed {
		t.Fatalf("undisturbed: exit code %d\n%s%s", code, out, said)
	}
	want, counts := usual.effects(), usual.proxy.Counts()
	n, one := 0, sampled()
	for _, on := range slices.Sorted(maps.Keys(counts)) {
		last := counts[on]
		if slices.Contains(polled, on) {
			last = min(last, 3)
		}
		for nth := 1; nth <= last; nth++ {
			for _, fault := range awsfake.Faults {
				if n++; n%one != 0 {
					continue
				}
				rule := awsfake.Rule{On: on, Nth: nth, Fault: fault}
				// Not parallel: what a parallel test used is kept until all are done.
				t.Run(fmt.Sprintf("%s at %s %d", fault, on, nth), func(t *testing.T) {
					tried.Add(1)
					a := usual
					switch {
					case c.reads:
						a = a.again(t)
					case c.restore != nil:
						c.restore(a)
						a = a.again(t)
					default:
						a = newFaultAccount(t)
						c.prepare(a)
					}
					c.meet(a, rule, code, want)
					if !t.Failed() {
						good.Add(1)
					}
				})
			}
		}
	}
	t.Logf("%d calls, %d faults: %v", sum(counts), n, counts)
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// meet lets a fault hit one call of the command, once, and demands that it ends as it should.
func (c *disturbed) meet(a *faultAccount, rule awsfake.Rule, wantCode int, want []string) {
	a.proxy.Inject(rule)
	code, out, said := a.run(c.line)
	if len(a.proxy.Struck()) != 1 {
		a.t.Errorf("hit were %v of %v", a.proxy.Struck(), a.proxy.Counts())
	}
	lasts := rule.Fault == awsfake.Expired || rule.Fault == awsfake.Denied
	switch {
	case code == wantCode:
	case !lasts:
		a.t.Errorf("exit code %d\n%s%s", code, out, said)
	default:
		c.refused(a, rule, code, said)
		again, out, said := a.run(c.line)
		if over := again == exitTrouble && c.over != "" && regexp.MustCompile(c.over).MatchString(said); again != wantCode && !over {
			a.t.Errorf("once more: exit code %d\n%s%s", again, out, said)
		}
	}
	got := a.effects()
	if lasts && rule.On == c.leaves && strings.Contains(said, "changeSet/mlmax-deploy-") {
		got = without(got, []string{"change set of dev-census-training CREATE_COMPLETE"})
	}
	if !slices.Equal(got, want) {
		a.t.Errorf("the account has\n\t%s\nwant\n\t%s\n%s", strings.Join(without(got, want), "\n\t"), strings.Join(without(want, got), "\n\t"), said)
	}
}

// refusals are the words for both: of a HEAD, S3 does not say why.
var refusals = map[awsfake.Fault]*regexp.Regexp{
	awsfake.Expired: regexp.MustCompile("(?s)AWS credentials expired.*\n\thint: .*aws sso login|does not say why.*\n\thint: run the same command again"),
	awsfake.Denied:  regexp.MustCompile("(?s)user/ada may not ([a-z0-9]+:[A-Z][A-Za-z0-9]+ on \\S+|see it).*\n\thint: .*let that identity do [a-z0-9]+:[A-Z]"),
}

// refused demands that a refusal says in words what happened, and in one hint what to do.
func (c *disturbed) refused(a *faultAccount, rule awsfake.Rule, code int, said string) {
	if code != exitTrouble || !refusals[rule.Fault].MatchString(said) || strings.Count(said, "\thint: ") != 1 {
		a.t.Errorf("exit code %d\n%s", code, said)
	}
}

// without are the lines of one list that another does not have as often.
func without(lines, others []string) (rest []string) {
	left := slices.Clone(others)
	for _, l := range lines {
		if i := slices.Index(left, l); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			rest = append(rest, l)
		}
	}
	return rest
}

// A faultAccount is an account in which the census pipeline runs with shell scripts.
type faultAccount struct {
	*awsAccount
	// release lets jobs end that are held.
	release chan struct{}
}

func newFaultAccount(t *testing.T) *faultAccount {
	t.Helper()
	a := &faultAccount{accountFor(t, shellCensus(t), censustest.Steady{}), make(chan struct{})}
	t.Cleanup(func() {
		a.free()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// again is the same account behind another proxy.
func (a *faultAccount) again(t *testing.T) *faultAccount {
	b := *a.awsAccount
	b.behind(t)
	return &faultAccount{&b, a.release}
}

// run executes a command line in a workspace of its own, in which nothing is remembered.
func (a *faultAccount) run(line string) (code int, stdout, stderr string) {
	switch strings.Fields(line)[0] {
	case "logs", "models", "lineage", "report":
		line += " --workspace " + a.t.TempDir()
	}
	return a.awsAccount.run(line)
}

// must runs a command line that no fault hits.
func (a *faultAccount) must(line string, code int) {
	a.t.Helper()
	if got, out, said := a.again(a.t).run(line); got != code {
		a.t.Fatalf("%s: exit code %d\n%s%s", line, got, out, said)
	}
}

func (a *faultAccount) nothing() {
	if err := a.PutObject("acme-ml-dev", "data/census.csv", []byte("age,income\n39,low\n")); err != nil {
		a.t.Fatal(err)
	}
}

func (a *faultAccount) deployed() {
	a.nothing()
	a.must("deploy --env dev --yes", 0)
}

func (a *faultAccount) changed() {
	a.deployed()
	a.change(`"Level":"ALL"`, `"Level":"ERROR"`)
}

func (a *faultAccount) rolledBack() {
	a.nothing()
	a.FailResource("create", "Machine", "no")
	a.must("deploy --env dev --yes", exitFailed)
}

func (a *faultAccount) ran() {
	a.deployed()
	a.must("run --env dev --run r1", 0)
}

// failed is a run of which the first step failed at once.
func (a *faultAccount) failed() {
	a.deployed()
	a.Interfere(func(c awsfake.TaskCall) error {
		if c.N == 1 {
			return awsfake.JobFails("AlgorithmError: no")
		}
		return nil
	})
	a.must("run --env dev --run r1", exitFailed)
}

func (a *faultAccount) started() {
	a.deployed()
	a.start()
}

// running is a run whose first job does not end by itself.
func (a *faultAccount) running() {
	a.deployed()
	held := make(chan struct{})
	a.Interfere(func(awsfake.TaskCall) error {
		close(held)
		<-a.release
		return awsfake.JobFails("AlgorithmError: it was not stopped")
	})
	a.start()
	<-held
}

func (a *faultAccount) start() {
	a.t.Helper()
	p := a.place()
	_, err := cloud.StepFunctions(p).StartExecution(a.t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(p.MachineARN()), Name: aws.String("r1"), Input: aws.String("{}"),
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

// pending takes back what was decided of the model's version.
func (a *faultAccount) pending() {
	a.t.Helper()
	err := a.place().SageMaker(a.t.Context(), "UpdateModelPackage", map[string]any{
		"ModelPackageArn": a.ARN("sagemaker", "model-package/dev-census/1"), "ModelApprovalStatus": pipeline.PendingManualApproval, "ApprovalDescription": "-",
	}, &struct{}{})
	if err != nil {
		a.t.Fatal(err)
	}
}

// free lets held jobs end.
func (a *faultAccount) free() {
	select {
	case <-a.release:
	default:
		close(a.release)
	}
}

// effects are those in the account, once what was started has ended.
func (a *faultAccount) effects() []string {
	a.t.Helper()
	a.free()
	_, _ = a.Ended(a.t.Context(), a.ARN("states", "execution:dev-census-training:r1")) // of most commands there is none
	return a.Effects()
}

// shellCensus is the census pipeline with the shell scripts of testdata for its steps.
func shellCensus(t *testing.T) *pipeline.Definition {
	t.Helper()
	d := training.Definition()
	d.ASL = bytes.ReplaceAll(d.ASL, []byte(`"python3"`), []byte(`"/bin/sh"`))
	for i := range d.Jobs {
		j := &d.Jobs[i]
		shell := strings.TrimSuffix(j.Script, ".py") + ".sh"
		d.ASL = bytes.ReplaceAll(d.ASL, []byte(j.Script), []byte(shell))
		j.Script, j.CodeDir = shell, strings.Replace(j.CodeDir, "specs/census/steps", "pipeline/cli/testdata/steps", 1)
	}
	var template struct {
		Resources map[string]struct{ Type string }
	}
	var all map[string]any
	if err := json.Unmarshal(d.Template, &template); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(d.Template, &all); err != nil {
		t.Fatal(err)
	}
	for id, r := range template.Resources {
		if r.Type == "AWS::StepFunctions::StateMachine" {
			all["Resources"].(map[string]any)[id].(map[string]any)["Properties"].(map[string]any)["Definition"] = json.RawMessage(d.ASL)
		}
	}
	var err error
	if d.Template, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	return d
}
