package record

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrNotFound says that the record holds nothing of that name.
var ErrNotFound = errors.New("not found")

const selectRuns = `SELECT seq, id, pipeline, package, execution, status, input, parameters, definition, commit_id, dirty,
	isolation, total_steps, pid, pid_start, started, ended, error, cause, failed_step, output, resumes, partial FROM runs`

func scanRuns(rows *sql.Rows) ([]Run, error) {
	return collect(rows, func(r *Run) error {
		var started, ended int64
		err := rows.Scan(&r.Seq, &r.ID, &r.Pipeline, &r.Package, &r.Execution, &r.Status, (*text)(&r.Input), (*text)(&r.Parameters),
			&r.Definition, &r.Commit, &r.Dirty, &r.Isolation, &r.TotalSteps, &r.PID, &r.PIDStart, &started, &ended,
			&r.Error, &r.Cause, &r.FailedStep, (*text)(&r.Output), &r.Resumes, &r.Partial)
		r.Started, r.Ended = moment(started), moment(ended)
		return err
	})
}

// Runs returns the newest runs first, at most limit of them; 0 is all.
func (d *DB) Runs(ctx context.Context, limit int) ([]Run, error) {
	if limit <= 0 {
		limit = -1
	}
	rows, err := d.db.QueryContext(ctx, selectRuns+" ORDER BY seq DESC LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("read the runs: %w", err)
	}
	return scanRuns(rows)
}

// Run finds a run by its id, a prefix of it that no other run has, or "latest".
// It returns an error that wraps [ErrNotFound] if there is none.
func (d *DB) Run(ctx context.Context, id string) (*Run, error) {
	query, args := " WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id = ?1 DESC, seq DESC LIMIT 9", []any{id}
	if id == "latest" {
		query, args = " ORDER BY seq DESC LIMIT 1", nil
	}
	if id == "" {
		return nil, fmt.Errorf("a run has no empty id: %w", ErrNotFound)
	}
	rows, err := d.db.QueryContext(ctx, selectRuns+query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the run: %w", err)
	}
	found, err := scanRuns(rows)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0 && id == "latest":
		return nil, fmt.Errorf("this workspace has no runs: %w", ErrNotFound)
	case len(found) == 0:
		return nil, fmt.Errorf("this workspace has no run %q: %w", id, ErrNotFound)
	case len(found) > 1 && found[0].ID != id && id != "latest":
		var ids []string
		for _, r := range found {
			ids = append(ids, r.ID)
		}
		return nil, fmt.Errorf("%q is the start of several runs: %s", id, strings.Join(ids, ", "))
	}
	return &found[0], nil
}

// Jobs returns what the jobs of a run were made from, by step's name.
func (d *DB) Jobs(ctx context.Context, run string) ([]Job, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT run, step, code, image, python, packages, environment FROM jobs WHERE run=? ORDER BY step", run)
	if err != nil {
		return nil, fmt.Errorf("read the jobs: %w", err)
	}
	return collect(rows, func(j *Job) error {
		var packages string
		if err := rows.Scan(&j.Run, &j.Step, &j.Code, &j.Image, &j.Python, &packages, &j.Environment); err != nil {
			return err
		}
		return json.Unmarshal([]byte(packages), &j.Packages)
	})
}

const selectSteps = `SELECT s.id, s.run, s.name, s.attempt, s.kind, s.status, s.job, s.request, s.response, s.error, s.reason, s.log,
	s.exit_code, s.max_rss, s.started, s.ended, s.cache_key, s.key_parts, s.cached_from`

// Steps returns every try of every Task state of a run, in order.
func (d *DB) Steps(ctx context.Context, run string) ([]Step, error) {
	rows, err := d.db.QueryContext(ctx, selectSteps+" FROM steps s WHERE s.run=? ORDER BY s.id", run)
	if err != nil {
		return nil, fmt.Errorf("read the steps: %w", err)
	}
	return collect(rows, func(s *Step) error { return scanStep(rows, s) })
}

// scanStep reads the columns of selectSteps.
func scanStep(rows *sql.Rows, s *Step) error {
	var started, ended int64
	var parts text
	err := rows.Scan(&s.ID, &s.Run, &s.Name, &s.Attempt, &s.Kind, &s.Status, &s.Job, (*text)(&s.Request), (*text)(&s.Response),
		&s.Error, &s.Reason, &s.Log, &s.ExitCode, &s.MaxRSS, &started, &ended, &s.CacheKey, &parts, &s.CachedFrom)
	s.Started, s.Ended = moment(started), moment(ended)
	if err != nil || parts == nil {
		return err
	}
	return json.Unmarshal(parts, &s.KeyParts)
}

// Artifacts returns what a run started from and wrote, in order.
func (d *DB) Artifacts(ctx context.Context, run string) ([]Artifact, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT id, run, step, name, kind, uri, digest, bytes FROM artifacts WHERE run=? ORDER BY id", run)
	if err != nil {
		return nil, fmt.Errorf("read the artifacts: %w", err)
	}
	return collect(rows, func(a *Artifact) error {
		return rows.Scan(&a.ID, &a.Run, &a.Step, &a.Name, &a.Kind, &a.URI, &a.Digest, &a.Bytes)
	})
}

// Edges returns what each step of a run read and wrote, in order.
func (d *DB) Edges(ctx context.Context, run string) ([]Edge, error) {
	rows, err := d.db.QueryContext(ctx, `SELECT s.run, s.name, s.attempt, e.direction, e.port, a.id, a.run, a.step, a.name, a.kind, a.uri, a.digest, a.bytes
		FROM edges e JOIN steps s ON s.id = e.step JOIN artifacts a ON a.id = e.artifact
		WHERE s.run=? ORDER BY s.id, e.direction, e.port`, run)
	if err != nil {
		return nil, fmt.Errorf("read what made what: %w", err)
	}
	return collect(rows, func(e *Edge) error {
		a := &e.Artifact
		return rows.Scan(&e.Run, &e.Step, &e.Attempt, &e.Direction, &e.Port, &a.ID, &a.Run, &a.Step, &a.Name, &a.Kind, &a.URI, &a.Digest, &a.Bytes)
	})
}

// The queries of objects, several a step.
const (
	findObject  = "SELECT digest, bytes, created FROM objects WHERE bucket=? AND key=?"
	listObjects = "SELECT bucket, key, digest, bytes, created FROM objects WHERE bucket=? AND key>=? AND key<? ORDER BY key"
)

// Object finds one object, or returns an error that wraps [ErrNotFound].
func (d *DB) Object(ctx context.Context, bucket, key string) (*Object, error) {
	o := Object{Bucket: bucket, Key: key}
	var created int64
	find, err := d.statement(ctx, findObject)
	if err == nil {
		err = find.QueryRowContext(ctx, bucket, key).Scan(&o.Digest, &o.Bytes, &created)
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("look up s3://%s/%s: %w", bucket, key, err)
	}
	o.Created = moment(created)
	return &o, nil
}

// Objects returns the objects of a bucket whose keys start with a prefix, by key.
func (d *DB) Objects(ctx context.Context, bucket, prefix string) ([]Object, error) {
	// Every key that starts with the prefix sorts before the prefix and the greatest
	// character; so the primary key serves, where LIKE would not.
	list, err := d.statement(ctx, listObjects)
	if err != nil {
		return nil, fmt.Errorf("list s3://%s/%s: %w", bucket, prefix, err)
	}
	rows, err := list.QueryContext(ctx, bucket, prefix, prefix+"\U0010FFFF")
	if err != nil {
		return nil, fmt.Errorf("list s3://%s/%s: %w", bucket, prefix, err)
	}
	return collect(rows, func(o *Object) error {
		var created int64
		err := rows.Scan(&o.Bucket, &o.Key, &o.Digest, &o.Bytes, &created)
		o.Created = moment(created)
		return err
	})
}

// text scans a text column into raw JSON.
type text json.RawMessage

// Scan implements sql.Scanner.
func (t *text) Scan(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("column holds %T, not text", v)
	}
	*t = nil
	if s != "" {
		*t = text(s)
	}
	return nil
}

// collect reads all rows, and closes them.
func collect[T any](rows *sql.Rows, scan func(*T) error) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := scan(&v); err != nil {
			return nil, fmt.Errorf("read the record: %w", err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the record: %w", err)
	}
	return all, nil
}
