package code

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Archive writes the files, as [Digest] listed them, as the tar.gz that a
// training job's sagemaker_submit_directory names. The same files give the same
// bytes: they are in order, with fixed times and modes, and without owners. A
// file that has changed since it was listed is an error.
func Archive(w io.Writer, fsys fs.FS, files []File) error {
	zip := gzip.NewWriter(w)
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

// add writes one file to the archive.
func add(archive *tar.Writer, fsys fs.FS, f File) error {
	in, err := fsys.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	header := tar.Header{
		Typeflag: tar.TypeReg,
		Name:     f.Path,
		Size:     f.Size,
		Mode:     int64(f.Mode()),
		ModTime:  time.Unix(0, 0),
	}
	if err := archive.WriteHeader(&header); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(archive, sum), in); err != nil {
		return err
	}
	if found := hex.EncodeToString(sum.Sum(nil)); found != f.SHA256 {
		return fmt.Errorf("it changed while it was packed (sha256 %s, then %s)", f.SHA256, found)
	}
	return nil
}
