package local

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/klauspost/compress/gzip"

	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// What an archive of code may hold.
const (
	codeFiles = 10_000
	codeBytes = 1 << 30
)

// unpackCode unpacks a training job's code into an empty folder.
func (h *handler) unpackCode(ctx context.Context, uri, dir string) error {
	bucket, key, err := objects.Parse(uri)
	if err != nil {
		return fmt.Errorf("sagemaker_submit_directory: %w", err)
	}
	file, _, err := h.store.Open(ctx, bucket, key)
	if errors.Is(err, record.ErrNotFound) {
		return fmt.Errorf("%s does not exist: %w", uri, err)
	}
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
