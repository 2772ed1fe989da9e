package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// ErrSound says that a record needs no rebuilding.
var ErrSound = errors.New("the record is sound")

// Rebuilt says what [Rebuild] did.
type Rebuilt struct {
	// Damage is what was wrong, or nil. Moved is where the record was moved to, or
	// empty if there was none.
	Damage error
	Moved  string
	// Runs is how many runs the new record has.
	Runs int
	// Without are the runs whose folder holds no manifest: they did not come to their
	// end, and no run came after them.
	Without []string
	// Refused are the manifests that could not be taken; they end in .refused now.
	Refused []Refused
	// Lost counts the links of runs to artifacts of runs that are not there.
	Lost int
}

// Refused is a manifest that could not be taken, and why.
type Refused struct {
	Run string
	Err error
}

// Rebuild makes the record of a workspace anew from the manifests of its runs, and
// moves the old one aside. One that is sound is left alone, with [ErrSound], unless
// force is given; one that a newer version wrote is never touched. It holds the
// workspace's lock.
func Rebuild(ctx context.Context, workspace string, force bool, now time.Time) (*Rebuilt, error) {
	if _, err := os.Stat(workspace); err != nil {
		return nil, fmt.Errorf("open the workspace: %w", err)
	}
	w, err := lockWorkspace(workspace)
	if err != nil {
		return nil, err
	}
	defer w.close(new(sync.WaitGroup))
	self, err := json.Marshal(owner{PID: os.Getpid(), Start: processStart(), Run: "rebuild", Since: now})
	if err != nil {
		return nil, err
	}
	if _, err := takeOver(w.lock.Path(), self); err != nil {
		return nil, unwritable(workspace, err)
	}
	out := &Rebuilt{}
	file := filepath.Join(workspace, recordName)
	out.Damage, err = damageOf(ctx, workspace)
	switch {
	case err != nil:
		return nil, err
	case out.Damage == nil && !force:
		return nil, fmt.Errorf("%s: %w", file, ErrSound)
	}
	saved, err := out.collect(workspace)
	if err != nil {
		return nil, err
	}
	fresh := file + ".new"
	if err := out.make(ctx, fresh, saved); err != nil {
		return nil, objects.Explain(workspace, err, 0, "making the new record")
	}
	if out.Moved, err = moveAside(file); err != nil {
		return nil, fmt.Errorf("move the damaged record aside: %w", err)
	}
	if err := os.Rename(fresh, file); err != nil {
		return nil, fmt.Errorf("put the new record in its place: %w", err)
	}
	// The lock keeps our name: what the old record knew, and the manifests do not, lies
	// about, and the next run is to look for it.
	return out, out.setAside(workspace)
}

// setAside renames the manifests that could not be taken, so that nobody expects the
// record to know their runs.
func (r *Rebuilt) setAside(workspace string) error {
	for _, one := range r.Refused {
		file := ManifestFile(workspace, one.Run)
		if err := os.Rename(file, file+".refused"); err != nil {
			return fmt.Errorf("set the manifest of run %s aside: %w", one.Run, err)
		}
	}
	return nil
}

// damageOf says what is wrong with a record. What stands in the way of looking is
// an error, and so is a record of a newer version.
func damageOf(ctx context.Context, workspace string) (damage, err error) {
	if err = CheckRecord(workspace); err == nil {
		err = checkClosely(ctx, workspace)
	}
	if record.IsDamaged(err) {
		return err, nil
	}
	return nil, err
}

// collect reads the manifests of all runs, in the order of the runs.
func (r *Rebuilt) collect(workspace string) ([]record.Saved, error) {
	runs, described, err := runFolders(workspace)
	if err != nil {
		return nil, fmt.Errorf("look for manifests: %w", err)
	}
	type numbered struct {
		record.Saved
		started time.Time
	}
	var found []numbered
	for _, run := range runs {
		if !described[run] {
			r.Without = append(r.Without, run)
			continue
		}
		m, err := readManifest(workspace, run)
		one := numbered{Saved: record.Saved{Run: run}}
		if err == nil {
			one.started = m.StartTime
			err = json.Unmarshal(m.Record, &one.Export)
		}
		if err != nil {
			r.Refused = append(r.Refused, Refused{run, err})
			continue
		}
		found = append(found, one)
	}
	// Which of two wrote an object last is told by the order in which they ran.
	slices.SortStableFunc(found, func(a, b numbered) int { return a.started.Compare(b.started) })
	saved := make([]record.Saved, len(found))
	for i, one := range found {
		saved[i] = one.Saved
	}
	return saved, nil
}

// make makes the new record beside the old one.
func (r *Rebuilt) make(ctx context.Context, file string, saved []record.Saved) error {
	for _, end := range databaseFiles {
		if err := os.Remove(file + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err // of a rebuild that was killed
		}
	}
	db, err := record.Open(ctx, file)
	if err != nil {
		return err
	}
	imported, err := db.Import(ctx, saved)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	r.Runs, r.Lost = imported.Runs, imported.Lost
	for _, run := range sortedKeys(imported.Refused) {
		r.Refused = append(r.Refused, Refused{run, imported.Refused[run]})
	}
	return nil
}

// databaseFiles are the ends of the names of a database's files. The database comes
// first: what is left of it without its log would be an older, and maybe sound one.
var databaseFiles = []string{"", "-wal", "-shm"}

// moveAside renames a database to a name that nothing has, and returns it, or "" if
// there is none.
func moveAside(file string) (string, error) {
	aside := file + ".corrupt"
	for n := 1; taken(aside); n++ {
		aside = file + ".corrupt." + strconv.Itoa(n)
	}
	moved := ""
	for _, end := range databaseFiles {
		err := os.Rename(file+end, aside+end)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		moved = aside
	}
	return moved, nil
}

func taken(file string) bool {
	for _, end := range databaseFiles {
		if _, err := os.Lstat(file + end); err == nil {
			return true
		}
	}
	return false
}
