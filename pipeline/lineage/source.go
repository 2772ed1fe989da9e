package lineage

import (
	"context"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline/record"
)

// A Source is what is known of runs: a [record.DB], or anything that answers so. What
// is asked for and not there is left out of the answer.
type Source interface {
	// Run finds a run by its id, the start of one, or "latest".
	Run(ctx context.Context, id string) (*record.Run, error)
	RunsByID(ctx context.Context, ids []string) ([]record.Run, error)
	Steps(ctx context.Context, run string) ([]record.Step, error)
	StepsByID(ctx context.Context, ids []int64, requests bool) ([]record.Step, error)
	StepsCachedFrom(ctx context.Context, ids []int64) ([]record.Step, error)
	StepsByCode(ctx context.Context, code string) ([]record.Step, error)
	LinksOfSteps(ctx context.Context, steps []int64, direction string) ([]record.Link, error)
	LinksOfURIs(ctx context.Context, uris []string, direction string) ([]record.Link, error)
	ArtifactsByURI(ctx context.Context, uris []string) ([]record.Artifact, error)
	ArtifactsByDigest(ctx context.Context, digest string) ([]record.Artifact, error)
	ObjectsByDigest(ctx context.Context, digest string) ([]record.Object, error)
	JobsOfRuns(ctx context.Context, runs []string) ([]record.Job, error)
	ModelsOfRuns(ctx context.Context, runs []string) ([]record.ModelPackage, error)
	ModelsByARN(ctx context.Context, arns []string) ([]record.ModelPackage, error)
	UsesOfRuns(ctx context.Context, runs []string) ([]record.Use, error)
	ApprovalsByARN(ctx context.Context, arns []string) ([]record.Approval, error)
}

var _ Source = (*record.DB)(nil)

func runID(id string) string       { return string(RunNode) + ":" + id }
func modelID(arn string) string    { return string(ModelNode) + ":" + arn }
func codeID(digest string) string  { return string(CodeNode) + ":" + digest }
func artifactID(uri string) string { return string(ArtifactNode) + ":" + trim(uri) }

func stepID(s *record.Step) string {
	return string(StepNode) + ":" + s.Run + "/" + s.Name + "/" + strconv.Itoa(s.Attempt)
}

// trim is a URI without the slash that ends a folder.
func trim(uri string) string { return strings.TrimSuffix(uri, "/") }

// spelled are URIs in both of their spellings.
func spelled(uris []string) []string {
	var all []string
	for _, u := range uris {
		all = append(all, trim(u), trim(u)+"/")
	}
	return all
}

// A store reads from a source, each thing once.
type store struct {
	Source
	ctx    context.Context
	steps  map[int64]*record.Step
	asked  map[int64]bool // with their requests
	runs   map[string]*record.Run
	uses   map[string][]*model // the versions that a run started from
	models map[string]*model
	jobs   map[string]map[string]*record.Job
}

// A model is a version, with what is read of its request.
type model struct {
	record.ModelPackage
	// data is the URI of its archive, artifacts are the others that its run made.
	data      string
	artifacts map[string]bool
	decisions []Decision
}

func newStore(ctx context.Context, s Source) *store {
	return &store{
		Source: s, ctx: ctx, steps: map[int64]*record.Step{}, asked: map[int64]bool{}, runs: map[string]*record.Run{},
		uses: map[string][]*model{}, models: map[string]*model{}, jobs: map[string]map[string]*record.Job{},
	}
}

// loadSteps reads tries, and their runs; with requests also what they were made from.
func (s *store) loadSteps(ids []int64, requests bool) error {
	var missing []int64
	seen := map[int64]bool{}
	for _, id := range ids {
		if !seen[id] && (s.steps[id] == nil || requests && !s.asked[id]) {
			missing = append(missing, id)
		}
		seen[id] = true
	}
	if len(missing) > 0 {
		found, err := s.StepsByID(s.ctx, missing, requests)
		if err != nil {
			return err
		}
		s.keep(found, requests)
	}
	var runs []string
	for _, id := range ids {
		if step := s.steps[id]; step != nil {
			runs = append(runs, step.Run)
		}
	}
	if err := s.loadRuns(runs); err != nil || !requests {
		return err
	}
	return s.loadJobs(runs)
}

func (s *store) keep(steps []record.Step, requests bool) {
	for i := range steps {
		s.steps[steps[i].ID] = &steps[i]
		s.asked[steps[i].ID] = requests
	}
}

// loadRuns reads runs, and the model versions that they started from.
func (s *store) loadRuns(ids []string) error {
	missing := absent(ids, s.runs)
	if len(missing) == 0 {
		return nil
	}
	found, err := s.RunsByID(s.ctx, missing)
	if err != nil {
		return err
	}
	for i := range found {
		s.runs[found[i].ID] = &found[i]
	}
	uses, err := s.UsesOfRuns(s.ctx, missing)
	if err != nil {
		return err
	}
	var arns []string
	for _, u := range uses {
		arns = append(arns, u.ARN)
	}
	if err := s.loadModels(arns); err != nil {
		return err
	}
	for _, u := range uses {
		if m := s.models[u.ARN]; m != nil {
			s.uses[u.Run] = append(s.uses[u.Run], m)
		}
	}
	return nil
}

func (s *store) loadModels(arns []string) error {
	missing := absent(arns, s.models)
	if len(missing) == 0 {
		return nil
	}
	found, err := s.ModelsByARN(s.ctx, missing)
	if err != nil {
		return err
	}
	return s.keepModels(found)
}

// keepModels keeps versions, with the decisions about them.
func (s *store) keepModels(found []record.ModelPackage) error {
	byName := map[string]*model{}
	var arns []string
	for _, p := range found {
		if s.models[p.ARN] != nil {
			continue
		}
		m := &model{ModelPackage: p, artifacts: map[string]bool{}}
		_, m.data = p.Container()
		m.data = trim(m.data)
		for key, uri := range p.Metadata() {
			if strings.HasPrefix(key, "artifact.") {
				m.artifacts[trim(uri)] = true
			}
		}
		s.models[p.ARN], byName[versionName(p.Group, p.Version)] = m, m
		arns = append(arns, p.ARN)
	}
	if len(arns) == 0 {
		return nil
	}
	decisions, err := s.ApprovalsByARN(s.ctx, arns)
	if err != nil {
		return err
	}
	for _, d := range decisions {
		m := byName[versionName(d.Group, d.Version)]
		m.decisions = append(m.decisions, Decision{Status: d.Status, By: d.Person, Note: d.Note, At: d.At})
	}
	return nil
}

// versionName is how a person names a version: GROUP/NUMBER.
func versionName(group string, version int) string { return group + "/" + strconv.Itoa(version) }

func (s *store) loadJobs(runs []string) error {
	missing := absent(runs, s.jobs)
	if len(missing) == 0 {
		return nil
	}
	found, err := s.JobsOfRuns(s.ctx, missing)
	if err != nil {
		return err
	}
	for _, run := range missing {
		s.jobs[run] = map[string]*record.Job{}
	}
	for i := range found {
		s.jobs[found[i].Run][found[i].Step] = &found[i]
	}
	return nil
}

// absent are the keys that a map does not have, each once, in order.
func absent[V any](keys []string, have map[string]V) []string {
	var missing []string
	seen := map[string]bool{}
	for _, key := range keys {
		if _, ok := have[key]; !ok && !seen[key] {
			seen[key] = true
			missing = append(missing, key)
		}
	}
	return missing
}

// version is the model version by which a step came to read a URI, and whether the
// URI is the version's model; nil if it came by it otherwise.
func (s *store) version(run, uri string) (m *model, isData bool) {
	for _, m := range s.uses[run] {
		if m.data == trim(uri) {
			return m, true
		}
	}
	for _, m := range s.uses[run] {
		if m.artifacts[trim(uri)] {
			return m, false
		}
	}
	return nil, false
}
