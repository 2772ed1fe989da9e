package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/code"
	"github.com/mlmax/mlmax/pipeline/local/objects"
)

// snapshot puts a job's code into the local S3, as files and as an archive, where
// the tree's code is not there yet, and returns its digest.
func (r *run) snapshot(ctx context.Context, j *pipeline.Job) (string, error) {
	dir := filepath.Join(r.module, filepath.FromSlash(j.CodeDir))
	fsys := os.DirFS(dir)
	digest, files, err := code.Digest(fsys)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the code of step %s is missing: %s does not exist", j.Name, dir)
	}
	if err != nil {
		return "", fmt.Errorf("the code of step %s in %s: %w", j.Name, dir, err)
	}
	prefix := path.Join("code", digest)
	if _, err := r.store.Stat(ctx, bucket, prefix+".tar.gz"); err == nil {
		return digest, nil
	}
	return digest, r.storeCode(ctx, j.Name, prefix, fsys, files)
}

// storeCode puts code at its prefix, whether there is something already or not.
func (r *run) storeCode(ctx context.Context, step, prefix string, fsys fs.FS, files []code.File) error {
	doing := "storing the code of step " + step
	batch := r.store.Batch()
	defer batch.Discard()
	for _, f := range files {
		if err := copyCode(batch, fsys, path.Join(prefix, f.Path), f.Path); err != nil {
			return r.store.Explain(err, f.Size, doing)
		}
	}
	var archive bytes.Buffer
	if err := code.Archive(&archive, fsys, files); err != nil {
		return fmt.Errorf("the code of step %s: %w", step, err)
	}
	if err := batch.Put(bucket, prefix+".tar.gz", archive.Bytes()); err != nil {
		return r.store.Explain(err, int64(archive.Len()), doing)
	}
	return r.store.Explain(batch.Commit(ctx, r.db.PutObjects), 0, doing)
}

func copyCode(batch *objects.Batch, fsys fs.FS, key, name string) error {
	in, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	return batch.Copy(bucket, key, in)
}

// restored stores a step's code again if an error says that what is stored of it is
// corrupt, and the work tree has the very same. It says whether that was so.
func (r *run) restored(ctx context.Context, step string, problem error) (bool, error) {
	var corrupt *objects.CorruptError
	if !errors.As(problem, &corrupt) {
		return false, nil
	}
	for i := range r.definition.Jobs {
		j := &r.definition.Jobs[i]
		if j.Name != step {
			continue
		}
		fsys := os.DirFS(filepath.Join(r.module, filepath.FromSlash(j.CodeDir)))
		digest, files, err := code.Digest(fsys)
		prefix := path.Join("code", digest)
		if err != nil || corrupt.Key != prefix+".tar.gz" && !strings.HasPrefix(corrupt.Key, prefix+"/") {
			return false, nil // the code of another version, or gone from the tree
		}
		r.warn(step, fmt.Sprintf("%v; stored again from %s", corrupt, j.CodeDir))
		return true, r.storeCode(ctx, step, prefix, fsys, files)
	}
	return false, nil
}
