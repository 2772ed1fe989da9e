package sandbox

import (
	"errors"
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
		name  string
		job   func(dir string) error
		files []string // that are still there for the second, which wants them
	}{
		{"nothing", func(string) error { return nil }, []string{"opt/ml/config/one"}},
		{"unwanted file", func(string) error { return nil }, nil},
		{"files", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "opt/ml/processing/input/c"), nil, 0o600)
		}, nil},
		{"folders", func(dir string) error { return os.MkdirAll(filepath.Join(dir, "opt/ml/model/deep"), 0o700) }, nil},
		{"removed", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "opt/ml/processing")) }, nil},
		{"moved away", func(dir string) error {
			return os.Rename(filepath.Join(dir, "opt/ml/processing/output/b"), filepath.Join(dir, "elsewhere"))
		}, nil},
		{"link in place", func(dir string) error {
			at := filepath.Join(dir, "opt/ml/config")
			if err := os.RemoveAll(at); err != nil {
				return err
			}
			return os.Symlink(dir, at)
		}, nil},
		{"file linked elsewhere", func(dir string) error {
			return os.Link(filepath.Join(dir, "opt/ml/config/one"), filepath.Join(dir, "tmp/one"))
		}, nil},
		{"link for a file", func(dir string) error {
			at := filepath.Join(dir, "opt/ml/config/one")
			return errors.Join(os.Remove(at), os.Symlink("two", at))
		}, nil},
		{"file that runs", func(dir string) error { return os.Chmod(filepath.Join(dir, "opt/ml/config/one"), 0o755) }, nil},
		{"modes", func(dir string) error { return os.Chmod(filepath.Join(dir, "opt/ml/processing"), 0) }, nil},
		{"world's", func(dir string) error { return os.Chmod(filepath.Join(dir, "tmp"), 0o777) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var f Folders
			dir := filepath.Join(t.TempDir(), "1")
			if err := f.in(dir).arrange(dir, first, []string{"opt/ml/config/one"}); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"one", "two"} {
				if err := overwrite(filepath.Join(dir, "opt/ml/config", name), []byte("content")); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.job(dir); err != nil {
				t.Fatal(err)
			}
			f.Give(dir)
			if again := f.Take(); again != dir {
				t.Fatalf("the folder was not given again: %q", again)
			}
			if err := f.in(dir).arrange(dir, second, c.files); err != nil {
				t.Fatal(err)
			}
			fresh := filepath.Join(t.TempDir(), "2")
			if err := new(Folders).in(fresh).arrange(fresh, second, nil); err != nil {
				t.Fatal(err)
			}
			for _, name := range c.files {
				for _, at := range []string{dir, fresh} {
					if err := overwrite(filepath.Join(at, name), []byte("less")); err != nil {
						t.Fatal(err)
					}
					if text := read(t, filepath.Join(at, name)); text != "less" {
						t.Errorf("%s holds %q", name, text)
					}
				}
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
