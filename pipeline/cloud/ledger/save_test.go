package ledger

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/internal/awsfake"
	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

func TestAMachinesManifestIsNeverReplaced(t *testing.T) {
	t.Parallel()
	w, open := account(t)
	d := trainingDefinition()
	p := open(d)
	s := &service{fails: map[string]*asl.Error{"Train": failedJob("first")}, times: map[string]int{"Train": -1}}
	x, events := execute(t, d, p, s, `{}`, 0)
	x.Definition = deployed(t, d, p)
	m, err := Complete(context.Background(), d, p, x, events)
	if err != nil {
		t.Fatal(err)
	}
	key := Key(p, d.Name, m.Run)
	if got := member(t, w, key, "cause"); got != "first" {
		t.Fatalf("the cause in S3 is %q", got)
	}

	// The execution is resumed and fails again: what was made from its history is made anew.
	m.Cause, m.FailedStep = "second", "Evaluate"
	if err := Save(context.Background(), p, m); err != nil {
		t.Fatal(err)
	}
	if got := member(t, w, key, "cause"); got != "second" {
		t.Errorf("the cause in S3 is %q after the second failure", got)
	}

	// It is resumed and succeeds: the machine puts its own, with no condition, and who
	// comes late leaves it.
	whole := &service{}
	execute(t, d, p, whole, `{}`, 1)
	if err := w.PutObject("data", key, whole.manifest); err != nil {
		t.Fatal(err)
	}
	if err := Save(context.Background(), p, m); err != nil {
		t.Fatal(err)
	}
	if got := string(w.GetObject("data", key)); got != string(whole.manifest) {
		t.Errorf("the machine's manifest was replaced by %s", got)
	}
}

func TestADamagedManifestIsNotReplaced(t *testing.T) {
	t.Parallel()
	w, open := account(t)
	p := open(trainingDefinition())
	m := described1(t)
	if err := w.PutObject("data", Key(p, m.Pipeline, m.Run), []byte("{")); err != nil {
		t.Fatal(err)
	}
	err := Save(context.Background(), p, m)
	if err == nil || !strings.Contains(err.Error(), "cannot be read, and is left as it is") {
		t.Errorf("error is %v", err)
	}
}

// described1 is a manifest of a failed run.
func described1(t *testing.T) *manifest.Manifest {
	t.Helper()
	d := trainingDefinition()
	s := &service{fails: map[string]*asl.Error{"Train": failedJob("x")}, times: map[string]int{"Train": -1}}
	x, events := execute(t, d, dev(d), s, `{}`, 0)
	m, err := FromHistory(d, dev(d), x, events)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestASecondLookReadsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	w, open := account(t)
	d := trainingDefinition()
	p := open(d)
	whole := &service{}
	execute(t, d, p, whole, `{}`, 0)
	done, err := manifest.Decode(whole.manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.PutObject("data", Key(p, d.Name, done.Run), whole.manifest); err != nil {
		t.Fatal(err)
	}
	failed := described1(t)
	failed.Run = "0123456789ab"
	if err := Save(context.Background(), p, failed); err != nil {
		t.Fatal(err)
	}
	for key, content := range map[string]string{
		"team/runs/census-training/aaaaaaaaaaaa/Preprocess/0-0/Train/train.csv": "of a run that goes on",
		"team/runs/census-training/bbbbbbbbbbbb/manifest.json":                  `{"schema":1,"schema":1}`,
		"team/runs/census-training/cccccccccccc/manifest.json":                  string(whole.manifest),
		"team/runs/census-training/dddddddddddd/manifest.json":                  strings.Repeat(" ", cloud.ManifestLimit+1),
		"team/runs/census-training/notes/manifest.json":                         "of no run",
	} {
		if err := w.PutObject("data", key, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "cache")
	look := func() ([]found, []Damaged, int) {
		t.Helper()
		c, err := openCache(dir, p.Bucket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		before := count(w, "GetObject")
		all, damaged, err := manifests(context.Background(), p, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		return all, damaged, count(w, "GetObject") - before
	}
	for i, want := range []int{6, 5} { // the finished one is not asked for again
		all, damaged, calls := look()
		if len(all) != 2 || calls != want {
			t.Errorf("look %d: %d runs with %d reads, want 2 with %d", i+1, len(all), calls, want)
		}
		var why []string
		for _, one := range damaged {
			why = append(why, one.URI+": "+one.Err.Error())
		}
		text := strings.Join(why, "\n")
		if len(damaged) != 3 || !strings.Contains(text, "dddddddddddd/manifest.json has more than 8388608 bytes") || !strings.Contains(text, "s3://data/team/runs/census-training/bbbbbbbbbbbb/manifest.json: read the manifest: /schema is there twice") ||
			!strings.Contains(text, "cccccccccccc/manifest.json: it is that of run "+done.Run) {
			t.Errorf("look %d: damaged are\n%s", i+1, text)
		}
	}

	// A cache that was damaged is read anew.
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.WriteFile(filepath.Join(dir, e.Name()), []byte(`{"key":"x"`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if all, _, calls := look(); len(all) != 2 || calls != 6 {
		t.Errorf("with a damaged cache: %d runs with %d reads", len(all), calls)
	}
}

// TestFaults hits the calls that save and read a manifest.
func TestFaultsAtManifests(t *testing.T) {
	t.Parallel()
	m := described1(t)
	want, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []awsfake.Fault{awsfake.Throttle, awsfake.ServerError, awsfake.Reset, awsfake.LostAnswer, awsfake.Truncated, awsfake.Conflict} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			rules := []awsfake.Rule{{On: "s3.PutObject", Fault: fault}, {On: "s3.GetObject", Fault: fault}}
			if fault == awsfake.Conflict {
				rules = rules[:1] // nothing that reads meets one
			}
			w, open := account(t, rules...)
			p := open(trainingDefinition())
			if err := Save(context.Background(), p, m); err != nil {
				t.Fatal(err)
			}
			if got := w.GetObject("data", Key(p, m.Pipeline, m.Run)); !bytes.Equal(got, want) {
				t.Errorf("in S3 is %s", got)
			}
			o, err := p.ReadObject(context.Background(), Key(p, m.Pipeline, m.Run), "", cloud.ManifestLimit)
			if err != nil || !bytes.Equal(o.Text, want) {
				t.Errorf("read %v, error %v", o, err)
			}
		})
	}
}
