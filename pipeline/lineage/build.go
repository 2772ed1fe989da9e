package lineage

import (
	"context"
	"slices"

	"github.com/mlmax/mlmax/pipeline/record"
)

// Options say how far to walk.
type Options struct {
	// Up is towards what made the start, Down towards what used it.
	Up, Down bool
	// Depth is how many steps away the walk ends; 0 is nowhere.
	Depth int
	// Limit is how many readers of one thing are followed, the newest; 0 is all.
	Limit int
}

// DefaultLimit is how many readers of one thing a command follows if it is not told.
const DefaultLimit = 20

// A Start is where a walk begins. One of its members is set.
type Start struct {
	// Run is a run's id, Model a version's ARN, Artifact a URI, Code a digest.
	Run, Model, Artifact, Code string
	// File is, where one file of an artifact or of code was asked for, its name there.
	File string
}

// Build walks from one or more starts.
func Build(ctx context.Context, source Source, starts []Start, o Options) (*Graph, error) {
	w := &walk{store: newStore(ctx, source), graph: newGraph(o), depth: o.Depth, limit: o.Limit, inside: map[string]bool{}}
	front, err := w.start(starts)
	if err != nil {
		return nil, err
	}
	if o.Up {
		if err := w.walk(front, w.above); err != nil {
			return nil, err
		}
	}
	if o.Down {
		if err := w.copies(&front); err != nil {
			return nil, err
		}
		if err := w.walk(front, w.below); err != nil {
			return nil, err
		}
	}
	return w.graph, nil
}

// A walk goes one way at a time.
type walk struct {
	*store
	graph *Graph
	depth int
	limit int
	done  map[string]bool // by node, in this direction
	// inside are the runs that were asked for: what they do with their own artifacts
	// is no use of the run.
	inside map[string]bool
}

// A front is where the walk is. Artifacts are without the slash that ends a folder.
type front struct {
	runs, models, artifacts, codes []string
	steps                          []int64
}

func (f *front) empty() bool {
	return len(f.runs)+len(f.models)+len(f.artifacts)+len(f.codes)+len(f.steps) == 0
}

// walk takes step after step until nothing is left, or the depth is reached.
func (w *walk) walk(f front, step func(front, bool) (front, error)) error {
	w.done = map[string]bool{}
	for level := 1; !f.empty(); level++ {
		var err error
		if f, err = step(f, w.depth > 0 && level > w.depth); err != nil {
			return err
		}
	}
	return nil
}

// first says whether a node is met for the first time in this direction.
func (w *walk) first(id string) bool {
	if w.done[id] {
		return false
	}
	w.done[id] = true
	return true
}

// start adds the nodes that are asked for.
func (w *walk) start(starts []Start) (front, error) {
	var f front
	for _, s := range starts {
		var id string
		switch {
		case s.Run != "":
			if err := w.loadRuns([]string{s.Run}); err != nil {
				return f, err
			}
			id = w.runNode(s.Run).ID
			f.runs = append(f.runs, s.Run)
		case s.Model != "":
			if err := w.loadModels([]string{s.Model}); err != nil {
				return f, err
			}
			m := w.models[s.Model]
			if err := w.loadRuns([]string{m.Run}); err != nil {
				return f, err
			}
			id = w.modelNode(m).ID
			f.models = append(f.models, s.Model)
		case s.Artifact != "":
			found, err := w.ArtifactsByURI(w.ctx, spelled([]string{s.Artifact}))
			if err != nil {
				return f, err
			}
			if len(found) == 0 {
				continue
			}
			n := w.graph.artifact(&found[0])
			n.File = s.File
			if err := w.loadRuns([]string{found[0].Run}); err != nil {
				return f, err
			}
			w.pipelineOf(n)
			id = n.ID
			f.artifacts = append(f.artifacts, trim(s.Artifact))
		default:
			id = w.graph.add(codeID(s.Code), func() *Node { return &Node{Kind: CodeNode, Name: s.Code, File: s.File, Digest: s.Code} }).ID
			f.codes = append(f.codes, s.Code)
		}
		if !slices.Contains(w.graph.Start, id) {
			w.graph.Start = append(w.graph.Start, id)
		}
	}
	return f, nil
}

func (w *walk) runNode(id string) *Node {
	return w.graph.add(runID(id), func() *Node {
		r := w.runs[id]
		return &Node{
			Kind: RunNode, Name: id, Run: id, Pipeline: r.Pipeline, Status: r.Status, Started: when(r.Started), Ended: when(r.Ended),
			Commit: r.Commit, Dirty: r.Dirty, Definition: r.Definition, Resumes: r.Resumes,
		}
	})
}

// pipelineOf completes the node of an artifact.
func (w *walk) pipelineOf(n *Node) {
	if r := w.runs[n.Run]; r != nil {
		n.Pipeline = r.Pipeline
	}
}

func (w *walk) stepNode(s *record.Step) *Node {
	return w.graph.add(stepID(s), func() *Node {
		n := &Node{
			Kind: StepNode, Name: s.Name, Run: s.Run, Status: s.Status, Started: when(s.Started), Ended: when(s.Ended),
			Attempt: s.Attempt, Job: s.Job, Cached: s.CachedFrom != 0, Error: s.Error, Reason: s.Reason,
		}
		w.pipelineOf(n)
		return n
	})
}

func (w *walk) modelNode(m *model) *Node {
	return w.graph.add(modelID(m.ARN), func() *Node {
		n := &Node{
			Kind: ModelNode, Name: versionName(m.Group, m.Version), Run: m.Run, Status: m.Status, ARN: m.ARN,
			Started: when(m.Created), Decisions: m.decisions,
		}
		w.pipelineOf(n)
		return n
	})
}
