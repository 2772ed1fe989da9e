package pyenv

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/pipeline/images"
)

// key names the environment's folder by everything that decides what is in it, as
// far as that is known without starting a process.
func key(img images.Image, python string, requirements string) (string, error) {
	h := sha256.New()
	catalogue, err := json.Marshal(img)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%s\n%s\n%s\n", catalogue, python, shimTarget(python))
	if requirements != "" {
		if err := digestRequirements(h.Write, requirements, map[string]bool{}); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s-%s-%s", img.Framework, img.Version, hex.EncodeToString(h.Sum(nil)[:6])), nil
}

// shimTarget tells one target of a pyenv shim from another: what the shim itself
// goes by, the version file of the working directory or of pyenv, and the variable.
func shimTarget(python string) string {
	dir := filepath.Dir(python)
	if filepath.Base(dir) != "shims" {
		return ""
	}
	if v := os.Getenv("PYENV_VERSION"); v != "" {
		return v
	}
	if at, err := os.Getwd(); err == nil {
		for {
			if b, err := os.ReadFile(filepath.Join(at, ".python-version")); err == nil {
				return string(b)
			}
			if filepath.Dir(at) == at {
				break
			}
			at = filepath.Dir(at)
		}
	}
	b, _ := os.ReadFile(filepath.Join(filepath.Dir(dir), "version"))
	return string(b)
}

// digestRequirements writes a requirements file and those that it names.
func digestRequirements(write func([]byte) (int, error), path string, seen map[string]bool) error {
	if seen[path] {
		return nil
	}
	seen[path] = true
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the requirements: %w", err)
	}
	if _, err := write(fmt.Appendf(nil, "%d\n%s", len(b), b)); err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		for _, option := range []string{"-r", "--requirement", "-c", "--constraint"} {
			name, ok := strings.CutPrefix(line, option)
			if !ok || name == "" || !strings.ContainsAny(name[:1], " =") {
				continue
			}
			name, _, _ = strings.Cut(strings.TrimLeft(name, " ="), " #")
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(path), name)
			}
			if err := digestRequirements(write, name, seen); err != nil {
				return err
			}
		}
	}
	return nil
}
