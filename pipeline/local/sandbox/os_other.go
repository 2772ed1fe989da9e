//go:build unix && !linux

package sandbox

import (
	"errors"
	"os"
	"syscall"
)

// rssUnit is that of ru_maxrss, getrusage(2) of macOS.
const rssUnit = 1

func self() (string, error) { return os.Executable() }

func helperAttributes(bool) []*syscall.SysProcAttr {
	return []*syscall.SysProcAttr{{Setpgid: true}}
}

func jobAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// adoptOrphans: there is no such thing here.
func adoptOrphans() error { return nil }

// endAll reaches the job's process group; a process that has left it is not seen.
func endAll(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

var errNoNamespaces = errors.New("only Linux has namespaces")

type (
	world struct{}
	frame struct{}
)

func newWorld(at string) (*world, error) {
	if at != "" {
		return nil, errNoNamespaces
	}
	return nil, nil
}

func (w *world) newFrame() (*frame, error) { return nil, nil }

func (w *world) leave(*frame) error { return nil }

func (r *root) enter(*frame) error { return errNoNamespaces }

func (c *command) check() report { return report{Stage: stageMounts, Trouble: errNoNamespaces.Error()} }

func namespacesHere() error { return errNoNamespaces }

func probeNote() string { return "" }

func kernelSetting(func(string) ([]byte, error)) string { return "" }
