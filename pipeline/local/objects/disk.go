package objects

import (
	"io"
	"io/fs"
	"os"
)

// A disk is what the store does to files: that of an [os.Root], so that a name never
// leads out of the workspace. Tests put one in its place whose operations fail.
type disk interface {
	Open(name string) (File, error)
	OpenFile(name string, flag int, perm os.FileMode) (File, error)
	Mkdir(name string, perm os.FileMode) error
	MkdirAll(name string, perm os.FileMode) error
	Lstat(name string) (fs.FileInfo, error)
	Chmod(name string, mode os.FileMode) error
	Link(from, to string) error
	Rename(from, to string) error
	Remove(name string) error
	RemoveAll(name string) error
	FS() fs.FS
	Close() error
}

// A File is an open file of the store.
type File interface {
	io.Reader
	io.Writer
	io.Seeker
	io.Closer
}

// rooted is the disk that there is.
type rooted struct{ *os.Root }

// Open implements disk. What it returns is an *[os.File], which io.Copy knows.
func (r rooted) Open(name string) (File, error) {
	f, err := r.Root.Open(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// OpenFile implements disk.
func (r rooted) OpenFile(name string, flag int, perm os.FileMode) (File, error) {
	f, err := r.Root.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}
