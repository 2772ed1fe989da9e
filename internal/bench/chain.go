package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// chain runs pipelines of 3, 10 and 50 trivial shell steps in both isolations,
// beside the same scripts run one after the other as bare processes.
func chain(ctx context.Context, b *bench) error {
	sizes := []int{3, 10, 50}
	mains := make([]string, len(sizes))
	var dir string
	for i, n := range sizes {
		var err error
		if mains[i], dir, err = b.chainMain(ctx, n); err != nil {
			return err
		}
	}
	for i, n := range sizes {
		for _, isolation := range []string{"direct", "namespace"} {
			if err := chainRun(ctx, b, dir, mains[i], isolation, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// chainMain builds the command of a chain of n steps, and says in which module.
func (b *bench) chainMain(ctx context.Context, n int) (main, dir string, err error) {
	if dir, err = b.module("chains"); err != nil {
		return "", "", err
	}
	pkg := fmt.Sprintf("chain%d", n)
	if err := writeChain(dir, pkg, n); err != nil {
		return "", "", err
	}
	out := filepath.Join(dir, "generated", pkg)
	if _, err := output(ctx, dir, b.mlmaxgen, "generate", "--out", out, "./"+pkg); err != nil {
		return "", "", err
	}
	main = filepath.Join(b.tmp, pkg+"-main")
	_, err = outputEnv(ctx, []string{"GOFLAGS=-mod=mod"}, dir, "go", "build", "-o", main, "./generated/"+pkg+"/chain")
	return main, dir, err
}

// bareChain is the time of the steps as bare processes, one after the other, in
// seconds.
func bareChain(ctx context.Context, b *bench, spec string, n int) (float64, error) {
	in, out := filepath.Join(spec, "testdata", "a"), filepath.Join(b.tmp, "bare")
	start := time.Now()
	for i := 1; i <= n; i++ {
		script := filepath.Join(spec, "steps", fmt.Sprintf("s%d", i), "run.sh")
		if err := exec.CommandContext(ctx, "/bin/sh", script, "--in", in, "--out", out).Run(); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds(), nil
}

// chainRun runs the built main several times in a warm workspace, in turn with the bare
// processes: what else the machine does must not come upon one of them alone.
func chainRun(ctx context.Context, b *bench, dir, main, isolation string, n int) error {
	workspace := filepath.Join(b.tmp, "work-"+isolation+fmt.Sprint(n))
	var whole, inside, bare, per []float64
	var peak int64
	for i := range 10 {
		alone, err := bareChain(ctx, b, filepath.Join(dir, fmt.Sprintf("chain%d", n)), n)
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, main, "run", "--json", "--quiet", "--no-cache", "--isolation", isolation, "--workspace", workspace)
		cmd.Dir = dir
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		start := time.Now()
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s of %d steps: %w\n%s%s", isolation, n, err, out.String(), errs.String())
		}
		took := time.Since(start).Seconds()
		var outcome struct{ Seconds float64 }
		if err := json.Unmarshal([]byte(out.String()), &outcome); err != nil {
			return err
		}
		if i == 0 {
			continue
		}
		whole, inside, bare = append(whole, took), append(inside, outcome.Seconds), append(bare, alone)
		per = append(per, (outcome.Seconds-alone)/float64(n))
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			peak = max(peak, usage.Maxrss)
		}
	}
	b.figure(fmt.Sprintf("own time a step, %d steps, %s", n, isolation), 1000*median(per), 10, "ms",
		fmt.Sprintf("run %.0f ms, with the command's start and end %.0f ms; bare processes %.1f ms", 1000*median(inside), 1000*median(whole), 1000*median(bare)))
	b.figure(fmt.Sprintf("peak memory, %d steps, %s", n, isolation), float64(peak)/1024, 60, "MB",
		"largest process of the command")
	return os.RemoveAll(filepath.Join(workspace, "tmp"))
}
