package lineage

import "github.com/mlmax/mlmax/pipeline/record"

// newest leaves out the earliest readers of what has more than the limit, and notes
// how many they are.
func (w *walk) newest(links []record.Link, asked, version map[string]bool) []record.Link {
	count := map[string]int{}
	for _, l := range links {
		count[trim(l.Artifact.URI)]++
	}
	var kept []record.Link
	for _, l := range links { // in the order of steps
		uri := trim(l.Artifact.URI)
		if w.limit <= 0 || count[uri] <= w.limit {
			kept = append(kept, l)
			continue
		}
		count[uri]--
		if asked[uri] {
			w.graph.index[artifactID(uri)].Omitted++
			continue
		}
		for _, arn := range sorted(version) {
			if m := w.models[arn]; m.data == uri || m.artifacts[uri] {
				w.graph.index[modelID(arn)].Omitted++
			}
		}
	}
	return kept
}

// takers are the steps that took the outputs of others, the newest of each, and how
// many earlier ones are left out for the limit.
func (w *walk) takers(ids []int64) (kept []record.Step, omitted map[int64]int, err error) {
	found, err := w.StepsCachedFrom(w.ctx, ids)
	if err != nil || w.limit <= 0 {
		return found, nil, err
	}
	left := map[int64]int{}
	for _, s := range found {
		left[s.CachedFrom]++
	}
	omitted = map[int64]int{}
	for _, s := range found { // in order
		if left[s.CachedFrom] <= w.limit {
			kept = append(kept, s)
			continue
		}
		left[s.CachedFrom]--
		omitted[s.CachedFrom]++
	}
	return kept, omitted, nil
}

// copies puts on the front what the cache took over from the artifacts that were asked
// for: the outputs of the same port of each step that took what their step wrote.
func (w *walk) copies(f *front) error {
	if len(f.artifacts) == 0 {
		return nil
	}
	writers, err := w.LinksOfURIs(w.ctx, spelled(f.artifacts), "out")
	if err != nil || len(writers) == 0 {
		return err
	}
	var ids []int64
	for _, l := range writers {
		ids = append(ids, l.Step)
	}
	takers, omitted, err := w.takers(ids)
	if err != nil || len(takers) == 0 {
		return err
	}
	for _, l := range writers {
		w.graph.artifact(&l.Artifact).Omitted += omitted[l.Step]
	}
	origin := map[int64]int64{}
	var taken []int64
	for _, s := range takers {
		origin[s.ID] = s.CachedFrom
		taken = append(taken, s.ID)
	}
	if err := w.loadSteps(taken, false); err != nil {
		return err
	}
	links, err := w.LinksOfSteps(w.ctx, taken, "out")
	if err != nil {
		return err
	}
	for i := range links {
		for j := range writers {
			if origin[links[i].Step] != writers[j].Step || links[i].Port != writers[j].Port {
				continue
			}
			n := w.graph.artifact(&links[i].Artifact)
			w.pipelineOf(n)
			w.graph.join(Edge{From: artifactID(writers[j].Artifact.URI), To: n.ID, Kind: Cached, Port: links[i].Port})
			f.artifacts = append(f.artifacts, trim(links[i].Artifact.URI))
		}
	}
	return nil
}
