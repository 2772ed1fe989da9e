package delta

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestTypes demands that what would replace a resource is known for every type that
// templates hold: of one that is not in the table, a change would be called harmless.
func TestTypes(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, pattern := range []string{"../../gen/emitcfn/testdata/*.template.json", "../../generated/*/*/template.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var template struct {
				Resources map[string]struct{ Type string }
			}
			if err := json.Unmarshal(text, &template); err != nil {
				t.Fatal(err)
			}
			for id, r := range template.Resources {
				seen++
				if _, ok := createOnly[r.Type]; !ok {
					t.Errorf("%s: %s is an %s, of which createOnly knows nothing", file, id, r.Type)
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d resources were seen", seen)
	}
}
