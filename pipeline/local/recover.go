package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/record"
)

// recordName is the database in a workspace.
const recordName = "mlmax.db"

// CheckRecord looks at the record of a workspace before it is opened. One that is
// gone or empty while runs have left manifests was lost: to go on with a new one would
// hide them. It returns a *[record.DamagedError] then.
func CheckRecord(workspace string) error {
	file := filepath.Join(workspace, recordName)
	info, err := os.Stat(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at the record: %w; use --workspace with a folder that can be read", err)
	}
	if err == nil && info.Size() > 0 {
		return nil
	}
	what := "it is empty"
	if err != nil {
		what = "it is gone"
	}
	runs, described, err := runFolders(workspace)
	if err != nil {
		return fmt.Errorf("look at the runs: %w", err)
	}
	if len(described) == 0 {
		return nil
	}
	return &record.DamagedError{Path: file, Reason: fmt.Sprintf("%s, and there are %d runs", what, len(runs))}
}

// checkUnclean looks closer at a record whose last writer was killed: at every page,
// and at whether it knows every run that has left a manifest. If its log (mlmax.db-wal)
// was deleted, it may have lost the newest and be sound.
func checkUnclean(ctx context.Context, dir string, db *record.DB) error {
	if err := db.Check(ctx); err != nil {
		return err
	}
	_, described, err := runFolders(dir)
	if err != nil {
		return err
	}
	known, err := db.Runs(ctx, 0)
	if err != nil {
		return err
	}
	for _, r := range known {
		delete(described, r.ID)
	}
	if len(described) > 0 {
		return &record.DamagedError{
			Path: filepath.Join(dir, recordName), Reason: fmt.Sprintf("it lacks %s of those that have left a manifest", plural(len(described), "run")),
		}
	}
	return nil
}

// checkClosely opens a record to do so.
func checkClosely(ctx context.Context, dir string) error {
	db, err := record.Open(ctx, filepath.Join(dir, recordName))
	if err != nil {
		return err
	}
	return errors.Join(checkUnclean(ctx, dir, db), db.Close())
}

// plural is a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// tidy removes what a killed process has left, and writes the manifests that it
// did not come to write.
func (r *run) tidy(ctx context.Context) error {
	if err := r.store.SweepImports(ctx, bucket); err != nil {
		return err
	}
	_, described, err := runFolders(r.workspace.dir)
	if err != nil {
		return err
	}
	known, err := r.db.Runs(ctx, 0)
	if err != nil {
		return err
	}
	for _, old := range known {
		if described[old.ID] || old.Status == string(pipeline.Running) {
			continue
		}
		// It was marked as interrupted, by a process that was killed before it swept.
		if err := r.store.Sweep(ctx, bucket, path.Join("runs", old.Pipeline, old.ID)); err != nil {
			return err
		}
		if err := r.describe(ctx, &old); err != nil {
			return r.store.Explain(err, 0, "writing the manifest of run "+old.ID)
		}
	}
	return nil
}

// describe writes the manifest of an earlier run, which has none.
func (r *run) describe(ctx context.Context, old *record.Run) error {
	folder := filepath.Dir(ManifestFile(r.workspace.dir, old.ID))
	files, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), manifestName+".") { // and did not come to its place
			if err := os.Remove(filepath.Join(folder, f.Name())); err != nil {
				return err
			}
		}
	}
	known, err := r.machineManifest(ctx, old.Pipeline, old.ID)
	if err != nil {
		return err
	}
	return saveManifest(ctx, r.workspace.dir, r.db, old.ID, known, r.definition)
}
