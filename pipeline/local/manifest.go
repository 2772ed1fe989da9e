package local

import (
	"context"
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
	rows, err := db.Export(ctx, run, bucket)
	if err != nil {
		return fmt.Errorf("describe the run: %w", err)
	}
	s := sketch{Manifest: known, known: known != nil, rows: rows, definition: d}
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
