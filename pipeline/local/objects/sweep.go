package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// Sweep removes the files of a folder of the tree that the index does not list:
// what a process that was killed between the rename and the transaction of a batch
// has left. Readers do not see such files, but people do. Only the holder of the
// workspace's lock may call it.
func (s *Store) Sweep(ctx context.Context, bucket, folder string) error {
	known, err := s.index.Objects(ctx, bucket, folder+"/")
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, o := range known {
		listed[o.Key] = true
	}
	top := path.Join(tree, bucket)
	err = fs.WalkDir(s.root.FS(), path.Join(top, folder), func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || listed[strings.TrimPrefix(name, top+"/")] {
			return err
		}
		return s.root.Remove(name)
	})
	if err != nil {
		return fmt.Errorf("remove what an interrupted run has left: %w", err)
	}
	return nil
}

// SweepImports removes what the index does not list of data and code: files below
// data/DIGEST and code/DIGEST, which only the store's own user puts there, and
// contents of the pool that are no object's. It reads the whole index, and is for a
// workspace whose last holder was killed. The pool serves this one bucket.
func (s *Store) SweepImports(ctx context.Context, bucket string) error {
	known, err := s.index.Objects(ctx, bucket, "")
	if err != nil {
		return err
	}
	keys, contents := map[string]bool{}, map[string]bool{}
	for _, o := range known {
		keys[o.Key], contents[o.Digest] = true, true
	}
	for _, folder := range []string{"data", "code"} {
		if err := s.sweepImports(path.Join(tree, bucket), folder, keys); err != nil {
			return fmt.Errorf("remove what an interrupted run has left: %w", err)
		}
	}
	pooled, err := fs.ReadDir(s.root.FS(), pool)
	for _, e := range pooled {
		if err == nil && !contents[e.Name()] {
			err = s.root.Remove(path.Join(pool, e.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("remove what an interrupted run has left: %w", err)
	}
	return nil
}

// imported is the name of what a digest names: a folder, or an archive.
var imported = regexp.MustCompile(`^[0-9a-f]{64}(\.tar\.gz)?$`)

func (s *Store) sweepImports(top, folder string, keys map[string]bool) error {
	entries, err := fs.ReadDir(s.root.FS(), path.Join(top, folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		name := path.Join(top, folder, e.Name())
		if !imported.MatchString(e.Name()) {
			continue
		}
		err := fs.WalkDir(s.root.FS(), name, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || keys[strings.TrimPrefix(name, top+"/")] {
				return err
			}
			return s.root.Remove(name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
