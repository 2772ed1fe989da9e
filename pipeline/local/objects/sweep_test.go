package objects

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSweep: what a killed process renamed into place and did not record goes;
// what is recorded stays, and so does everything elsewhere.
func TestSweep(t *testing.T) {
	t.Parallel()
	s, db := open(t)
	put(t, s, db, map[string]string{"runs/p/r1/a": "one", "runs/p/r1/sub/b": "two"})
	for _, key := range []string{"runs/p/r1/sub/left", "runs/p/r1/other/left", "runs/p/r10/left"} {
		file := s.Path("local", key)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("x"), 0o444); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := s.Sweep(t.Context(), "local", "runs/p/r1"); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string]bool{
		"runs/p/r1/a": true, "runs/p/r1/sub/b": true, "runs/p/r10/left": true,
		"runs/p/r1/sub/left": false, "runs/p/r1/other/left": false,
	} {
		if _, err := os.Stat(s.Path("local", key)); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", key, err, want)
		}
	}
	if err := s.Sweep(t.Context(), "local", "runs/none"); err != nil {
		t.Errorf("a run that left nothing: %v", err)
	}
}
