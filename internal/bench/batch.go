package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// batch scores 100,000 and a million rows through the generated inference pipeline:
// import, features, scores, manifest. The largest process must not grow with the rows.
func batch(ctx context.Context, b *bench) error {
	workspace := filepath.Join(b.tmp, "work-batch")
	mains := map[string]string{}
	for _, name := range []string{"training", "inference"} {
		mains[name] = filepath.Join(b.tmp, name)
		if _, err := output(ctx, b.root, "go", "build", "-o", mains[name], "./generated/"+name); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"run", "--quiet", "--workspace", workspace},
		{"models", "approve", "1", "--by", "bench", "--note", "benchmark", "--workspace", workspace},
	} {
		if _, err := output(ctx, b.root, mains["training"], args...); err != nil {
			return err
		}
	}
	var peaks []float64
	for _, rows := range []int{100_000, 1_000_000} {
		data := filepath.Join(b.tmp, "rows.csv")
		if err := manyRows(filepath.Join(b.root, "specs", "census", "testdata", "unlabelled.csv"), data, rows); err != nil {
			return err
		}
		took, peak, err := score(ctx, b.root, mains["inference"], data, workspace)
		if err != nil {
			return err
		}
		peaks = append(peaks, peak)
		b.figure(fmt.Sprintf("%d rows scored", rows), float64(rows)/took, 0, "/s", fmt.Sprintf("run of %.1f s, largest process %.0f MB", took, peak))
	}
	b.figure("memory for ten times the rows", 100*peaks[1]/peaks[0], 115, "%", fmt.Sprintf("%.0f MB, and %.0f MB before", peaks[1], peaks[0]))
	removeAll(workspace)
	return os.Remove(filepath.Join(b.tmp, "rows.csv"))
}

// score runs the inference pipeline, and returns the run's seconds and the size of the
// largest process in megabytes.
func score(ctx context.Context, dir, main, data, workspace string) (took, peak float64, err error) {
	cmd := exec.CommandContext(ctx, main, "run", "--json", "--quiet", "--data", data, "--workspace", workspace)
	cmd.Dir = dir
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("score %s: %w\n%s", data, err, said.String())
	}
	var outcome struct{ Seconds float64 }
	if err := json.Unmarshal([]byte(out.String()), &outcome); err != nil {
		return 0, 0, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, errors.New("no resource usage on this system")
	}
	return outcome.Seconds, float64(usage.Maxrss) / 1024, nil
}

// manyRows writes a CSV file of n rows: those of another, over and over.
func manyRows(from, to string, n int) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	header, rest, _ := strings.Cut(string(text), "\n")
	lines := strings.SplitAfter(strings.TrimSuffix(rest, "\n")+"\n", "\n")
	lines = lines[:len(lines)-1]
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	_, err = w.WriteString(header + "\n")
	for i := 0; i < n && err == nil; i++ {
		_, err = w.WriteString(lines[i%len(lines)])
	}
	return errors.Join(err, w.Flush(), f.Close())
}
