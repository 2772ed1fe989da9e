// Package worktree finds the tree that a command is run in: the root of the Go module
// that holds a pipeline's code, and the commit that it is at. In goes a folder; it
// writes nothing, and of other programs it runs git alone.
package worktree

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Find returns the root of the Go module of the given path that dir lies in:
// the nearest folder upwards with a go.mod that says so.
func Find(dir, modulePath string) (root string, err error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the module %s: %w", modulePath, err)
	}
	for at := start; ; at = filepath.Dir(at) {
		found, err := moduleOf(filepath.Join(at, "go.mod"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find the module %s: %w", modulePath, err)
		}
		if err == nil && found == modulePath {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is not in the module %s, which holds the steps' code; change to its folder", start, modulePath)
		}
	}
}

// moduleOf reads the module path from a go.mod.
func moduleOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "//")
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "module" {
			return strings.Trim(fields[1], "\"`"), nil
		}
	}
	return "", lines.Err()
}

// Commit asks git which commit a module's tree is at, and whether it differs from
// it. Without git, or without a repository, it does not know: the id is empty.
func Commit(ctx context.Context, dir string) (id string, dirty bool) {
	if _, err := exec.LookPath("git"); err != nil {
		return "", false
	}
	git := exec.CommandContext(ctx, "git", "-C", dir, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--untracked-files=no")
	// Nothing in a repository's configuration may make git start another program.
	git.Env = append(os.Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.fsmonitor", "GIT_CONFIG_VALUE_0=false")
	out, err := git.Output()
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		if oid, ok := strings.CutPrefix(line, "# branch.oid "); ok {
			if oid != "(initial)" {
				id = oid
			}
		} else if !strings.HasPrefix(line, "#") && line != "" {
			dirty = true
		}
	}
	return id, dirty
}
