package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mlmax/mlmax/generated/inference/inference"
	"github.com/mlmax/mlmax/generated/training/training"
	"github.com/mlmax/mlmax/pipeline"
	"github.com/rogpeppe/go-internal/testscript"
)

// childVariable makes the test's process a generated main with a fake runner, for
// what only a process can show: signals and closed streams.
const childVariable = "MLMAX_TEST_CLI_CHILD"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childVariable); mode != "" {
		os.Exit(child(mode))
	}
	testscript.Main(m, map[string]func(){
		"training": generated(training.Definition()), "inference": generated(inference.Definition()),
	})
}

// child is the generated main.
func child(mode string) int {
	f := newFixture(func(ctx context.Context, _ string, on func(pipeline.Event)) (*pipeline.Outcome, error) {
		on(pipeline.Event{Kind: pipeline.StepStarted, Step: "Train"})
		o := &pipeline.Outcome{Run: "r1", Pipeline: "census-training", Status: pipeline.Succeeded}
		if file, ok := strings.CutPrefix(mode, "flood:"); ok {
			for range 1000 {
				on(pipeline.Event{Kind: pipeline.StepLog, Step: "Train", Message: strings.Repeat("x", 100)})
			}
			return o, os.WriteFile(file, []byte("finished"), 0o600)
		}
		<-ctx.Done()
		if mode == "twice" {
			<-pipeline.Quit(ctx)
		}
		o.Status = pipeline.Aborted
		return o, nil
	})
	f.stdout, f.stderr, f.notify, f.patience = os.Stdout, os.Stderr, notify, time.Hour
	return f.main(nil)
}

// start starts the child.
func start(t *testing.T, mode string, stdout, stderr io.Writer) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childVariable+"="+mode)
	c.Stdout, c.Stderr = stdout, stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSignalsOfAProcess(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"once", "twice"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			c := start(t, mode, nil, w)
			w.Close()
			var said []string
			lines := bufio.NewScanner(r)
			for lines.Scan() {
				said = append(said, lines.Text())
				if strings.HasPrefix(lines.Text(), "Train: started") || mode == "twice" && strings.HasPrefix(lines.Text(), "Interrupt received") {
					if err := c.Process.Signal(os.Interrupt); err != nil {
						t.Error(err)
					}
				}
			}
			err = c.Wait()
			if failed := (*exec.ExitError)(nil); !errors.As(err, &failed) || failed.ExitCode() != exitInterrupted {
				t.Errorf("the process ended with %v", err)
			}
			if text := strings.Join(said, "\n"); !strings.Contains(text, "Interrupt received; stopping step Train (press again to quit at once)") ||
				!strings.Contains(text, "ABORTED") || mode == "twice" != strings.Contains(text, "Quitting at once") {
				t.Errorf("standard error:\n%s", text)
			}
		})
	}
}

func TestClosedStreamsDoNotEndTheRun(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "finished")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, "flood:"+file, w, w)
	w.Close()
	r.Close()    // nobody reads
	_ = c.Wait() // what the summary's writing says is another matter
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the run did not finish: %v", err)
	}
	if !c.ProcessState.Exited() {
		t.Errorf("the process was killed: %v", c.ProcessState)
	}
}
