package lineage

import (
	"context"
	"fmt"

	"github.com/mlmax/mlmax/pipeline/record"
)

// OfRun is the graph of one run by itself: the last try of each of its jobs with what
// it was made from, what it read and wrote, the model versions that the run started
// from, and those that it registered. Where a run took outputs from another, the step
// that made them is there without what is behind it. The start is the run.
func OfRun(ctx context.Context, source Source, run string) (*Graph, error) {
	w := &walk{store: newStore(ctx, source), graph: newGraph(Options{Up: true, Down: true}), done: map[string]bool{}, inside: map[string]bool{}}
	if err := w.loadRuns([]string{run}); err != nil {
		return nil, err
	}
	if w.runs[run] == nil {
		return nil, fmt.Errorf("run %s: %w", run, record.ErrNotFound)
	}
	w.graph.Start = append(w.graph.Start, w.runNode(run).ID)
	f := front{runs: []string{run}}
	if err := w.partsOf(&f); err != nil {
		return nil, err
	}
	before, err := w.madeFrom(f.steps)
	if err != nil {
		return nil, err
	}
	after, err := w.outcomesOf(f.steps)
	if err != nil {
		return nil, err
	}
	for _, m := range before.models {
		archive, err := w.archive(w.models[m])
		if err != nil {
			return nil, err
		}
		if archive != nil {
			w.graph.join(Edge{From: archive.ID, To: modelID(m), Kind: Registered})
		}
	}
	return w.graph, w.versionsOf(&after)
}
