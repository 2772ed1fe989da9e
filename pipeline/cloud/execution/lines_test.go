package execution

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline"
)

// wrote puts lines into the log of a job of the stage.
func (s *stage) wrote(group, job string, texts ...string) {
	for i, text := range texts {
		s.world.Log("/aws/sagemaker/"+group, job+"/algo-1-1700000000", awsfake.LogLine{Time: begin.Add(time.Duration(i) * time.Second), Message: text})
	}
}

func TestWatchTellsWhatStepsPrint(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").step("Preprocess", time.Second, minute).step("Train", minute, 3*minute).ends(3*minute, "SUCCEEDED", "", "")
	s.wrote("ProcessingJobs", "dev-demo-preprocess", "2000 rows", "53 \x1b[31mfeatures")
	s.wrote("TrainingJobs", "dev-demo-train", "converged")
	var seen lines
	if _, err := Watch(context.Background(), p, "r1", WatchOptions{Lines: true}, seen.take); err != nil {
		t.Fatal(err)
	}
	want := []string{"RunStarted", "StepStarted Preprocess", "StepLog Preprocess 2000 rows", "StepLog Preprocess 53 features", "StepSucceeded Preprocess",
		"StepStarted Train", "StepLog Train converged", "StepSucceeded Train", "RunEnded"}
	if !slices.Equal(seen, want) {
		t.Errorf("events are %q, want %q", seen, want)
	}
}

// TestLateWatchTellsTheLastLines begins to watch a job that has printed for an hour.
func TestLateWatchTellsTheLastLines(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").step("Train", time.Second, 70*minute).ends(70*minute, "SUCCEEDED", "", "")
	var texts []string
	for i := range 500 {
		texts = append(texts, "epoch "+strings.Repeat("i", i%7))
	}
	s.wrote("TrainingJobs", "dev-demo-train", append(texts, "nearly")...)
	if err := p.Wait(context.Background(), 60*minute); err != nil {
		t.Fatal(err)
	}
	var seen lines
	if _, err := Watch(context.Background(), p, "r1", WatchOptions{Lines: true}, seen.take); err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, l := range seen {
		if strings.HasPrefix(l, "StepLog") {
			told++
		}
	}
	if told != lateLines || !slices.Contains(seen, "StepLog Train nearly") {
		t.Errorf("%d lines were told, want the last %d: %q", told, lateLines, seen)
	}
}

func TestWatchGoesOnWithoutTheRightToReadLogs(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").step("Preprocess", time.Second, 10*minute).ends(10*minute, "SUCCEEDED", "", "")
	s.logs = &fault{status: 400, code: "AccessDeniedException", message: "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: logs:DescribeLogStreams on resource: x because no identity-based policy allows the logs:DescribeLogStreams action"}
	var seen lines
	o, err := Watch(context.Background(), p, "r1", WatchOptions{Lines: true}, seen.take)
	if err != nil || o.Status != pipeline.Succeeded {
		t.Fatal(o, err)
	}
	warned := slices.DeleteFunc(slices.Clone(seen), func(l string) bool { return !strings.HasPrefix(l, "Warned") })
	if len(warned) != 1 || !strings.Contains(warned[0], "logs:DescribeLogStreams") || !strings.HasSuffix(warned[0], "; it is not shown") {
		t.Errorf("%d warnings, the first %.200q", len(warned), warned)
	}
}

// TestLinesTakeFewCalls counts the calls of a run of hours that prints now and then.
func TestLinesTakeFewCalls(t *testing.T) {
	t.Parallel()
	s, p := open(t)
	s.opening("0123456789ab").step("Train", time.Second, 120*minute).ends(120*minute, "SUCCEEDED", "", "")
	s.wrote("TrainingJobs", "dev-demo-train", "one", "two")
	var seen lines
	if _, err := Watch(context.Background(), p, "r1", WatchOptions{Lines: true}, seen.take); err != nil {
		t.Fatal(err)
	}
	logs := 0
	for _, c := range s.world.Calls() {
		if c.Service == "logs" {
			logs++
		}
	}
	calls := logs + s.calls["GetExecutionHistory"]
	if limit := int(120 * minute / (2 * time.Second)); logs == 0 || calls > limit {
		t.Errorf("%d calls, %d of them for logs, in 2 hours; at most %d are promised", calls, logs, limit)
	}
}
