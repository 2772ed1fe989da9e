package joblog

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
)

// begin is when the first line was written.
var begin = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// account is an account whose calls faults may hit, and a place in it. Calls are tried
// attempts times, without a wait.
func account(t *testing.T, attempts int, rules ...awsfake.Rule) (*awsfake.World, *awsfake.Proxy, *cloud.Place) {
	t.Helper()
	clock := asl.NewVirtualClock(begin)
	w := awsfake.New(awsfake.Options{Clock: clock}, "data")
	proxy := awsfake.NewProxy(w)
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	p, err := cloud.Open(context.Background(), cloud.Target{
		Definition: &pipeline.Definition{Name: "demo", Environments: map[string][]byte{"dev": []byte(
			`[{"ParameterKey":"Region","ParameterValue":"eu-west-1"},{"ParameterKey":"Bucket","ParameterValue":"data"}]`)}},
		Environment: "dev", Command: "demo",
	}, cloud.Options{Clock: clock, Load: append(awsfake.Config(server.URL), config.WithRetryer(func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.Backoff = attempts, retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}))})
	if err != nil {
		t.Fatal(err)
	}
	proxy.Inject(rules...)
	return w, proxy, p
}

// write makes the lines from..to of a host.
func write(w *awsfake.World, job, host string, from, to int) {
	var all []awsfake.LogLine
	for i := from; i < to; i++ {
		all = append(all, awsfake.LogLine{Time: begin.Add(time.Duration(i) * time.Second), Message: fmt.Sprintf("line %d", i)})
	}
	w.Log(Group("training"), job+"/"+host+"-1700000000", all...)
}

// numbered are the lines from..to.
func numbered(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("line %d", i))
	}
	return all
}

func TestLastLines(t *testing.T) {
	t.Parallel()
	w, _, p := account(t, 3)
	ctx := context.Background()
	if got, err := Last(ctx, p, "training", "job-1", 3); err != nil || len(got) != 0 {
		t.Errorf("without a group: %q, error %v", got, err)
	}
	write(w, "job-1", "algo-1", 0, 300)
	write(w, "job-10", "algo-1", 500, 600) // another job, whose name begins like it
	if got, err := Last(ctx, p, "training", "job-1", 3); err != nil || !slices.Equal(got, numbered(297, 300)) {
		t.Errorf("last lines are %q, error %v", got, err)
	}
	if got, err := Last(ctx, p, "training", "job-1", 1000); err != nil || !slices.Equal(got, numbered(0, 300)) {
		t.Errorf("%d lines, error %v", len(got), err)
	}
	if got, err := Last(ctx, p, "processing", "job-1", 3); err != nil || len(got) != 0 {
		t.Errorf("of another kind: %q, error %v", got, err)
	}
	w.Log(Group("training"), "job-2/algo-1-1", awsfake.LogLine{Time: begin, Message: "\x1b[31mred\x1b[0m\r\n"}, awsfake.LogLine{Time: begin, Message: "  \n"},
		awsfake.LogLine{Time: begin, Message: "10%\r20%\rdone\tnow\nsecond"})
	if got, err := Last(ctx, p, "training", "job-2", 9); err != nil || !slices.Equal(got, []string{"red", "done    now", "second"}) {
		t.Errorf("last lines are %q, error %v", got, err)
	}
}

func TestAllLinesOfSeveralHosts(t *testing.T) {
	t.Parallel()
	w, _, p := account(t, 3)
	write(w, "job-1", "algo-1", 0, 2)
	write(w, "job-1", "algo-2", 1, 3)
	var got []string
	found, err := All(context.Background(), p, "training", "job-1", func(line string) { got = append(got, line) })
	want := []string{"[algo-1] line 0", "[algo-1] line 1", "[algo-2] line 1", "[algo-2] line 2"}
	if err != nil || !found || !slices.Equal(got, want) {
		t.Errorf("lines are %q, found %v, error %v", got, found, err)
	}
	if found, err = All(context.Background(), p, "training", "job-2", nil); err != nil || found {
		t.Errorf("found %v, error %v", found, err)
	}
}

// TestFollowLosesAndDoublesNoLine follows a job that writes while it is looked at, with
// every fault at the calls.
func TestFollowLosesAndDoublesNoLine(t *testing.T) {
	t.Parallel()
	for _, fault := range append([]awsfake.Fault{""}, awsfake.Throttle, awsfake.ServerError, awsfake.Unavailable, awsfake.Reset, awsfake.LostAnswer, awsfake.Truncated) {
		t.Run("with "+string(fault), func(t *testing.T) {
			t.Parallel()
			var rules []awsfake.Rule
			if fault != "" {
				rules = []awsfake.Rule{
					{On: "logs.DescribeLogStreams", Nth: 1, Times: 4, Fault: fault}, {On: "logs.GetLogEvents", Nth: 1, Times: 3, Fault: fault},
					{On: "logs.GetLogEvents", Nth: 9, Times: 5, Fault: fault},
				}
			}
			w, proxy, p := account(t, 2, rules...)
			var got []string
			looks, written := 0, 0
			err := Follow(context.Background(), p, "training", "job-1", func() bool {
				looks++
				if looks > 3 && looks < 40 { // it starts to write late, and pauses
					next := written + looks%4*7
					write(w, "job-1", "algo-1", written, next)
					written = next
				}
				return looks >= 60
			}, func(line string) { got = append(got, line) })
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, numbered(0, written)) || written == 0 {
				t.Errorf("%d lines of %d: %q…", len(got), written, got[:min(len(got), 5)])
			}
			if fault != "" && len(proxy.Struck()) < 7 {
				t.Errorf("faults struck %v", proxy.Struck())
			}
		})
	}
}

func TestFollowWaitsForTheLastLines(t *testing.T) {
	t.Parallel()
	w, _, p := account(t, 3)
	var got []string
	err := Follow(context.Background(), p, "training", "job-1", func() bool {
		write(w, "job-1", "algo-1", 0, 1)
		return true
	}, func(line string) {
		if got = append(got, line); len(got) == 1 { // CloudWatch has the rest after the job's end
			write(w, "job-1", "algo-1", 1, 4)
		}
	})
	if err != nil || !slices.Equal(got, numbered(0, 4)) {
		t.Errorf("lines are %q, error %v", got, err)
	}
}

// TestFollowSlowsDown counts the looks at a job that writes nothing for an hour.
func TestFollowSlowsDown(t *testing.T) {
	t.Parallel()
	w, _, p := account(t, 3)
	write(w, "job-1", "algo-1", 0, 1)
	err := Follow(context.Background(), p, "training", "job-1", func() bool { return p.Clock.Now().After(begin.Add(time.Hour)) }, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, c := range w.Calls() {
		if c.Service == "logs" {
			calls++
		}
	}
	if calls > 3600/6 {
		t.Errorf("%d calls in an hour", calls)
	}
}

func TestFollowEnds(t *testing.T) {
	t.Parallel()
	w, _, p := account(t, 2, awsfake.Rule{On: "logs.GetLogEvents", Times: -1, Fault: awsfake.Denied})
	write(w, "job-1", "algo-1", 0, 1)
	err := Follow(context.Background(), p, "training", "job-1", func() bool { return false }, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "reading the log of job job-1") {
		t.Errorf("error is %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, _, p = account(t, 2)
	err = Follow(ctx, p, "training", "job-1", func() bool { cancel(); return false }, func(string) {})
	if err == nil || ctx.Err() == nil {
		t.Errorf("error is %v", err)
	}
}
