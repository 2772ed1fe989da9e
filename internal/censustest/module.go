// Package censustest makes a module that the census pipeline can be run in without
// Python: the machine as it is generated, with the shell scripts of pipeline/cli's
// tests for its steps. It is for tests of packages that lie beside pipeline/cli.
package censustest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local"
)

// A Module is a folder with code and data, and the pipeline to run there.
type Module struct {
	T          testing.TB
	Dir        string
	Definition *pipeline.Definition
}

// New makes a module in a temporary folder.
func New(t testing.TB) *Module {
	t.Helper()
	return From(t, "../cli/testdata/steps")
}

// From makes a module in a temporary folder, with the steps of a folder.
func From(t testing.TB, steps string) *Module {
	t.Helper()
	m := &Module{T: t, Dir: t.TempDir(), Definition: training.Definition()}
	d := m.Definition
	d.ASL = bytes.ReplaceAll(d.ASL, []byte(`"python3"`), []byte(`"/bin/sh"`))
	for i := range d.Jobs {
		shell := strings.TrimSuffix(d.Jobs[i].Script, ".py") + ".sh"
		d.ASL = bytes.ReplaceAll(d.ASL, []byte(d.Jobs[i].Script), []byte(shell))
		d.Jobs[i].Script = shell
	}
	if err := os.CopyFS(filepath.Join(m.Dir, "specs/census/steps"), os.DirFS(steps)); err != nil {
		t.Fatal(err)
	}
	m.Write("specs/census/testdata/census.csv", "age,income\n39,low\n", 0o644)
	if err := os.Chmod(filepath.Join(m.Dir, "specs/census/steps/train/train.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	return m
}

// Write writes a file of the module.
func (m *Module) Write(name, content string, mode os.FileMode) {
	m.T.Helper()
	file := filepath.Join(m.Dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), mode)); err != nil {
		m.T.Fatal(err)
	}
}

// Workspace is the folder that runs leave everything in.
func (m *Module) Workspace() string { return filepath.Join(m.Dir, ".mlmax") }

// Run runs the pipeline, in direct isolation, however that ends.
func (m *Module) Run(ctx context.Context, input string, on func(pipeline.Event)) *pipeline.Outcome {
	m.T.Helper()
	r, err := local.New(local.Options{Module: m.Dir, Isolation: "direct"})
	if err != nil {
		m.T.Fatal(err)
	}
	o, err := r.Run(ctx, m.Definition, json.RawMessage(input), on)
	if err != nil {
		m.T.Fatal(err)
	}
	return o
}

// Succeed runs the pipeline, which must succeed.
func (m *Module) Succeed(input string, on func(pipeline.Event)) *pipeline.Outcome {
	m.T.Helper()
	o := m.Run(m.T.Context(), input, on)
	if o.Status != pipeline.Succeeded {
		m.T.Fatal(o.Err())
	}
	return o
}
