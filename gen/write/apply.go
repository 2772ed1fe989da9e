package write

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// Apply makes the disk hold what was generated. It writes nothing while a file is
// foreign. Every new content is first written beside its place, and only when all
// of it is on disk is it renamed into place: a full disk changes nothing. Should
// a rename fail after that, what was done is undone. Unchanged files are not
// touched, stale ones are removed, with the folders that this leaves empty.
func (c *Changes) Apply() error {
	if len(c.Foreign) > 0 {
		return fmt.Errorf("write generated files: %s; nothing was written", c.Foreign[0].Reason)
	}
	if len(c.Added)+len(c.Modified)+len(c.Removed) == 0 {
		return nil
	}
	if err := os.MkdirAll(c.Out, 0o777); err != nil {
		return fmt.Errorf("make the output folder: %w", err)
	}
	root, err := os.OpenRoot(c.Out)
	if err != nil {
		return fmt.Errorf("open the output folder: %w", err)
	}
	defer root.Close()
	a := &applier{root: root}
	if err := a.apply(c); err != nil {
		a.undo()
		return fmt.Errorf("write generated files below %s: %w; nothing was changed", c.Out, err)
	}
	a.prune(c.Removed)
	return nil
}

// An applier is one Apply under way.
type applier struct {
	root   *os.Root
	staged []staged
	folder []string // made, outermost first
	done   []Change // in place or removed
}

// staged is a file whose new content lies beside its place.
type staged struct {
	change  Change
	pending *renameio.PendingFile
}

func (a *applier) apply(c *Changes) error {
	changed := slices.Concat(c.Added, c.Modified)
	// The header of main.go says that a folder is ours: first in, and last out.
	slices.SortStableFunc(changed, func(x, y Change) int { return rank(x) - rank(y) })
	for _, change := range changed {
		if err := a.stage(change); err != nil {
			return err
		}
	}
	for len(a.staged) > 0 {
		s := a.staged[0]
		if err := s.pending.CloseAtomicallyReplace(); err != nil {
			return fmt.Errorf("put %s in place: %w", s.change.Path, err)
		}
		a.staged, a.done = a.staged[1:], append(a.done, s.change)
	}
	removed := slices.Clone(c.Removed)
	slices.SortStableFunc(removed, func(x, y Change) int { return rank(y) - rank(x) })
	for _, change := range removed {
		if err := a.root.Remove(change.Path); err != nil {
			return fmt.Errorf("remove stale %s: %w", change.Path, err)
		}
		a.done = append(a.done, change)
	}
	return nil
}

// rank is 0 for the files whose header claims their folder, else 1.
func rank(c Change) int {
	if path.Base(c.Path) == "main.go" {
		return 0
	}
	return 1
}

// stage writes the new content beside its place, and makes the folders it needs.
func (a *applier) stage(c Change) error {
	if err := a.mkdir(path.Dir(c.Path)); err != nil {
		return err
	}
	p, err := renameio.NewPendingFile(filepath.FromSlash(c.Path), renameio.WithRoot(a.root),
		renameio.WithPermissions(0o666), renameio.WithExistingPermissions())
	if err != nil {
		return fmt.Errorf("write %s: %w", c.Path, err)
	}
	a.staged = append(a.staged, staged{c, p})
	if _, err := p.Write(c.New); err != nil {
		return fmt.Errorf("write %s: %w", c.Path, err)
	}
	return nil
}

// mkdir makes a folder and those above it, and notes which it made.
func (a *applier) mkdir(dir string) error {
	if dir == "." {
		return nil
	}
	if err := a.mkdir(path.Dir(dir)); err != nil {
		return err
	}
	err := a.root.Mkdir(dir, 0o777)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make folder %s: %w", dir, err)
	}
	a.folder = append(a.folder, dir)
	return nil
}

// undo brings back what was there. What cannot be brought back stays as it is:
// the error that is being reported is the first one.
func (a *applier) undo() {
	for _, s := range a.staged {
		_ = s.pending.Cleanup()
	}
	for _, c := range slices.Backward(a.done) {
		if c.Old == nil {
			_ = a.root.Remove(c.Path)
			continue
		}
		_ = renameio.WriteFile(filepath.FromSlash(c.Path), c.Old, 0o666,
			renameio.WithRoot(a.root), renameio.WithExistingPermissions())
	}
	for _, dir := range slices.Backward(a.folder) {
		_ = a.root.Remove(dir)
	}
}

// prune removes the folders that removing stale files left empty; one that still
// holds something cannot be removed, and stays.
func (a *applier) prune(removed []Change) {
	var dirs []string
	for _, c := range removed {
		for dir := path.Dir(c.Path); dir != "."; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	// Inner folders first: a longer path never lies above a shorter one.
	slices.SortFunc(dirs, func(x, y string) int { return strings.Count(y, "/") - strings.Count(x, "/") })
	for _, dir := range dirs {
		_ = a.root.Remove(dir)
	}
}
