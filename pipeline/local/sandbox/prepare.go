package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A command is what the helper is told.
type command struct {
	Argv, Env []string
	// WorkDir is the working directory, in the new root if there is one.
	WorkDir string
	// Root is nil in Direct mode.
	Root *root
	// Check makes the helper try its mounts instead of running Argv.
	Check bool
}

// A root is the file system that namespace mode builds.
type root struct {
	// Temp and Base are the host folders that are its /tmp and /opt/ml.
	Temp, Base string
	// Keep are host folders bound where they are.
	Keep []string
	// Layers come in the order of mounting: outer before inner.
	Layers []layer
}

// A layer is one mount: the folder Upper itself at Target, or, if there is a
// Lower, a writable layer over that. It writes to memory, or where that cannot be
// to Upper and Work, which are made then.
type layer struct {
	Target, Lower, Upper, Work string
}

// prepare makes the job's folder.
func (j *Job) prepare(ctx context.Context) (*command, error) {
	folders, files, err := j.wanted()
	if err != nil {
		return nil, err
	}
	if err := j.Folders.in(j.Dir).arrange(j.Dir, folders, files); err != nil {
		return nil, err
	}
	var c *command
	if j.Mode == Direct {
		c, err = j.prepareDirect(ctx)
	} else {
		c, err = j.prepareNamespace(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, f := range j.Files {
		if err := overwrite(j.HostPath(f.Path), f.Content); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// wanted are the folders and configuration files that the job's own folder is to have,
// by their names in it.
func (j *Job) wanted() (folders, files []string, err error) {
	at := []string{j.own(base), j.own("/tmp")}
	for n, m := range j.Mounts {
		at = append(at, j.own(m.Target)) // in Namespace mode, to mount at
		if j.Mode == Direct {
			continue
		}
		if m.Kind == Output {
			at = append(at, j.outputDir(n))
			continue
		}
		info, err := os.Stat(m.Source)
		if err != nil {
			return nil, nil, fmt.Errorf("read the input for %s: %w", m.Target, err)
		}
		if !info.IsDir() {
			at = append(at, j.layerLower(n))
		}
	}
	config := make([]string, len(j.Files))
	for i, f := range j.Files {
		config[i] = j.HostPath(f.Path)
		at = append(at, filepath.Dir(config[i]))
	}
	if j.Mode == Direct {
		at = append(at, j.HostPath(j.workDir()))
	}
	for _, list := range [][]string{at, config} {
		for i := range list {
			if list[i], err = filepath.Rel(j.Dir, list[i]); err != nil {
				return nil, nil, err
			}
			list[i] = filepath.ToSlash(list[i])
		}
	}
	return at, config, nil
}

// outerFirst lists the mounts' indices so that what lies in another comes after it.
func (j *Job) outerFirst() []int {
	order := make([]int, len(j.Mounts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(len(j.Mounts[a].Target), len(j.Mounts[b].Target))
	})
	return order
}

func (j *Job) prepareDirect(ctx context.Context) (*command, error) {
	for _, n := range j.outerFirst() {
		m := j.Mounts[n]
		if m.Kind == Input {
			if err := copyInput(ctx, m, j.HostPath(m.Target)); err != nil {
				return nil, err
			}
		}
	}
	c := &command{WorkDir: j.HostPath(j.workDir())}
	for _, a := range j.Argv {
		c.Argv = append(c.Argv, j.rewriteArgument(a))
	}
	for _, v := range j.Env {
		c.Env = append(c.Env, j.rewriteVariable(v))
	}
	return c, nil
}

func (j *Job) prepareNamespace(ctx context.Context) (*command, error) {
	r := &root{Temp: j.own("/tmp"), Base: j.own(base), Keep: j.kept()}
	for _, n := range j.outerFirst() {
		l, err := j.layer(ctx, n)
		if err != nil {
			return nil, err
		}
		r.Layers = append(r.Layers, l)
	}
	return &command{Argv: j.Argv, Env: j.Env, WorkDir: j.workDir(), Root: r}, nil
}

// layer makes the folders of one mount.
func (j *Job) layer(ctx context.Context, n int) (layer, error) {
	m := j.Mounts[n]
	if m.Kind == Output {
		return layer{Target: m.Target, Upper: j.outputDir(n)}, nil
	}
	l := layer{Target: m.Target, Lower: m.Source, Upper: j.layerUpper(n), Work: j.layerWork(n)}
	info, err := os.Stat(m.Source)
	if err != nil {
		return l, fmt.Errorf("read the input for %s: %w", m.Target, err)
	}
	if info.IsDir() {
		return l, nil
	}
	// A layer can only lie over a folder: here one that holds nothing but the file.
	l.Lower = j.layerLower(n)
	at := filepath.Join(l.Lower, m.fileName())
	if os.Link(m.Source, at) == nil {
		return l, nil
	}
	return l, copyFile(ctx, m.Source, at, info.Mode())
}

// kept are the folders to keep in view: those asked for, and those that programs
// come from, with the ones above them, so that an interpreter finds its libraries.
func (j *Job) kept() []string {
	all := slices.Clone(j.Keep)
	programs := []string{filepath.Dir(j.Argv[0])}
	for _, v := range j.Env {
		if list, ok := strings.CutPrefix(v, "PATH="); ok {
			programs = append(programs, filepath.SplitList(list)...)
		}
	}
	for _, dir := range programs {
		if dir = filepath.Clean(dir); filepath.IsAbs(dir) && !below(dir, base) {
			all = append(all, filepath.Dir(dir), dir)
		}
	}
	var hidden []string
	for _, dir := range all {
		dir = filepath.Clean(dir)
		if (below(dir, "/tmp") && dir != "/tmp") || (below(dir, base) && dir != base) {
			hidden = append(hidden, dir)
		}
	}
	slices.Sort(hidden)
	return slices.Compact(hidden)
}

// unlock makes sure that the job's folder can be removed: the kernel makes its
// folders in a layer's work without any permission.
func (j *Job) unlock() error {
	if j.Mode == Direct {
		return nil
	}
	for n := range j.Mounts {
		for _, dir := range []string{"work", "work/incompat", "work/incompat/volatile"} {
			if err := os.Chmod(filepath.Join(j.layerWork(n), dir), 0o700); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
	}
	return nil
}

// copyInput puts a private copy of an input at a folder that exists.
func copyInput(ctx context.Context, m Mount, at string) error {
	info, err := os.Stat(m.Source)
	if err != nil {
		return fmt.Errorf("read the input for %s: %w", m.Target, err)
	}
	if !info.IsDir() {
		return copyFile(ctx, m.Source, filepath.Join(at, m.fileName()), info.Mode())
	}
	return copyTree(ctx, m.Source, at)
}

// lookPath finds a program as the shell would with the given environment.
func lookPath(program string, env []string) (string, error) {
	if strings.Contains(program, "/") {
		return program, nil
	}
	list := ""
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			list = value
		}
	}
	for dir := range strings.SplitSeq(list, ":") {
		if dir == "" {
			continue
		}
		at := path.Join(dir, program)
		if info, err := os.Stat(at); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return at, nil
		}
	}
	return "", fmt.Errorf("program %q is not in the PATH %q", program, list)
}
