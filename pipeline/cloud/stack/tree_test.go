package stack

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// event is one at so many seconds past noon.
func event(seconds float64, logical, kind, status, reason string) Event {
	return Event{
		ID: fmt.Sprintf("%s-%s-%v", logical, status, seconds), Time: noon.Add(time.Duration(seconds * float64(time.Second))),
		Logical: logical, Physical: "physical-" + logical, Type: kind, Status: status, Reason: reason, Own: kind == stackType,
	}
}

const (
	stackType = "AWS::CloudFormation::Stack"
	roleType  = "AWS::IAM::Role"
)

func reduce(t Tree, events ...Event) Tree {
	for _, e := range events {
		t = Reduce(t, e)
	}
	return t
}

// failedFirst are the events of a first deployment that fails, with Render's lines at the
// end.
var failedFirst = []Event{
	event(0, "dev-churn", stackType, "CREATE_IN_PROGRESS", "User Initiated"),
	event(1, "TrainRole", roleType, "CREATE_IN_PROGRESS", ""),
	event(1.2, "ModelGroupChurn", modelGroupType, "CREATE_IN_PROGRESS", ""),
	event(2, "TrainRole", roleType, "CREATE_IN_PROGRESS", "Resource creation Initiated"),
	event(9.1, "ModelGroupChurn", modelGroupType, "CREATE_COMPLETE", ""),
	event(22.4, "TrainRole", roleType, "CREATE_COMPLETE", ""),
	event(23, "Machine", machineType, "CREATE_IN_PROGRESS", ""),
	event(23, "MachineLogs", logGroupType, "CREATE_IN_PROGRESS", ""),
	event(26, "Machine", machineType, "CREATE_FAILED", "role TrainRole cannot be assumed\x1b[2J by states.amazonaws.com"),
	event(26.1, "MachineLogs", logGroupType, "CREATE_FAILED", "Resource creation cancelled"),
	event(26.2, "dev-churn", stackType, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Machine]. "),
	event(27, "Machine", machineType, "DELETE_IN_PROGRESS", ""),
	event(28, "Machine", machineType, "DELETE_COMPLETE", ""),
	event(29, "TrainRole", roleType, "DELETE_IN_PROGRESS", ""),
	event(31, "TrainRole", roleType, "DELETE_COMPLETE", ""),
	event(31.5, "ModelGroupChurn", modelGroupType, "DELETE_IN_PROGRESS", ""),
	event(32, "ModelGroupChurn", modelGroupType, "DELETE_COMPLETE", ""),
	event(33, "dev-churn", stackType, "ROLLBACK_COMPLETE", ""),
}

func TestRender(t *testing.T) {
	t.Parallel()
	start := Plant("Deploying", "dev-churn", "eu-west-1", noon,
		[2]string{"ModelGroupChurn", modelGroupType}, [2]string{"TrainRole", roleType}, [2]string{"Machine", machineType}, [2]string{"MachineLogs", logGroupType})
	for _, c := range []struct {
		name   string
		events int
		at     float64
		width  int
		want   string
	}{
		{"nothing yet", 0, 0.5, 100, `
Deploying stack dev-churn in eu-west-1   [in progress]   0.5s
  - Model group Churn   ModelGroupChurn  [waiting]
  - Role of Train       TrainRole        [waiting]
  - State machine       Machine          [waiting]
  - Log of the machine  MachineLogs      [waiting]
`},
		{"at work", 6, 25, 100, `
Deploying stack dev-churn in eu-west-1   [in progress]   25s
  - Model group Churn   ModelGroupChurn  [done]          7.9s
  - Role of Train       TrainRole        [done]          21s
  - State machine       Machine          [waiting]
  - Log of the machine  MachineLogs      [waiting]
`},
		{"failed and rolled back", len(failedFirst), 40, 100, `
Deploying stack dev-churn in eu-west-1   [rolled back]   33s
  - Model group Churn   ModelGroupChurn  [deleted]       0.5s
  - Role of Train       TrainRole        [deleted]       2.0s
  - State machine       Machine          [failed]        3.0s
      role TrainRole cannot be assumed by states.amazonaws.com
  - Log of the machine  MachineLogs      [cancelled]     3.1s
`},
		{"narrow", 6, 25, 45, `
Deploying stack dev-…  [in progress]   25s
  - Model group Churn  [done]          7.9s
`},
	} {
		tree := reduce(start, failedFirst[:c.events]...).At(noon.Add(time.Duration(c.at * float64(time.Second))))
		got := Render(tree, c.width, false)
		if c.name == "narrow" {
			got = strings.Join(strings.SplitAfter(got, "\n")[:2], "")
		}
		if diff := cmp.Diff(c.want[1:], got); diff != "" {
			t.Errorf("%s:\n%s\n%s", c.name, diff, got)
		}
	}
	if len(start.Branches) != 4 || start.Branches[0].Phase != Waiting {
		t.Errorf("Reduce changed what it was given: %+v", start)
	}
}

func TestReduceFindsWhatFailedFirst(t *testing.T) {
	t.Parallel()
	tree := reduce(Plant("Deploying", "dev-churn", "eu-west-1", noon), failedFirst...)
	if tree.First == nil || tree.First.Logical != "Machine" || !tree.Over() {
		t.Errorf("first is %+v, over %v", tree.First, tree.Over())
	}
	if tree.Stuck != nil {
		t.Errorf("the rollback failed at %+v", tree.Stuck)
	}
	stuck := reduce(Plant("Deploying", "s", "eu-west-1", noon),
		event(0, "s", stackType, "UPDATE_IN_PROGRESS", "User Initiated"),
		event(1, "A", roleType, "UPDATE_FAILED", "no"),
		event(2, "s", stackType, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
		event(3, "B", roleType, "UPDATE_FAILED", "cannot go back"),
		event(4, "s", stackType, "UPDATE_ROLLBACK_FAILED", ""),
	)
	if stuck.First.Logical != "A" || stuck.Stuck.Logical != "B" || stuck.Phase != Failed || !stuck.Over() {
		t.Errorf("first %+v, stuck %+v, phase %v", stuck.First, stuck.Stuck, stuck.Phase)
	}
}

// TestReduceTellsReplacing shows that the removal of what was replaced does not make the
// resource look deleted.
func TestReduceTellsReplacing(t *testing.T) {
	t.Parallel()
	old := event(5, "Role", roleType, "DELETE_IN_PROGRESS", "")
	old.Physical = "the old one"
	tree := reduce(Plant("Deploying", "s", "eu-west-1", noon),
		event(0, "s", stackType, "UPDATE_IN_PROGRESS", "User Initiated"),
		event(1, "Role", roleType, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one."),
		event(3, "Role", roleType, "UPDATE_COMPLETE", ""),
		event(4, "s", stackType, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""),
		old,
	)
	if b := branch(tree, "Role"); b.Phase != Done || b.Ended.Sub(b.Started) != 2*time.Second {
		t.Errorf("the role is %+v", b)
	}
	if tree.Over() || tree.Phase != InProgress {
		t.Errorf("the stack is %s, over %v", tree.Phase, tree.Over())
	}
}

// TestRenderFits demands at most 23 lines of at most the width for many resources, some of
// which fail, and that those are among them.
func TestRenderFits(t *testing.T) {
	t.Parallel()
	tree := Plant("Deploying", "dev-churn", "eu-west-1", noon)
	for i := range 60 {
		id := fmt.Sprintf("Step%dRole", i)
		tree = reduce(tree, event(float64(i), id, roleType, "CREATE_IN_PROGRESS", ""))
		switch {
		case i < 50:
			tree = reduce(tree, event(float64(i)+0.5, id, roleType, "CREATE_COMPLETE", ""))
		case i == 55:
			tree = reduce(tree, event(float64(i)+0.5, id, roleType, "CREATE_FAILED", strings.Repeat("long reason ", 40)))
		}
	}
	for width := 19; width < 120; width++ {
		text := Render(tree, width, false)
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) > maxLines {
			t.Errorf("width %d: %d lines", width, len(lines))
		}
		for _, l := range lines {
			if n := len([]rune(l)); n > width {
				t.Errorf("width %d: line of %d: %q", width, n, l)
			}
		}
	}
	text := Render(tree, 100, true)
	for _, want := range []string{"Role of Step55", "long reason", "Role of Step59", "  … and 40 done\n", "\x1b[31m[failed]\x1b[0m"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	p := Plain(&b)
	p.Begin(Plant("Deploying", "dev-churn", "eu-west-1", noon, [2]string{"Machine", machineType}))
	for _, e := range failedFirst {
		p.Event(e)
	}
	p.Close()
	want := `Deploying stack dev-churn in eu-west-1
  Role of Train (TrainRole): in progress
  Model group Churn (ModelGroupChurn): in progress
  Model group Churn (ModelGroupChurn): done after 7.9s
  Role of Train (TrainRole): done after 21s
  State machine (Machine): in progress
  Log of the machine (MachineLogs): in progress
  State machine (Machine): failed after 3.0s: role TrainRole cannot be assumed by states.amazonaws.com
  Log of the machine (MachineLogs): cancelled after 3.1s
stack dev-churn: rolling back
  Role of Train (TrainRole): deleting
  Role of Train (TrainRole): deleted after 2.0s
  Model group Churn (ModelGroupChurn): deleting
  Model group Churn (ModelGroupChurn): deleted after 0.5s
stack dev-churn: rolled back after 33s
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// TestLive looks at what a terminal would show in the end.
func TestLive(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	tick := make(chan time.Time)
	l := Live(&b, LiveOptions{Width: func() int { return 80 }, Tick: tick})
	l.Say("waiting\x1b[2J for somebody")
	l.Begin(Plant("Deleting", "dev-churn", "eu-west-1", noon))
	l.Event(event(0, "TrainRole", roleType, "DELETE_IN_PROGRESS", ""))
	tick <- noon.Add(time.Second)
	tick <- noon.Add(2 * time.Second)
	l.Event(event(3, "TrainRole", roleType, "DELETE_COMPLETE", ""))
	l.Event(event(4, "dev-churn", stackType, "DELETE_COMPLETE", ""))
	l.Close()
	text := b.String()
	if strings.Contains(text, "\x1b[2J") || !strings.HasPrefix(text, "waiting for somebody\x1b[K\n") {
		t.Errorf("it said %q", text)
	}
	if strings.Count(text, "\x1b[2A") != 2 {
		t.Errorf("it was not drawn twice in the same place: %q", text)
	}
	last := text[strings.LastIndex(text, "\x1b[2A"):]
	for _, want := range []string{"[deleted]", "4.0s", "Role of Train", "3.0s"} {
		if !strings.Contains(last, want) {
			t.Errorf("%q is not in the last drawing %q", want, last)
		}
	}
}
