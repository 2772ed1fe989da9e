package objects

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mlmax/mlmax/pipeline/record"
)

// A CorruptError says that an object is not what was stored.
type CorruptError struct {
	Bucket, Key string
	// Expected and Found are hex digests; Found is empty if the file is gone.
	Expected, Found string
}

// Error shows the starts of both digests.
func (e *CorruptError) Error() string {
	if e.Found == "" {
		return fmt.Sprintf("s3://%s/%s is corrupt: its file is gone (sha256 expected %.12s)", e.Bucket, e.Key, e.Expected)
	}
	return fmt.Sprintf("s3://%s/%s is corrupt (sha256 expected %.12s, found %.12s)", e.Bucket, e.Key, e.Expected, e.Found)
}

// A TooLargeError says that an object has more bytes than can be returned.
type TooLargeError struct {
	Bytes, Limit int64
}

// Error gives both sizes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the object has %d bytes, more than %d", e.Bytes, e.Limit)
}

// A NoSpaceError says that the disk of the workspace is full.
type NoSpaceError struct {
	// Dir is the workspace, Free what its disk has left.
	Dir  string
	Free int64
	// Needed is how many bytes were to be written, or 0 if that is not known.
	Needed int64
	// Doing is what was going on, such as `saving output "Train" of step Preprocess`.
	Doing string
	Err   error
}

// Error gives the figures.
func (e *NoSpaceError) Error() string {
	needed := ""
	if e.Needed > 0 {
		needed = ", " + size(e.Needed) + " needed"
	}
	return fmt.Sprintf("no space left on %s (%s free%s) while %s", e.Dir, size(e.Free), needed, e.Doing)
}

// Unwrap returns the error of the system call or database.
func (e *NoSpaceError) Unwrap() error { return e.Err }

// Explain makes a *[NoSpaceError] of an error that says that the disk is full, and
// returns any other as it is, with what was going on.
func (s *Store) Explain(err error, needed int64, doing string) error {
	return Explain(s.dir, err, needed, doing)
}

func (s *Store) explain(err error, needed int64, doing string) error {
	return Explain(s.dir, err, needed, doing)
}

// Explain is as [Store.Explain], for a workspace whose store is not open.
func Explain(dir string, err error, needed int64, doing string) error {
	var known *NoSpaceError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), record.IsFull(err):
		return &NoSpaceError{Dir: dir, Free: free(dir), Needed: needed, Doing: doing, Err: err}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Free is how many bytes the disk of the workspace has left for us.
func (s *Store) Free() int64 { return free(s.dir) }

func free(dir string) int64 {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0
	}
	return int64(uint64(stat.Bavail) * uint64(stat.Bsize))
}

// size is a number of bytes for people.
func size(n int64) string {
	const kilo = 1000
	if n < kilo {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/kilo, "kB"
	for _, next := range []string{"MB", "GB", "TB"} {
		if value < kilo {
			break
		}
		value, unit = value/kilo, next
	}
	return fmt.Sprintf("%.3g %s", value, unit)
}
