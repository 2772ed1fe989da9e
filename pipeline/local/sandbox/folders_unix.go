//go:build unix

package sandbox

import (
	"io/fs"
	"syscall"
)

// sole says that a file has no other name.
func sole(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 1
}
