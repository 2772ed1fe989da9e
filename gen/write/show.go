package write

import (
	"fmt"
	"go/token"
	"io"
	"path/filepath"
	"slices"

	"github.com/mlmax/mlmax/gen/diag"
	"github.com/rogpeppe/go-internal/diff"
)

// Diff writes, in the order of paths, one unified diff a file from what is on
// disk to what was generated. Prefix is put before every path: the output folder
// as the reader knows it, with a slash at its end, or nothing.
func (c *Changes) Diff(w io.Writer, prefix string) error {
	all := slices.Concat(c.Added, c.Modified, c.Removed, c.Foreign)
	sort(all)
	for _, change := range all {
		before, after := prefix+change.Path, prefix+change.Path
		if change.Old == nil {
			before = "/dev/null"
		}
		if change.New == nil {
			after = "/dev/null"
		}
		if _, err := w.Write(diff.Diff(before, change.Old, after, change.New)); err != nil {
			return fmt.Errorf("write the diff: %w", err)
		}
	}
	return nil
}

// Stale reports, each at its file, what generating would change.
func (c *Changes) Stale() diag.List {
	var bag diag.Bag
	for _, l := range []struct {
		list []Change
		fact string
	}{
		{c.Added, "generated file %q is missing"},
		{c.Modified, "generated file %q differs from what its spec leads to"},
		{c.Removed, "generated file %q is left over: its spec no longer leads to it"},
	} {
		for _, change := range l.list {
			bag.Report(diag.Diagnostic{
				Pos:     c.pos(change),
				Code:    diag.Stale,
				Message: fmt.Sprintf(l.fact, change.Path),
				Hint:    "run go generate ./... and commit the result",
			})
		}
	}
	return bag.List()
}

// Clashes reports, each at its file, what cannot be written because what is there
// is not ours.
func (c *Changes) Clashes() diag.List {
	var bag diag.Bag
	for _, change := range c.Foreign {
		bag.Report(diag.Diagnostic{
			Pos:     c.pos(change),
			Code:    diag.ForeignFile,
			Message: change.Reason,
			Hint:    change.Hint,
		})
	}
	return bag.List()
}

// pos is the first line of the file on disk.
func (c *Changes) pos(change Change) token.Position {
	return token.Position{Filename: filepath.Join(c.Out, filepath.FromSlash(change.Path)), Line: 1, Column: 1}
}
