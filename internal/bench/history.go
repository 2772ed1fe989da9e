package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline/record"
)

// history times what a person asks of a workspace: a run of which nothing has changed,
// and what has run, in a workspace of 1,000 runs of training with a model each.
func history(ctx context.Context, b *bench) error {
	main := filepath.Join(b.tmp, "training")
	if _, err := output(ctx, b.root, "go", "build", "-o", main, "./generated/training"); err != nil {
		return err
	}
	workspace := filepath.Join(b.tmp, "work-history")
	train := func() error {
		_, err := output(ctx, b.root, main, "run", "--quiet", "--workspace", workspace)
		return err
	}
	if err := train(); err != nil {
		return err
	}
	start, err := seconds(9, func() error {
		_, err := output(ctx, b.root, main, "graph")
		return err
	})
	if err != nil {
		return err
	}
	began := fmt.Sprintf("graph, which reads nothing: %.0f ms", 1000*start)
	again, err := seconds(9, train)
	if err != nil {
		return err
	}
	b.figure("training of which nothing has changed", 1000*again, 60, "ms", began)
	last, err := grow(ctx, filepath.Join(workspace, "mlmax.db"), 1000)
	if err != nil {
		return err
	}
	data := filepath.Join(b.root, "specs", "census", "testdata", "census.csv")
	for _, c := range [][]string{
		{"runs"}, {"models"}, {"models", "show", "990"}, {"lineage", last}, {"lineage", data},
	} {
		took, err := seconds(9, func() error {
			_, err := output(ctx, b.root, main, append(c, "--workspace", workspace)...)
			return err
		})
		if err != nil {
			return err
		}
		shown := strings.Replace(strings.Join(c, " "), data, "census.csv", 1)
		b.figure("1,000 runs: "+shown, 1000*took, 50, "ms", began)
	}
	if again, err = seconds(5, train); err != nil {
		return err
	}
	b.figure("the unchanged training among 1,000 runs", 1000*again, 60, "ms", began)
	removeAll(workspace)
	return nil
}

// grow copies the first run of a record, under other names, until there are n runs, and
// returns the newest run's id.
func grow(ctx context.Context, file string, n int) (last string, err error) {
	db, err := record.Open(ctx, file)
	if err != nil {
		return "", err
	}
	defer db.Close()
	all, err := db.Runs(ctx, n)
	if err != nil {
		return "", err
	}
	first, err := readRun(ctx, db, all[len(all)-1])
	if err != nil {
		return "", err
	}
	groups, err := db.Groups(ctx)
	if err != nil {
		return "", err
	}
	model, err := db.NewestModel(ctx, groups[0], "")
	if err != nil {
		return "", err
	}
	for i := len(all); i < n; i++ {
		last = fmt.Sprintf("%012x", 0xbe0000000000+i)
		if err := first.copyAs(ctx, db, last, time.Duration(i)*time.Minute); err != nil {
			return "", err
		}
		if err := addModel(ctx, db, *model, first.run.ID, last, i); err != nil {
			return "", err
		}
	}
	return last, nil
}

// A copied is all that the record has of a run.
type copied struct {
	run       record.Run
	jobs      []record.Job
	steps     []record.Step
	artifacts []record.Artifact
	edges     []record.Edge
}

func readRun(ctx context.Context, db *record.DB, run record.Run) (w *copied, err error) {
	w = &copied{run: run}
	if w.jobs, err = db.Jobs(ctx, run.ID); err != nil {
		return nil, err
	}
	if w.steps, err = db.Steps(ctx, run.ID); err != nil {
		return nil, err
	}
	if w.artifacts, err = db.Artifacts(ctx, run.ID); err != nil {
		return nil, err
	}
	w.edges, err = db.Edges(ctx, run.ID)
	return w, err
}

// copyAs adds the run to the record under another id, and later.
func (w *copied) copyAs(ctx context.Context, db *record.DB, id string, later time.Duration) error {
	named := func(text string) string { return strings.ReplaceAll(text, w.run.ID, id) }
	run := w.run
	run.ID, run.Execution, run.Started, run.Ended = id, run.Execution+id, run.Started.Add(later), run.Ended.Add(later)
	run.Output = json.RawMessage(named(string(run.Output)))
	var data []record.Artifact
	for _, a := range w.artifacts {
		if a.Kind == record.Data {
			data = append(data, a)
		}
	}
	if err := db.StartRun(ctx, run, w.jobs, data); err != nil {
		return err
	}
	for _, s := range w.steps {
		ports := map[string][]record.Port{}
		for _, e := range w.edges {
			if e.Step == s.Name && e.Attempt == s.Attempt {
				a := e.Artifact
				a.URI = named(a.URI)
				ports[e.Direction] = append(ports[e.Direction], record.Port{Name: e.Port, Artifact: a})
			}
		}
		s.Run, s.Job, s.Log = id, named(s.Job), named(s.Log)
		s.Request, s.Response = json.RawMessage(named(string(s.Request))), json.RawMessage(named(string(s.Response)))
		s.Started, s.Ended = s.Started.Add(later), s.Ended.Add(later)
		if s.Job == "" {
			if err := db.AddCall(ctx, s, nil); err != nil {
				return err
			}
			continue
		}
		var err error
		if s.ID, err = db.StartStep(ctx, s, ports["in"]); err == nil {
			err = db.EndStep(ctx, s, ports["out"], nil)
		}
		if err != nil {
			return err
		}
	}
	return db.EndRun(ctx, run)
}

// addModel adds the next version of a model's group, as another run's.
func addModel(ctx context.Context, db *record.DB, like record.ModelPackage, run, id string, n int) error {
	like.Run, like.Token, like.Created = id, fmt.Sprint("token", n), like.Created.Add(time.Duration(n)*time.Minute)
	like.Request = json.RawMessage(strings.ReplaceAll(string(like.Request), run, id))
	arn := like.ARN[:strings.LastIndex(like.ARN, "/")+1]
	_, err := db.AddModel(ctx, like, func(version int) string { return fmt.Sprint(arn, version) })
	return err
}
