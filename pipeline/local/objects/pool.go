package objects

import (
	"errors"
	"io/fs"
	"path"
)

// hash reads a file of the workspace.
func (s *Store) hash(name string) (sum string, size int64, err error) {
	file, err := s.root.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	return digest(file)
}

// pooled is the name of the file that holds a content.
func pooled(sum string) string { return path.Join(pool, sum) }

// share makes a staged file and the pool's file of the same content one file. If
// the pool has a sound one, the staged file becomes a link to it, and the disk
// holds the content once; if what the pool has is damaged, the staged file takes
// its place. Where the file system has no hard links, each key has its own file.
func (s *Store) share(staged, sum string, size int64) error {
	name := pooled(sum)
	err := s.root.Link(staged, name)
	if !errors.Is(err, fs.ErrExist) {
		// Linked; or without hard links (EPERM, EOPNOTSUPP, EMLINK and the like):
		// the pool saves space and is not needed to read.
		return nil
	}
	if found, n, err := s.hash(name); err != nil || n != size || found != sum {
		if err := s.root.Remove(name); err != nil {
			return err
		}
		_ = s.root.Link(staged, name)
		return nil
	}
	fresh := staged + ".link"
	if err := s.root.Link(name, fresh); err != nil {
		return nil
	}
	return s.root.Rename(fresh, staged)
}
