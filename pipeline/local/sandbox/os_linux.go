package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// rssUnit is that of ru_maxrss, getrusage(2).
const rssUnit = 1024

// self is this program, even if its file was replaced or removed.
func self() (string, error) { return "/proc/self/exe", nil }

// helperAttributes are the ways to start the helper, to be tried in turn. Root
// needs no user namespace, unless it is the root of a container without the right
// to mount; anyone else is root in a user namespace, as in the container.
func helperAttributes(namespaces bool) []*syscall.SysProcAttr {
	if !namespaces {
		return []*syscall.SysProcAttr{{Setpgid: true}}
	}
	const flags = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID
	user := &syscall.SysProcAttr{
		Setpgid:     true,
		Cloneflags:  flags | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	if os.Geteuid() != 0 {
		return []*syscall.SysProcAttr{user}
	}
	return []*syscall.SysProcAttr{{Setpgid: true, Cloneflags: flags}, user}
}

// jobAttributes: should the helper itself be killed, at least the job's own
// process goes with it.
func jobAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// adoptOrphans makes the helper the parent of every process below it whose own
// parent has ended. In a PID namespace it is that anyway.
func adoptOrphans() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become the parent of orphans: %w", err)
	}
	return nil
}

// endAll kills what the job has left behind, until there is nothing: each process
// killed hands its children to the helper.
func endAll(pid int) {
	if os.Getpid() == 1 {
		endNamespace()
		return
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	for {
		got, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR) || err == nil && got > 0:
			continue
		case err != nil:
			return // ECHILD: none is left
		}
		if killChildren() == 0 {
			return // /proc does not show them
		}
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// endNamespace kills all that this PID namespace holds but the helper, see kill(2):
// it is the job's, and none of it can fork any more.
func endNamespace() {
	_ = syscall.Kill(-1, syscall.SIGKILL)
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			return // ECHILD: none is left
		}
	}
}

// killChildren kills the processes whose parent is this one.
func killChildren() (killed int) {
	me := strconv.Itoa(os.Getpid())
	dir, err := os.Open("/proc")
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue
		}
		// PID (NAME) STATE PPID ..., where NAME may hold anything.
		_, rest, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
		fields := bytes.Fields(rest)
		if len(fields) > 1 && string(fields[1]) == me && syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	return killed
}
