package code

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/klauspost/compress/gzip"
)

// level is the compressor's, written down because the archive's bytes rest on it.
const level = 5

// Archive writes the files, as [Digest] listed them, as the tar.gz that a
// training job's sagemaker_submit_directory names. The same files give the same
// bytes on every machine: they are in order, with fixed times and modes, without
// owners, and the compressor and its level are this module's and not the
// toolchain's. Another version of the compressor may pack otherwise: no digest is
// over packed bytes. A file that has changed since it was listed is an error.
func Archive(w io.Writer, fsys fs.FS, files []File) error {
	zip, err := gzip.NewWriterLevel(w, level)
	if err != nil {
		panic(err) // the level is one that there is
	}
	archive := tar.NewWriter(zip)
	for _, f := range files {
		if err := add(archive, fsys, f); err != nil {
			return fmt.Errorf("pack the code file %q: %w", f.Path, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("end the code archive: %w", err)
	}
	if err := zip.Close(); err != nil {
		return fmt.Errorf("end the code archive: %w", err)
	}
	return nil
}

// header is a file's in an archive.
func header(f File) *tar.Header {
	return &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     f.Path,
		Size:     f.Size,
		Mode:     int64(f.Mode()),
		ModTime:  time.Unix(0, 0),
	}
}

// add writes one file to the archive.
func add(archive *tar.Writer, fsys fs.FS, f File) error {
	in, err := fsys.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return &ChangedError{Path: f.Path}
	}
	if err != nil {
		return err
	}
	defer in.Close()
	if err := archive.WriteHeader(header(f)); err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(archive, sum), in)
	if found := hex.EncodeToString(sum.Sum(nil)); errors.Is(err, tar.ErrWriteTooLong) || err == nil && found != f.SHA256 {
		return &ChangedError{Path: f.Path}
	}
	return err
}

// A ChangedError says that a code file is not what it was when it was listed:
// somebody is writing to the folder.
type ChangedError struct{ Path string }

// Error names the file.
func (e *ChangedError) Error() string { return fmt.Sprintf("%q changed while it was read", e.Path) }

// Check reads an archive and says in what it differs from the files, as [Digest]
// listed them; nil if it holds just them. It reads no further than they are long.
func Check(r io.Reader, files []File) error {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("read the code archive: %w", err)
	}
	archive := tar.NewReader(zip)
	for _, f := range files {
		h, err := archive.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the code archive: %w", err)
		}
		if want := header(f); err != nil || h.Name != want.Name || h.Typeflag != want.Typeflag || h.Size != want.Size || h.Mode != want.Mode {
			return fmt.Errorf("the code archive does not hold %q where it should", f.Path)
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, archive); err != nil {
			return fmt.Errorf("read %q of the code archive: %w", f.Path, err)
		}
		if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
			return fmt.Errorf("the code archive holds another %q", f.Path)
		}
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return errors.New("the code archive holds more than the code")
	}
	return nil
}
