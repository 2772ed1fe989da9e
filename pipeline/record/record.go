// Package record keeps what happened in a workspace: runs, every try of every
// step, artifacts, objects, models, and what made what. In goes what the local
// runner tells at each boundary, each in one transaction; out come the rows, by
// run or model group. It starts nothing, deletes nothing, and reads no file but
// its own SQLite database.
//
// The database is in WAL mode: a killed process loses nothing that was committed.
// While the record is open its log is only ever appended to, and not synced; Close
// syncs the log, moves it into the database and syncs that. So a power failure loses
// at most the last transactions of processes that were running or were killed, whole.
package record

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite" // the driver "sqlite", in pure Go
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is the record of one workspace.
type DB struct {
	db       *sql.DB
	path     string
	mu       sync.Mutex
	compiled map[string]*sql.Stmt
}

// How the log is written, and how it is moved into the database. Without syncing, the
// log must not be begun anew while its old pages are in the file: that is why nothing
// but Close moves it.
const (
	unsynced = "synchronous(OFF)"
	synced   = "synchronous(NORMAL)"
)

// Open opens the record at a path, makes it if there is none, and brings an older
// one to this version's shape. One that a newer version wrote is refused, and so is
// one that is visibly damaged, with a *[DamagedError]; [DB.Check] looks closer.
func Open(ctx context.Context, path string) (*DB, error) {
	if err := checkHeader(path); IsDamaged(err) {
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("open the record: %w", err)
	}
	pragmas := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", unsynced, "wal_autocheckpoint(0)", "foreign_keys(ON)", "cache_size(-2000)"},
		"_txlock": {"immediate"},
	}
	// A path may hold "?", "#" or "%", which mean something in a URI.
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: pragmas.Encode()}).String()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("open the record %s: %w", path, err)
	}
	// One writer and short reads: a second connection would only cost memory.
	db.SetMaxOpenConns(1)
	err = migrate(ctx, db, path)
	if err == nil {
		err = checkTables(ctx, db, path)
	}
	if err != nil {
		db.Close()
		if err = damaged(path, err); IsDamaged(err) {
			return nil, err
		}
		return nil, fmt.Errorf("open the record %s: %w", path, err)
	}
	return &DB{db: db, path: path, compiled: map[string]*sql.Stmt{}}, nil
}

// Close closes the record, and makes it last.
func (d *DB) Close() error {
	_, err := d.db.Exec("PRAGMA " + synced)
	return errors.Join(err, d.db.Close())
}

// A NewerError says that a newer version of mlmax wrote the record.
type NewerError struct {
	Found, Known int
}

// Error says which shape was found, and the way out.
func (e *NewerError) Error() string {
	return fmt.Sprintf("it has version %d and this mlmax knows versions up to %d; use the newer mlmax, or another folder with --workspace", e.Found, e.Known)
}

// migrate applies the numbered scripts that the database has not seen, all in one
// transaction, so that a killed migration never happened.
func migrate(ctx context.Context, db *sql.DB, file string) error {
	known := latest()
	// Reading first: an up-to-date record is opened without a write.
	var found int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
		return err
	}
	if found == known {
		return nil
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
		return err
	}
	if found > known {
		return &NewerError{Found: found, Known: known}
	}
	if found <= 0 {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n); err != nil {
			return err
		}
		if n > 0 || found < 0 {
			return &DamagedError{Path: file, Reason: otherProgram}
		}
	}
	for _, script := range scripts() {
		if number(script) <= found {
			continue
		}
		text, err := migrations.ReadFile(script)
		if err != nil {
			panic(err) // it is embedded
		}
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("apply %s: %w", path.Base(script), err)
		}
	}
	if _, err := tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(known)); err != nil {
		return err
	}
	return tx.Commit()
}

// scripts are the migrations, in order.
func scripts() []string {
	all, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		panic(err) // the pattern is constant
	}
	return all
}

// latest is the version of the tables that this program knows.
func latest() int {
	all := scripts()
	return number(all[len(all)-1])
}

// number is the version that a script leads to: "migrations/001_runs.sql" to 1.
func number(script string) int {
	digits, _, _ := strings.Cut(path.Base(script), "_")
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(fmt.Sprintf("record: migration %s has no number", script))
	}
	return n
}

// statement is a query compiled once. Whoever holds a transaction must not call it:
// the database has one connection.
func (d *DB) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.compiled[query]; s != nil {
		return s, nil
	}
	s, err := d.db.PrepareContext(ctx, query)
	if err == nil {
		d.compiled[query] = s
	}
	return s, err
}

// A transaction knows the compiled form of the queries that every step needs.
type transaction struct {
	*sql.Tx
	compiled map[string]*sql.Stmt
}

func (t *transaction) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := t.compiled[query]; s != nil {
		return t.StmtContext(ctx, s).ExecContext(ctx, args...)
	}
	return t.ExecContext(ctx, query, args...)
}

func (t *transaction) row(ctx context.Context, query string, args ...any) *sql.Row {
	if s := t.compiled[query]; s != nil {
		return t.StmtContext(ctx, s).QueryRowContext(ctx, args...)
	}
	return t.QueryRowContext(ctx, query, args...)
}

// write runs f in one transaction. The queries named are compiled once for all
// transactions.
func (d *DB) write(ctx context.Context, what string, f func(*transaction) error, queries ...string) error {
	t := &transaction{compiled: make(map[string]*sql.Stmt, len(queries))}
	var err error
	for _, q := range queries {
		if t.compiled[q], err = d.statement(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if t.Tx, err = d.db.BeginTx(ctx, nil); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer t.Rollback()
	if err := f(t); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// IsFull says whether an error is SQLite's for a full disk.
func IsFull(err error) bool {
	const full = 13 // SQLITE_FULL
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == full
}

// micros is a time as it is stored; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is the inverse of micros.
func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
