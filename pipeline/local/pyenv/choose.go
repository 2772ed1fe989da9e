package pyenv

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline/images"
)

// candidates are the paths of the interpreters to try for an image, in order, as they
// were found: one may be a shim or a stub. It is the one that was asked for; else that
// of the image's own version, such as python3.7, then python3, then those of the other
// versions that the image has packages for, the nearest first.
func (m *Manager) candidates(environ environment, img images.Image) ([]string, error) {
	if asked, from := m.asked(environ); asked != "" {
		path, err := environ.look(asked)
		if err != nil {
			return nil, fmt.Errorf("%s is %q, which is not a program; set it to a Python interpreter", from, asked)
		}
		return []string{path}, nil
	}
	names := []string{"python" + img.Python, "python3"}
	others := img.Pythons()
	slices.SortStableFunc(others, func(a, b string) int { return cmp.Compare(distance(a, img.Python), distance(b, img.Python)) })
	for _, version := range others {
		if version != img.Python {
			names = append(names, "python"+version)
		}
	}
	var all []string
	for _, name := range names {
		if path, err := environ.look(name); err == nil && !sleeps(path) {
			all = append(all, path)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w (looked in %s and PATH); install Python 3.9 or newer, or set %s to its interpreter", ErrNoPython, Variable, Variable)
	}
	return all, nil
}

// asked is the interpreter that the caller or the environment names, and where.
func (m *Manager) asked(environ environment) (path, from string) {
	if m.Python != "" {
		return m.Python, "--python"
	}
	return environ.get(Variable), Variable
}

func distance(a, b string) int {
	d := minorNumber(a) - minorNumber(b)
	return max(d, -d)
}

// sleeps says of a pyenv shim for one version, such as python3.7, that it would only say
// that this version is not the chosen one.
func sleeps(path string) bool {
	version, ok := strings.CutPrefix(filepath.Base(path), "python3.")
	target := shimTarget(path)
	if !ok || target == "" {
		return false
	}
	for _, one := range strings.FieldsFunc(target, func(r rune) bool { return r == ':' || r == '\n' || r == ' ' }) {
		if one == "3."+version || strings.HasPrefix(one, "3."+version+".") {
			return false
		}
	}
	return true
}
