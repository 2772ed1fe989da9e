package local

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"
)

// pack writes the files and folders of dir as a tar.gz, as SageMaker packs a
// training job's model: members relative to the folder, in order of names. So that
// the same content gives the same bytes, times, owners and mode bits beyond
// "executable" are left out. Symbolic links and what is neither a file nor a
// folder are left out too, and returned. It says how many files it packed.
func pack(w io.Writer, dir string) (files int, skipped []string, err error) {
	zip := gzip.NewWriter(w)
	archive := tar.NewWriter(zip)
	fsys := os.DirFS(dir)
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if !d.IsDir() && !d.Type().IsRegular() {
			skipped = append(skipped, name)
			return nil
		}
		if !d.IsDir() {
			files++
		}
		if err := packMember(archive, fsys, name, d); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return files, skipped, err
	}
	if err := archive.Close(); err != nil {
		return files, skipped, err
	}
	return files, skipped, zip.Close()
}

func packMember(archive *tar.Writer, fsys fs.FS, name string, d fs.DirEntry) error {
	header := tar.Header{Name: name, ModTime: time.Unix(0, 0), Typeflag: tar.TypeDir, Mode: 0o755}
	if d.IsDir() {
		header.Name += "/"
		return archive.WriteHeader(&header)
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	header.Typeflag, header.Size, header.Mode = tar.TypeReg, info.Size(), 0o644
	if info.Mode()&0o100 != 0 {
		header.Mode = 0o755
	}
	if err := archive.WriteHeader(&header); err != nil {
		return err
	}
	in, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(archive, in)
	return err
}
