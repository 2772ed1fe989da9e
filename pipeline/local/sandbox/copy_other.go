//go:build !linux

package sandbox

import "os"

// reflink is not offered: clonefile of macOS wants a target that does not exist,
// and its plain copy is fast enough.
func reflink(_, _ *os.File) bool { return false }
