package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
)

// Folders are folders of jobs that have ended, emptied for others. A job's folder
// holds a dozen folders whatever the job does; to make them anew for each is most of
// what a small job costs, the more so because ext4 passes over every inode that was
// deleted within the last minute. The zero value is ready.
type Folders struct {
	mu     sync.Mutex
	idle   []string
	closed bool
	// made is what is in each that is in use or idle.
	made map[string]*made
}

// made are the folders and files that preparing a job puts into its folder, as slash
// paths; inputs are not among them.
type made struct{ folders, files map[string]bool }

// Take gives away an idle folder, for [Job.Dir], or "".
func (f *Folders) Take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := len(f.idle) - 1
	if last < 0 {
		return ""
	}
	dir := f.idle[last]
	f.idle = f.idle[:last]
	return dir
}

// Give takes back the folder of a job that has ended, and removes from it what the
// job did not begin with. One that cannot be emptied serves no other job, and is
// removed as far as that goes.
func (f *Folders) Give(dir string) {
	err := f.in(dir).clear(dir)
	f.mu.Lock()
	keep := err == nil && !f.closed
	if keep {
		f.idle = append(f.idle, dir)
	} else {
		delete(f.made, dir)
	}
	f.mu.Unlock()
	if !keep {
		_ = os.RemoveAll(dir)
	}
}

// Close removes the folders: the idle ones now, any other when it is given back.
func (f *Folders) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	for dir := f.Take(); dir != ""; dir = f.Take() {
		_ = os.RemoveAll(dir)
	}
}

// in is what was made in one: whoever uses that may change it.
func (f *Folders) in(dir string) *made {
	if f == nil {
		return &made{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made == nil {
		f.made = map[string]*made{}
	}
	if f.made[dir] == nil {
		f.made[dir] = &made{}
	}
	return f.made[dir]
}

// arrange makes dir hold exactly the wanted folders and those above them, and of the
// wanted files those that it has. It holds what is in m, and nothing else.
func (m *made) arrange(dir string, folders, files []string) error {
	want, keep := map[string]bool{}, map[string]bool{}
	for _, name := range folders {
		for ; name != "."; name = path.Dir(name) {
			want[name] = true
		}
	}
	for _, name := range files {
		keep[name] = true
	}
	if len(m.folders) == 0 {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	host := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, name := range sorted(m.files) {
		if !keep[name] {
			if err := os.Remove(host(name)); err != nil {
				return err
			}
		}
	}
	// What lies in another comes after it.
	for _, name := range slices.Backward(sorted(m.folders)) {
		if !want[name] {
			if err := os.Remove(host(name)); err != nil {
				return err
			}
		}
	}
	for _, name := range sorted(want) {
		if !m.folders[name] {
			if err := os.Mkdir(host(name), 0o755); err != nil {
				return err
			}
		}
	}
	m.folders, m.files = want, keep
	return nil
}

// overwrite writes a file that may be there, without emptying it first: ext4 would take
// that for a replacement, and hurry to get it onto the disk.
func overwrite(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Truncate(int64(len(content)))
	}
	return errors.Join(err, f.Close())
}

func sorted(names map[string]bool) []string {
	all := make([]string, 0, len(names))
	for name := range names {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// clear leaves in dir what is in m, where it is still there, and nothing else. The job
// may have put anything in its place.
func (m *made) clear(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	left := &made{map[string]bool{}, map[string]bool{}}
	err = m.clearFolder(root, ".", left)
	*m = *left
	return err
}

func (m *made) clearFolder(root *os.Root, at string, left *made) error {
	entries, err := fs.ReadDir(root.FS(), at)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(at, e.Name())
		if !m.folders[name] && !m.files[name] {
			err = errors.Join(err, root.RemoveAll(name))
			continue
		}
		info, infoErr := e.Info()
		switch {
		case infoErr != nil:
			err = errors.Join(err, infoErr)
		case info.IsDir() && m.folders[name]:
			left.folders[name] = true
			if info.Mode()&^0o055 != fs.ModeDir|0o700 {
				err = errors.Join(err, root.Chmod(name, 0o755))
			}
			err = errors.Join(err, m.clearFolder(root, name, left))
		case info.Mode()&^0o044 == 0o600 && m.files[name] && sole(info):
			left.files[name] = true // it is written anew
		default:
			err = errors.Join(err, root.RemoveAll(name))
		}
	}
	return err
}
