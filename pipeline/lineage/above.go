package lineage

import (
	"github.com/mlmax/mlmax/pipeline/record"
)

// above takes one step towards what made things: from runs to their steps, from model
// versions to their archives, from artifacts to who wrote them, and from there to
// what those read. With last, it stops short of the steps and says that there are.
func (w *walk) above(f front, last bool) (front, error) {
	var next front
	if err := w.partsOf(&f); err != nil {
		return next, err
	}
	for _, arn := range f.models {
		if !w.first(modelID(arn)) {
			continue
		}
		m := w.models[arn]
		n := w.modelNode(m)
		archive, err := w.archive(m)
		if err != nil {
			return next, err
		}
		if archive != nil {
			w.graph.join(Edge{From: archive.ID, To: n.ID, Kind: Registered})
			f.artifacts = append(f.artifacts, m.data)
		}
	}
	writers, err := w.writers(f.artifacts, last)
	if err != nil || last {
		w.more(f.steps)
		return next, err
	}
	var steps []int64
	for _, id := range append(f.steps, writers...) {
		if s := w.steps[id]; s != nil && w.first(stepID(s)) {
			steps = append(steps, id)
		}
	}
	return w.madeFrom(steps)
}

// more marks the steps that are not followed any more.
func (w *walk) more(steps []int64) {
	for _, id := range steps {
		if n := w.stepNode(w.steps[id]); !w.done[n.ID] {
			n.More = true
		}
	}
}

// partsOf puts the steps of runs on the front: each job's last try.
func (w *walk) partsOf(f *front) error {
	for _, run := range f.runs {
		if !w.first(runID(run)) {
			continue
		}
		steps, err := w.lastTries(run)
		if err != nil {
			return err
		}
		for i := range steps {
			w.graph.join(Edge{From: w.stepNode(&steps[i]).ID, To: runID(run), Kind: Part})
			f.steps = append(f.steps, steps[i].ID)
		}
	}
	return nil
}

// lastTries are the last tries of a run's jobs, in order.
func (w *walk) lastTries(run string) ([]record.Step, error) {
	all, err := w.Steps(w.ctx, run)
	if err != nil {
		return nil, err
	}
	last := map[string]int64{}
	for _, s := range all {
		last[s.Name] = s.ID
	}
	var steps []record.Step
	for _, s := range all {
		if isJob(&s) && last[s.Name] == s.ID {
			steps = append(steps, s)
		}
	}
	w.keep(steps, true)
	return steps, w.loadRuns([]string{run})
}

// isJob says whether a try is a job's, and no call of the machine. The job of one that
// failed on AWS has no name where only its manifest is left.
func isJob(s *record.Step) bool {
	return s.Job != "" || s.CachedFrom != 0 || s.Kind == "processing" || s.Kind == "training"
}

// archive is the node of a version's model archive, or nil if the record has none.
func (w *walk) archive(m *model) (*Node, error) {
	found, err := w.ArtifactsByURI(w.ctx, spelled([]string{m.data}))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	n := w.graph.artifact(&found[0])
	w.pipelineOf(n)
	return n, nil
}

// writers are the tries that wrote artifacts. Where a step's outputs were taken by
// others, it is the step.
func (w *walk) writers(uris []string, last bool) ([]int64, error) {
	var ask []string
	for _, uri := range uris {
		if w.first(artifactID(uri)) {
			ask = append(ask, uri)
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	links, err := w.LinksOfURIs(w.ctx, spelled(ask), "out")
	if err != nil {
		return nil, err
	}
	if last {
		for i := range links {
			w.graph.artifact(&links[i].Artifact).More = true
		}
		return nil, nil
	}
	var ids []int64
	for _, l := range links {
		ids = append(ids, l.Step)
	}
	if err := w.loadSteps(ids, true); err != nil {
		return nil, err
	}
	original := map[string]bool{}
	for _, l := range links {
		if s := w.steps[l.Step]; s != nil && s.CachedFrom == 0 {
			original[artifactID(l.Artifact.URI)] = true
		}
	}
	var steps []int64
	for _, l := range links {
		s := w.steps[l.Step]
		if s == nil || s.CachedFrom != 0 && original[artifactID(l.Artifact.URI)] {
			continue
		}
		w.graph.join(Edge{From: w.stepNode(s).ID, To: w.graph.artifact(&l.Artifact).ID, Kind: Wrote, Port: l.Port})
		steps = append(steps, l.Step)
	}
	return steps, nil
}

// madeFrom is what steps were made from: the front before them.
func (w *walk) madeFrom(ids []int64) (front, error) {
	var next front
	if len(ids) == 0 {
		return next, nil
	}
	if err := w.loadSteps(ids, true); err != nil {
		return next, err
	}
	links, err := w.LinksOfSteps(w.ctx, ids, "in")
	if err != nil {
		return next, err
	}
	var origins []int64
	for _, id := range ids {
		s := w.steps[id]
		w.stepNode(s).Made = w.made(s)
		if s.CachedFrom != 0 {
			origins = append(origins, s.CachedFrom)
		}
	}
	if err := w.loadSteps(origins, true); err != nil {
		return next, err
	}
	taken := map[int64]bool{}
	for _, id := range ids {
		if origin := w.steps[w.steps[id].CachedFrom]; origin != nil {
			w.graph.join(Edge{From: w.stepNode(origin).ID, To: w.stepNode(w.steps[id]).ID, Kind: Cached})
			next.steps = append(next.steps, origin.ID)
			taken[id] = true
		}
	}
	var runs []string
	for _, l := range links {
		runs = append(runs, l.Artifact.Run)
		if m, _ := w.version(w.steps[l.Step].Run, l.Artifact.URI); m != nil {
			runs = append(runs, m.Run)
		}
	}
	if err := w.loadRuns(runs); err != nil {
		return next, err
	}
	for i := range links {
		if l := &links[i]; !taken[l.Step] {
			w.read(w.steps[l.Step], l, &next)
		}
	}
	return next, nil
}

// read joins a step to one thing that it read: the artifact, or the model version
// that stands for it.
func (w *walk) read(s *record.Step, l *record.Link, f *front) {
	to := w.stepNode(s).ID
	m, isData := w.version(s.Run, l.Artifact.URI)
	if m != nil {
		n := w.modelNode(m)
		f.models = append(f.models, m.ARN)
		if isData {
			w.graph.join(Edge{From: n.ID, To: to, Kind: Read, Port: l.Port})
			return
		}
		w.graph.join(Edge{From: n.ID, To: to, Kind: Pinned, Port: l.Port})
	}
	n := w.graph.artifact(&l.Artifact)
	w.pipelineOf(n)
	w.graph.join(Edge{From: n.ID, To: to, Kind: Read, Port: l.Port})
	f.artifacts = append(f.artifacts, trim(l.Artifact.URI))
}
