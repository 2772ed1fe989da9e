package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline/code"
)

// withoutAWS is the last commit whose mains linked nothing of AWS: what they cost is
// compared with it.
const withoutAWS = "6b4bb22"

// aws times what the commands for AWS do, against the account that tests use, and what
// they cost a program that never calls them.
func aws(ctx context.Context, b *bench) error {
	main := filepath.Join(b.tmp, "aws", "training")
	if _, err := output(ctx, b.root, "go", "build", "-ldflags=-s -w", "-o", main, "./generated/training"); err != nil {
		return err
	}
	for _, f := range []func(context.Context, *bench, string) error{archive, weight, deploy, watch} {
		if err := f(ctx, b, main); err != nil {
			return err
		}
	}
	return nil
}

// archive packs a code folder of 1,000 files, beside tar with gzip.
func archive(ctx context.Context, b *bench, _ string) error {
	const count = 1000
	dir := filepath.Join(b.tmp, "code")
	for i := range count {
		text := strings.Repeat(fmt.Sprintf("def f%d(x):\n    return x + %d\n\n", i, i), 60)
		if err := writeFile(filepath.Join(dir, fmt.Sprintf("pkg%02d", i%25), fmt.Sprintf("m%03d.py", i)), text, 0o644); err != nil {
			return err
		}
	}
	var ours, tools []float64
	var first []byte
	for i := range 6 { // the first is not counted
		start := time.Now()
		var packed bytes.Buffer
		_, files, err := code.Digest(os.DirFS(dir))
		if err == nil {
			err = code.Archive(&packed, os.DirFS(dir), files)
		}
		if err != nil {
			return err
		}
		took := time.Since(start).Seconds()
		if first == nil {
			first = packed.Bytes()
		}
		if !bytes.Equal(first, packed.Bytes()) {
			return fmt.Errorf("two archives of one folder differ")
		}
		start = time.Now()
		if _, err := output(ctx, dir, "tar", "-czf", filepath.Join(b.tmp, "code.tar.gz"), "."); err != nil {
			return err
		}
		if i > 0 {
			ours, tools = append(ours, took), append(tools, time.Since(start).Seconds())
		}
	}
	b.figure("code archive of 1,000 files, with digests", median(ours), 0.3, "s", fmt.Sprintf("tar -cz: %.3f s; %d kB, the same bytes each time", median(tools), len(first)/1000))
	return nil
}

// weight is what the AWS SDK costs a local run: the size of the program, and its start.
func weight(ctx context.Context, b *bench, main string) error {
	info, err := os.Stat(main)
	if err != nil {
		return err
	}
	before, size := filepath.Join(b.tmp, "aws", "before"), "the commit without AWS is not in this clone"
	if err := buildBefore(ctx, b, before); err == nil {
		old, err := os.Stat(before)
		if err != nil {
			return err
		}
		size = fmt.Sprintf("%.1f MB without AWS; both without symbols, as go run and make build link", float64(old.Size())/1e6)
	} else {
		before = ""
	}
	b.figure("size of generated/training", float64(info.Size())/1e6, 40, "MB", size)
	if before == "" {
		fmt.Println("  --   start of a local run: not compared,", size)
		return nil
	}
	var with, without []float64
	for i := range 31 {
		for _, c := range []struct {
			program string
			all     *[]float64
		}{{main, &with}, {before, &without}} {
			start := time.Now()
			if _, err := output(ctx, b.root, c.program, "--help"); err != nil {
				return err
			}
			if i > 0 {
				*c.all = append(*c.all, 1000*time.Since(start).Seconds())
			}
		}
	}
	b.figure("start of the program, more than without AWS", median(with)-median(without), 20, "ms",
		fmt.Sprintf("%.1f ms with, %.1f ms without", median(with), median(without)))
	return nil
}

// buildBefore builds the program as it was without AWS.
func buildBefore(ctx context.Context, b *bench, program string) error {
	dir := filepath.Join(b.tmp, "before")
	if _, err := output(ctx, b.root, "git", "worktree", "add", "--detach", "--quiet", dir, withoutAWS); err != nil {
		return err
	}
	_, err := output(ctx, dir, "go", "build", "-ldflags=-s -w", "-o", program, "./generated/training")
	if _, removed := output(ctx, b.root, "git", "worktree", "remove", "--force", dir); err == nil {
		err = removed
	}
	return err
}

// deploy deploys to the tests' account, and again with nothing to change.
func deploy(ctx context.Context, b *bench, main string) error {
	const bucket = "bench-data"
	world := awsfake.New(awsfake.Options{}, bucket)
	server := world.Serve()
	defer server.Close()
	run := func() (float64, int, error) {
		before := len(world.Calls())
		c := exec.CommandContext(ctx, main, "deploy", "--env", "dev", "--bucket", bucket, "--yes")
		c.Dir, c.Env = b.root, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.tmp}, world.Env(server.URL)...)
		start := time.Now()
		out, err := c.CombinedOutput()
		if err != nil {
			return 0, 0, fmt.Errorf("deploy: %w\n%s", err, out)
		}
		return time.Since(start).Seconds(), len(world.Calls()) - before, nil
	}
	first, calls, err := run()
	if err != nil {
		return err
	}
	var again []float64
	most := 0
	for range 10 {
		seconds, calls, err := run()
		if err != nil {
			return err
		}
		again, most = append(again, seconds), max(most, calls)
	}
	b.figure("deploy with nothing to change", median(again), 0.5, "s", fmt.Sprintf("the first deployment: %.2f s with %d calls", first, calls))
	b.figure("its calls", float64(most), 8, "", "whole process against the tests' account on loopback")
	return nil
}

// watched is what the test of watch logs.
var watched = regexp.MustCompile(`(\d+) events in (\S+): (\d+) calls`)

// watch counts the calls of following an execution of 1,000 events, in the time of a
// virtual clock: its test says how many they are, and fails if an event is lost.
func watch(ctx context.Context, b *bench, _ string) error {
	out, err := output(ctx, b.root, "go", "test", "-count=1", "-v", "-run=^TestWatchMakesFewCalls$", "./pipeline/cloud/execution")
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	match := watched.FindStringSubmatch(out)
	if match == nil {
		return fmt.Errorf("the test of watch did not say how many calls it made:\n%s", out)
	}
	lasted, err := time.ParseDuration(match[2])
	if err != nil {
		return err
	}
	calls, err := strconv.Atoi(match[3])
	if err != nil {
		return err
	}
	b.figure("watch: calls in 2 seconds on average", float64(calls)/(lasted.Seconds()/2), 1, "",
		fmt.Sprintf("%d calls for %s events in %s, none lost", calls, match[1], lasted))
	return nil
}
