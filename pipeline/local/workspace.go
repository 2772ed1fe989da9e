package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/mlmax/mlmax/pipeline/local/objects"
	"github.com/mlmax/mlmax/pipeline/record"
)

// workspace is an open workspace: its lock is held.
type workspace struct {
	dir   string
	lock  *flock.Flock
	db    *record.DB
	store *objects.Store
	// unclean says that the lock's file named another, who did not come to close the
	// workspace, and clean that nothing of that is left.
	unclean, clean bool
}

// owner is what the lock's file tells others.
type owner struct {
	PID   int       `json:"pid"`
	Start string    `json:"start"`
	Run   string    `json:"run"`
	Since time.Time `json:"since"`
}

// A BusyError says that another run holds the workspace.
type BusyError struct {
	Workspace string
	PID       int
	Run       string
	Since     time.Time
}

// Error names the other run and the ways out.
func (e *BusyError) Error() string {
	return fmt.Sprintf("workspace is in use by PID %d (run %s, since %s). Wait, or use --workspace", e.PID, e.Run, e.Since.Local().Format("15:04"))
}

// openWorkspace makes the workspace if there is none, takes its lock, and opens it.
// Between, it calls locked, if that is not nil.
func openWorkspace(ctx context.Context, dir string, self owner, now func() time.Time, locked func(*workspace)) (*workspace, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unwritable(dir, err)
	}
	w, err := lockWorkspace(dir)
	if err != nil {
		return nil, err
	}
	if locked != nil {
		locked(w)
	}
	if err := w.open(ctx, self, now); err != nil {
		w.close(new(sync.WaitGroup))
		return nil, err
	}
	return w, nil
}

// lockWorkspace takes the lock of a workspace that is there.
func lockWorkspace(dir string) (*workspace, error) {
	w := &workspace{dir: dir, lock: flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))}
	locked, err := w.lock.TryLock()
	if err != nil {
		return nil, unwritable(dir, err)
	}
	if !locked {
		return nil, busy(dir)
	}
	return w, nil
}

// open prepares the workspace once its lock is held.
func (w *workspace) open(ctx context.Context, self owner, now func() time.Time) error {
	text, err := json.Marshal(self)
	if err != nil {
		return err
	}
	if w.unclean, err = takeOver(w.lock.Path(), text); err != nil {
		return unwritable(w.dir, err)
	}
	// A workspace is never committed with the module around it.
	ignore := filepath.Join(w.dir, ".gitignore")
	if _, err := os.Lstat(ignore); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(ignore, []byte("*\n"), 0o600); err != nil {
			return unwritable(w.dir, err)
		}
	}
	if err := CheckRecord(w.dir); err != nil {
		return err
	}
	w.db, err = record.Open(ctx, filepath.Join(w.dir, recordName))
	if record.IsFull(err) {
		return objects.Explain(w.dir, err, 0, "opening the record")
	}
	if err != nil {
		return err
	}
	if w.unclean {
		if err := checkUnclean(ctx, w.dir, w.db); err != nil {
			return err
		}
	}
	w.store, err = objects.Open(w.dir, w.db, now)
	w.clean = err == nil && !w.unclean
	return err
}

// PathOf is where a person finds what an s3:// URI names in a workspace, or empty if
// the URI is none of this machine's.
func PathOf(workspace, uri string) string {
	name, key, err := objects.Parse(uri)
	if err != nil || name != bucket {
		return ""
	}
	return objects.PathIn(workspace, name, key)
}

// takeOver writes who holds the lock over who held it before, and says whether there
// is a name: whoever closes the workspace takes it out. The file is never empty
// between, so that a process which is killed here leaves a trace, too.
func takeOver(file string, text []byte) (unclean bool, err error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0o600)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if _, err := f.WriteAt(text, 0); err != nil {
		return false, err
	}
	return info.Size() > 0, f.Truncate(int64(len(text)))
}

// close lets go of the workspace, after what still goes on in its folders beside
// the run; the record is closed meanwhile.
func (w *workspace) close(beside *sync.WaitGroup) error {
	var errs []error
	if w.db != nil {
		errs = append(errs, w.db.Close())
	}
	beside.Wait()
	if w.clean {
		errs = append(errs, os.Truncate(w.lock.Path(), 0))
	}
	if w.store != nil {
		errs = append(errs, w.store.Close())
	}
	return errors.Join(append(errs, w.lock.Close())...)
}

// busy reads who holds the lock. The file may be empty for the instant in which
// its holder writes it.
func busy(dir string) error {
	var o owner
	text, err := os.ReadFile(filepath.Join(dir, "lock"))
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		return fmt.Errorf("workspace %s is in use by another process. Wait, or use --workspace", dir)
	}
	return &BusyError{Workspace: dir, PID: o.PID, Run: o.Run, Since: o.Since}
}

func unwritable(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return objects.Explain(dir, err, 0, "opening the workspace")
	}
	if errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "read-only") {
		return fmt.Errorf("workspace %s cannot be written (%w); use --workspace with a folder that can", dir, err)
	}
	return fmt.Errorf("open the workspace %s: %w; use --workspace with another folder", dir, err)
}
