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
	// made are the folders in each that is in use or idle, as slash paths.
	made map[string]map[string]bool
}

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
	made := f.in(dir)
	err := clear(dir, made)
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

// in are the folders in one: whoever uses it may change the map.
func (f *Folders) in(dir string) map[string]bool {
	if f == nil {
		return map[string]bool{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made == nil {
		f.made = map[string]map[string]bool{}
	}
	if f.made[dir] == nil {
		f.made[dir] = map[string]bool{}
	}
	return f.made[dir]
}

// arrange makes dir hold exactly the wanted folders and those above them. It holds
// those of made, and nothing else; made is what it holds in the end.
func arrange(dir string, made map[string]bool, wanted []string) error {
	want := map[string]bool{}
	for _, name := range wanted {
		for ; name != "."; name = path.Dir(name) {
			want[name] = true
		}
	}
	// What lies in another comes after it.
	for _, name := range slices.Backward(sorted(made)) {
		if !want[name] {
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				return err
			}
			delete(made, name)
		}
	}
	if len(made) == 0 {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, name := range sorted(want) {
		if made[name] {
			continue
		}
		if err := os.Mkdir(filepath.Join(dir, filepath.FromSlash(name)), 0o755); err != nil {
			return err
		}
		made[name] = true
	}
	return nil
}

func sorted(names map[string]bool) []string {
	all := make([]string, 0, len(names))
	for name := range names {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// clear leaves the folders of made in dir, where they are still there, and nothing
// else. The job may have put anything in their place.
func clear(dir string, made map[string]bool) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	left := map[string]bool{}
	if err := clearFolder(root, ".", made, left); err != nil {
		return err
	}
	for name := range made {
		if !left[name] {
			delete(made, name)
		}
	}
	return nil
}

func clearFolder(root *os.Root, at string, made, left map[string]bool) error {
	entries, err := fs.ReadDir(root.FS(), at)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(at, e.Name())
		if !e.IsDir() || !made[name] {
			err = errors.Join(err, root.RemoveAll(name))
			continue
		}
		left[name] = true
		info, infoErr := e.Info()
		if infoErr == nil && info.Mode()&^0o055 != fs.ModeDir|0o700 {
			infoErr = root.Chmod(name, 0o755)
		}
		err = errors.Join(err, infoErr, clearFolder(root, name, made, left))
	}
	return err
}
