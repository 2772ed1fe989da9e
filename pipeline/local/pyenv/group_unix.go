//go:build unix

package pyenv

import (
	"os/exec"
	"syscall"
	"time"
)

// ownGroup makes the end of a command's context end all that it started, and keeps
// the terminal's Ctrl-C away from it: the caller decides.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
}
