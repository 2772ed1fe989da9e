package killtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mlmax/mlmax/pipeline/local"
	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/manifest"
	"github.com/mlmax/mlmax/pipeline/record"
)

// state is what a workspace holds.
type state struct {
	workspace string
	// running is the run that the record believes to be going on, or "".
	running string
	runs    []record.Run
	objects []record.Object
}

// look opens a copy of the record, as it was left, and checks that it is sound and
// that every object which it lists is what was recorded.
func (t *trial) look(ctx context.Context) (*state, error) {
	s := &state{workspace: t.workspace()}
	copied, err := os.MkdirTemp(t.lab.dir, "record-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(copied)
	for _, name := range []string{"mlmax.db", "mlmax.db-wal"} {
		text, err := os.ReadFile(filepath.Join(s.workspace, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := errors.Join(err, os.WriteFile(filepath.Join(copied, name), text, 0o600)); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(copied, "mlmax.db")
	db, err := record.Open(ctx, file)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := sound(ctx, file); err != nil {
		return nil, err
	}
	if s.runs, err = db.Runs(ctx, 0); err != nil {
		return nil, err
	}
	for _, r := range s.runs {
		if r.Status == "RUNNING" {
			s.running = r.ID
		}
	}
	if s.objects, err = db.Objects(ctx, "local", ""); err != nil {
		return nil, err
	}
	for _, o := range s.objects {
		digest, err := objects.Digest(filepath.Join(s.workspace, "s3", o.Bucket, filepath.FromSlash(o.Key)))
		if err != nil || digest != o.Digest {
			return nil, fmt.Errorf("object %s is recorded, and not what was recorded (%v)", o.Key, err)
		}
	}
	return s, nil
}

// sound asks SQLite for its own, full check of a database.
func sound(ctx context.Context, file string) error {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return err
	}
	defer db.Close()
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&said); err != nil {
		return err
	}
	if said != "ok" {
		return fmt.Errorf("integrity_check: %s", said)
	}
	return nil
}

// settled says what a run that was killed has left after the next one: a file that
// no index lists, a run without an end or a manifest.
func (s *state) settled() error {
	listed := map[string]bool{}
	for _, o := range s.objects {
		listed[filepath.Join("s3", o.Bucket, filepath.FromSlash(o.Key))] = true
		listed[filepath.Join("objects", "sha256", o.Digest)] = true
	}
	for _, folder := range []string{"s3", "objects", "tmp"} {
		err := filepath.WalkDir(filepath.Join(s.workspace, folder), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if below, err := filepath.Rel(s.workspace, name); err != nil || !listed[below] {
				return fmt.Errorf("%s is there, and not recorded (%v)", below, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if s.running != "" {
		return fmt.Errorf("run %s has no end", s.running)
	}
	for _, r := range s.runs {
		text, err := os.ReadFile(local.ManifestFile(s.workspace, r.ID))
		if err != nil {
			return fmt.Errorf("run %s has left no manifest: %w", r.ID, err)
		}
		if m, err := manifest.Decode(text); err != nil || m.Status != r.Status || len(m.Interfaces) != 3 {
			return fmt.Errorf("the manifest of run %s, which ended %s, is %s (%v)", r.ID, r.Status, text, err)
		}
		staged, err := filepath.Glob(local.ManifestFile(s.workspace, r.ID) + ".*")
		if err != nil || len(staged) > 0 {
			return fmt.Errorf("half a manifest is left: %q (%v)", staged, err)
		}
	}
	return nil
}

// ending is how long the processes of a run that was killed may take to end.
const ending = 10 * time.Second

// left says which processes of the command live on, after they had the time to end.
func (t *trial) left() error {
	for deadline := time.Now().Add(ending); ; {
		living, err := t.processes()
		if err != nil || len(living) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("alive %s after the kill: %q", ending, living)
		}
	}
}

// processes are those that name the module in their command line, environment,
// working directory or mounts: where there is a /proc, which only Linux has.
func (t *trial) processes() ([]string, error) {
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var living []string
	for _, dir := range all {
		// What ends meanwhile, or is another user's, cannot be read.
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
		folder, _ := os.Readlink(filepath.Join(dir, "cwd"))
		mounts, _ := os.ReadFile(filepath.Join(dir, "mountinfo"))
		for _, text := range []string{string(line), string(environment), folder, string(mounts)} {
			if strings.Contains(text, t.module) {
				living = append(living, filepath.Base(dir)+" "+strings.ReplaceAll(string(line), "\x00", " "))
				break
			}
		}
	}
	return living, nil
}
