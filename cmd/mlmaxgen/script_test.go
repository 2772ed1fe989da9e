package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"mlmaxgen": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the archives of testdata/script through the real command, each
// in a module of its own that takes the vocabulary from this repository and
// needs neither network nor module cache.
func TestScripts(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatalf("asking for the build cache: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(repo, "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"status": status},
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars,
				"REPO="+repo,
				"GOCACHE="+strings.TrimSpace(string(cache)),
				"GOPROXY=off",
				"GOFLAGS=-mod=mod",
				"GOTOOLCHAIN=local",
				"GOWORK=off",
			)
			return prepare(e.WorkDir, repo)
		},
	})
}

// status runs a command and demands its exit code: status 2 mlmaxgen --nonsense.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status code command args...")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("running %s: %v", args[1], err)
		}
		code = exit.ExitCode()
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// prepare writes go.mod, and steps that the specs of the scripts name, unless
// the archive holds its own.
func prepare(dir, repo string) error {
	files := map[string]string{
		"go.mod":                   "module example.com/spec\n\ngo 1.26\n\nrequire github.com/mlmax/mlmax v0.0.0\n\nreplace github.com/mlmax/mlmax => " + repo + "\n",
		"steps/prepare/prepare.sh": "#!/bin/sh\n",
		"steps/fit/fit.sh":         "#!/bin/sh\n",
		"steps/score/score.sh":     "#!/bin/sh\n",
		"testdata/data.csv":        "x\n1\n",
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}
