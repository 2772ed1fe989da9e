package lineage

import (
	"slices"

	"github.com/mlmax/mlmax/pipeline/record"
)

// below takes one step towards what used things: from artifacts and model versions to
// the steps that read them, and from there to what those wrote. With last, it stops
// short of the steps and says that there are.
func (w *walk) below(f front, last bool) (front, error) {
	if err := w.leaves(&f); err != nil {
		return front{}, err
	}
	if err := w.versionsOf(&f); err != nil {
		return front{}, err
	}
	readers, err := w.readers(&f, last)
	if err != nil {
		return front{}, err
	}
	if last {
		w.more(f.steps)
		return front{}, nil
	}
	for _, digest := range f.codes {
		found, err := w.StepsByCode(w.ctx, digest)
		if err != nil {
			return front{}, err
		}
		for i := range found {
			f.steps = append(f.steps, found[i].ID)
		}
		w.keep(found, true)
		if err := w.loadSteps(f.steps, false); err != nil {
			return front{}, err
		}
		for i := range found {
			w.graph.join(Edge{From: codeID(digest), To: w.stepNode(&found[i]).ID, Kind: Ran})
		}
	}
	var steps []int64
	for _, id := range append(f.steps, readers...) {
		if s := w.steps[id]; s != nil && w.first(stepID(s)) {
			steps = append(steps, id)
		}
	}
	return w.outcomes(steps)
}

// leaves puts on the front what left the runs that are on it: the artifacts that
// steps of other runs read, and those steps; the model versions that it registered.
func (w *walk) leaves(f *front) error {
	for _, run := range f.runs {
		if !w.first(runID(run)) {
			continue
		}
		w.inside[run] = true
		tries, err := w.lastTries(run)
		if err != nil || len(tries) == 0 {
			return err
		}
		var ids []int64
		for _, s := range tries {
			ids = append(ids, s.ID)
		}
		links, err := w.LinksOfSteps(w.ctx, ids, "out")
		if err != nil {
			return err
		}
		for i := range links {
			a := &links[i].Artifact
			if a.Run != run {
				continue // a cached step's, which the run did not make
			}
			n := w.graph.artifact(a)
			w.pipelineOf(n)
			w.graph.join(Edge{From: runID(run), To: n.ID, Kind: Wrote, Port: a.Name})
			f.artifacts = append(f.artifacts, trim(a.URI))
		}
		if err := w.cached(ids, f); err != nil {
			return err
		}
		models, err := w.ModelsOfRuns(w.ctx, []string{run})
		if err != nil {
			return err
		}
		if err := w.keepModels(models); err != nil {
			return err
		}
		for _, p := range models {
			m := w.models[p.ARN]
			if w.graph.index[artifactID(m.data)] == nil { // else it hangs on its archive
				w.graph.join(Edge{From: runID(run), To: w.modelNode(m).ID, Kind: Registered})
			}
			f.models = append(f.models, m.ARN)
		}
	}
	return nil
}

// versionsOf puts the model versions of archives on the front.
func (w *walk) versionsOf(f *front) error {
	var runs []string
	for _, uri := range f.artifacts {
		if n := w.graph.index[artifactID(uri)]; n != nil && n.Content == record.Model {
			runs = append(runs, n.Run)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	found, err := w.ModelsOfRuns(w.ctx, runs)
	if err != nil {
		return err
	}
	if err := w.keepModels(found); err != nil {
		return err
	}
	for _, p := range found {
		m := w.models[p.ARN]
		archive := w.graph.index[artifactID(m.data)]
		if archive != nil {
			w.graph.join(Edge{From: archive.ID, To: w.modelNode(m).ID, Kind: Registered})
			f.models = append(f.models, m.ARN)
		}
	}
	return nil
}

// readers are the tries that read what is on the front. A step that came to an
// archive by a model version hangs on the version.
func (w *walk) readers(f *front, last bool) ([]int64, error) {
	asked := map[string]bool{}   // artifacts that are followed themselves
	version := map[string]bool{} // and versions
	var uris []string
	for _, uri := range f.artifacts {
		if w.first(artifactID(uri)) {
			asked[uri] = true
			uris = append(uris, uri)
		}
	}
	for _, arn := range f.models {
		if w.first(modelID(arn)) {
			m := w.models[arn]
			version[arn] = true
			uris = append(uris, m.data)
			uris = append(uris, sorted(m.artifacts)...)
		}
	}
	if len(uris) == 0 {
		return nil, nil
	}
	slices.Sort(uris)
	links, err := w.LinksOfURIs(w.ctx, spelled(slices.Compact(uris)), "in")
	if err != nil {
		return nil, err
	}
	links = w.newest(links, asked, version)
	var ids []int64
	for _, l := range links {
		ids = append(ids, l.Step)
	}
	if err := w.loadSteps(ids, false); err != nil {
		return nil, err
	}
	var steps []int64
	for i := range links {
		if w.reads(&links[i], asked, version, last) {
			steps = append(steps, links[i].Step)
		}
	}
	return steps, nil
}

// reads joins one reader to what it read, if that is followed, and says whether it
// is. With last, what was read is marked instead.
func (w *walk) reads(l *record.Link, asked, version map[string]bool, last bool) bool {
	s := w.steps[l.Step]
	if s == nil || w.inside[s.Run] {
		return false
	}
	uri := trim(l.Artifact.URI)
	m, isData := w.version(s.Run, uri)
	var from []Edge
	if m != nil && version[m.ARN] {
		e := Edge{From: modelID(m.ARN), Kind: Pinned, Port: l.Port}
		if isData {
			e.Kind = Read
		}
		from = append(from, e)
	}
	if asked[uri] && !(m != nil && isData) {
		from = append(from, Edge{From: artifactID(uri), Kind: Read, Port: l.Port})
	}
	for _, e := range from {
		if last {
			w.graph.index[e.From].More = true
			continue
		}
		e.To = w.stepNode(s).ID
		w.graph.join(e)
	}
	return len(from) > 0
}

// outcomes are what steps wrote, and the steps that took what they wrote.
func (w *walk) outcomes(ids []int64) (front, error) {
	next, err := w.outcomesOf(ids)
	if err != nil || len(ids) == 0 {
		return next, err
	}
	return next, w.cached(ids, &next)
}

// outcomesOf are what steps wrote.
func (w *walk) outcomesOf(ids []int64) (front, error) {
	var next front
	if len(ids) == 0 {
		return next, nil
	}
	links, err := w.LinksOfSteps(w.ctx, ids, "out")
	if err != nil {
		return next, err
	}
	for i := range links {
		l := &links[i]
		n := w.graph.artifact(&l.Artifact)
		w.pipelineOf(n)
		w.graph.join(Edge{From: w.stepNode(w.steps[l.Step]).ID, To: n.ID, Kind: Wrote, Port: l.Port})
		next.artifacts = append(next.artifacts, trim(l.Artifact.URI))
	}
	return next, nil
}

// cached puts the steps that took the outputs of others on the front.
func (w *walk) cached(ids []int64, f *front) error {
	found, omitted, err := w.takers(ids)
	if err != nil || len(found) == 0 {
		return err
	}
	for _, id := range ids {
		if n := omitted[id]; n > 0 {
			w.stepNode(w.steps[id]).Omitted = n
		}
	}
	var taken []int64
	for i := range found {
		if w.steps[found[i].ID] == nil {
			w.keep(found[i:i+1], false)
		}
		taken = append(taken, found[i].ID)
	}
	if err := w.loadSteps(taken, false); err != nil {
		return err
	}
	for i := range found {
		s := &found[i]
		w.graph.join(Edge{From: w.stepNode(w.steps[s.CachedFrom]).ID, To: w.stepNode(s).ID, Kind: Cached})
		f.steps = append(f.steps, s.ID)
	}
	return nil
}
