package killtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/local/failpoint"
)

// lab makes a lab of this repository.
func lab(t *testing.T) *Lab {
	t.Helper()
	if testing.Short() {
		t.Skip("some hundred runs; not in short mode")
	}
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(t.Context(), repository, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestKilledAnywhere kills a run at every hit of every failpoint, and at random times:
// 40, or as many as MLMAX_KILLS says.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	l := lab(t)
	ofSteps := []failpoint.Point{failpoint.StepRecorded, failpoint.BeforeSpawn, failpoint.AfterSpawn, failpoint.AfterExit,
		failpoint.MidCopy, failpoint.BeforePlace, failpoint.AfterRename, failpoint.AfterCommit}
	for _, p := range failpoint.Points() {
		least := 1
		if slices.Contains(ofSteps, p) {
			least = 3 // once a step
		}
		if l.Hits[p] < least {
			t.Errorf("an undisturbed run comes to %s %d times, not %d", p, l.Hits[p], least)
		}
		for n := range l.Hits[p] {
			k := Kill{Point: p, N: n + 1, Isolation: "auto", Resume: true}
			t.Run(fmt.Sprintf("%s/%d", p, n+1), func(t *testing.T) {
				t.Parallel()
				if err := l.Try(t.Context(), k); err != nil {
					t.Error(err)
				}
			})
		}
	}
	for p := range l.Hits {
		if !slices.Contains(failpoint.Points(), p) {
			t.Errorf("%s is hit, and not in the list of points", p)
		}
	}
	kills := 40
	if n, err := strconv.Atoi(os.Getenv("MLMAX_KILLS")); err == nil {
		kills = n
	}
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("MLMAX_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("%d random kills within %s, MLMAX_SEED=%d", kills, l.Took, seed)
	for i, k := range Random(seed, kills, l.Took) {
		t.Run(fmt.Sprintf("random/%d-%s-%s", i, k.After, k.Isolation), func(t *testing.T) {
			t.Parallel()
			if err := l.Try(t.Context(), k); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLabSeesWhatIsWrong holds the lab itself to its task: it must see an object that
// was changed, a file that nobody lists, half a manifest, and a process that is left.
func TestLabSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	l := lab(t)
	trial, err := l.trial("direct")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trial.run(t.Context(), nil, 0); err != nil {
		t.Fatal(err)
	}
	found, err := trial.look(t.Context())
	if err == nil {
		err = found.settled()
	}
	if err != nil {
		t.Fatalf("nothing is wrong yet: %v", err)
	}
	for _, name := range []string{"s3/local/data/stray", "objects/sha256/stray", "tmp/stray", "runs/" + found.runs[0].ID + "/manifest.json.1"} {
		file := filepath.Join(trial.workspace(), name)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if found.settled() == nil {
			t.Errorf("it does not see %s", name)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("sleep", "600")
	c.Dir = trial.module
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	living, err := trial.processes()
	if runtime.GOOS == "linux" && (err != nil || len(living) != 1) {
		t.Errorf("it sees %q, %v, and one process is left", living, err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
	object := filepath.Join(trial.workspace(), "s3/local", filepath.FromSlash(found.objects[0].Key))
	if err := os.Chmod(object, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(object, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := trial.look(t.Context()); err == nil {
		t.Error("it does not see that an object was changed")
	}
}

// TestLogOfTheRecordDeletedAfterAKill deletes what SQLite had not yet taken over: the
// record is an older one then. Either nothing that has ended is missing and the next run
// goes on, or it is refused, and made again from the manifests.
func TestLogOfTheRecordDeletedAfterAKill(t *testing.T) {
	t.Parallel()
	l := lab(t)
	for _, p := range []failpoint.Point{failpoint.RunRecorded, failpoint.StepRecorded, failpoint.AfterCommit, failpoint.RunManifest} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			trial, err := l.trial("direct")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := trial.run(t.Context(), []string{fmt.Sprintf("MLMAX_FAILPOINT=%s:1", p)}, 0); err != nil {
				t.Fatal(err)
			}
			for _, end := range []string{"-wal", "-shm"} {
				if err := os.Remove(filepath.Join(trial.workspace(), "mlmax.db"+end)); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
			}
			end, err := trial.run(t.Context(), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			if end.code == 2 && strings.Contains(end.stderr, "failed its integrity check") {
				c := exec.Command(l.program, "rebuild")
				c.Dir = trial.module
				if said, err := c.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, said)
				}
				if end, err = trial.run(t.Context(), nil, 0); err != nil {
					t.Fatal(err)
				}
			}
			digests, err := end.digests()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(l.digests, digests); diff != "" {
				t.Error(diff)
			}
			if _, err := trial.look(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
