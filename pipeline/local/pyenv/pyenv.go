// Package pyenv makes the Python environments that stand for SageMaker's framework
// images on a laptop. An image of the catalogue and a requirements file go in, the
// path of an interpreter that has the packages comes out. An environment is made
// once per image, interpreter and requirements, from wheels only, with what steps
// usually import byte-compiled; from then on finding it starts no process. Or an
// interpreter is used as it is, with the packages that it has.
//
// Packages are installed by uv, if it is on the PATH or can be had as a wheel from
// the package index that pip is configured for, else by pip. pip's configuration
// counts for both. The package never changes the interpreter it finds, or anything
// outside its folder but the caches of uv and pip.
package pyenv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/mlmax/mlmax/pipeline/images"
)

// A Manager keeps environments in a folder. The zero values of its other fields
// are what programs use.
type Manager struct {
	// Dir is the folder, absolute; it is made if it is not there.
	Dir string
	// Environ is the environment that interpreters and installers are found and
	// run in, os.Environ() if nil.
	Environ []string
	// Python is the interpreter to start from, a path or a name; if it is empty, the
	// environment variable [Variable] names it, else the PATH has it.
	Python string
	// Installed says that the interpreter is used with the packages that it has: no
	// environment is made, and nothing is installed.
	Installed bool

	mu   sync.Mutex
	seen map[string]*inventory // what interpreters have, by their paths
}

// An Env is a Python environment that is ready for use.
type Env struct {
	// Python is the path of its interpreter, Version the minor version ("3.11").
	Python  string
	Version string
	// Full is the whole version ("3.11.7"), and Stamp tells the interpreter's file from one
	// that took its place.
	Full, Stamp string
	// Packages is what is installed, as "name==version", sorted; Digest is the hex
	// SHA-256 of the full Python version and of that list.
	Packages []string
	Digest   string
	// Note says in one sentence how it differs from the image on AWS, or is empty.
	Note string
}

// marker is the file that says, being written last, that an environment is whole.
const marker = "mlmax-env.json"

// Ensure finds the environment for an image and a requirements file (a path, or
// empty for none), and makes it if it is not there. Two processes can ask for one
// environment at once: the second waits. progress is told what takes time, in the
// words of one line each; it may be nil.
func (m *Manager) Ensure(ctx context.Context, img images.Image, requirements string, progress func(message string)) (*Env, error) {
	if progress == nil {
		progress = func(string) {}
	}
	environ := m.environ()
	if m.Installed {
		return m.asInstalled(ctx, img, requirements, environ)
	}
	paths, err := m.candidates(environ, img)
	if err != nil {
		return nil, err
	}
	var unfit error
	for _, path := range paths {
		name, err := key(img, path, requirements)
		if err != nil {
			return nil, err
		}
		b := &build{
			dir: filepath.Join(m.Dir, name), tools: filepath.Join(m.Dir, "tools"), image: img, requirements: requirements,
			environ: environ, progress: progress,
		}
		if env, err := load(b.dir); err == nil {
			return env, nil
		}
		b.base, err = ask(ctx, path, environ)
		if err == nil {
			err = b.base.fits(img)
		}
		switch {
		case err == nil:
			return m.make(ctx, b)
		case ctx.Err() != nil:
			return nil, err
		}
		unfit = errors.Join(unfit, err)
	}
	return nil, unfit
}

// make makes an environment, if no other process does.
func (m *Manager) make(ctx context.Context, b *build) (*Env, error) {
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of Python environments: %w", err)
	}
	unlock, err := lock(ctx, b.dir+".lock", b.progress)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if env, err := load(b.dir); err == nil {
		return env, nil // made while we waited
	}
	env, err := b.run(ctx)
	if err != nil {
		// What is half made is of no use, and is not found by anyone.
		return nil, errors.Join(err, os.RemoveAll(b.dir))
	}
	return env, nil
}

// Find finds an environment that has been made, by the digest of its packages, or
// returns nil. It starts no process and makes nothing.
func (m *Manager) Find(digest string) *Env {
	folders, err := os.ReadDir(m.Dir) // in order
	if err != nil {
		return nil
	}
	for _, f := range folders {
		if env, err := load(filepath.Join(m.Dir, f.Name())); err == nil && env.Digest == digest {
			return env
		}
	}
	return nil
}

func (m *Manager) environ() environment {
	list := m.Environ
	if list == nil {
		list = os.Environ()
	}
	return environment(list)
}

// load reads an environment that is whole.
func load(dir string) (*Env, error) {
	b, err := os.ReadFile(filepath.Join(dir, marker))
	if err != nil {
		return nil, err
	}
	env := &Env{}
	if err := json.Unmarshal(b, env); err != nil {
		return nil, err
	}
	// It is a link to the interpreter that it was made from, which may be gone.
	now, err := stamp(env.Python)
	if err != nil || now != env.Stamp || !strings.HasPrefix(env.Python, dir) {
		return nil, fs.ErrNotExist
	}
	// Someone may have installed another package since.
	if env.Packages, err = installed(dir); err != nil {
		return nil, err
	}
	env.Digest = digest(env.Full, env.Packages)
	return env, nil
}

// stamp tells the file of an interpreter from one that took its place, as an upgrade
// does, without starting it.
func stamp(python string) (string, error) {
	info, err := os.Stat(python)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano()), nil
}

// digest is that of a Python version with packages.
func digest(full string, packages []string) string {
	sum := sha256.Sum256([]byte(full + "\n" + strings.Join(packages, "\n")))
	return hex.EncodeToString(sum[:])
}

// save writes the marker.
func save(dir string, env *Env) error {
	b, err := json.MarshalIndent(env, "", "  ")
	if err != nil {
		return err
	}
	temp := filepath.Join(dir, marker+".new")
	if err := os.WriteFile(temp, append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(temp, filepath.Join(dir, marker))
}

// lock waits until no other process makes the same environment.
func lock(ctx context.Context, path string, progress func(string)) (unlock func(), err error) {
	l := flock.New(path)
	got, err := l.TryLock()
	if err == nil && !got {
		progress("waiting for another run, which makes the same Python environment")
		got, err = l.TryLockContext(ctx, 50*time.Millisecond)
	}
	if err != nil || !got {
		return nil, fmt.Errorf("lock a Python environment: %w", err)
	}
	return func() { _ = l.Unlock() }, nil
}
