// Package killtest kills runs of a real command and looks at what they leave: at each
// named failpoint, or at any time. In go the repository and a folder, out comes what
// was wrong after a kill. Whatever the moment, the record opens, what it lists is
// whole, no process is left, and the next run says what happened, removes what was
// half written, and makes what an undisturbed run makes, byte for byte.
package killtest

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mlmax/mlmax/pipeline/local/failpoint"
)

//go:embed testdata/steps
var steps embed.FS

// A Lab has the command that is killed, and what an undisturbed run of it gives.
type Lab struct {
	program string
	dir     string
	trials  atomic.Int64

	// Hits is how often an undisturbed run comes to each point, and Took its time.
	Hits map[failpoint.Point]int
	Took time.Duration
	// digests are those of its artifacts, by name.
	digests map[string]string
}

// New builds the command from the repository, in an empty folder, and runs it once
// undisturbed.
func New(ctx context.Context, repository, dir string) (*Lab, error) {
	l := &Lab{program: filepath.Join(dir, "training"), dir: dir, Hits: map[failpoint.Point]int{}}
	build := exec.CommandContext(ctx, "go", "build", "-tags", "failpoint", "-o", l.program, "./internal/killtest/training")
	build.Dir = repository
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the command that is killed: %w\n%s", err, said)
	}
	// The first run on a machine tries out how it can keep jobs apart.
	warm, err := l.trial("auto")
	if err != nil {
		return nil, err
	}
	if _, err := warm.run(ctx, nil, 0); err != nil {
		return nil, err
	}
	t, err := l.trial("auto")
	if err != nil {
		return nil, err
	}
	trace := filepath.Join(t.module, "trace")
	start := time.Now()
	end, err := t.run(ctx, []string{"MLMAX_FAILPOINT_TRACE=" + trace}, 0)
	if err != nil {
		return nil, err
	}
	l.Took = time.Since(start)
	if l.digests, err = end.digests(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		return nil, err
	}
	for name := range strings.FieldsSeq(string(text)) {
		l.Hits[failpoint.Point(name)]++
	}
	return l, nil
}

// A Kill says when the command is killed: at the Nth hit of a point, or, without a
// point, after a time.
type Kill struct {
	Point failpoint.Point
	N     int
	After time.Duration
	// Again is when the next run is killed, too; 0 is never.
	Again time.Duration
	// Resume says that the last run resumes the one that was killed, if it was recorded;
	// else it is a plain run.
	Resume bool
	// Isolation is that of the command.
	Isolation string
}

// Try starts the command in a new workspace, kills it, and returns all that is wrong
// then, or after the next run.
func (l *Lab) Try(ctx context.Context, k Kill) error {
	t, err := l.trial(k.Isolation)
	if err != nil {
		return err
	}
	var env []string
	if k.Point != "" {
		env = []string{fmt.Sprintf("MLMAX_FAILPOINT=%s:%d", k.Point, k.N)}
	}
	end, err := t.run(ctx, env, k.After)
	if err != nil {
		return err
	}
	if !end.killed && (k.Point != "" || end.code != 0) {
		return fmt.Errorf("the run was not killed, and ended with exit code %d\n%s", end.code, end.stderr)
	}
	if err := t.left(); err != nil {
		return err
	}
	before, err := t.look(ctx)
	if err == nil && k.Again > 0 {
		if _, err = t.run(ctx, nil, k.Again); err == nil {
			err = t.left()
		}
		if err == nil {
			before, err = t.look(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("after the kill: %w", err)
	}
	if err := t.again(ctx, before, k.Resume); err != nil {
		return fmt.Errorf("after the next run: %w", err)
	}
	return os.RemoveAll(t.module)
}

// A trial is one kill, in a module and workspace of its own.
type trial struct {
	lab       *Lab
	module    string
	isolation string
}

// trial makes the module.
func (l *Lab) trial(isolation string) (*trial, error) {
	t := &trial{lab: l, module: filepath.Join(l.dir, fmt.Sprintf("trial-%d-end", l.trials.Add(1))), isolation: isolation}
	from, err := fs.Sub(steps, "testdata")
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(filepath.Join(t.module, "specs/census"), from); err != nil {
		return nil, err
	}
	var data bytes.Buffer
	data.WriteString("age,income\n")
	for i := range 1000 {
		fmt.Fprintf(&data, "%d,%d\n", i*7919%1000, i)
	}
	for name, content := range map[string]string{"go.mod": "module github.com/mlmax/mlmax\n", "specs/census/testdata/census.csv": data.String()} {
		file := filepath.Join(t.module, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o644)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *trial) workspace() string { return filepath.Join(t.module, ".mlmax") }

// An end is how the command ended.
type end struct {
	killed bool
	code   int
	stdout []byte
	stderr string
}

// run runs the command. If after is not 0, it kills the process, and not its group,
// after that time.
func (t *trial) run(ctx context.Context, env []string, after time.Duration, args ...string) (*end, error) {
	c := exec.CommandContext(ctx, t.lab.program, append(args, "--json", "--isolation", t.isolation)...)
	c.Dir = t.module
	c.Env = append(os.Environ(), env...)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	c.WaitDelay = 10 * time.Second // a process that is left would hold them open
	if err := c.Start(); err != nil {
		return nil, err
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = c.Process.Kill() })
		defer timer.Stop()
	}
	err := c.Wait()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		return nil, fmt.Errorf("run the command: %w", err)
	}
	status, _ := c.ProcessState.Sys().(syscall.WaitStatus)
	return &end{killed: status.Signaled() && status.Signal() == syscall.SIGKILL, code: c.ProcessState.ExitCode(), stdout: out.Bytes(), stderr: said.String()}, nil
}

// digests are those of the artifacts of a run that succeeded, by name.
func (e *end) digests() (map[string]string, error) {
	var outcome struct {
		Status    string
		Artifacts []struct{ Name, Digest string }
	}
	if err := json.Unmarshal(e.stdout, &outcome); err != nil || outcome.Status != "SUCCEEDED" {
		return nil, fmt.Errorf("the run ended %s with exit code %d (%v)\n%s", outcome.Status, e.code, err, e.stderr)
	}
	all := map[string]string{}
	for _, a := range outcome.Artifacts {
		all[a.Name] = a.Digest
	}
	return all, nil
}

// again runs the command again, undisturbed, and compares.
func (t *trial) again(ctx context.Context, before *state, resume bool) error {
	args, said := []string(nil), ""
	if before.running != "" {
		said = "run " + before.running + " was interrupted "
		if resume {
			args = []string{"resume", before.running}
		} else {
			said = " complete. Continue: " + t.lab.program + " resume " + before.running
		}
	}
	end, err := t.run(ctx, nil, 0, args...)
	if err != nil {
		return err
	}
	digests, err := end.digests()
	if err != nil {
		return err
	}
	if !maps.Equal(digests, t.lab.digests) {
		return fmt.Errorf("its artifacts are %v, and those of an undisturbed run %v", digests, t.lab.digests)
	}
	if !strings.Contains(end.stderr, said) {
		return fmt.Errorf("it did not say %q:\n%s", said, end.stderr)
	}
	after, err := t.look(ctx)
	if err != nil {
		return err
	}
	if err := t.left(); err != nil {
		return err
	}
	return after.settled()
}

// Random are kills at times that are spread over a run that takes so long, the same
// for the same seed, in both isolations in turn. After each third, the next run is
// killed as well.
func Random(seed uint64, n int, took time.Duration) []Kill {
	r := rand.New(rand.NewPCG(seed, 0))
	all := make([]Kill, n)
	for i := range all {
		at := func() time.Duration { return 1 + time.Duration(r.Int64N(int64(took))) }
		all[i] = Kill{After: at(), Isolation: []string{"direct", "auto"}[i%2], Resume: i%4 < 2}
		if i%3 == 0 {
			all[i].Again = at()
		}
	}
	return all
}
