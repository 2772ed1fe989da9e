package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
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
