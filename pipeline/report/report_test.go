package report_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/report"
)

// hostile is what nothing in a page may be more than text of.
const hostile = `"><script>alert(1)</script><img src="http://127.0.0.1:9/x"></style>`

var definition = &pipeline.Definition{
	Name: "census", Doc: "Census " + hostile,
	Jobs:          []pipeline.Job{{Name: "Prep"}, {Name: "Fit"}, {Name: "Judge"}},
	Registrations: []pipeline.Registration{{Name: "Register"}},
}

// workspace is a record with two runs of a pipeline: a good one, and one with another
// seed whose second step failed after its first was taken from the cache.
func workspace(t testing.TB) (*record.DB, fstest.MapFS) {
	t.Helper()
	ctx := t.Context()
	db, err := record.Open(ctx, t.TempDir()+"/mlmax.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var first int64
	for n, id := range []string{"aaaaaaaaaaaa", "bbbbbbbbbbbb"} {
		at := start.Add(time.Duration(n) * time.Hour)
		run := record.Run{
			ID: id, Pipeline: "census", Status: "RUNNING", Input: []byte("{}"), Definition: strings.Repeat("d", 64), Commit: strings.Repeat("c", 40), Dirty: n == 1,
			Parameters: fmt.Appendf(nil, `{"Seed":%d,"Data":%q}`, n, hostile), TotalSteps: 3, Started: at, Isolation: "direct",
		}
		data := record.Artifact{Name: "Data", Kind: record.Data, URI: "s3://local/data/x.csv", Digest: "sha256:" + strings.Repeat("0", 64), Bytes: 12}
		jobs := []record.Job{{Step: "Prep", Code: "code1", Packages: []string{"a==1"}}, {Step: "Fit", Code: fmt.Sprint("fit", n), Packages: []string{fmt.Sprint("b==", n)}}}
		if err := db.StartRun(ctx, run, jobs, []record.Artifact{data}); err != nil {
			t.Fatal(err)
		}
		prep := record.Step{Run: id, Name: "Prep", Kind: "processing", Status: "RUNNING", Job: "prep" + id, Log: "runs/prep.log", Started: at, CachedFrom: first * int64(n)}
		prep.ID, err = db.StartStep(ctx, prep, []record.Port{{Name: "Raw", Artifact: data}})
		if err != nil {
			t.Fatal(err)
		}
		first = prep.ID
		out := record.Artifact{Step: "Prep", Name: "Prep.Train", Kind: record.Output, URI: "s3://local/runs/" + id + "/Train/", Digest: "sha256:" + strings.Repeat("1", 64)}
		prep.Status, prep.Ended, prep.MaxRSS = "SUCCEEDED", at.Add(2*time.Second), 5_000_000
		if err := db.EndStep(ctx, prep, []record.Port{{Name: "Train", Artifact: out}}, nil); err != nil {
			t.Fatal(err)
		}
		fit := record.Step{Run: id, Name: "Fit", Kind: "training", Status: "RUNNING", Job: "fit" + id, Log: "runs/fit.log", Started: at.Add(2 * time.Second)}
		fit.ID, err = db.StartStep(ctx, fit, []record.Port{{Name: "train", Artifact: out}})
		if err != nil {
			t.Fatal(err)
		}
		fit.Status, fit.Ended = "SUCCEEDED", at.Add(5*time.Second)
		run.Status, run.Output = "SUCCEEDED", []byte(`{"Metrics":{"Judge":{"Report":{"AUC":0.9}}}}`)
		if n == 1 {
			fit.Status, fit.Error, fit.Reason = "FAILED", "States.TaskFailed", "exit code 1: "+hostile
			run.Status, run.Error, run.Cause, run.FailedStep, run.Output = "FAILED", "States.TaskFailed", fit.Reason, "Fit", nil
		}
		if err := db.EndStep(ctx, fit, nil, nil); err != nil {
			t.Fatal(err)
		}
		run.Ended = at.Add(6 * time.Second)
		if err := db.EndRun(ctx, run); err != nil {
			t.Fatal(err)
		}
	}
	logs := fstest.MapFS{
		"runs/prep.log": {Data: []byte("\x1b[31mred\x1b[0m\nprogress 1%\rprogress 99%\n" + hostile + "\n")},
		"runs/fit.log":  {Data: []byte(strings.Repeat("0123456789abcde\n", 8<<10) + "the end\n")},
	}
	return db, logs
}

// page is the report of a run as HTML.
func page(t testing.TB, id string) (string, *report.Report) {
	t.Helper()
	db, logs := workspace(t)
	run, err := db.Run(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Gather(t.Context(), db, definition, run, logs)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := report.Write(&text, r); err != nil {
		t.Fatal(err)
	}
	return text.String(), r
}

func TestFailedRun(t *testing.T) {
	t.Parallel()
	text, r := page(t, "bbbb")
	for _, want := range []string{
		"FAILED", "in step Fit: exit code 1", "CACHED from run aaaaaaaaaaaa", "did not begin", "and the tree differed from it",
		"b==0</td><td>b==1", "code of Fit", "Against run aaaaaaaaaaaa", "The first 65.5 kB are left out.", "the end", "progress 99%", "try",
	} {
		if want != "try" && !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"\x1b", "progress 1%", "code of Prep"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	var changed []string
	for _, v := range r.Parameters {
		if v.Changed {
			changed = append(changed, v.Name+" "+v.Before+" "+v.Value)
		}
	}
	if len(changed) != 1 || changed[0] != "Seed 0 1" {
		t.Errorf("changed parameters: %q", changed)
	}
	if len(r.Steps) != 4 || r.Steps[2].Name != "Judge" || r.Steps[2].Status != "SKIPPED" {
		t.Errorf("steps: %+v", r.Steps)
	}
}

func TestFirstRun(t *testing.T) {
	t.Parallel()
	text, r := page(t, "aaaa")
	if r.Previous != "" || len(r.Changes) > 0 || !strings.Contains(text, "no earlier run of census") {
		t.Errorf("the first run is compared with %q: %v", r.Previous, r.Changes)
	}
	if len(r.Metrics) != 1 || r.Metrics[0] != (report.Value{Name: "Judge.Report.AUC", Value: "0.9"}) {
		t.Errorf("metrics: %v", r.Metrics)
	}
	want := report.Edge{From: "step Prep", To: "step Fit", Label: "train"}
	found := false
	for _, e := range r.Graph.Edges {
		found = found || e == want
	}
	if !found {
		t.Errorf("edges: %v", r.Graph.Edges)
	}
}

// active is what makes a browser run or fetch something.
var active = regexp.MustCompile(`(?i)<\s*(script|img|iframe|object|embed|link|base|form|video|audio|image)\b|\bon[a-z]+\s*=|javascript:|\bsrc\s*=|href\s*=|@import|url\((?:"|')?[^#)]`)

// TestInert holds the page to be text: nothing of a run's, however it is written,
// becomes a part of it.
func TestInert(t *testing.T) {
	t.Parallel()
	text, _ := page(t, "bbbb")
	inTags := regexp.MustCompile(`<[^>]*>`)
	for _, tag := range inTags.FindAllString(text, -1) {
		if active.MatchString(tag) {
			t.Errorf("the page has %s", tag)
		}
	}
	if !strings.Contains(text, "&lt;script&gt;") {
		t.Error("the hostile text is not in the page at all")
	}
	if !strings.Contains(text, `content="default-src 'none'; style-src 'unsafe-inline'"`) {
		t.Error("the page has no policy")
	}
	again, _ := page(t, "bbbb")
	if again != text {
		t.Error("the same run gives two pages")
	}
}
