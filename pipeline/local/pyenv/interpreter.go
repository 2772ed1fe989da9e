package pyenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline/images"
)

// Variable names the environment variable that says which interpreter to use
// instead of the python3 on the PATH.
const Variable = "MLMAX_PYTHON"

// What a machine may lack: each is an error that [Manager.Ensure] wraps in words
// that say what to do.
var (
	// ErrNoPython says that there is no interpreter to start from.
	ErrNoPython = errors.New("python3 >= 3.9 not found")
	// ErrNoInstaller says that the interpreter has nothing to install packages with.
	ErrNoInstaller = errors.New("has neither pip nor ensurepip to install packages with")
	// ErrUnreachable says that the package index does not answer.
	ErrUnreachable = errors.New("the package index cannot be reached")
)

// An interpreter is what a Python says of itself.
type interpreter struct {
	Executable string
	// Full is like "3.11.7", Minor like "3.11".
	Full, Minor string
	// Pip is its version, or empty. Venv and EnsurePip say whether it can make
	// environments, and put pip into them: Debian ships each apart.
	Pip             string
	Venv, EnsurePip bool
}

// inquiry runs in Python 2.7 and 3, so that an old one can say that it is old.
const inquiry = `
import json, sys
def has(name):
    try:
        from importlib.util import find_spec
        return find_spec(name) is not None
    except Exception:
        return False
def pip():
    try:
        import pip
        return pip.__version__
    except Exception:
        return ""
v = sys.version_info
print(json.dumps({"Executable": sys.executable, "Full": "%d.%d.%d" % v[:3], "Minor": "%d.%d" % v[:2],
    "Pip": pip(), "Venv": has("venv"), "EnsurePip": has("ensurepip")}))
`

// ask starts an interpreter once, to know what it is.
func ask(ctx context.Context, path string, environ environment) (*interpreter, error) {
	cmd := exec.CommandContext(ctx, path, "-I", "-c", inquiry)
	cmd.Env = environ.clean()
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	p := &interpreter{}
	if err == nil {
		err = json.Unmarshal(out, p)
	}
	if err == nil {
		return p, nil
	}
	said := ""
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		said = string(exit.Stderr)
	}
	if strings.Contains(said, "xcode-select") || strings.Contains(said, "xcrun") {
		return nil, fmt.Errorf("%s is only macOS's stub for Python; run: xcode-select --install (or install Python from python.org and set %s)", path, Variable)
	}
	if strings.Contains(said, "unknown option") || strings.Contains(said, "Unknown option: -I") {
		return nil, fmt.Errorf("%s is Python 2; install Python 3.9 or newer, or set %s to its interpreter", path, Variable)
	}
	return nil, fmt.Errorf("run %s: %w%s\nset %s to a Python interpreter that works", path, err, indent(tail(said)), Variable)
}

// fits says in words why an image has no packages for an interpreter.
func (p *interpreter) fits(img images.Image) error {
	if _, _, ok := img.For(p.Minor); ok {
		return nil
	}
	all := img.Pythons()
	oldest, newest := all[0], all[len(all)-1]
	what := "newer than the packages known for image " + img.Name()
	if minorNumber(p.Minor) < minorNumber(oldest) {
		what = "too old for image " + img.Name()
	}
	return fmt.Errorf("%s is Python %s, %s, which needs %s to %s; install one of these and set %s to its interpreter", p.Executable, p.Full, what, oldest, newest, Variable)
}

// minorNumber orders minor versions: 311 for "3.11".
func minorNumber(version string) int {
	major, minor, _ := strings.Cut(version, ".")
	a, _ := strconv.Atoi(major)
	b, _ := strconv.Atoi(minor)
	return a*100 + b
}

// An environment is a list of NAME=value.
type environment []string

func (e environment) get(name string) string {
	for i := len(e) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(e[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// look finds a program as exec.LookPath does, with this environment's PATH.
func (e environment) look(program string) (string, error) {
	if strings.ContainsRune(program, filepath.Separator) {
		return exec.LookPath(program)
	}
	for _, dir := range filepath.SplitList(e.get("PATH")) {
		if !filepath.IsAbs(dir) {
			continue // the working directory is not for programs
		}
		path := filepath.Join(dir, program)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// clean is the environment without what would make an interpreter, pip or uv work
// on another environment than it is told to, or leave its byte code unwritten.
func (e environment) clean() []string {
	drop := map[string]bool{}
	for _, name := range []string{
		"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP",
		"VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__",
		"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV", "PIP_CONSTRAINT", "PIP_REQUIREMENT",
		"UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_PROJECT_ENVIRONMENT",
	} {
		drop[name] = true
	}
	var out []string
	for _, v := range e {
		if name, _, _ := strings.Cut(v, "="); !drop[name] {
			out = append(out, v)
		}
	}
	return out
}

// plain are the variables that any program needs, of which none is a secret.
func (e environment) plain() []string {
	needed := []string{"PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "SYSTEMROOT"}
	return slices.DeleteFunc(e.clean(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return !slices.Contains(needed, name)
	})
}
