package pyenv

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestWhatIsInstalledIsSeen: a package that was added since, and an interpreter that took
// the other's place, are noticed without starting one.
func TestWhatIsInstalledIsSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site := filepath.Join(dir, "lib", "python3.11", "site-packages")
	python := filepath.Join(dir, "bin", "python")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(site, "Alpha_One-1.0.dist-info"), 0o755),
		os.MkdirAll(filepath.Dir(python), 0o755),
		os.WriteFile(python, []byte("#!/bin/sh\n"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	at, err := stamp(python)
	if err != nil {
		t.Fatal(err)
	}
	if err := save(dir, &Env{Python: python, Version: "3.11", Full: "3.11.7", Stamp: at}); err != nil {
		t.Fatal(err)
	}
	first, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"alpha-one==1.0"}; !slices.Equal(first.Packages, want) || first.Digest != digest("3.11.7", want) {
		t.Errorf("%+v", first)
	}
	if err := os.Mkdir(filepath.Join(site, "beta-2.0.dist-info"), 0o755); err != nil {
		t.Fatal(err)
	}
	second, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if second.Digest == first.Digest || len(second.Packages) != 2 {
		t.Errorf("after another package was installed: %+v", second)
	}
	if err := os.Chtimes(python, time.Time{}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := load(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with another interpreter: %v", err)
	}
}
