package cli

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mlmax/mlmax/internal/awsfake"
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
	return 7
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
