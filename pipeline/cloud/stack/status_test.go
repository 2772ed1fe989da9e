package stack

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// TestRowsAreAllStatuses compares the table with the service's model.
func TestRowsAreAllStatuses(t *testing.T) {
	t.Parallel()
	var have []types.StackStatus
	for _, r := range Rows() {
		have = append(have, r.Status)
	}
	want := types.StackStatus("").Values()
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("the table has %v\nthe service %v", have, want)
	}
	if len(want) != 23 {
		t.Errorf("the service has %d statuses: the documents say 23", len(want))
	}
}

// TestRowsLeadOn demands of every status in which a command refuses a next command.
func TestRowsLeadOn(t *testing.T) {
	t.Parallel()
	for _, r := range Rows() {
		if (r.Deploy == Refuse) != (r.Next != "") {
			t.Errorf("%s: deploy does %q, next is %q", r.Status, r.Deploy, r.Next)
		}
		if r.Means == "" || r.Destroy == Refuse {
			t.Errorf("%s: %+v", r.Status, r)
		}
		if (r.Deploy == Wait) != (r.Destroy == Wait) {
			t.Errorf("%s: deploy does %q and destroy %q: somebody else is at work for one of them only", r.Status, r.Deploy, r.Destroy)
		}
	}
	if r := rowOf("SOMETHING_IN_PROGRESS"); r.Deploy != Wait {
		t.Errorf("what goes on is %q", r.Deploy)
	}
	if r := rowOf("SOMETHING_ELSE"); r.Deploy != Refuse || r.Destroy != Refuse {
		t.Errorf("what is unknown is %q and %q", r.Deploy, r.Destroy)
	}
}

// line is a row as the user's page has it.
func (r Row) line() string {
	deploys := map[Action]string{
		Create: "creates it", Update: "updates it", Wait: "waits, then looks again", Refuse: "refuses",
	}[r.Deploy]
	if next := strings.TrimPrefix(r.Next, "deploy "); next != "" {
		if r.Deploy == Refuse && r.Next == rollOn {
			next += " [--skip RESOURCE]"
		}
		deploys += fmt.Sprintf("; next: `%s`", next)
	}
	destroys := map[Action]string{Delete: "deletes it", Wait: "waits, then deletes it", Nothing: "does nothing"}[r.Destroy]
	return strings.ReplaceAll(fmt.Sprintf("| `%s` | %s | %s | %s | %s |", r.Status, r.Means, deploys, destroys, r.Note), "|  |", "| |")
}

// TestPageHasEveryStatus holds the table of the user's page against the table of the code.
func TestPageHasEveryStatus(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## When a deployment fails\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, r := range Rows() {
		if !strings.Contains(section, r.line()+"\n") {
			t.Errorf("the page lacks\n%s", r.line())
		}
	}
	if n := strings.Count(section, "_IN_PROGRESS` | ") + strings.Count(section, "_COMPLETE` | ") + strings.Count(section, "_FAILED` | "); n != len(Rows()) {
		t.Errorf("the page has %d statuses, the code %d", n, len(Rows()))
	}
}
