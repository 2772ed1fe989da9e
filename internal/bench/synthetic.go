package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// module makes a module in a new folder that replaces this one by the clone, so
// that specs in it load offline.
func (b *bench) module(name string) (dir string, err error) {
	dir = filepath.Join(b.tmp, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	mod, err := os.ReadFile(filepath.Join(b.root, "go.mod"))
	if err != nil {
		return "", err
	}
	text := strings.Replace(string(mod), "module github.com/mlmax/mlmax", "module example.com/"+name, 1)
	text = strings.Replace(text, "tool github.com/mlmax/mlmax/cmd/mlmaxgen", "", 1)
	text += "\nrequire github.com/mlmax/mlmax v0.0.0\n\nreplace github.com/mlmax/mlmax => " + b.root + "\n"
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644); err != nil {
		return "", err
	}
	sum, err := os.ReadFile(filepath.Join(b.root, "go.sum"))
	if err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644)
}

// longest is how many steps a synthetic pipeline has at most: a template holds no
// more than about 90.
const longest = 50

// writeChain writes a spec package of n trivial steps, each a shell script that
// copies its input, in pipelines Chain, Chain2, … that are chains of up to longest.
func writeChain(module, pkg string, n int) error {
	dir := filepath.Join(module, pkg)
	var s strings.Builder
	fmt.Fprintf(&s, "// Package %s is a chain of %d trivial steps.\npackage %s\n\nimport \"github.com/mlmax/mlmax\"\n\n", pkg, n, pkg)
	fmt.Fprintf(&s, "type A0 struct{ mlmax.File }\n\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&s, "type A%d struct{ mlmax.File `name:\"a\"` }\n\n", i)
		fmt.Fprintf(&s, "type S%d struct {\n\tmlmax.Processing `image:\"sklearn:1.4-2\" script:\"steps/s%d/run.sh\" instance:\"ml.m5.large\"`\n\n", i, i)
		fmt.Fprintf(&s, "\tIn mlmax.Input[A%d] `arg:\"--in\"`\n\tOut mlmax.Output[A%d] `arg:\"--out\"`\n}\n\n", i-1, i)
		if err := writeFile(filepath.Join(dir, "steps", fmt.Sprintf("s%d", i), "run.sh"), "#!/bin/sh\ncp \"$2\" \"$4\"\n", 0o755); err != nil {
			return err
		}
	}
	for i := 0; i < n; i++ {
		if i%longest == 0 {
			name := ""
			if i > 0 {
				fmt.Fprintf(&s, "}\n\n")
				name = fmt.Sprint(i/longest + 1)
			}
			fmt.Fprintf(&s, "type Chain%s struct {\n\tmlmax.Pipeline `name:\"%s%s\"`\n\n", name, pkg, name)
			fmt.Fprintf(&s, "\tData mlmax.Source[A%d] `default:\"a\" local:\"testdata/a\"`\n\n", i)
		}
		fmt.Fprintf(&s, "\tS%d S%d\n", i+1, i+1)
	}
	fmt.Fprintf(&s, "}\n")
	if err := writeFile(filepath.Join(dir, "testdata", "a"), "a\n", 0o644); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, pkg+".go"), s.String(), 0o644)
}

func writeFile(path, text string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), mode)
}
