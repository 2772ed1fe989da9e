package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/local/failpoint"
	"github.com/mlmax/mlmax/pipeline/manifest"
	"github.com/mlmax/mlmax/pipeline/record"
)

// manifestName is the manifest's name in the folder of its run, in the local S3 as in
// the workspace.
const manifestName = "manifest.json"

// manifestLimit is how much of a manifest is read.
const manifestLimit = 64 << 20

// ManifestFile is where the manifest of a run lies in a workspace.
func ManifestFile(workspace, run string) string {
	return filepath.Join(workspace, "runs", run, manifestName)
}

// SaveManifest writes the manifest of a run that has ended, with what the record
// says of it now: after the status of one of its models was changed, too. What the
// manifest said before and the record does not know is kept.
func SaveManifest(ctx context.Context, workspace string, db *record.DB, run string) error {
	before, err := readManifest(workspace, run)
	if err != nil {
		before = nil // as if there were none: it is written anew
	}
	return saveManifest(ctx, workspace, db, run, before, nil)
}

// readManifest reads the manifest of a run.
func readManifest(workspace, run string) (*manifest.Manifest, error) {
	text, err := os.ReadFile(ManifestFile(workspace, run))
	if err != nil {
		return nil, err
	}
	return manifest.Decode(text)
}

// saveManifest completes what is known of a run's manifest, or makes one, and puts
// it in its place in one rename. The definition, if not nil, is that of the run.
func saveManifest(ctx context.Context, workspace string, db *record.DB, run string, known *manifest.Manifest, d *pipeline.Definition) error {
	r, err := db.Run(ctx, run)
	if err != nil {
		return fmt.Errorf("describe run %s: %w", run, err)
	}
	s := sketch{Run: r, known: known != nil, Manifest: known}
	if known == nil {
		if s.Manifest, err = outline(r, d); err != nil {
			return fmt.Errorf("describe run %s: %w", run, err)
		}
	}
	if err := s.complete(ctx, db); err != nil {
		return fmt.Errorf("describe run %s: %w", run, err)
	}
	text, err := s.Encode()
	if err != nil {
		return err
	}
	file := ManifestFile(workspace, run)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("write the manifest of run %s: %w", run, err)
	}
	staged := file + "." + strconv.Itoa(os.Getpid())
	err = os.WriteFile(staged, text, 0o600)
	failpoint.Hit(failpoint.RunManifest)
	if err == nil {
		err = os.Rename(staged, file)
	}
	if err != nil {
		_ = os.Remove(staged)
		return fmt.Errorf("write the manifest of run %s: %w", run, err)
	}
	return nil
}

// leaveManifest writes the manifest of this run at its end. That it cannot be written
// is told, and changes nothing about the run.
func (r *run) leaveManifest(ctx context.Context) {
	known, err := r.machineManifest(ctx, r.definition.Name, r.id)
	if err == nil {
		err = saveManifest(ctx, r.workspace.dir, r.db, r.id, known, r.definition)
	}
	if err != nil {
		err = r.store.Explain(err, 0, "writing the run's manifest")
		r.warn("", fmt.Sprintf("%v; should the record be damaged, this run could not be made again", err))
	}
}

// machineManifest is what the machine of a run wrote at its end, or nil if it did not
// come so far, or writes none that can be read.
func (r *run) machineManifest(ctx context.Context, pipeline, run string) (*manifest.Manifest, error) {
	text, _, err := r.store.Get(ctx, bucket, path.Join("runs", pipeline, run, manifestName), manifestLimit)
	if errors.Is(err, record.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := manifest.Decode(text)
	if err != nil {
		return nil, nil // a machine that was not generated may write anything
	}
	return m, nil
}

// outline is a manifest with what a run's row, and its definition, say.
func outline(r *record.Run, d *pipeline.Definition) (*manifest.Manifest, error) {
	m := &manifest.Manifest{
		Schema: manifest.Version, Pipeline: r.Pipeline, Run: r.ID, Execution: r.Execution, StartTime: r.Started,
		Environment: "local", Definition: r.Definition, Parameters: map[string]any{},
		Code: map[string]string{}, Images: map[string]string{}, Instances: map[string]string{}, Interfaces: map[string]string{},
		Steps: map[string]map[string]string{}, Artifacts: map[string]string{}, Metrics: map[string]map[string]any{},
		Models: map[string]*manifest.Registered{}, NotRegistered: map[string]string{},
	}
	if err := json.Unmarshal(r.Parameters, &m.Parameters); err != nil {
		return nil, fmt.Errorf("read its parameters: %w", err)
	}
	if d == nil {
		return m, nil
	}
	if sum := sha256.Sum256(d.ASL); hex.EncodeToString(sum[:]) != r.Definition {
		return m, nil // the pipeline has been generated anew since
	}
	for i := range d.Jobs {
		m.Instances[d.Jobs[i].Name] = d.Jobs[i].Instance
	}
	var machine struct {
		States map[string]struct {
			Assign struct {
				Manifest *struct {
					Definition string            `json:"definition"`
					Interfaces map[string]string `json:"interfaces"`
				} `json:"manifest"`
			}
		}
	}
	if err := json.Unmarshal(d.ASL, &machine); err != nil {
		return m, nil // of other types: it was not generated
	}
	for _, s := range machine.States {
		if found := s.Assign.Manifest; found != nil && found.Interfaces != nil {
			m.Definition, m.Interfaces = found.Definition, found.Interfaces
		}
	}
	return m, nil
}

// A sketch is a manifest that is being completed.
type sketch struct {
	*manifest.Manifest
	Run *record.Run
	// known says that the machine, or an earlier writer, has described the run.
	known bool
}

var fullCommit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// complete adds what only the record knows.
func (s *sketch) complete(ctx context.Context, db *record.DB) error {
	m, r := s.Manifest, s.Run
	m.Status, m.Error, m.Cause, m.FailedStep = r.Status, r.Error, r.Cause, r.FailedStep
	m.Resumes, m.Partial, m.Isolation = r.Resumes, r.Partial, r.Isolation
	if !r.Ended.IsZero() {
		m.EndTime = &r.Ended
	}
	if fullCommit.MatchString(r.Commit) {
		m.Commit, m.Dirty = r.Commit, &r.Dirty
	}
	jobs, err := db.Jobs(ctx, r.ID)
	if err != nil {
		return err
	}
	m.Packages = map[string][]string{}
	for _, j := range jobs {
		m.Packages[j.Step] = append([]string{}, j.Packages...)
		if !s.known {
			m.Code[j.Step], m.Images[j.Step], m.Steps[j.Step] = j.Code, j.Image, nil
		}
	}
	artifacts, err := db.Artifacts(ctx, r.ID)
	if err != nil {
		return err
	}
	m.Digests, m.Bytes = map[string]string{}, map[string]int64{}
	for _, a := range artifacts {
		if a.Kind == record.External {
			continue
		}
		m.Digests[a.Name], m.Bytes[a.Name] = a.Digest, a.Bytes
		if !s.known && a.Step != "" {
			m.Artifacts[a.Name] = a.URI
		}
	}
	if err := s.steps(ctx, db); err != nil {
		return err
	}
	rows, err := db.Export(ctx, r.ID, bucket)
	if err != nil {
		return err
	}
	m.Record, err = json.Marshal(rows)
	return err
}

// steps adds when each step ran, and where nothing is known yet, what it made.
func (s *sketch) steps(ctx context.Context, db *record.DB) error {
	steps, err := db.Steps(ctx, s.Run.ID)
	if err != nil {
		return err
	}
	s.Times, s.Cached = map[string]manifest.Time{}, map[string]string{}
	for _, t := range steps {
		if t.Kind == callKind {
			continue
		}
		took := manifest.Time{Start: t.Started}
		if !t.Ended.IsZero() {
			took.End = &t.Ended
		}
		s.Times[t.Name] = took
		if t.CachedFrom != 0 {
			if s.Cached[t.Name], err = db.RunOf(ctx, t.CachedFrom); err != nil {
				return err
			}
		}
		if s.known || t.Status != string(pipeline.Succeeded) {
			continue
		}
		if t.Kind != registerKind {
			s.Steps[t.Name] = map[string]string{"Job": t.Job}
			continue
		}
		var answer manifest.Registered
		if err := json.Unmarshal(t.Response, &answer); err != nil {
			return fmt.Errorf("read the response of step %s: %w", t.Name, err)
		}
		s.Models[t.Name] = &answer
	}
	edges, err := db.Edges(ctx, s.Run.ID)
	if err != nil {
		return err
	}
	inputs := map[string]string{}
	for _, e := range edges {
		if e.Direction == "in" {
			inputs[e.Step+"."+e.Port] = e.Artifact.URI
		} else if made := s.Steps[e.Step]; !s.known && made != nil {
			made[e.Port] = e.Artifact.URI
		}
	}
	if s.Inputs == nil {
		s.Inputs = inputs
	}
	return nil
}

// isRun says whether a name is that of a run's folder.
var isRun = regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString

// runFolders are the names of the folders of runs in a workspace, in order, and
// whether each has a manifest.
func runFolders(workspace string) (runs []string, described map[string]bool, err error) {
	entries, err := os.ReadDir(filepath.Join(workspace, "runs"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	described = map[string]bool{}
	for _, e := range entries {
		if !e.IsDir() || !isRun(e.Name()) {
			continue
		}
		runs = append(runs, e.Name())
		if _, err := os.Lstat(ManifestFile(workspace, e.Name())); err == nil {
			described[e.Name()] = true
		}
	}
	return runs, described, nil
}
