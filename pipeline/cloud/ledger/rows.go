package ledger

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
	"github.com/mlmax/mlmax/pipeline/track"
)

// isolation is how the record says that jobs ran on AWS.
const isolation = "SageMaker"

// A book turns manifests into rows of a record. It numbers them through, and knows
// artifacts by their URIs, whichever run made them.
type book struct {
	definition *pipeline.Definition
	steps      int64
	artifacts  int64
	byURI      map[string]int64
	saved      []record.Saved
}

// The columns of the rows that are made here; a value that has no column is the table's
// default.
var (
	runColumns = []string{
		"seq", "id", "pipeline", "package", "execution", "status", "input", "parameters", "definition", "commit_id", "dirty", "isolation", "total_steps",
		"pid", "pid_start", "started", "ended", "error", "cause", "failed_step", "output", "resumes", "partial",
	}
	jobColumns      = []string{"run", "step", "code", "image", "python", "packages", "environment"}
	stepColumns     = []string{"id", "run", "name", "attempt", "kind", "status", "job", "request", "response", "error", "reason", "log", "started", "ended"}
	artifactColumns = []string{"id", "run", "step", "name", "kind", "uri", "digest", "bytes"}
	edgeColumns     = []string{"step", "direction", "port", "artifact"}
)

// rows are those of all runs, the oldest first. Of a run whose tries are known from its
// history, these are taken; of any other, each step that ran is one try.
func rows(d *pipeline.Definition, all []found, tries map[string][]Try) ([]record.Saved, error) {
	b := &book{definition: d, byURI: map[string]int64{}}
	pages := make([]*page, len(all))
	for i := range all {
		p, err := b.open(int64(i+1), &all[i], tries[all[i].Run])
		if err != nil {
			return nil, fmt.Errorf("read the manifest of run %s: %w", all[i].Run, err)
		}
		pages[i] = p
	}
	// What a step read may have been made by a run that began later.
	for _, p := range pages {
		b.close(p)
	}
	return b.saved, nil
}

// A page is the rows of one run.
type page struct {
	*found
	runs, jobs, steps, artifacts, edges record.Table
	// tries are the numbers of each step's last try.
	tries map[string]int64
	// data are the numbers of what the run was given, by URI.
	data map[string]int64
}

// open makes the rows of a run, but for what its steps read.
func (b *book) open(seq int64, f *found, tries []Try) (*page, error) {
	p := &page{
		found: f, tries: map[string]int64{}, data: map[string]int64{},
		runs: record.Table{Name: "runs", Columns: runColumns}, jobs: record.Table{Name: "jobs", Columns: jobColumns},
		steps: record.Table{Name: "steps", Columns: stepColumns}, artifacts: record.Table{Name: "artifacts", Columns: artifactColumns},
		edges: record.Table{Name: "edges", Columns: edgeColumns},
	}
	if err := p.run(seq, b.definition); err != nil {
		return nil, err
	}
	for _, step := range slices.Sorted(maps.Keys(f.Code)) {
		packages, err := json.Marshal(append([]string{}, f.Packages[step]...))
		if err != nil {
			return nil, err
		}
		p.jobs.Rows = append(p.jobs.Rows, []any{f.Run, step, f.Code[step], f.Images[step], "", string(packages), ""})
	}
	b.given(p)
	if len(tries) == 0 {
		tries = b.told(f)
	}
	for i := range tries {
		b.try(p, &tries[i])
	}
	for _, name := range slices.Sorted(maps.Keys(f.Artifacts)) {
		b.made(p, name)
	}
	return p, nil
}

// run makes the row of the run. When it ended is known to the second at least: its
// manifest was the last that it wrote.
func (p *page) run(seq int64, d *pipeline.Definition) error {
	parameters, err := json.Marshal(p.Parameters)
	if err != nil {
		return err
	}
	output, err := p.output()
	if err != nil {
		return err
	}
	status, ended, pkg, dirty := p.Status, p.written, "", int64(0)
	if status == "" {
		status = string(pipeline.Succeeded)
	}
	if p.EndTime != nil {
		ended = *p.EndTime
	}
	if status == string(pipeline.Running) {
		ended = time.Time{}
	}
	if d.Name == p.Pipeline {
		pkg = d.Package
	}
	if p.Dirty != nil && *p.Dirty {
		dirty = 1
	}
	p.runs.Rows = [][]any{{
		seq, p.Run, p.Pipeline, pkg, p.Execution, status, "", string(parameters), p.Definition, p.Commit, dirty, isolation, int64(len(p.Manifest.Steps)),
		int64(0), "", micros(p.StartTime), micros(ended), p.Error, p.Cause, p.FailedStep, string(output), p.Resumes, p.Partial,
	}}
	return nil
}

// output is the machine's, as far as the manifest holds it; none of a run that did not
// succeed.
func (p *page) output() ([]byte, error) {
	if p.Status != "" && p.Status != string(pipeline.Succeeded) {
		return nil, nil
	}
	metrics := map[string]map[string]map[string]any{}
	for name, values := range p.Metrics {
		step, output, _ := strings.Cut(name, ".")
		if metrics[step] == nil {
			metrics[step] = map[string]map[string]any{}
		}
		metrics[step][output] = values
	}
	return json.Marshal(map[string]any{
		"Run": p.Run, "Metrics": metrics, "Models": p.Models, "NotRegistered": p.NotRegistered, "Artifacts": p.Artifacts,
	})
}

// given makes the data that the run was given: inputs whose URI a parameter holds.
func (b *book) given(p *page) {
	read := map[string]bool{}
	for _, uri := range p.Inputs {
		read[trim(uri)] = true
	}
	for _, key := range slices.Sorted(maps.Keys(p.Parameters)) {
		uri, ok := p.Parameters[key].(string)
		if ok && strings.HasPrefix(uri, "s3://") && read[trim(uri)] && p.data[trim(uri)] == 0 {
			p.data[trim(uri)] = b.artifact(p, "", key, record.Data, uri)
		}
	}
}

// uploaded is the URI of data that a client uploaded: under the digest of its content.
var uploaded = regexp.MustCompile(`/data/([0-9a-f]{64})(?:/|$)`)

// artifact makes a row, and returns its number.
func (b *book) artifact(p *page, step, name, kind, uri string) int64 {
	b.artifacts++
	if kind != record.Data {
		b.byURI[trim(uri)] = b.artifacts
	}
	digest := p.Digests[name]
	if found := uploaded.FindStringSubmatch(uri); digest == "" && found != nil {
		digest = "sha256:" + found[1]
	}
	p.artifacts.Rows = append(p.artifacts.Rows, []any{b.artifacts, p.Run, step, name, kind, uri, digest, p.Bytes[name]})
	return b.artifacts
}

// try makes the row of a try.
func (b *book) try(p *page, t *Try) {
	b.steps++
	p.tries[t.Step] = b.steps
	request := "{}" // what is asked of requests, the record asks of all
	if t.Request != nil {
		request = string(t.Request)
	}
	p.steps.Rows = append(p.steps.Rows, []any{
		b.steps, p.Run, t.Step, int64(t.Attempt), t.Kind, string(t.Status), t.Job, request, string(t.Response), t.Error, track.Decoded(t.Cause),
		"", micros(t.Started), micros(t.Ended),
	})
}

// made makes the row of what a step wrote, and joins the two.
func (b *book) made(p *page, name string) {
	step, port, _ := strings.Cut(name, ".")
	uri := p.Artifacts[name]
	kind := record.Output
	if isModel(uri) {
		kind = record.Model
	}
	id := b.artifact(p, step, name, kind, uri)
	if try, ok := p.tries[step]; ok {
		p.edges.Rows = append(p.edges.Rows, []any{try, "out", port, id})
	}
}

// close joins the steps of a run to what they read, and finishes its rows.
func (b *book) close(p *page) {
	for _, name := range slices.Sorted(maps.Keys(p.Inputs)) {
		step, port, _ := strings.Cut(name, ".")
		try, ok := p.tries[step]
		if !ok {
			continue // it did not begin
		}
		uri := p.Inputs[name]
		id, known := p.data[trim(uri)]
		if !known {
			id, known = b.byURI[trim(uri)]
		}
		if !known {
			id = b.artifact(p, "", port, record.External, uri)
		}
		p.edges.Rows = append(p.edges.Rows, []any{try, "in", port, id})
	}
	s := record.Saved{Run: p.Run, Export: record.Export{Schema: record.Schema()}}
	for _, t := range []record.Table{p.runs, p.jobs, p.steps, p.artifacts, p.edges} {
		if len(t.Rows) > 0 {
			s.Tables = append(s.Tables, t)
		}
	}
	b.saved = append(b.saved, s)
}

// trim is a URI without the slash that ends a folder.
func trim(uri string) string { return strings.TrimSuffix(uri, "/") }

// micros is a time as the record has it.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
