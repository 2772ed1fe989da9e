package sandbox

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copyTree copies the content of a folder into another that exists. The copies
// can be written. Symbolic links to files become files, as an object store has
// no links.
func copyTree(ctx context.Context, from, to string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("copy an input: %w", err)
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		at := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(at, 0o755)
		}
		info, err := os.Stat(p)
		if err != nil {
			return fmt.Errorf("copy an input: %w", err)
		}
		return copyFile(ctx, p, at, info.Mode())
	})
}

// copyFile makes a private copy, sharing the blocks where the file system can.
func copyFile(ctx context.Context, from, to string, mode fs.FileMode) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if !mode.IsRegular() {
		return fmt.Errorf("copy an input: %s is not a file", from)
	}
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy an input: %w", err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode.Perm()|0o600)
	if err != nil {
		return fmt.Errorf("copy an input: %w", err)
	}
	if !reflink(target, source) {
		_, err = io.Copy(target, source)
	}
	if closeErr := target.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("copy an input: %w", err)
	}
	return nil
}
