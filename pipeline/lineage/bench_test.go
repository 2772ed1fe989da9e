package lineage_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/mlmax/mlmax/pipeline/lineage"
	"github.com/mlmax/mlmax/pipeline/record"
)

// thousand is a workspace of 1,000 runs: every second one trains, each with its own
// data or all with the same, and the next scores the same new data with its model.
func thousand(t testing.TB, shared bool) *workspace {
	w := newWorkspace(t)
	for n := 1; n <= 500; n++ {
		file := "census.csv"
		if !shared {
			file = fmt.Sprintf("census%d.csv", n)
		}
		training, inference := fmt.Sprintf("a%011d", n), fmt.Sprintf("b%011d", n)
		w.training(training, file)
		w.inference(inference, "new"+file, n, training, training)
	}
	return w
}

// BenchmarkThousandRuns finds, walks and prints, in a workspace of 1,000 runs.
func BenchmarkThousandRuns(b *testing.B) {
	for _, shared := range []bool{false, true} {
		w := thousand(b, shared)
		for _, name := range []string{"latest", "250", "b00000000250/Predict.Predictions", "a00000000250/Train.Model", "a00000000250/Data"} {
			b.Run(fmt.Sprintf("shared=%t/%s", shared, name), func(b *testing.B) {
				for b.Loop() {
					start, err := lineage.Find(b.Context(), w.db, name, scope)
					if err != nil {
						b.Fatal(err)
					}
					g, err := lineage.Build(b.Context(), w.db, []lineage.Start{start}, lineage.Options{Up: true, Down: true, Limit: lineage.DefaultLimit})
					if err != nil {
						b.Fatal(err)
					}
					if err := g.Tree(io.Discard, time.UTC); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestWalkIsBoundedByWhatIsReached counts what a walk asks for in a workspace of many
// runs: its queries must not grow with the number of runs, nor with that of readers.
func TestWalkIsBoundedByWhatIsReached(t *testing.T) {
	t.Parallel()
	queries := func(runs int) (n, nodes int) {
		w := newWorkspace(t)
		for i := 1; i <= runs; i++ {
			id := fmt.Sprintf("a%011d", i)
			w.training(id, "census.csv")
		}
		c := &counting{Source: w.db}
		start, err := lineage.Find(t.Context(), w.db, "a00000000001/Data", scope)
		if err != nil {
			t.Fatal(err)
		}
		g, err := lineage.Build(t.Context(), c, []lineage.Start{start}, both)
		if err != nil {
			t.Fatal(err)
		}
		return c.n, len(g.Nodes)
	}
	few, fewNodes := queries(2)
	many, manyNodes := queries(20)
	if few != many || manyNodes <= fewNodes {
		t.Errorf("%d queries for %d nodes, %d queries for %d", few, fewNodes, many, manyNodes)
	}
}

// TestLimitCountsWhatItLeavesOut has many runs that took their preprocessing from one.
func TestLimitCountsWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	origin := w.training("aaaa00000001", "census.csv")
	for i := range 5 {
		w.cachedTraining(fmt.Sprintf("c%011d", i), "census.csv", "aaaa00000001", origin)
	}
	for name, id := range map[string]string{
		"aaaa/Preprocess.Train": "artifact:s3://local/runs/p/aaaa00000001/Preprocess/0-0/Train",
		"aaaa00000001":          "step:aaaa00000001/Preprocess/0",
	} {
		g := build(t, w, name, lineage.Options{Down: true, Limit: 2})
		steps := 0
		for _, n := range g.Nodes {
			if n.Kind == lineage.StepNode && n.Cached {
				steps++
			}
		}
		if n := g.Node(id); n == nil || n.Omitted != 3 {
			t.Errorf("%s: %+v", name, n)
		}
		if name != "aaaa/Preprocess.Train" && steps != 2 {
			t.Errorf("%s: %d cached steps", name, steps)
		}
	}
}

// counting counts the questions that are asked of a source.
type counting struct {
	lineage.Source
	n int
}

func (c *counting) RunsByID(ctx context.Context, ids []string) ([]record.Run, error) {
	c.n++
	return c.Source.RunsByID(ctx, ids)
}

func (c *counting) StepsByID(ctx context.Context, ids []int64, requests bool) ([]record.Step, error) {
	c.n++
	return c.Source.StepsByID(ctx, ids, requests)
}

func (c *counting) LinksOfSteps(ctx context.Context, steps []int64, direction string) ([]record.Link, error) {
	c.n++
	return c.Source.LinksOfSteps(ctx, steps, direction)
}

func (c *counting) LinksOfURIs(ctx context.Context, uris []string, direction string) ([]record.Link, error) {
	c.n++
	return c.Source.LinksOfURIs(ctx, uris, direction)
}

func (c *counting) ModelsOfRuns(ctx context.Context, runs []string) ([]record.ModelPackage, error) {
	c.n++
	return c.Source.ModelsOfRuns(ctx, runs)
}
