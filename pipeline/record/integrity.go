package record

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"modernc.org/sqlite"
)

// A DamagedError says that the record cannot be used as it is. What it held can be
// made again from the manifests of the runs ([DB.Import]).
type DamagedError struct {
	// Path is the database, Reason what is wrong with it.
	Path, Reason string
	// Err is SQLite's error, if it found the damage.
	Err error
}

// Error says what is wrong.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("lineage DB %s failed its integrity check: %s", e.Path, e.Reason)
}

// Unwrap returns SQLite's error, or nil.
func (e *DamagedError) Unwrap() error { return e.Err }

// IsDamaged says whether an error means that the database is damaged, wherever it
// was found: when it was opened, or by a query that met the damage later.
func IsDamaged(err error) bool {
	var damaged *DamagedError
	return errors.As(err, &damaged) || damagedCode(err)
}

// IsReadOnly says whether an error means that the database, or the folder that it is in,
// cannot be written. Reading it needs that too, for its log is kept beside it.
func IsReadOnly(err error) bool {
	const readOnly, cannotOpen = 8, 14 // SQLITE_READONLY, SQLITE_CANTOPEN
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == readOnly || e.Code()&0xff == cannotOpen)
}

// damagedCode says whether SQLite found damage.
func damagedCode(err error) bool {
	const corrupt, notADB = 11, 26 // SQLITE_CORRUPT, SQLITE_NOTADB
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == corrupt || e.Code()&0xff == notADB)
}

// damaged makes a *[DamagedError] of an error of SQLite's about damage, and returns
// any other as it is.
func damaged(path string, err error) error {
	if damagedCode(err) {
		return &DamagedError{Path: path, Reason: err.Error(), Err: err}
	}
	return err
}

const otherProgram = "it is the database of another program"

// What a SQLite database begins with (its file format, section 1.3).
const (
	magic      = "SQLite format 3\x00"
	headerSize = 100
)

// checkHeader looks at the first bytes of a database: it costs one read, and finds
// a file that was torn, zeroed or overwritten from its start, or cut. SQLite itself
// would take some of these for a new database, or find the damage much later.
func checkHeader(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return err // none yet; whether that can be is the caller's to say
	}
	header := make([]byte, headerSize)
	bad := &DamagedError{Path: path}
	_, err = io.ReadFull(file, header)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		bad.Reason = fmt.Sprintf("it has only %d bytes", info.Size())
		return bad
	case err != nil:
		return err
	case bytes.Count(header, []byte{0}) == headerSize:
		bad.Reason = "it begins with zeros"
		return bad
	case !bytes.HasPrefix(header, []byte(magic)):
		bad.Reason = "it is no SQLite database"
		return bad
	}
	page := int64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 {
		page = 65536
	}
	if _, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		pages := int64(binary.BigEndian.Uint32(header[28:]))
		if info.Size() < pages*page {
			bad.Reason = fmt.Sprintf("it has %d bytes and should have %d: it was cut", info.Size(), pages*page)
			return bad
		}
		if version := binary.BigEndian.Uint32(header[60:]); version == 0 && pages > 1 {
			bad.Reason = otherProgram // opening it would change how it keeps its log
			return bad
		}
	}
	return nil
}

// tables are the tables of the record, each after those that it refers to.
var tables = []string{"runs", "jobs", "steps", "objects", "artifacts", "model_groups", "models", "approvals", "edges"}

// checkTables demands that the database has the record's tables, since its version
// alone may be that of another program's database.
func checkTables(ctx context.Context, db *sql.DB, path string) error {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type='table'")
	if err != nil {
		return err
	}
	names, err := collect(rows, func(name *string) error { return rows.Scan(name) })
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, name := range names {
		there[name] = true
	}
	for _, name := range tables {
		if !there[name] {
			return &DamagedError{Path: path, Reason: fmt.Sprintf("it has no table %q", name)}
		}
	}
	return nil
}

// Check looks at the whole database, and returns a *[DamagedError] if it is damaged.
// It takes a millisecond for every few hundred runs: it is for what was not closed.
func (d *DB) Check(ctx context.Context) error {
	rows, err := d.db.QueryContext(ctx, "PRAGMA quick_check(3)")
	if err != nil {
		return damaged(d.path, err)
	}
	found, err := collect(rows, func(s *string) error { return rows.Scan(s) })
	if err != nil {
		return damaged(d.path, err)
	}
	if len(found) != 1 || found[0] != "ok" {
		return &DamagedError{Path: d.path, Reason: fmt.Sprintf("%q", found)}
	}
	return nil
}
