package pyenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/images"
)

// An inventory is what an interpreter is and has.
type inventory struct {
	*interpreter
	packages []string
}

// listing prints the packages that an interpreter has, by their metadata. It runs in
// every Python 3: importlib.metadata came with 3.8.
const listing = `
import json, os, re, sys
found = {}
for folder in sys.path:
    if os.path.isdir(folder):
        for entry in sorted(os.listdir(folder)):
            match = re.match(r"^(.+?)-([^-]+?)(-py[0-9.]+)?\.(dist-info|egg-info)$", entry)
            if match:
                found.setdefault(re.sub(r"[-_.]+", "-", match.group(1)).lower(), match.group(2))
print(json.dumps(sorted("%s==%s" % item for item in found.items())))
`

// asInstalled is the first interpreter for an image that works, with the packages that
// it has.
func (m *Manager) asInstalled(ctx context.Context, img images.Image, requirements string, environ environment) (*Env, error) {
	paths, err := m.candidates(environ, img)
	if err != nil {
		return nil, err
	}
	var unfit error
	for _, path := range paths {
		has, err := m.inventory(ctx, path, environ)
		if err == nil {
			return &Env{
				Python: has.Executable, Version: has.Minor, Full: has.Full, Packages: has.packages, Digest: digest(has.Full, has.packages),
				Note: has.note(img, requirements),
			}, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		unfit = errors.Join(unfit, err)
	}
	return nil, unfit
}

// inventory asks an interpreter once for what it is and has.
func (m *Manager) inventory(ctx context.Context, path string, environ environment) (*inventory, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if has := m.seen[path]; has != nil {
		return has, nil
	}
	python, err := ask(ctx, path, environ)
	if err != nil {
		return nil, err
	}
	if python.Executable, err = filepath.Abs(python.Executable); err != nil {
		return nil, err
	}
	has := &inventory{interpreter: python}
	cmd := exec.CommandContext(ctx, python.Executable, "-I", "-c", listing)
	cmd.Env = environ.clean()
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &has.packages)
	}
	if err != nil {
		return nil, fmt.Errorf("list the packages of %s: %w", python.Executable, err)
	}
	if m.seen == nil {
		m.seen = map[string]*inventory{}
	}
	m.seen[path] = has
	return has, nil
}

// note says how an interpreter with what it has differs from an image on AWS.
func (i *inventory) note(img images.Image, requirements string) string {
	text := fmt.Sprintf("steps of image %s ran with the packages that Python %s has, not with a set made for the image", img.Name(), i.Full)
	parts, _ := difference(img, versions(i.packages))
	if i.Minor != img.Python {
		parts = slices.Insert(parts, 0, fmt.Sprintf("Python %s instead of %s", i.Minor, img.Python))
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if requirements != "" {
		text += "; their requirements.txt was not installed"
	}
	return text
}
