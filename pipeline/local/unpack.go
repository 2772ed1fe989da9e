package local

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/local/sandbox"
	"github.com/mlmax/mlmax/pipeline/record"
)

// What an archive of code may hold.
const (
	codeFiles = 10_000
	codeBytes = 1 << 30
)

// unpackCode unpacks a training job's code into an empty folder. As in the
// toolkit (its files.py), submit is an s3:// URI, or the path of an archive in the
// container: that of a channel, for a job that has no network to get it by.
func (h *handler) unpackCode(ctx context.Context, j *job, submit, dir string) error {
	file, err := h.openCode(ctx, j, submit)
	if err != nil {
		return err
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return unpack(root, tar.NewReader(zip))
}

// allowProgram makes a script that is not Python one that may be executed, as the
// toolkit does (its entry_point.py): the file's own mode does not matter.
func allowProgram(dir, program string) error {
	if path.Ext(program) == ".py" {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	err = root.Chmod(filepath.FromSlash(program), 0o755)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the shell's own words say so
	}
	return err
}

// openCode opens the archive of a training job's code.
func (h *handler) openCode(ctx context.Context, j *job, submit string) (io.ReadCloser, error) {
	if !path.IsAbs(submit) {
		bucket, key, err := objects.Parse(submit)
		if err != nil {
			return nil, fmt.Errorf("sagemaker_submit_directory: %w", err)
		}
		file, _, err := h.store.Open(ctx, bucket, key)
		if again, failed := h.restored(ctx, j.task.State, err); failed != nil {
			return nil, failed
		} else if again {
			file, _, err = h.store.Open(ctx, bucket, key)
		}
		if errors.Is(err, record.ErrNotFound) {
			return nil, fmt.Errorf("%s does not exist: %w", submit, err)
		}
		return file, err
	}
	// The channels have been verified when they were mounted.
	for _, m := range j.sandbox.Mounts {
		below, inside := strings.CutPrefix(path.Clean(submit), m.Target+"/")
		if m.Kind != sandbox.Input || !inside {
			continue
		}
		if m.Name != "" && m.Name == below {
			return os.Open(m.Source)
		}
		if m.Name == "" {
			return os.OpenInRoot(m.Source, filepath.FromSlash(below))
		}
	}
	return nil, fmt.Errorf("sagemaker_submit_directory: no channel of the job holds %s", submit)
}

// unpack writes an archive's files and folders below root. Links and devices are
// refused, and so are names that lead out of root, modes are reduced to "may be
// executed", and there is an end to how much it writes.
func unpack(root *os.Root, archive *tar.Reader) error {
	left := int64(codeBytes)
	for n := 0; ; n++ {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean(header.Name)
		switch {
		case n >= codeFiles || header.Size > left:
			return fmt.Errorf("the archive holds more than %d files or %d bytes", codeFiles, codeBytes)
		case header.Typeflag == tar.TypeDir:
			if err := root.MkdirAll(name, 0o755); err != nil {
				return err
			}
			continue
		case header.Typeflag != tar.TypeReg:
			return fmt.Errorf("the archive's member %q is neither a file nor a folder", header.Name)
		}
		left -= header.Size
		mode := os.FileMode(0o644)
		if header.Mode&0o100 != 0 {
			mode = 0o755
		}
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, archive)
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
}
