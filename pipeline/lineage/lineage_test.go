package lineage_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/lineage"
)

var update = flag.Bool("update", false, "write the golden files")

var scope = lineage.Scope{Pipeline: "census-training", Groups: []string{"local-census"}}

// golden compares text with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

// build walks both ways from what a name stands for.
func build(t *testing.T, w *workspace, name string, o lineage.Options) *lineage.Graph {
	t.Helper()
	start, err := lineage.Find(t.Context(), w.db, name, scope)
	if err != nil {
		t.Fatal(err)
	}
	g, err := lineage.Build(t.Context(), w.db, []lineage.Start{start}, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var both = lineage.Options{Up: true, Down: true}

func TestTrees(t *testing.T) {
	t.Parallel()
	w := full(t)
	for file, c := range map[string]struct {
		name string
		o    lineage.Options
	}{
		"predictions.txt": {"dddd/Predict.Predictions", both},
		"run.txt":         {"aaaa00000001", both},
		"inference.txt":   {"dddd", both},
		"model.txt":       {"1", both},
		"data.txt":        {"aaaa/Data", both},
		"transformer.txt": {"aaaa/Preprocess.Transformer", lineage.Options{Down: true}},
		"depth.txt":       {"bbbb/Predict.Predictions", lineage.Options{Up: true, Depth: 1}},
		"depth_down.txt":  {"aaaa/Data", lineage.Options{Down: true, Depth: 1}},
		"limit.txt":       {"aaaa/Data", lineage.Options{Down: true, Limit: 1}},
	} {
		t.Run(file, func(t *testing.T) {
			var b bytes.Buffer
			if err := build(t, w, c.name, c.o).Tree(&b, time.UTC); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), "\x1b") {
				t.Error("a control character came through")
			}
			golden(t, file, b.Bytes())
		})
	}
}

func TestMermaidAndJSON(t *testing.T) {
	t.Parallel()
	w := full(t)
	g := build(t, w, "dddd/Predict.Predictions", both)
	var b bytes.Buffer
	if err := g.Mermaid(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "predictions.mmd", b.Bytes())
	text, err := json.MarshalIndent(build(t, w, "bbbb/Predict.Predictions", both), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "predictions.json", append(text, '\n'))
}

// TestEdgesOfAGraphHaveNodes wants a graph to be whole, whatever the start.
func TestEdgesOfAGraphHaveNodes(t *testing.T) {
	t.Parallel()
	w := full(t)
	for _, name := range []string{"aaaa00000001", "cccc", "1", "2", "aaaa/Data", "bbbb/Predict.Model", "latest"} {
		g := build(t, w, name, both)
		for _, id := range g.Start {
			if g.Node(id) == nil {
				t.Errorf("%s: no node %s", name, id)
			}
		}
		for _, e := range g.Edges {
			if g.Node(e.From) == nil || g.Node(e.To) == nil {
				t.Errorf("%s: edge %v has no node", name, e)
			}
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	w := full(t)
	const arn = "arn:aws:sagemaker:x:y:model-package/local-census/2"
	model := "s3://local/runs/p/cccc00000003/Train/0-0/job/output/model.tar.gz"
	cases := map[string]struct {
		want lineage.Start
		err  string
	}{
		"latest":                   {want: lineage.Start{Run: "cccc00000003"}}, // of the pipeline
		"dddd":                     {want: lineage.Start{Run: "dddd00000004"}},
		"2":                        {want: lineage.Start{Model: arn}},
		"local-census/2":           {want: lineage.Start{Model: arn}},
		arn:                        {want: lineage.Start{Model: arn}},
		"Train.Model":              {want: lineage.Start{Artifact: model}},
		"cccc/Train.Model":         {want: lineage.Start{Artifact: model}},
		"dddd/Predict.Model":       {want: lineage.Start{Artifact: model}}, // what it read
		model:                      {want: lineage.Start{Artifact: model}},
		"bbbb/Preprocess.Features": {want: lineage.Start{Artifact: "s3://local/runs/p/bbbb00000002/Preprocess/0-0/Features"}},
		"Data":                     {want: lineage.Start{Artifact: "s3://local/data/" + digest("census.csv") + "/census.csv"}},
		"s3://local/runs/p/bbbb00000002/Preprocess/0-0/Features/features.csv": {want: lineage.Start{Artifact: "s3://local/runs/p/bbbb00000002/Preprocess/0-0/Features"}},
		"s3://local/none": {err: "no run of this workspace has s3://local/none"},
		"arn:none":        {err: "this workspace has no model version arn:none"},
		"local-census/9":  {err: "no version 9 of local-census"},
		"Train.Report":    {err: `run cccc00000003 of census-training has no artifact "Train.Report"; it has Data, Preprocess.Train, Preprocess.Transformer, Train.Model`},
		"zzzz/Train.X":    {err: `this workspace has no run "zzzz"`},
		"nonsense":        {err: `this workspace has no run "nonsense"`},
	}
	for name, c := range cases {
		got, err := lineage.Find(t.Context(), w.db, name, scope)
		switch {
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.err == "" && got != c.want:
			t.Errorf("%s is %+v, want %+v", name, got, c.want)
		case c.err != "" && (err == nil || !strings.HasPrefix(err.Error(), c.err) || !errors.Is(err, lineage.ErrUnknown)):
			t.Errorf("%s: error %v, want %s", name, err, c.err)
		}
	}
}

func TestContentIsFoundWhereverItWasCopied(t *testing.T) {
	t.Parallel()
	w := full(t)
	features := "s3://local/runs/p/bbbb00000002/Preprocess/0-0/Features"
	cases := map[string][]lineage.Start{
		digest("census.csv"):             {{Artifact: "s3://local/data/" + digest("census.csv") + "/census.csv"}},
		digest("aaaa00000001TrainModel"): {{Artifact: "s3://local/runs/p/aaaa00000001/Train/0-0/job/output/model.tar.gz"}},
		digest("file " + features + "/"): {{Artifact: features, File: "features.csv"}},
		// The cached run has the same content under a URI of its own.
		digest("aaaa00000001PreprocessTrain"): {
			{Artifact: "s3://local/runs/p/aaaa00000001/Preprocess/0-0/Train"}, {Artifact: "s3://local/runs/p/cccc00000003/Preprocess/0-0/Train"},
		},
		digest("nobody's"): nil,
	}
	for content, want := range cases {
		got, err := lineage.FindContent(t.Context(), w.db, "sha256:"+content)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", content, diff)
		}
	}
}
