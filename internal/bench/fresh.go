package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// fresh does what a new user does: clones, and runs the README's first command,
// with empty caches of Go and of the Python package installers.
func fresh(ctx context.Context, b *bench) error {
	dir := filepath.Join(b.tmp, "fresh clone")
	if _, err := output(ctx, "", "git", "clone", "--quiet", b.root, dir); err != nil {
		return err
	}
	home := filepath.Join(b.tmp, "home")
	env := []string{
		"HOME=" + home, "XDG_CACHE_HOME=" + filepath.Join(home, ".cache"),
		"GOPATH=" + filepath.Join(home, "go"), "GOMODCACHE=" + filepath.Join(home, "mod"), "GOCACHE=" + filepath.Join(home, "build"),
		"UV_CACHE_DIR=" + filepath.Join(home, "uv"), "PIP_CACHE_DIR=" + filepath.Join(home, "pip"),
	}
	start := time.Now()
	if _, err := outputEnv(ctx, env, dir, "go", "list", "-deps", "./generated/training"); err != nil {
		return err
	}
	download := time.Since(start).Seconds()
	start = time.Now()
	if _, err := outputEnv(ctx, env, dir, "go", "build", "-o", filepath.Join(b.tmp, "fresh-main"), "./generated/training"); err != nil {
		return err
	}
	build := time.Since(start).Seconds()
	b.figure("build in a fresh clone, empty caches", build, 90, "s", fmt.Sprintf("module download %.1f s", download))
	start = time.Now()
	if _, err := outputEnv(ctx, env, dir, "go", "run", "./generated/training"); err != nil {
		return err
	}
	run := time.Since(start).Seconds()
	b.figure("first command in all, empty caches", download+build+run, 120, "s",
		fmt.Sprintf("of it the run %.1f s with its Python packages", run))
	return nil
}
