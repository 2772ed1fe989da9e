// Package objects is the local S3: s3://bucket/key as a tree of files in the
// workspace. In go files and folders, moved and never copied where that can be
// helped; out come verified files. Objects are content-addressed: each is an
// immutable file named by its SHA-256, and its key is a hard link to it.
//
// What the index does not list is not there: a batch of objects becomes visible
// by one rename (of the highest folder that is new) and one transaction of the
// index, and until then no reader sees any of it. Every read checks the content
// against the index. Nothing is ever changed in place, and no file outside the
// workspace is written.
//
// Files are not synced to the disk: after a power failure an object may be torn,
// and is then refused by the next read like any other corrupt one.
package objects

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/mlmax/mlmax/pipeline/record"
)

// The folders of the workspace that belong to a store.
const (
	tree = "s3"
	pool = "objects/sha256"
	tmp  = "tmp"
)

// An Index knows which objects there are. *[record.DB] is one.
type Index interface {
	Object(ctx context.Context, bucket, key string) (*record.Object, error)
	Objects(ctx context.Context, bucket, prefix string) ([]record.Object, error)
	PutObjects(ctx context.Context, objects []record.Object) error
}

// A Store is the local S3 of one workspace.
type Store struct {
	dir   string
	root  disk
	index Index
	now   func() time.Time
	count atomic.Int64
}

// Open opens the store in a workspace, and makes its folders. What an earlier
// process left in the temporary folder is removed: only the holder of the
// workspace's lock may open it.
func Open(workspace string, index Index, now func() time.Time) (*Store, error) {
	root, err := os.OpenRoot(workspace)
	if err != nil {
		return nil, fmt.Errorf("open the object store: %w", err)
	}
	return openOn(rooted{root}, workspace, index, now)
}

// openOn opens the store on a disk, which it closes in the end.
func openOn(root disk, workspace string, index Index, now func() time.Time) (*Store, error) {
	s := &Store{dir: workspace, root: root, index: index, now: now}
	if err := s.clean(); err != nil {
		root.Close()
		return nil, fmt.Errorf("clean the object store's temporary folder: %w", err)
	}
	for _, dir := range []string{tmp, tree, pool} {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			root.Close()
			return nil, s.explain(err, 0, "opening the object store")
		}
	}
	return s, nil
}

// clean empties the temporary folder.
func (s *Store) clean() error {
	left, err := fs.ReadDir(s.root.FS(), tmp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range left {
		err = errors.Join(err, s.root.RemoveAll(path.Join(tmp, e.Name())))
	}
	return err
}

// Close lets go of the workspace.
func (s *Store) Close() error { return s.root.Close() }

// Temp makes an empty folder for the caller's use, on the store's file system. It
// returns its absolute path; the caller removes it.
func (s *Store) Temp() (string, error) {
	name, err := s.temp()
	if err != nil {
		return "", err
	}
	return filepath.Join(s.dir, filepath.FromSlash(name)), nil
}

// tempName is a name, below the workspace, that nothing has yet.
func (s *Store) tempName() string { return path.Join(tmp, strconv.FormatInt(s.count.Add(1), 10)) }

// temp makes an empty folder, and returns its name below the workspace.
func (s *Store) temp() (string, error) {
	name := s.tempName()
	if err := s.root.Mkdir(name, 0o755); err != nil {
		return "", s.explain(err, 0, "making a temporary folder")
	}
	return name, nil
}

// Path is where a person finds an object or folder: the absolute path of its key.
func (s *Store) Path(bucket, key string) string { return PathIn(s.dir, bucket, key) }

// PathIn is where a person finds an object or folder in a workspace: the path of its
// key.
func PathIn(workspace, bucket, key string) string {
	return filepath.Join(workspace, tree, bucket, filepath.FromSlash(key))
}

// List returns the objects of a bucket whose keys start with a prefix, by key.
func (s *Store) List(ctx context.Context, bucket, prefix string) ([]record.Object, error) {
	return s.index.Objects(ctx, bucket, prefix)
}

// Stat finds one object, without reading it.
func (s *Store) Stat(ctx context.Context, bucket, key string) (*record.Object, error) {
	return s.index.Object(ctx, bucket, key)
}

// Open opens an object after it has been verified. An object that is not in the
// index gives an error that wraps [record.ErrNotFound], one whose content is not
// what was stored a *[CorruptError].
func (s *Store) Open(ctx context.Context, bucket, key string) (File, *record.Object, error) {
	o, err := s.index.Object(ctx, bucket, key)
	if err != nil {
		return nil, nil, err
	}
	file, err := s.verified(o)
	return file, o, err
}

// Get returns an object's content, if it has at most limit bytes; else a
// *[TooLargeError].
func (s *Store) Get(ctx context.Context, bucket, key string, limit int64) ([]byte, *record.Object, error) {
	o, err := s.index.Object(ctx, bucket, key)
	if err != nil {
		return nil, nil, err
	}
	if o.Bytes > limit {
		return nil, o, &TooLargeError{Bytes: o.Bytes, Limit: limit}
	}
	file, err := s.verified(o)
	if err != nil {
		return nil, o, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, o, fmt.Errorf("read s3://%s/%s: %w", bucket, key, err)
	}
	return data, o, nil
}

// verified opens an object's file, with its content checked.
func (s *Store) verified(o *record.Object) (File, error) {
	bad := &CorruptError{Bucket: o.Bucket, Key: o.Key, Expected: o.Digest}
	file, err := s.root.Open(path.Join(tree, o.Bucket, o.Key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, bad
	}
	if err != nil {
		return nil, fmt.Errorf("open s3://%s/%s: %w", o.Bucket, o.Key, err)
	}
	bad.Found, _, err = digest(file)
	if err == nil && bad.Found != o.Digest {
		err = bad
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("verify s3://%s/%s: %w", o.Bucket, o.Key, err)
	}
	return file, nil
}

// digest reads r to its end.
func digest(r io.Reader) (sum string, size int64, err error) {
	hash := sha256.New()
	size, err = io.Copy(hash, r)
	return hex.EncodeToString(hash.Sum(nil)), size, err
}

// Digest is the hex SHA-256 of any file.
func Digest(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum, _, err := digest(f)
	return sum, err
}
