package sandbox

import (
	"os"

	"golang.org/x/sys/unix"
)

// reflink makes target share the blocks of source (btrfs, XFS, bcachefs, ZFS).
func reflink(target, source *os.File) bool {
	return unix.IoctlFileClone(int(target.Fd()), int(source.Fd())) == nil
}
