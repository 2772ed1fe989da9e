// Command bench measures the figures that the project promises, each beside
// what it is compared with in the same run, and fails if one is missed.
//
//	go run ./internal/bench                  # all of them, some minutes
//	go run ./internal/bench -only generate   # one family
//
// It runs in a clone of the repository and needs git, python3 and, for the
// families history, batch, python and fresh, the package registries.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A family measures figures that belong together.
type family struct {
	name string
	doc  string
	run  func(ctx context.Context, b *bench) error
}

var families = []family{
	{"generate", "mlmaxgen on the shipped specs, 100 and 1,000 steps", generate},
	{"same", "100 generations in other folders with shuffled files", same},
	{"chain", "the runner's own time per step and memory", chain},
	{"store", "a 2 GB artifact into the store, beside cp and sha256sum", store},
	{"history", "an unchanged training; runs, models and lineage of 1,000 runs", history},
	{"batch", "100,000 and a million rows through the inference pipeline", batch},
	{"python", "Python environment from nothing; second run", python},
	{"kills", "what a run leaves that is killed at every failpoint and at 200 random times", kills},
	{"aws", "what the commands for AWS take, and what they cost a local run", aws},
	{"faults", "every call of the commands for AWS, hit by every fault", faults},
	{"fresh", "first command in a fresh clone with empty caches", fresh},
}

func main() {
	only := flag.String("only", "", "families to run, with commas; empty is all")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: bench [-only family,...]")
		for _, f := range families {
			fmt.Fprintf(flag.CommandLine.Output(), "  %-9s %s\n", f.name, f.doc)
		}
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) error {
	root, err := output(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "mlmax-bench-")
	if err != nil {
		return err
	}
	defer removeAll(tmp)
	b := &bench{root: strings.TrimSpace(root), tmp: tmp}
	b.mlmaxgen = filepath.Join(tmp, "mlmaxgen")
	if _, err := output(ctx, b.root, "go", "build", "-o", b.mlmaxgen, "./cmd/mlmaxgen"); err != nil {
		return err
	}
	for _, f := range families {
		if only != "" && !slices.Contains(strings.Split(only, ","), f.name) {
			continue
		}
		fmt.Printf("\n%s: %s\n", f.name, f.doc)
		if err := f.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if b.missed > 0 {
		return fmt.Errorf("%d of %d figures missed", b.missed, b.figures)
	}
	fmt.Printf("\nall %d figures met\n", b.figures)
	return nil
}

// A bench is one call of the command.
type bench struct {
	root     string // of the repository
	tmp      string
	mlmaxgen string // the built generator

	figures, missed int
}

// figure prints one row: what was measured, its bound (0 for none), and what it
// is compared with.
func (b *bench) figure(name string, got, bound float64, unit, compared string) {
	mark, limit := "    ", ""
	if bound > 0 {
		b.figures++
		mark, limit = "ok  ", fmt.Sprintf("(at most %g %s)", bound, unit)
		if got > bound {
			b.missed++
			mark = "MISS"
		}
	}
	fmt.Printf("  %s %-44s %9.3f %-3s %-20s %s\n", mark, name, got, unit, limit, compared)
}

// count prints one row: how many of all went well, which has to be all.
func (b *bench) count(name string, got, all int, compared string) {
	b.figures++
	mark := "ok  "
	if got != all {
		b.missed++
		mark = "MISS"
	}
	fmt.Printf("  %s %-44s %9s     %-20s %s\n", mark, name, fmt.Sprintf("%d of %d", got, all), "", compared)
}

// seconds times a function as the median of n calls after one that is not counted.
func seconds(n int, f func() error) (float64, error) {
	var all []float64
	for i := range n + 1 {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		if i > 0 {
			all = append(all, time.Since(start).Seconds())
		}
	}
	return median(all), nil
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// output runs a command and returns its standard output; what it wrote to
// standard error is in the error.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	return outputEnv(ctx, nil, dir, name, args...)
}

// outputEnv is output with further environment variables.
func outputEnv(ctx context.Context, env []string, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

// removeAll removes a folder whose parts may be read-only, as module caches and
// stored objects are.
func removeAll(dir string) {
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	os.RemoveAll(dir)
}
