package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline/images"
	"github.com/mlmax/mlmax/pipeline/local/pyenv"
)

// python times the census steps' Python environment from nothing, and a run in a
// warm workspace beside its three scripts run bare.
func python(ctx context.Context, b *bench) error {
	for _, name := range []string{"UV_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME"} {
		if err := os.Setenv(name, filepath.Join(b.tmp, "cache", strings.ToLower(name))); err != nil {
			return err
		}
	}
	workspace := filepath.Join(b.tmp, "work-python")
	manager := &pyenv.Manager{Dir: filepath.Join(workspace, "envs")}
	image, ok := images.Lookup("sklearn:1.4-2")
	if !ok {
		return fmt.Errorf("the catalogue has no sklearn:1.4-2")
	}
	start := time.Now()
	env, err := manager.Ensure(ctx, image, "", func(string) {})
	if err != nil {
		return err
	}
	b.figure("Python environment from nothing", time.Since(start).Seconds(), 15, "s",
		fmt.Sprintf("Python %s, %d packages, empty caches", env.Version, len(env.Packages)))

	main := filepath.Join(b.tmp, "training")
	if _, err := output(ctx, b.root, "go", "build", "-o", main, "./generated/training"); err != nil {
		return err
	}
	run := func() error {
		_, err := output(ctx, b.root, main, "run", "--quiet", "--no-cache", "--workspace", workspace)
		return err
	}
	bare := func() error { return bareCensus(ctx, b, env.Python) }
	// In turn, so that a machine whose speed drifts does so for both.
	var runs, bares []float64
	for i := range 6 {
		for _, c := range []struct {
			f   func() error
			all *[]float64
		}{{run, &runs}, {bare, &bares}} {
			start := time.Now()
			if err := c.f(); err != nil {
				return err
			}
			if i > 0 {
				*c.all = append(*c.all, time.Since(start).Seconds())
			}
		}
	}
	b.figure("run in a warm workspace / scripts bare", median(runs)/median(bares), 1.1, "x",
		fmt.Sprintf("run %.2f s, three scripts bare %.2f s", median(runs), median(bares)))

	cached, err := seconds(20, func() error {
		_, err := output(ctx, b.root, main, "run", "--quiet", "--workspace", workspace)
		return err
	})
	if err != nil {
		return err
	}
	b.figure("run of which every step is cached", 1000*cached, 60, "ms", "whole process, verified content, a model registered")

	first, err := firstStep(ctx, b.root, main, workspace)
	if err != nil {
		return err
	}
	b.figure("start to first step, warm workspace", first, 0.3, "s", "from exec to the line that says so")
	return nil
}

// bareCensus runs the three scripts of the census example from a shell's point
// of view, with the arguments that the pipeline gives them.
func bareCensus(ctx context.Context, b *bench, python string) error {
	dir, err := os.MkdirTemp(b.tmp, "bare-")
	if err != nil {
		return err
	}
	steps := filepath.Join(b.root, "specs", "census", "steps")
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"train", "test", "transformer", "model", "report"} {
		if err := os.MkdirAll(at(name), 0o755); err != nil {
			return err
		}
	}
	env := []string{"SM_CHANNEL_TRAIN=" + at("train"), "SM_MODEL_DIR=" + at("model"), "SM_OUTPUT_DATA_DIR=" + dir}
	for _, args := range [][]string{
		{filepath.Join(steps, "preprocess", "preprocess.py"), "--mode", "train", "--train-test-split-ratio", "0.2",
			"--raw", filepath.Join(b.root, "specs", "census", "testdata", "census.csv"),
			"--train", at("train"), "--test", at("test"), "--transformer", at("transformer")},
		{filepath.Join(steps, "train", "train.py"), "--strength", "1.0"},
	} {
		if _, err := outputEnv(ctx, env, "", python, args...); err != nil {
			return err
		}
	}
	packed := at("packed")
	if err := os.MkdirAll(packed, 0o755); err != nil {
		return err
	}
	if _, err := output(ctx, "", "tar", "-C", at("model"), "-czf", filepath.Join(packed, "model.tar.gz"), "."); err != nil {
		return err
	}
	_, err = outputEnv(ctx, env, "", python, filepath.Join(steps, "evaluate", "evaluate.py"),
		"--model", packed, "--transformer", at("transformer"), "--test", at("test"), "--report", filepath.Join(at("report"), "report.json"))
	return err
}

// firstStep is the time from starting the command to its line about the first
// step, as the median of five.
func firstStep(ctx context.Context, root, main, workspace string) (float64, error) {
	var all []float64
	for range 5 {
		cmd := exec.CommandContext(ctx, main, "run", "--no-cache", "--workspace", workspace)
		cmd.Dir = root
		errs, err := cmd.StderrPipe()
		if err != nil {
			return 0, err
		}
		start := time.Now()
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		seen := false
		lines := bufio.NewScanner(errs)
		for lines.Scan() {
			if !seen && strings.Contains(lines.Text(), "Preprocess") {
				seen = true
				all = append(all, time.Since(start).Seconds())
			}
		}
		if err := cmd.Wait(); err != nil {
			return 0, err
		}
		if !seen {
			return 0, fmt.Errorf("the run printed no line about its first step")
		}
	}
	return median(all), nil
}
