package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// generate times mlmaxgen generate with nothing to change, beside the go list
// call that no generator of Go can do without.
func generate(ctx context.Context, b *bench) error {
	list, err := seconds(5, func() error {
		_, err := output(ctx, b.root, "go", "list", "-deps", "-json=ImportPath", "./specs/census")
		return err
	})
	if err != nil {
		return err
	}
	shipped, err := seconds(7, func() error {
		_, err := output(ctx, b.root, b.mlmaxgen, "generate", "./specs/...")
		return err
	})
	if err != nil {
		return err
	}
	b.figure("generate, shipped specs, warm", shipped, 0.35, "s", fmt.Sprintf("go list -deps of the same: %.3f s", list))
	for _, c := range []struct {
		steps int
		bound float64
	}{{100, 0.5}, {1000, 1.5}} {
		name := fmt.Sprintf("steps%d", c.steps)
		dir, err := b.module(name)
		if err != nil {
			return err
		}
		if err := writeChain(dir, name, c.steps); err != nil {
			return err
		}
		list, err := seconds(3, func() error {
			_, err := output(ctx, dir, "go", "list", "-deps", "-json=ImportPath", "./"+name)
			return err
		})
		if err != nil {
			return err
		}
		got, err := seconds(5, func() error {
			_, err := output(ctx, dir, b.mlmaxgen, "generate", "./"+name)
			return err
		})
		if err != nil {
			return err
		}
		b.figure(fmt.Sprintf("generate, %d steps in %d pipelines, warm", c.steps, c.steps/longest), got, c.bound, "s", fmt.Sprintf("go list -deps of the same: %.3f s", list))
	}
	return nil
}

// same generates 100 times, each in a copy of the specs in a folder of another
// name whose files were made in another order, and counts the different results.
func same(ctx context.Context, b *bench) error {
	const times = 100
	files, err := output(ctx, b.root, "git", "ls-files", "-co", "--exclude-standard", "go.mod", "go.sum", "*.go", "specs")
	if err != nil {
		return err
	}
	names := strings.Fields(files)
	seen := map[string]int{}
	for i := range times {
		dir := filepath.Join(b.tmp, fmt.Sprintf("same-%x é", rand.Uint32()))
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(b.root, name))
			if err != nil {
				return err
			}
			info, err := os.Stat(filepath.Join(b.root, name))
			if err != nil {
				return err
			}
			if err := writeFile(filepath.Join(dir, name), string(data), info.Mode()); err != nil {
				return err
			}
		}
		if err := os.RemoveAll(filepath.Join(dir, "generated")); err != nil {
			return err
		}
		if _, err := output(ctx, dir, b.mlmaxgen, "generate", "./specs/..."); err != nil {
			return fmt.Errorf("generation %d: %w", i, err)
		}
		sum, err := digest(filepath.Join(dir, "generated"))
		if err != nil {
			return err
		}
		seen[sum]++
		removeAll(dir)
	}
	committed, err := digest(filepath.Join(b.root, "generated"))
	if err != nil {
		return err
	}
	compared := "the same as committed"
	if seen[committed] != times {
		compared = fmt.Sprintf("%d of %d are the same as committed", seen[committed], times)
	}
	b.figure(fmt.Sprintf("different results of %d generations", times), float64(len(seen)), 1, "", compared)
	return nil
}

// digest is one hash over the names and contents of a folder.
func digest(dir string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s\x00%d\x00%s", filepath.ToSlash(rel), len(data), data)
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}
