package stack

import (
	"slices"
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
