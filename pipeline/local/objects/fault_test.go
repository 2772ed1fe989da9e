package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mlmax/mlmax/pipeline/record"
)

// faulty is a disk whose nth operation fails, or from the nth on all do.
type faulty struct {
	disk
	err     error
	nth     int
	forever bool

	count int
	// hit says which operation failed first.
	hit string
}

// fail counts an operation, and fails it if it is its turn.
func (f *faulty) fail(op, name string) error {
	f.count++
	if f.count == f.nth || f.forever && f.count > f.nth {
		if f.hit == "" {
			f.hit = op + " " + name
		}
		return &fs.PathError{Op: op, Path: name, Err: f.err}
	}
	return nil
}

// try fails an operation, or does it.
func (f *faulty) try(op, name string, do func() error) error {
	if err := f.fail(op, name); err != nil {
		return err
	}
	return do()
}

func (f *faulty) Open(name string) (file File, err error) {
	err = f.try("open", name, func() error { file, err = f.disk.Open(name); return err })
	return &faultyFile{File: file, disk: f, name: name}, err
}

func (f *faulty) OpenFile(name string, flag int, perm os.FileMode) (file File, err error) {
	err = f.try("open", name, func() error { file, err = f.disk.OpenFile(name, flag, perm); return err })
	return &faultyFile{File: file, disk: f, name: name}, err
}

func (f *faulty) Mkdir(name string, perm os.FileMode) error {
	return f.try("mkdir", name, func() error { return f.disk.Mkdir(name, perm) })
}

func (f *faulty) MkdirAll(name string, perm os.FileMode) error {
	return f.try("mkdir", name, func() error { return f.disk.MkdirAll(name, perm) })
}

func (f *faulty) Lstat(name string) (info fs.FileInfo, err error) {
	err = f.try("lstat", name, func() error { info, err = f.disk.Lstat(name); return err })
	return info, err
}

func (f *faulty) Chmod(name string, mode os.FileMode) error {
	return f.try("chmod", name, func() error { return f.disk.Chmod(name, mode) })
}

func (f *faulty) Link(from, to string) error {
	return f.try("link", to, func() error { return f.disk.Link(from, to) })
}

func (f *faulty) Rename(from, to string) error {
	return f.try("rename", to, func() error { return f.disk.Rename(from, to) })
}

func (f *faulty) Remove(name string) error {
	return f.try("remove", name, func() error { return f.disk.Remove(name) })
}

func (f *faulty) RemoveAll(name string) error {
	return f.try("remove", name, func() error { return f.disk.RemoveAll(name) })
}

func (f *faulty) FS() fs.FS { return faultyFS{f.disk.FS(), f} }

// faultyFS is for reading folders.
type faultyFS struct {
	fs.FS
	disk *faulty
}

func (f faultyFS) ReadDir(name string) (list []fs.DirEntry, err error) {
	err = f.disk.try("readdir", name, func() error { list, err = fs.ReadDir(f.FS, name); return err })
	return list, err
}

type faultyFile struct {
	File
	disk *faulty
	name string
}

func (f *faultyFile) Read(p []byte) (n int, err error) {
	if err := f.disk.fail("read", f.name); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

// Write fails in the middle: half of it is written.
func (f *faultyFile) Write(p []byte) (n int, err error) {
	if err := f.disk.fail("write", f.name); err != nil {
		n, _ = f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f *faultyFile) Close() error {
	if f.File == nil {
		return nil
	}
	return errors.Join(f.disk.fail("close", f.name), f.File.Close())
}

// TestEveryOperationFails fails each operation of the store in turn, once and for
// good, with an I/O error and a full disk: what the index lists is whole, of a batch
// there is all or nothing, the error names operation and file, and once the disk is
// well everything works.
func TestEveryOperationFails(t *testing.T) {
	t.Parallel()
	for _, err := range []error{syscall.EIO, syscall.ENOSPC} {
		for _, forever := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v, forever=%t", err, forever), func(t *testing.T) {
				t.Parallel()
				db, opened := record.Open(t.Context(), filepath.Join(t.TempDir(), "mlmax.db"))
				if opened != nil {
					t.Fatal(opened)
				}
				defer db.Close()
				step := 1
				if testing.Short() {
					step = 7
				}
				n := 1
				for failing(t, db, &faulty{err: err, nth: n, forever: forever}) {
					n += step
				}
				if n < 80 {
					t.Errorf("only %d operations have failed", n)
				}
			})
		}
	}
}

// failing works on a disk that fails, and says whether it came to fail.
func failing(t *testing.T, db *record.DB, f *faulty) bool {
	t.Helper()
	dir, bucket := t.TempDir(), fmt.Sprintf("bucket-%d", f.nth) // one index serves all
	now := func() time.Time { return time.Unix(1, 0) }
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	f.disk = rooted{root}
	s, err := openOn(f, dir, db, now)
	if err == nil {
		err = work(t, s, db, bucket, "runs/p/r1")
		s.Close()
	}
	where := fmt.Sprintf("operation %d, %s", f.nth, f.hit)
	if path := (*fs.PathError)(nil); err != nil && (!errors.Is(err, f.err) || !errors.As(err, &path) || path.Op == "" || !strings.Contains(err.Error(), path.Path) && !errors.As(err, new(*NoSpaceError))) {
		t.Errorf("%s: the error is %v", where, err)
	}
	clean, err := Open(dir, db, now)
	if err != nil {
		t.Fatalf("%s: the store does not open: %v", where, err)
	}
	defer clean.Close()
	whole(t, clean, bucket, where)
	if err := clean.Sweep(t.Context(), bucket, "runs/p/r1"); err != nil {
		t.Errorf("%s: %v", where, err)
	}
	if err := work(t, clean, db, bucket, "runs/p/r2"); err != nil {
		t.Errorf("%s: afterwards: %v", where, err)
	}
	whole(t, clean, bucket, where)
	return f.hit != ""
}

// whole demands that every object which is listed is sound, that of each batch there is
// all or nothing.
func whole(t *testing.T, s *Store, bucket, where string) {
	t.Helper()
	list, err := s.List(t.Context(), bucket, "")
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]int{}
	for _, o := range list {
		if _, err := s.Materialise(t.Context(), "s3://"+bucket+"/"+o.Key); err != nil {
			t.Errorf("%s: %v", where, err)
		}
		batch, _, _ := strings.Cut(strings.TrimPrefix(o.Key, "runs/p/"), "/out")
		of[batch]++
	}
	for batch, n := range of {
		if !strings.HasSuffix(batch, "second") && n != 5 || strings.HasSuffix(batch, "second") && n != 1 {
			t.Errorf("%s: of batch %s, %d objects are visible", where, batch, n)
		}
	}
}

// work is what a run asks of its store: a batch of a folder, a file and a content; one
// whose contents are known already; and reading, also where a stranger has put a file.
func work(t *testing.T, s *Store, db *record.DB, bucket, prefix string) error {
	t.Helper()
	ctx := t.Context()
	job := filepath.Join(s.dir, "tmp", filepath.Base(prefix)+"-job")
	for name, content := range map[string]string{"train/a.csv": "a", "train/parts/b.csv": strings.Repeat("b", 99), "model": "model", "again": "model"} {
		file := filepath.Join(job, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a.csv", filepath.Join(job, "train/link")); err != nil {
		t.Fatal(err)
	}
	first := s.Batch()
	defer first.Discard()
	if _, err := first.PutTree(bucket, prefix+"/first/out/train", filepath.Join(job, "train")); err != nil {
		return err
	}
	if err := first.PutFile(bucket, prefix+"/first/out/model.tar.gz", filepath.Join(job, "model")); err != nil {
		return err
	}
	for _, name := range []string{"report.json", "same.json"} {
		if err := first.Put(bucket, prefix+"/first/out/"+name, []byte("{}")); err != nil {
			return err
		}
	}
	if err := first.Commit(ctx, db.PutObjects); err != nil {
		return err
	}
	second := s.Batch()
	defer second.Discard()
	if err := second.PutFile(bucket, prefix+"/second/out/model", filepath.Join(job, "again")); err != nil {
		return err
	}
	if err := second.Commit(ctx, db.PutObjects); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.Path(bucket, prefix+"/first/out/train"), "stranger"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return read(ctx, s, bucket, prefix)
}

// read reads what work has written, and demands that it is that.
func read(ctx context.Context, s *Store, bucket, prefix string) error {
	source, err := s.Materialise(ctx, "s3://"+bucket+"/"+prefix+"/first/out/train/")
	if err != nil {
		return err
	}
	if source.Files != 2 || source.Bytes != 100 {
		return fmt.Errorf("the folder has %d files of %d bytes", source.Files, source.Bytes)
	}
	file, _, err := s.Open(ctx, bucket, prefix+"/second/out/model")
	if err != nil {
		return err
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err == nil && string(content) != "model" {
		err = fmt.Errorf("the model is %q", content)
	}
	return err
}
