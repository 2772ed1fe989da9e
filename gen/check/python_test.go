package check_test

import (
	"context"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/gen/check"
	"github.com/mlmax/mlmax/gen/diag"
	"github.com/mlmax/mlmax/gen/ir"
)

// TestNoPython wants one warning, and everything else checked, whatever is wrong
// with python3.
func TestNoPython(t *testing.T) {
	tests := []struct {
		name, python string // a shell script; empty: there is no python3
		want         string
	}{
		{"missing", "", "python3 is not on the PATH"},
		{"fails", "echo broken >&2; exit 3", "exit status 3: broken"},
		{"stub", "exit 0", "gave no answer"},
		{"old", `echo '{"version": [3, 6], "old": true, "scripts": []}'`, "version 3.6, and 3.9 or newer"},
		{"partial", `echo '{"version": [3, 11], "scripts": []}'`, "answered for 0 of 1 scripts"},
		{"hangs", "while :; do :; done", "was stopped"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, bin := t.TempDir(), t.TempDir()
			put(t, dir, "step/x.py", "x = = 1\n")
			if tt.python != "" {
				if err := os.WriteFile(filepath.Join(bin, "python3"), []byte("#!/bin/sh\n"+tt.python+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", bin)
			ctx := context.Background()
			if tt.name == "hangs" {
				var stop context.CancelFunc
				ctx, stop = context.WithTimeout(ctx, 50*time.Millisecond)
				defer stop()
			}
			var bag diag.Bag
			check.Check(ctx, chain(dir, 1), &bag)
			list := bag.List()
			if len(list) != 1 || list[0].Code != diag.NoPython || list[0].Severity != diag.Warning || !strings.Contains(list[0].Message, tt.want) {
				t.Errorf("want one warning with %q, got:\n%s", tt.want, text(t, dir, list))
			}
		})
	}
}

// chain is a spec of so many steps, each of which reads what the one before it
// writes. All have the script step/x.py but the first n-1, whose are step/I/x.py.
func chain(dir string, n int) *ir.Spec {
	line := 1
	at := func(s string) ir.At[string] {
		line++
		return ir.At[string]{V: s, Pos: pos(dir, line), End: pos(dir, line)}
	}
	s := &ir.Spec{Path: "x/spec", Name: "spec", Dir: dir, ModulePath: "x", ModuleDir: dir, Pos: pos(dir, 1)}
	pipe := &ir.Pipeline{GoName: "Fit", Pos: at("").Pos, Name: at("fit")}
	s.Pipelines = []*ir.Pipeline{pipe}
	artifact := func(name string) *ir.Artifact {
		a := &ir.Artifact{Name: name, Path: s.Path, Pos: at("").Pos}
		s.Artifacts = append(s.Artifacts, a)
		return a
	}
	before := artifact("Data")
	pipe.Sources = []*ir.Source{{Name: "Data", Pos: at("").Pos, Artifact: before, Default: at("x")}}
	for i := range n {
		script := "step/x.py"
		if i < n-1 {
			script = fmt.Sprintf("step/%d/x.py", i)
		}
		step := &ir.Step{
			Name: fmt.Sprintf("Step%d", i), Path: s.Path, Dir: dir, Pos: at("").Pos, Kind: ir.Processing, KindPos: at("").Pos,
			Settings: ir.Settings{Image: at("sklearn:1.4-2"), Script: at(script), Instance: at("ml.m5.large")},
			Params:   []*ir.Param{{Name: "Rate", Pos: at("").Pos, Type: ir.Float, Arg: at("--rate"), Default: at("0.5")}},
		}
		after := artifact(fmt.Sprintf("Data%d", i))
		step.Ports = []*ir.Port{
			{Name: "In", Pos: at("").Pos, Form: ir.InputForm, Artifact: before, Arg: at("--in")},
			{Name: "Out", Pos: at("").Pos, Form: ir.OutputForm, Artifact: after, Arg: at("--out")},
		}
		s.Steps = append(s.Steps, step)
		pipe.Uses = append(pipe.Uses, &ir.Use{Name: step.Name, Index: i + 1, Pos: at("").Pos, Step: step})
		before = after
	}
	return s
}

// BenchmarkCheck checks a chain of steps with a script each.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := b.TempDir()
			script := func(i int) string {
				return fmt.Sprintf("# Step %d.\n", i) + "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--rate', type=float, default=0.5)\n" +
					"parser.add_argument('--in', required=True)\nparser.add_argument('--out', required=True)\nparser.parse_args()\n"
			}
			s := chain(dir, n)
			for i, step := range s.Steps {
				file := filepath.Join(dir, filepath.FromSlash(step.Settings.Script.V))
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					b.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(script(i)), 0o644); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				var bag diag.Bag
				check.Check(context.Background(), s, &bag)
				if bag.Failed() {
					b.Fatalf("findings: %v", bag.List()[0])
				}
			}
		})
	}
}

func pos(dir string, line int) token.Position {
	return token.Position{Filename: filepath.Join(dir, "spec.go"), Offset: line, Line: line, Column: 1}
}
