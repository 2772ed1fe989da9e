// Package code knows what a step's code is: the files of its script's folder,
// their digest, and the archive in which a training job gets them. In goes a
// folder; out come a list of files with their digests, one digest for all, and
// deterministic bytes. It never follows a symbolic link, and it runs nothing.
package code

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A File is one file of a step's code.
type File struct {
	// Path is relative to the folder, with slashes.
	Path string
	// Executable says that its owner may execute it.
	Executable bool
	Size       int64
	// SHA256 is the hex digest of its content.
	SHA256 string
}

// Mode is the file's mode wherever it is written anew.
func (f File) Mode() fs.FileMode {
	if f.Executable {
		return 0o755
	}
	return 0o644
}

// A NotRegularError says that a code folder holds something that is neither a
// file nor a folder. It would not reach AWS, or not as the same thing.
type NotRegularError struct {
	Path string
	Mode fs.FileMode
}

// Error names the entry and what it is.
func (e *NotRegularError) Error() string {
	what := "neither a file nor a folder"
	if e.Mode&fs.ModeSymlink != 0 {
		what = "a symbolic link"
	}
	return fmt.Sprintf("%q is %s, which a step's code may not hold", e.Path, what)
}

// Ignored says whether an entry of a code folder, by its base name, is left out:
// dot files and dot folders, and what Python caches.
func Ignored(name string) bool {
	return strings.HasPrefix(name, ".") || name == "__pycache__" || strings.HasSuffix(name, ".pyc")
}

// List returns the files of a code folder, sorted by path, without sizes' or
// contents' digests. It refuses symbolic links and everything else that is not
// a regular file, as a *[NotRegularError].
func List(fsys fs.FS) ([]File, error) {
	var files []File
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != "." && Ignored(path.Base(name)) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		if !d.Type().IsRegular() {
			return &NotRegularError{Path: name, Mode: d.Type()}
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files = append(files, File{Path: name, Executable: info.Mode()&0o100 != 0, Size: info.Size()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the code folder: %w", err)
	}
	// WalkDir sorts within each folder; what counts is the order of whole paths.
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files, nil
}

// Digest returns the digest of a code folder, as hex, and its files.
//
// The digest is the SHA-256 of one line a file, sorted by path: the SHA-256 of
// its content, "755" or "644", and the path as a quoted Go string. It does not
// depend on times, owners, other mode bits, or how an archive is compressed.
func Digest(fsys fs.FS) (string, []File, error) {
	files, err := List(fsys)
	if err != nil {
		return "", nil, err
	}
	for i := range files {
		f := &files[i]
		if err := hashFile(fsys, f); err != nil {
			return "", nil, fmt.Errorf("read the code file %q: %w", f.Path, err)
		}
	}
	return Sum(files), files, nil
}

// Sum is the digest of files that are known by their path, mode and content's digest,
// sorted by path: of a folder that is not on a disk.
func Sum(files []File) string {
	sum := sha256.New()
	for _, f := range files {
		fmt.Fprintf(sum, "%s %o %q\n", f.SHA256, f.Mode(), f.Path)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// hashFile fills in the digest of a file's content, and its size as it was read.
func hashFile(fsys fs.FS, f *File) error {
	in, err := fsys.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	sum := sha256.New()
	f.Size, err = io.Copy(sum, in)
	if err != nil {
		return err
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}
