package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// artifact is the size of the large artifact.
const artifact = 2 << 30

// store times a large artifact on its way into the store, from outside and from a
// step's folder, beside cp and sha256sum run at once on the same file.
func store(ctx context.Context, b *bench) error {
	big := filepath.Join(b.tmp, "big")
	if err := noise(big, artifact); err != nil {
		return err
	}
	dir := filepath.Join(b.tmp, "store")
	s, db, err := openStore(ctx, dir)
	if err != nil {
		return err
	}
	var outside, inside, tools []float64
	for i := range 4 { // the first is not counted
		times := make([]float64, 3)
		for n, f := range []func() error{
			func() error { return together(ctx, big, filepath.Join(b.tmp, "copy")) },
			func() error { return importFile(ctx, s, db, big) },
			func() error { return keepOutput(ctx, s, db, filepath.Join(b.tmp, "copy")) },
		} {
			start := time.Now()
			if err := f(); err != nil {
				return err
			}
			times[n] = time.Since(start).Seconds()
		}
		if i > 0 {
			tools, outside, inside = append(tools, times[0]), append(outside, times[1]), append(inside, times[2])
		}
	}
	compared := fmt.Sprintf("cp and sha256sum at once: %.2f s", median(tools))
	b.figure("2 GB from outside: copied and digested", 100*median(outside)/median(tools), 115, "%", fmt.Sprintf("%.2f s; %s", median(outside), compared))
	b.figure("2 GB from a step: digested and moved", 100*median(inside)/median(tools), 115, "%", fmt.Sprintf("%.2f s; %s", median(inside), compared))
	if err := errors.Join(s.Close(), db.Close()); err != nil {
		return err
	}
	removeAll(dir)
	return wholeRun(ctx, b, big)
}

// wholeRun is the memory of a run whose step copies the large file, beside that of one
// with a small file.
func wholeRun(ctx context.Context, b *bench, big string) error {
	main, dir, err := b.chainMain(ctx, 1)
	if err != nil {
		return err
	}
	small := filepath.Join(b.tmp, "small")
	if err := noise(small, 1<<20); err != nil {
		return err
	}
	var peaks []float64
	for _, data := range []string{small, big} {
		workspace := filepath.Join(b.tmp, "work-large")
		cmd := exec.CommandContext(ctx, main, "run", "--quiet", "--data", data, "--workspace", workspace)
		cmd.Dir = dir
		var said strings.Builder
		cmd.Stderr = &said
		start := time.Now()
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("run with a large file: %w\n%s", err, said.String())
		}
		if data == big {
			b.figure("run of one step that copies 2 GB", time.Since(start).Seconds(), 0, "s", "data imported, verified, copied by cp, kept")
		}
		usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			return errors.New("no resource usage on this system")
		}
		peaks = append(peaks, float64(usage.Maxrss)/1024)
		removeAll(workspace)
	}
	b.figure("its peak memory", peaks[1], 60, "MB", fmt.Sprintf("with 1 MB of data: %.1f MB", peaks[0]))
	return os.Remove(big)
}

// openStore opens a store in a new workspace.
func openStore(ctx context.Context, dir string) (*objects.Store, *record.DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	db, err := record.Open(ctx, filepath.Join(dir, "mlmax.db"))
	if err != nil {
		return nil, nil, err
	}
	s, err := objects.Open(dir, db, time.Now)
	return s, db, err
}

// together runs cp and sha256sum at once.
func together(ctx context.Context, from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	sum := exec.CommandContext(ctx, "sha256sum", from)
	if err := sum.Start(); err != nil {
		return err
	}
	return errors.Join(exec.CommandContext(ctx, "cp", from, to).Run(), sum.Wait())
}

// importFile stores a file of elsewhere, as a run does with its data.
func importFile(ctx context.Context, s *objects.Store, db *record.DB, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	batch := s.Batch()
	defer batch.Discard()
	staged, err := batch.Stage(in)
	if err != nil {
		return err
	}
	if err := batch.PutStaged("local", "data/big", staged); err != nil {
		return err
	}
	return errors.Join(batch.Commit(ctx, db.PutObjects), forget(s, staged.Digest))
}

// keepOutput stores a file that a step has written into its folder, which is given up.
func keepOutput(ctx context.Context, s *objects.Store, db *record.DB, file string) error {
	dir, err := s.Temp()
	if err != nil {
		return err
	}
	if err := os.Rename(file, filepath.Join(dir, "out")); err != nil {
		return err
	}
	batch := s.Batch()
	defer batch.Discard()
	if _, err := batch.PutTree("local", "runs/r/S/Out", dir); err != nil {
		return err
	}
	digest := batch.Objects()[0].Digest
	return errors.Join(batch.Commit(ctx, db.PutObjects), forget(s, digest))
}

// forget removes a content from the pool, so that the next time it is new again.
func forget(s *objects.Store, digest string) error {
	return os.Remove(filepath.Join(filepath.Dir(filepath.Dir(s.Path("local", ""))), "objects", "sha256", digest))
}

// noise writes a file that cannot be compressed.
func noise(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	random := rand.NewChaCha8([32]byte{})
	buffer := make([]byte, 1<<20)
	for written := int64(0); written < size; written += int64(len(buffer)) {
		_, _ = random.Read(buffer) // never fails
		if _, err := f.Write(buffer); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}
