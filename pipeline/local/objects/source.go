package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
)

// A Source is an artifact as a job reads it: one file, or a folder of files. Its
// files are those of the store, and must not be changed.
type Source struct {
	// Path is the file or folder, absolute.
	Path string
	// Name is the file's name; it is empty for a folder.
	Name string
	// Digest is "sha256:" and hex: of the file's content, or of the folder's list.
	Digest string
	Bytes  int64
	Files  int
}

// Materialise finds what an s3:// URI names, verifies every file of it, and gives
// it as a file or folder. A URI that names neither an object nor the start of one
// with a slash behind it gives an error that wraps [record.ErrNotFound].
func (s *Store) Materialise(ctx context.Context, uri string) (*Source, error) {
	bucket, key, err := Parse(uri)
	if err != nil {
		return nil, err
	}
	if key != "" && !strings.HasSuffix(key, "/") {
		file, o, err := s.Open(ctx, bucket, key)
		if err == nil {
			file.Close()
			return &Source{Path: s.Path(bucket, key), Name: path.Base(key), Digest: "sha256:" + o.Digest, Bytes: o.Bytes, Files: 1}, nil
		}
		if !errors.Is(err, record.ErrNotFound) {
			return nil, err
		}
		key += "/"
	}
	list, err := s.List(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no S3 objects found under S3 URL %q: %w", uri, record.ErrNotFound)
	}
	source := &Source{Digest: TreeDigest(list, key), Files: len(list)}
	known := make(map[string]bool, len(list))
	for i := range list {
		file, err := s.verified(&list[i])
		if err != nil {
			return nil, err
		}
		file.Close()
		source.Bytes += list[i].Bytes
		known[strings.TrimPrefix(list[i].Key, key)] = true
	}
	source.Path, err = s.folder(bucket, key, known)
	return source, err
}

// folder is a folder that holds the known files and nothing else: that of the tree,
// or, where someone has put other files into it, one of links.
func (s *Store) folder(bucket, key string, known map[string]bool) (string, error) {
	dir := path.Join(tree, bucket, key)
	foreign := false
	err := fs.WalkDir(s.root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !known[strings.TrimPrefix(name, dir+"/")] {
			foreign = true
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read the folder of s3://%s/%s: %w", bucket, key, err)
	}
	if !foreign {
		return s.Path(bucket, key), nil
	}
	links, err := s.temp()
	if err != nil {
		return "", err
	}
	for name := range known {
		target := path.Join(links, name)
		err := s.root.MkdirAll(path.Dir(target), 0o755)
		if err == nil {
			err = s.root.Link(path.Join(dir, name), target)
		}
		if err != nil {
			return "", fmt.Errorf("s3://%s/%s holds files that no run has put there, and cannot be linked without them: %w", bucket, key, err)
		}
	}
	return filepath.Join(s.dir, filepath.FromSlash(links)), nil
}

// TreeDigest is the digest of a folder: "sha256:" and [pipeline.FolderDigest] of the objects,
// whose paths are their keys below the prefix.
func TreeDigest(list []record.Object, prefix string) string {
	files := make(map[string]string, len(list))
	for _, o := range list {
		files[strings.TrimPrefix(o.Key, prefix)] = o.Digest
	}
	return "sha256:" + pipeline.FolderDigest(files)
}
