package sandbox

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// A frame is a root under construction: a tmpfs that holds the host's top folders
// where they are, but for /tmp and /opt/ml, and nothing of a job yet. It is in a
// mount namespace of its own, which only this thread is in.
type frame struct {
	at string
	// notes is a folder, by descriptor, of a tmpfs of its own below this one: what a
	// job writes into its inputs is as fleeting as what it writes into "/", and
	// costs the disk nothing.
	notes string
	// open are the descriptors that folders have their names by.
	open []int
}

// newFrame builds a frame for the next job; there is none in no world.
func (w *world) newFrame() (*frame, error) {
	if w == nil {
		return nil, nil
	}
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("unshare the mounts: %w", err)
	}
	at := w.at
	f := &frame{at: at}
	// What the host mounts or unmounts from here on does not reach the job.
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, err
	}
	if err := mount("mlmax", at, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return nil, err
	}
	var err error
	if f.notes, err = f.byDescriptor(at); err != nil {
		return nil, err
	}
	if err := mount("mlmax", at, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return nil, err
	}
	// What follows binds a folder that this mount lies in: it must not hold itself.
	if err := mount("", at, "", unix.MS_UNBINDABLE, ""); err != nil {
		return nil, err
	}
	return f, f.showHost()
}

// enter adds the job's own folders to a frame, and moves this process into it.
func (r *root) enter(f *frame) error {
	defer f.release()
	if err := bindFolder(r.Temp, f.at+"/tmp"); err != nil {
		return err
	}
	if err := bindFolder(r.Base, f.at+base); err != nil {
		return err
	}
	for _, dir := range r.Keep {
		if _, err := os.Stat(dir); err != nil {
			continue // the program itself will say what it misses
		}
		if err := bindFolder(dir, f.at+dir); err != nil {
			return err
		}
	}
	for n, l := range r.Layers {
		if err := f.lay(l, n); err != nil {
			return err
		}
	}
	return pivot(f.at)
}

// A note is a pair of folders, by descriptor, that a layer writes to.
type note struct{ upper, work string }

// newNote makes the folders of a note.
func (f *frame) newNote(upper, work string) (n note, err error) {
	for _, dir := range []string{upper, work} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return n, err
		}
	}
	if n.upper, err = f.byDescriptor(upper); err != nil {
		return n, err
	}
	n.work, err = f.byDescriptor(work)
	return n, err
}

// byDescriptor is a name for a folder that holds nothing overlayfs takes for a
// separator, and that stays valid, until release, when something is mounted over the
// folder.
func (f *frame) byDescriptor(dir string) (string, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", dir, err)
	}
	f.open = append(f.open, fd)
	return "/proc/self/fd/" + strconv.Itoa(fd), nil
}

// release closes the descriptors.
func (f *frame) release() {
	for _, fd := range f.open {
		unix.Close(fd)
	}
	f.open = nil
}

// showHost binds what is in the host's root, and in its /opt.
func (f *frame) showHost() error {
	own := map[string]bool{"/tmp": true, "/opt": true, "/proc": true}
	if err := showFolder("/", f.at, own); err != nil {
		return err
	}
	if err := os.MkdirAll(f.at+"/opt", 0o755); err != nil {
		return err
	}
	if _, err := os.Stat("/opt"); err == nil {
		if err := showFolder("/opt", f.at+"/opt", map[string]bool{base: true}); err != nil {
			return err
		}
	}
	proc := f.at + "/proc"
	if err := os.MkdirAll(proc, 0o555); err != nil {
		return err
	}
	if mount("proc", proc, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "") == nil {
		return nil
	}
	// In a container that hides parts of /proc, the kernel gives no fresh one.
	return mount("/proc", proc, "", unix.MS_BIND|unix.MS_REC, "")
}

// showFolder binds the entries of a host folder, but for the job's own.
func showFolder(from, to string, own map[string]bool) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if own[source] {
			continue
		}
		if err := show(source, target, e.Type()); err != nil {
			return err
		}
	}
	return nil
}

func show(source, target string, kind fs.FileMode) error {
	switch {
	case kind.IsDir():
		return bindFolder(source, target)
	case kind&fs.ModeSymlink != 0:
		to, err := os.Readlink(source)
		if err != nil {
			return err
		}
		return os.Symlink(to, target)
	}
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		return err
	}
	return mount(source, target, "", unix.MS_BIND, "")
}

func bindFolder(source, target string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	return mount(source, target, "", unix.MS_BIND|unix.MS_REC, "")
}

// lay puts the nth layer in its place.
func (f *frame) lay(l layer, n int) error {
	target := f.at + l.Target
	if l.Lower == "" {
		return bindFolder(l.Upper, target)
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	lower, err := f.byDescriptor(l.Lower)
	if err != nil {
		return err
	}
	number := f.notes + "/" + strconv.Itoa(n)
	in, err := f.newNote(number+".upper", number+".work")
	if err != nil {
		return err
	}
	if overlay(lower, in, target) == nil {
		return nil
	}
	// Before Linux 6.6, a tmpfs cannot hold what a layer in a user namespace notes
	// down; the disk can.
	if in, err = f.newNote(l.Upper, l.Work); err != nil {
		return err
	}
	if overlay(lower, in, target) == nil {
		return nil
	}
	// Nor can every file system (an overlay itself cannot): then this input is
	// copied as in direct mode.
	if err := copyTree(context.Background(), l.Lower, l.Upper); err != nil {
		return err
	}
	return bindFolder(l.Upper, target)
}

// overlay mounts a writable layer. A volatile layer is not synced to the disk when
// it goes. In a user namespace a layer notes things down in user attributes, which
// older kernels and root's own do not know.
func overlay(lower string, n note, target string) (err error) {
	options := "lowerdir=" + lower + ",upperdir=" + n.upper + ",workdir=" + n.work
	for _, more := range []string{",userxattr,volatile", ",volatile", ",userxattr", ""} {
		if err = mount("overlay", target, "overlay", unix.MS_NOSUID|unix.MS_NODEV, options+more); err == nil {
			return nil
		}
	}
	return err
}

// pivot makes a mount the root of this process, and lets go of the old one.
func pivot(to string) error {
	if err := os.Chdir(to); err != nil {
		return err
	}
	// The old root ends up mounted over the new one, at the same place.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root to %s: %w", to, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount the old root: %w", err)
	}
	return os.Chdir("/")
}

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := unix.Mount(source, target, kind, flags, options); err != nil {
		if kind == "" {
			kind = "bind"
		}
		return fmt.Errorf("mount %s at %s (%s): %w", source, target, kind, err)
	}
	return nil
}
