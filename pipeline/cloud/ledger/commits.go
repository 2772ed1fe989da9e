package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/mlmax/mlmax/pipeline/cloud"
)

// commits completes manifests with the commit that their code came from, which no machine
// knows: the mark beside uploaded code holds it. Where the steps' code came from several,
// or one's is not known, the run's is not known.
func commits(ctx context.Context, p *cloud.Place, c *cache, all []found) error {
	wanted := map[string]bool{}
	for i := range all {
		for _, digest := range own(p, &all[i]) {
			wanted[digest] = true
		}
	}
	digests := slices.Sorted(maps.Keys(wanted))
	marks := map[string]cloud.Mark{}
	var mu sync.Mutex
	err := parallel(ctx, len(digests), func(ctx context.Context, i int) error {
		m, err := mark(ctx, p, c, digests[i])
		if err != nil || m == nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		marks[digests[i]] = *m
		return nil
	})
	if err != nil {
		return err
	}
	for i := range all {
		f, commit, dirty := &all[i], "", false
		for _, digest := range own(p, f) {
			m := marks[digest]
			if m.Commit == "" || commit != "" && commit != m.Commit {
				commit = ""
				break
			}
			commit, dirty = m.Commit, dirty || m.Dirty
		}
		if commit != "" {
			f.Commit, f.Dirty = commit, &dirty
		}
	}
	return nil
}

// own are the digests of the code that a run's steps had of their own pipeline: not what
// they took from a model version.
func own(p *cloud.Place, f *found) []string {
	if f.Commit != "" {
		return nil // it says so itself
	}
	var all []string
	for _, step := range slices.Sorted(maps.Keys(f.Code)) {
		if j := p.Definition.Job(step); f.Pipeline == p.Definition.Name && j != nil && j.Pin != "" {
			continue
		}
		all = append(all, f.Code[step])
	}
	return all
}

// mark reads the mark of a code; nil where there is none that can be read.
func mark(ctx context.Context, p *cloud.Place, c *cache, digest string) (*cloud.Mark, error) {
	key := p.Prefix + "code/" + digest + ".json"
	e := c.get(key)
	if e == nil {
		o, err := get(ctx, p, key, "")
		large := (*tooLargeError)(nil)
		switch {
		case code(err) == "NoSuchKey", code(err) == "AccessDenied", errors.As(err, &large):
			return nil, nil
		case err != nil:
			return nil, p.Explain(err, "reading where the code "+digest[:min(len(digest), 12)]+" came from")
		}
		// What a mark says of the first upload stays true.
		e = &entry{Key: key, ETag: o.etag, Modified: o.modified, Text: o.text, Final: true}
		if err := c.put(*e); err != nil {
			return nil, err
		}
	}
	var m cloud.Mark
	if json.Unmarshal(e.Text, &m) != nil {
		return nil, nil
	}
	return &m, nil
}
