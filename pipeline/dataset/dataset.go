// Package dataset finds the data that a person gives to a run: a file or a folder of this
// machine. In go a parameter and a path, out come the files, or what is wrong with the path
// in words. It reads no content and writes nothing.
package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mlmax/mlmax/pipeline"
)

// A File is one file of data.
type File struct {
	// Path is absolute, Name what it is called in its folder, with slashes.
	Path, Name string
	Size       int64
}

// Find lists the files of a location's value, in order of names, and the absolute path that
// it stands for: one file for a parameter that is a file, else those in a folder.
func Find(p *pipeline.Parameter, where string) (root string, files []File, err error) {
	hint := fmt.Sprintf("give another place with --%s", p.Flag)
	root, err = filepath.Abs(where)
	if err != nil {
		return "", nil, err
	}
	info, err := os.Stat(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, fmt.Errorf("data for %q is missing: %s does not exist; %s", p.Key, root, hint)
	case err != nil:
		return "", nil, fmt.Errorf("data for %q cannot be read: %w; %s", p.Key, err, hint)
	case p.File && info.IsDir():
		return "", nil, fmt.Errorf("data for %q is one file, but %s is a directory; %s", p.Key, root, hint)
	case p.File && !info.Mode().IsRegular():
		return "", nil, fmt.Errorf("data for %q is one file, but %s is not a regular file; %s", p.Key, root, hint)
	case !p.File && !info.IsDir():
		return "", nil, fmt.Errorf("data for %q is a folder, but %s is a file; %s", p.Key, root, hint)
	}
	files, err = List(root, info)
	if err != nil {
		return "", nil, fmt.Errorf("data for %q cannot be read: %w; %s", p.Key, err, hint)
	}
	if Size(files) == 0 {
		return "", nil, fmt.Errorf("data for %q is empty: %s; %s", p.Key, root, hint)
	}
	return root, files, nil
}

// Size is that of all files.
func Size(files []File) (n int64) {
	for _, f := range files {
		n += f.Size
	}
	return n
}

// List lists a file, or the files in a folder, in order of names.
func List(root string, info fs.FileInfo) ([]File, error) {
	if !info.IsDir() {
		return []File{{Path: root, Name: filepath.Base(root), Size: info.Size()}}, nil
	}
	var files []File
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(name) // data may be linked from elsewhere
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file", name)
		}
		below, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		files = append(files, File{Path: name, Name: filepath.ToSlash(below), Size: info.Size()})
		return nil
	})
	return files, err
}
