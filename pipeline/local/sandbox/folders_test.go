package sandbox

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree lists what is below a folder, with a slash behind folders.
func tree(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if d.IsDir() {
			rel += "/"
		}
		all = append(all, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// TestFoldersServeTheNextJob: whatever a job has done to its folder, the next one
// finds what a new folder has, and nothing else.
func TestFoldersServeTheNextJob(t *testing.T) {
	t.Parallel()
	first := []string{"opt/ml/processing/input/a", "opt/ml/processing/output/b", "opt/ml/config", "tmp"}
	second := []string{"opt/ml/processing/input/c", "opt/ml/config", "opt/ml/model", "tmp"}
	for _, c := range []struct {
		name string
		job  func(dir string) error
	}{
		{"nothing", func(string) error { return nil }},
		{"files", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "opt/ml/processing/input/c"), nil, 0o600)
		}},
		{"folders", func(dir string) error { return os.MkdirAll(filepath.Join(dir, "opt/ml/model/deep"), 0o700) }},
		{"removed", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "opt/ml/processing")) }},
		{"moved away", func(dir string) error {
			return os.Rename(filepath.Join(dir, "opt/ml/processing/output/b"), filepath.Join(dir, "elsewhere"))
		}},
		{"link in place", func(dir string) error {
			at := filepath.Join(dir, "opt/ml/config")
			if err := os.Remove(at); err != nil {
				return err
			}
			return os.Symlink(dir, at)
		}},
		{"modes", func(dir string) error { return os.Chmod(filepath.Join(dir, "opt/ml/processing"), 0) }},
		{"world's", func(dir string) error { return os.Chmod(filepath.Join(dir, "tmp"), 0o777) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var f Folders
			dir := filepath.Join(t.TempDir(), "1")
			if err := arrange(dir, f.in(dir), first); err != nil {
				t.Fatal(err)
			}
			if err := c.job(dir); err != nil {
				t.Fatal(err)
			}
			f.Give(dir)
			if again := f.Take(); again != dir {
				t.Fatalf("the folder was not given again: %q", again)
			}
			if err := arrange(dir, f.in(dir), second); err != nil {
				t.Fatal(err)
			}
			fresh := filepath.Join(t.TempDir(), "2")
			if err := arrange(fresh, map[string]bool{}, second); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tree(t, fresh), tree(t, dir)); diff != "" {
				t.Error(diff)
			}
			if info, err := os.Stat(filepath.Join(dir, "tmp")); err != nil || info.Mode().Perm()&0o722 != 0o700 {
				t.Errorf("the mode of tmp is %v, %v", info.Mode(), err)
			}
			f.Close()
			f.Give(dir)
			if _, err := os.Stat(dir); err == nil {
				t.Error("the folder is still there after Close")
			}
		})
	}
}
