package sandbox

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A world is the mount namespace that a helper begins in: it has the host's mounts,
// and no others. Every job gets a copy of it, which is gone with the job.
type world struct {
	// at is the folder on which roots are built.
	at string
	// mounts and root are descriptors of the namespace and of the root in it.
	mounts, root int
}

// newWorld takes hold of the namespace of this process; there is none for "".
func newWorld(at string) (*world, error) {
	if at == "" {
		return nil, nil
	}
	// Nothing mounted from here on may reach the host. What the host mounts and
	// unmounts is to reach the next job.
	if err := mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return nil, err
	}
	w := &world{at: at}
	var err error
	if w.mounts, err = unix.Open("/proc/self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open the mount namespace: %w", err)
	}
	if w.root, err = unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open the root: %w", err)
	}
	return w, nil
}

// leave returns from a frame, or the root that has become of it. Nobody else is
// there any more, so that its mounts are gone when this returns.
func (w *world) leave(f *frame) error {
	if w == nil {
		return nil
	}
	f.release()
	if err := unix.Setns(w.mounts, unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("leave the mounts of a job: %w", err)
	}
	// This root may lie below that of the namespace.
	if err := unix.Fchdir(w.root); err != nil {
		return fmt.Errorf("return to the root: %w", os.NewSyscallError("fchdir", err))
	}
	return os.NewSyscallError("chroot", unix.Chroot("."))
}
