// Package write brings generated files to disk. In go the files that the
// emitters made, out comes what would change ([Compare]), shown as a unified
// diff ([Changes.Diff]), as diagnostics ([Changes.Stale], [Changes.Clashes]), or
// done ([Changes.Apply]). It never writes outside the output folder, never over a
// file that was not generated, and never a part of what it was given.
//
// JSON has no place for a header, so what is ours is decided a folder at a time:
// the folder of a pipeline is ours when the header of its main.go (or, without
// one, of its typed package) says so, and then everything that the layout names
// in it is, too. The header's second line names the spec that the folder was
// generated from: a folder of one of the specs at hand that is no longer among
// the files is stale and removed.
package write

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/gen/ir"
)

// A Change is one file that differs between memory and disk, or does not.
type Change struct {
	// Path is the slash path below the output folder.
	Path string
	// Old is what is on disk, New what was generated; nil where there is none.
	Old, New []byte
	// Reason says, for a foreign file, why it cannot be written.
	Reason string
	// Hint is what to do about a foreign file.
	Hint string
}

// Changes is what lies between generated files and disk. All lists are sorted by
// path.
type Changes struct {
	// Out is the output folder.
	Out string
	// Added and Modified are written by Apply, Removed is deleted.
	Added, Modified, Removed []Change
	// Unchanged has the same bytes on disk.
	Unchanged []Change
	// Foreign exists and is not ours: nothing is written while there is any.
	Foreign []Change
}

// Clean reports whether the disk holds exactly what was generated.
func (c *Changes) Clean() bool {
	return len(c.Added)+len(c.Modified)+len(c.Removed)+len(c.Foreign) == 0
}

// Compare reads what is on disk below the folder out, and tells how the files
// differ from it. Specs are the import paths of the packages that the files were
// generated from: what is left over from these, and only from these, is stale.
func Compare(out string, files []ir.File, specs []string) (*Changes, error) {
	c := &Changes{Out: out}
	root, err := os.OpenRoot(out)
	switch {
	case os.IsNotExist(err):
		root = nil
	case err != nil:
		return nil, fmt.Errorf("open the output folder: %w", err)
	default:
		defer root.Close()
	}
	t := &tree{root: root, owners: map[string]owner{}, wanted: map[string]owner{}}
	t.want(files)
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b ir.File) int { return strings.Compare(a.Path, b.Path) })
	for i, f := range files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) || path.Clean(f.Path) != f.Path {
			return nil, fmt.Errorf("write %q: the path leads out of the output folder", f.Path)
		}
		if i > 0 && files[i-1].Path == f.Path {
			c.Foreign = append(c.Foreign, Change{
				Path: f.Path, New: f.Bytes,
				Reason: fmt.Sprintf("two pipelines would write %q%s", f.Path, between(files[i-1].Bytes, f.Bytes)),
				Hint:   "rename one of the pipelines, or generate the packages into different folders with --out",
			})
			continue
		}
		if err := c.add(t, f); err != nil {
			return nil, err
		}
	}
	if root != nil {
		if err := c.stale(t, files, specs); err != nil {
			return nil, err
		}
	}
	sort(c.Removed)
	return c, nil
}

// add files one generated file under what it is compared to the disk.
func (c *Changes) add(t *tree, f ir.File) error {
	old, err := t.read(f.Path)
	change := Change{Path: f.Path, Old: old, New: f.Bytes}
	switch {
	case isForeign(err):
		change.Reason, change.Hint = err.Error(), "move it away, then generate again"
		c.Foreign = append(c.Foreign, change)
	case err != nil:
		return err
	case old == nil:
		c.Added = append(c.Added, change)
	case string(old) == string(f.Bytes):
		c.Unchanged = append(c.Unchanged, change)
	default:
		change.Reason, change.Hint, err = t.clash(f)
		if err != nil {
			return err
		}
		if change.Reason != "" {
			c.Foreign = append(c.Foreign, change)
		} else {
			c.Modified = append(c.Modified, change)
		}
	}
	return nil
}

func sort(list []Change) {
	slices.SortFunc(list, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
}

// stale finds what an earlier generation from the same specs left behind.
func (c *Changes) stale(t *tree, files []ir.File, specs []string) error {
	entries, err := fs.ReadDir(t.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("read the output folder: %w", err)
	}
	keep := map[string]bool{}
	for _, f := range files {
		keep[f.Path] = true
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		o, err := t.owner(e.Name())
		if err != nil {
			return err
		}
		if !slices.Contains(specs, o.spec) {
			continue
		}
		for _, p := range t.layout(e.Name()) {
			if keep[p] {
				continue
			}
			old, err := t.read(p)
			if isForeign(err) || err == nil && old == nil {
				continue
			}
			if err != nil {
				return err
			}
			c.Removed = append(c.Removed, Change{Path: p, Old: old})
		}
	}
	return nil
}
