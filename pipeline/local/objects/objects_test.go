package objects

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/record"
)

func open(t *testing.T) (*Store, *record.DB) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work space")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := record.Open(t.Context(), filepath.Join(dir, "mlmax.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s, err := Open(dir, db, func() time.Time { return time.Unix(1, 0) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, db
}

// folder makes a folder in the workspace.
func folder(t *testing.T, s *Store, files map[string]string) string {
	t.Helper()
	dir, err := s.Temp()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func put(t *testing.T, s *Store, db *record.DB, files map[string]string) {
	t.Helper()
	b := s.Batch()
	for key, content := range files {
		if err := b.Put("local", key, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(t.Context(), db.PutObjects); err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T, s *Store, prefix string) []string {
	t.Helper()
	list, err := s.List(t.Context(), "local", prefix)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, o := range list {
		all = append(all, o.Key)
	}
	return all
}

// visible are the files in the tree, whatever the index says.
func visible(t *testing.T, s *Store) []string {
	t.Helper()
	var all []string
	root := filepath.Join(s.dir, tree)
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, strings.TrimPrefix(name, root+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTreeBecomesVisibleAtOnce(t *testing.T) {
	t.Parallel()
	s, db := open(t)
	one := folder(t, s, map[string]string{"a.csv": "1", "deep/b.csv": "2"})
	two := folder(t, s, map[string]string{"c.csv": "3"})
	b := s.Batch()
	for prefix, dir := range map[string]string{"runs/r/S/One/": one, "runs/r/S/Two/": two} {
		if skipped, err := b.PutTree("local", prefix, dir); err != nil || len(skipped) > 0 {
			t.Fatal(skipped, err)
		}
	}
	if got := visible(t, s); got != nil {
		t.Errorf("visible before the commit: %v", got)
	}
	err := b.Commit(t.Context(), func(ctx context.Context, list []record.Object) error {
		if got := keys(t, s, ""); got != nil {
			t.Errorf("in the index before the commit: %v", got)
		}
		return db.PutObjects(ctx, list)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"runs/r/S/One/a.csv", "runs/r/S/One/deep/b.csv", "runs/r/S/Two/c.csv"}
	if diff := cmp.Diff(want, keys(t, s, "runs/")); diff != "" {
		t.Error(diff)
	}
	info, err := os.Stat(s.Path("local", "runs/r/S/One/deep/b.csv"))
	if err != nil || info.Mode() != 0o444 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFailedCommitLeavesNothing(t *testing.T) {
	t.Parallel()
	s, db := open(t)
	put(t, s, db, map[string]string{"runs/r/kept": "old"})
	trouble := errors.New("trouble")
	for _, prefixes := range [][]string{{"runs/r/S/One"}, {"runs/r/S/One", "runs/r/S/Two"}, {"runs/r/One", "other/Two"}} {
		b := s.Batch()
		for _, prefix := range prefixes {
			if _, err := b.PutTree("local", prefix, folder(t, s, map[string]string{"f": prefix})); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Put("local", "runs/r/new", []byte("x")); err != nil {
			t.Fatal(err)
		}
		err := b.Commit(t.Context(), func(context.Context, []record.Object) error { return trouble })
		if !errors.Is(err, trouble) {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"local/runs/r/kept"}, visible(t, s)); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]string{"runs/r/kept"}, keys(t, s, "")); diff != "" {
		t.Error(diff)
	}
}

func TestSameContentIsStoredOnce(t *testing.T) {
	t.Parallel()
	s, db := open(t)
	put(t, s, db, map[string]string{"a": "same"})
	put(t, s, db, map[string]string{"b/c": "same"})
	one, err := os.Stat(s.Path("local", "a"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.Stat(s.Path("local", "b/c"))
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(one, two) {
		t.Error("the same content is on the disk twice")
	}
}

func TestEveryReadIsVerified(t *testing.T) {
	t.Parallel()
	damage := map[string]func(file string) error{
		"changed": func(file string) error {
			return errors.Join(os.Chmod(file, 0o644), os.WriteFile(file, []byte("evil"), 0o644))
		},
		"gone": os.Remove,
	}
	for name, spoil := range damage {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, db := open(t)
			put(t, s, db, map[string]string{"d/f": "good", "d/g": "other"})
			if err := spoil(s.Path("local", "d/f")); err != nil {
				t.Fatal(err)
			}
			var corrupt *CorruptError
			if _, _, err := s.Open(t.Context(), "local", "d/f"); !errors.As(err, &corrupt) {
				t.Errorf("open: %v", err)
			}
			if _, _, err := s.Get(t.Context(), "local", "d/f", 100); !errors.As(err, &corrupt) {
				t.Errorf("get: %v", err)
			}
			for _, uri := range []string{"s3://local/d/f", "s3://local/d/", "s3://local/d"} {
				if _, err := s.Materialise(t.Context(), uri); !errors.As(err, &corrupt) {
					t.Errorf("materialise %s: %v", uri, err)
				}
			}
			// The same content, stored again, is sound: also where it was damaged.
			put(t, s, db, map[string]string{"d/f": "good"})
			content, _, err := s.Get(t.Context(), "local", "d/f", 100)
			if err != nil || string(content) != "good" {
				t.Errorf("after storing it again: %q, %v", content, err)
			}
		})
	}
}

func TestMaterialise(t *testing.T) {
	t.Parallel()
	s, db := open(t)
	put(t, s, db, map[string]string{"d/f": "one", "d/sub/g": "two", "dd": "three", "e/x-y": "1", "e/x/z": "2"})
	folder, err := s.Materialise(t.Context(), "s3://local/d")
	if err != nil {
		t.Fatal(err)
	}
	if folder.Name != "" || folder.Files != 2 || folder.Bytes != 6 || folder.Path != s.Path("local", "d") {
		t.Errorf("folder: %+v", folder)
	}
	file, err := s.Materialise(t.Context(), "s3://local/d/f")
	if err != nil || file.Name != "f" || file.Files != 1 || file.Bytes != 3 {
		t.Errorf("file: %+v, %v", file, err)
	}
	for _, uri := range []string{"s3://local/none", "s3://local/d/f/", "s3://other/d"} {
		if _, err := s.Materialise(t.Context(), uri); !errors.Is(err, record.ErrNotFound) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestFilesThatNobodyStoredAreNotSeen(t *testing.T) {
	t.Parallel()
	s, db := open(t)
	put(t, s, db, map[string]string{"d/f": "one", "d/sub/g": "two"})
	if err := os.WriteFile(s.Path("local", "d/sub/foreign"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	source, err := s.Materialise(t.Context(), "s3://local/d/")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	err = filepath.WalkDir(source.Path, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimPrefix(name, source.Path+"/"))
		}
		return err
	})
	if diff := cmp.Diff([]string{"f", "sub/g"}, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestLinksAndOthersAreSkipped(t *testing.T) {
	t.Parallel()
	s, db := open(t)
	dir := folder(t, s, map[string]string{"a": "1", "locked/b": "2"})
	for _, err := range []error{
		os.Symlink("/etc/passwd", filepath.Join(dir, "link")),
		os.Symlink("/etc", filepath.Join(dir, "locked", "dirlink")),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600),
		os.Chmod(filepath.Join(dir, "a"), 0),
		os.Chmod(filepath.Join(dir, "locked"), 0o500),
		os.Chmod(dir, 0o500),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b := s.Batch()
	skipped, err := b.PutTree("local", "out", dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"link", "locked/dirlink", "pipe"}, skipped); diff != "" {
		t.Error(diff)
	}
	if err := b.Commit(t.Context(), db.PutObjects); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"local/out/a", "local/out/locked/b"}, visible(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyFolderAddsNothing(t *testing.T) {
	t.Parallel()
	s, db := open(t)
	for name, dir := range map[string]string{"empty": folder(t, s, nil), "gone": filepath.Join(s.dir, "tmp", "gone")} {
		b := s.Batch()
		if _, err := b.PutTree("local", name, dir); err != nil {
			t.Fatal(err)
		}
		if err := b.Commit(t.Context(), db.PutObjects); err != nil {
			t.Fatal(err)
		}
	}
	if got := visible(t, s); got != nil {
		t.Errorf("visible: %v", got)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	cases := []struct {
		bucket, key string
		ok          bool
	}{
		{"local", "a/b c/ünï", true},
		{"local", strings.Repeat("x", 255), true},
		{"local", strings.Repeat("x", 256), false},
		{"local", strings.Repeat("x/", 600) + "y", false},
		{"local", "", false},
		{"local", "/a", false},
		{"local", "a//b", false},
		{"local", "a/../b", false},
		{"local", "./a", false},
		{"local", "a/", false},
		{"local", "a\x00b", false},
		{"local", "a\nb", false},
		{"local", "\xff", false},
		{"..", "a", false},
		{"Local", "a", false},
		{"a/b", "a", false},
	}
	s, _ := open(t)
	for _, c := range cases {
		if err := CheckName(c.bucket, c.key); (err == nil) != c.ok {
			t.Errorf("%q, %q: %v", c.bucket, c.key, err)
		}
		if !c.ok {
			if err := s.Batch().Put(c.bucket, c.key, nil); err == nil {
				t.Errorf("%q, %q was stored", c.bucket, c.key)
			}
		}
	}
}

func TestObjectAndFolderOfOneName(t *testing.T) {
	t.Parallel()
	s, db := open(t)
	put(t, s, db, map[string]string{"a/b": "1"})
	b := s.Batch()
	if err := b.Put("local", "a", []byte("2")); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(t.Context(), db.PutObjects); err == nil || !strings.Contains(err.Error(), "s3://local/a") {
		t.Errorf("error is %v", err)
	}
}

func TestLargeObjectIsNotRead(t *testing.T) {
	t.Parallel()
	s, db := open(t)
	put(t, s, db, map[string]string{"a": "12345"})
	var large *TooLargeError
	if _, _, err := s.Get(t.Context(), "local", "a", 4); !errors.As(err, &large) {
		t.Errorf("error is %v", err)
	}
	file, _, err := s.Open(t.Context(), "local", "a")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if content, err := io.ReadAll(file); err != nil || string(content) != "12345" {
		t.Errorf("%q, %v", content, err)
	}
}

func TestNoSpaceIsExplained(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	err := s.Explain(&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, 12_000_000, `saving output "train" of step preprocess`)
	var full *NoSpaceError
	if !errors.As(err, &full) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error is %v", err)
	}
	full.Free = 0
	want := `no space left on ` + s.dir + ` (0 B free, 12 MB needed) while saving output "train" of step preprocess`
	if full.Error() != want {
		t.Errorf("error is %s, want %s", full, want)
	}
	if s.Explain(nil, 0, "x") != nil {
		t.Error("no error was explained")
	}
}
