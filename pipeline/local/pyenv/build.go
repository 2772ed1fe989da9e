package pyenv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/images"
)

// A build makes one environment, at its final place, since an environment cannot be
// moved.
type build struct {
	dir, tools   string
	image        images.Image
	requirements string
	environ      environment
	progress     func(string)

	base      *interpreter
	installer *installer
}

func (b *build) run(ctx context.Context) (*Env, error) {
	if err := os.RemoveAll(b.dir); err != nil {
		return nil, fmt.Errorf("remove a half-made Python environment: %w", err)
	}
	pins, _, _ := b.image.For(b.base.Minor)
	var err error
	if b.installer, err = b.chooseInstaller(ctx); err != nil {
		return nil, err
	}
	if err := b.create(ctx); err != nil {
		return nil, err
	}
	b.progress(fmt.Sprintf("installing %d packages for image %s on Python %s with %s", len(pins), b.image.Name(), b.base.Minor, b.installer.name))
	if err := b.installer.install(ctx, b, "the packages of image "+b.image.Name(), pins); err != nil {
		return nil, err
	}
	if b.requirements != "" {
		b.progress("installing " + b.requirements)
		if err := b.installer.install(ctx, b, b.requirements, []string{"-r", b.requirements}); err != nil {
			return nil, err
		}
	}
	b.progress("byte-compiling what steps import")
	if err := b.compile(ctx); err != nil {
		return nil, err
	}
	env := &Env{Python: b.python(), Version: b.base.Minor, Full: b.base.Full, Note: note(b.image, b.base.Minor)}
	if env.Packages, err = installed(b.dir); err != nil {
		return nil, fmt.Errorf("list the packages of a Python environment: %w", err)
	}
	env.Digest = digest(env.Full, env.Packages)
	if env.Stamp, err = stamp(env.Python); err != nil {
		return nil, fmt.Errorf("finish a Python environment: %w", err)
	}
	if err := save(b.dir, env); err != nil {
		return nil, fmt.Errorf("finish a Python environment: %w", err)
	}
	return env, nil
}

func (b *build) python() string { return filepath.Join(b.dir, "bin", "python") }

// create makes an environment without packages.
func (b *build) create(ctx context.Context) error {
	args := []string{b.base.Executable, "-I", "-m", "venv"}
	switch {
	case b.installer.ownPip:
	case b.base.Venv:
		args = append(args, "--without-pip")
	default:
		args = []string{b.installer.uv, "venv", "--no-project", "--quiet", "--python", b.base.Executable}
	}
	out, err := b.command(ctx, nil, append(args, b.dir)...)
	if err != nil {
		return fmt.Errorf("make a Python environment with %s: %w%s", b.base.Executable, err, indent(tail(out)))
	}
	return nil
}

// command runs a program in the folder of the environments and returns all it said.
func (b *build) command(ctx context.Context, more []string, args ...string) (string, error) {
	return b.commandIn(ctx, append(b.environ.clean(), more...), args...)
}

// commandIn is command with these variables and no others.
func (b *build) commandIn(ctx context.Context, environ []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = environ
	cmd.Dir = filepath.Dir(b.dir)
	ownGroup(cmd)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return string(out), context.Cause(ctx)
	}
	return string(out), err
}

// compile imports what steps import, once, which writes its byte code: so that not
// every step spends seconds on that. Isolated mode ignores PYTHONDONTWRITEBYTECODE,
// which many CI images set. What cannot be imported is left to the steps: their
// error says more. This is where code of others runs for the first time: it gets no
// variable that may hold a credential.
func (b *build) compile(ctx context.Context) error {
	script := "import importlib, sys\nfor name in sys.argv[1:]:\n    try:\n        importlib.import_module(name)\n    except Exception:\n        pass\n"
	out, err := b.commandIn(ctx, b.environ.plain(), append([]string{b.python(), "-I", "-c", script}, b.image.Imports...)...)
	if err != nil {
		return fmt.Errorf("import the packages of image %s: %w%s", b.image.Name(), err, indent(tail(out)))
	}
	return nil
}

// installed lists the packages of an environment, by the folders that hold their
// metadata (PEP 376, PEP 427), with names as PEP 503 normalizes them.
func installed(dir string) ([]string, error) {
	sites, err := filepath.Glob(filepath.Join(dir, "lib", "python3.*", "site-packages"))
	if err != nil || len(sites) == 0 {
		return nil, errors.Join(err, fs.ErrNotExist)
	}
	entries, err := os.ReadDir(sites[0])
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		stem, ok := strings.CutSuffix(e.Name(), ".dist-info")
		name, version, dashed := strings.Cut(stem, "-")
		if ok && dashed {
			name = strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(name))
			all = append(all, name+"=="+version)
		}
	}
	slices.Sort(all)
	return all, nil
}

// note says how an environment differs from the image on AWS.
func note(img images.Image, python string) string {
	pins, exact, _ := img.For(python)
	parts, open := difference(img, versions(pins))
	if !exact {
		parts = slices.Insert(parts, 0, fmt.Sprintf("Python %s instead of %s", python, img.Python))
	}
	if len(parts) == 0 && len(open) == 0 {
		return ""
	}
	var text []string
	if len(parts) > 0 {
		text = append(text, "steps of image "+img.Name()+" ran with "+strings.Join(parts, ", "))
	}
	if len(open) > 0 {
		text = append(text, "image "+img.Name()+" itself leaves the versions of "+strings.Join(open, ", ")+" open")
	}
	return strings.Join(text, "; ")
}

// difference says which of the packages that an image pins are here in another version,
// and which that steps import it leaves open.
func difference(img images.Image, here map[string]string) (differ, open []string) {
	own := versions(img.Packages)
	for _, p := range img.Packages {
		name, _, _ := strings.Cut(p, "==")
		switch {
		case !slices.Contains(img.Pinned, name):
			if slices.ContainsFunc(img.Imports, func(module string) bool { return module == name || strings.HasPrefix(module, name+".") }) {
				open = append(open, name)
			}
		case here[name] == "":
			differ = append(differ, "no "+name)
		case own[name] != here[name]:
			differ = append(differ, fmt.Sprintf("%s %s instead of %s", name, here[name], own[name]))
		}
	}
	return differ, open
}

func versions(pins []string) map[string]string {
	all := map[string]string{}
	for _, p := range pins {
		name, version, _ := strings.Cut(p, "==")
		all[name] = version
	}
	return all
}
