package stack

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/mlmax/mlmax/generated/training/training"
)

// TestReadable gives every resource of a template a name in words, none twice.
func TestReadable(t *testing.T) {
	t.Parallel()
	var template struct {
		Resources map[string]struct{ Type string }
	}
	if err := json.Unmarshal(training.Definition().Template, &template); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
		kind := template.Resources[id].Type
		if _, ok := kinds[kind]; !ok {
			t.Errorf("there are no words for %s, an %s", id, kind)
		}
		name := readable(id, kind)
		if other := seen[name]; other != "" {
			t.Errorf("%s and %s are both %q", id, other, name)
		}
		seen[name] = id
	}
	if seen["Role of Train"] != "TrainRole" || seen["Role of the machine"] != "MachineRole" || seen["State machine"] != "Machine" {
		t.Errorf("the names are %v", seen)
	}
}
