//go:build unix

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

var probed struct {
	sync.Mutex
	done bool
	err  error
}

// Probe reports whether [Namespace] mode works here: nil, or why not. It tries
// the whole sequence of mounts once; that it works is noted in the user's cache
// folder, for as long as the machine runs and for this program, user and namespace.
// A failure is not noted, since a setting may be changed at any time.
func Probe(ctx context.Context) error {
	probed.Lock()
	defer probed.Unlock()
	if probed.done {
		return probed.err
	}
	note := probeNote()
	if note != "" {
		if _, err := os.Stat(note); err == nil {
			probed.done = true
			return nil
		}
	}
	err := probe(ctx)
	if ctx.Err() != nil {
		return err // says nothing about the machine
	}
	probed.done, probed.err = true, err
	if err == nil && note != "" && os.MkdirAll(filepath.Dir(note), 0o755) == nil {
		// Without the note the next program probes again.
		_ = os.WriteFile(note, nil, 0o644)
	}
	return err
}

// probe runs a job whose mounts lie in each other, and looks at what came of it.
func probe(ctx context.Context) error {
	if err := namespacesHere(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mlmax-probe-")
	if err != nil {
		return fmt.Errorf("probe namespaces: %w", err)
	}
	defer os.RemoveAll(dir)
	source := filepath.Join(dir, "source")
	if err := os.Mkdir(source, 0o755); err != nil {
		return fmt.Errorf("probe namespaces: %w", err)
	}
	if err := os.WriteFile(filepath.Join(source, "file"), []byte("sound"), 0o444); err != nil {
		return fmt.Errorf("probe namespaces: %w", err)
	}
	job := Job{
		Dir: filepath.Join(dir, "job"), Mode: Namespace, Argv: []string{"check"},
		Mounts: []Mount{
			{Target: checkInput, Kind: Input, Source: source},
			{Target: checkInput + "/code", Kind: Input, Source: filepath.Join(source, "file")},
			{Target: checkOutput, Kind: Output},
		},
	}
	c, err := job.prepare(ctx)
	if err != nil {
		return fmt.Errorf("probe namespaces: %w", err)
	}
	c.Check = true
	r, err := job.execute(ctx, c)
	if err := errors.Join(err, job.unlock()); err != nil {
		return fmt.Errorf("namespaces do not work here%s: %w", kernelSetting(os.ReadFile), err)
	}
	content, err := os.ReadFile(filepath.Join(source, "file"))
	switch {
	case err != nil || string(content) != "sound":
		return errors.New("a job's writes reach its inputs")
	case !r.OK():
		return fmt.Errorf("probe namespaces: %s", r)
	}
	if _, err := os.Stat(job.HostPath(checkOutput + "/file")); err != nil {
		return fmt.Errorf("probe namespaces: %w", err)
	}
	return nil
}

// Where the probe's mounts are.
const (
	checkInput  = base + "/processing/input"
	checkOutput = checkInput + "/out"
)
