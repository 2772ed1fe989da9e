package cloud

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/code"
)

// A Code is the code of one or more steps: a folder of the module, under its digest.
type Code struct {
	// Digest is that of [code.Digest].
	Digest string
	// Steps are the steps that run it, and Names the template's parameters that take its
	// digest, both in the pipeline's order.
	Steps, Names []string
	// Dir is the folder, below Module with slashes.
	Module, Dir string
	Files       []code.File
	// Unpacked and Packed say in which form jobs take it: processing jobs as files, training
	// jobs as an archive.
	Unpacked, Packed bool
}

// Tree reads the code of a pipeline's steps as it is in the work tree whose root is module.
// Code that several steps share is in the list once. A step that runs the code of a model
// version has none.
func Tree(d *pipeline.Definition, module string) ([]Code, error) {
	var all []Code
	for i := range d.Jobs {
		j := &d.Jobs[i]
		if j.Pin != "" {
			continue
		}
		dir := filepath.Join(module, filepath.FromSlash(j.CodeDir))
		digest, files, err := code.Digest(os.DirFS(dir))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("the code of step %s is missing: %s does not exist", j.Name, j.CodeDir)
		case err != nil:
			return nil, fmt.Errorf("the code of step %s in %s: %w", j.Name, j.CodeDir, err)
		}
		at := slices.IndexFunc(all, func(c Code) bool { return c.Digest == digest })
		if at < 0 {
			at = len(all)
			all = append(all, Code{Digest: digest, Module: module, Dir: j.CodeDir, Files: files})
		}
		c := &all[at]
		c.Steps, c.Names = append(c.Steps, j.Name), append(c.Names, j.CodeName)
		c.Packed = c.Packed || j.Kind == pipeline.KindTraining
		c.Unpacked = c.Unpacked || j.Kind != pipeline.KindTraining
	}
	return all, nil
}

// Digests are the values of the template's parameters for code: digests by parameter.
func Digests(all []Code) map[string]string {
	values := map[string]string{}
	for _, c := range all {
		for _, name := range c.Names {
			values[name] = c.Digest
		}
	}
	return values
}

// fsys is the folder.
func (c *Code) fsys() fs.FS { return os.DirFS(filepath.Join(c.Module, filepath.FromSlash(c.Dir))) }

// what is the code as people call it.
func (c *Code) what() string { return "code of " + strings.Join(c.Steps, ", ") }

// changed says that somebody writes to the folder.
func (c *Code) changed(name string) error {
	return fmt.Errorf("the %s changed while it was uploaded: %s/%s\n\thint: run again when nothing writes to it; what was uploaded is not used", c.what(), strings.TrimSuffix(c.Dir, "/"), name)
}
