package ledger

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/manifest"
)

// told are the tries that a manifest tells of: one of each step that ran, and of the one
// in which the run failed.
func (b *book) told(f *found) []Try {
	var all []Try
	for _, name := range slices.Sorted(maps.Keys(f.Versions)) {
		request, err := json.Marshal(map[string]string{"ModelPackageName": f.Versions[name].Arn})
		if err != nil {
			panic(fmt.Sprintf("ledger: %v", err)) // text can be encoded
		}
		all = append(all, Try{Step: describeState + name, Kind: callKind, Status: pipeline.Succeeded, Request: request})
	}
	for _, step := range slices.Sorted(maps.Keys(f.Manifest.Steps)) {
		if made := f.Manifest.Steps[step]; made != nil {
			all = append(all, Try{Step: step, Kind: b.kind(f, step), Job: made["Job"], Status: pipeline.Succeeded})
		} else if f.FailedStep == step {
			all = append(all, Try{Step: step, Kind: b.kind(f, step), Status: pipeline.Failed, Error: f.Error, Cause: f.Cause})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Models)) {
		if m := f.Models[name]; m != nil {
			response, err := json.Marshal(m)
			if err != nil {
				panic(fmt.Sprintf("ledger: %v", err)) // text can be encoded
			}
			all = append(all, Try{Step: name, Kind: registerKind, Status: pipeline.Succeeded, Response: response})
		} else if f.FailedStep == name {
			all = append(all, Try{Step: name, Kind: registerKind, Status: pipeline.Failed, Error: f.Error, Cause: f.Cause})
		}
	}
	for i := range all {
		at, ok := f.Times[all[i].Step]
		if !ok && len(f.Times) > 0 && all[i].Kind == callKind {
			at.Start, at.End = f.StartTime, &f.StartTime // before all jobs, in no time
		}
		all[i].Started = at.Start
		if at.End != nil {
			all[i].Ended = *at.End
		}
	}
	// By their times, where those are known, else in the pipeline's order.
	slices.SortStableFunc(all, func(x, y Try) int {
		if c := x.Started.Compare(y.Started); c != 0 {
			return c
		}
		return b.order(f, x.Step) - b.order(f, y.Step)
	})
	return all
}

// describeState is how states are called that look a model version up, before its field.
const describeState = "Describe "

// order is the place of a step in its pipeline: by the definition, where it is the
// pipeline's own; else behind what it reads.
func (b *book) order(f *found, step string) int {
	if strings.HasPrefix(step, describeState) {
		return -1
	}
	if f.Pipeline == b.definition.Name {
		for i := range b.definition.Jobs {
			if b.definition.Jobs[i].Name == step {
				return i
			}
		}
		return len(b.definition.Jobs)
	}
	return depth(f.Manifest, step, len(f.Manifest.Steps))
}

// depth is how many steps are above one, at most most.
func depth(m *manifest.Manifest, step string, most int) int {
	deepest := 0
	for input, uri := range m.Inputs {
		if reader, _, _ := strings.Cut(input, "."); reader != step || most == 0 {
			continue
		}
		for name, made := range m.Artifacts {
			if maker, _, _ := strings.Cut(name, "."); trim(made) == trim(uri) && maker != step {
				deepest = max(deepest, 1+depth(m, maker, most-1))
			}
		}
	}
	return deepest
}

// kind is that of a step's job: by the definition, where it is the pipeline's own; else by
// what it wrote.
func (b *book) kind(f *found, step string) string {
	if f.Pipeline == b.definition.Name {
		if j := b.definition.Job(step); j != nil {
			return j.Kind
		}
	}
	for name, uri := range f.Artifacts {
		if maker, _, _ := strings.Cut(name, "."); maker == step && isModel(uri) {
			return pipeline.KindTraining
		}
	}
	return pipeline.KindProcessing
}

// isModel says whether a URI is that of a training job's model.
func isModel(uri string) bool { return path.Base(uri) == "model.tar.gz" }
