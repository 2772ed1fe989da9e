package record

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// A Link joins a step's try and an artifact that it read or wrote.
type Link struct {
	// Step is the try's id.
	Step int64
	// Direction is "in" or "out".
	Direction string
	Port      string
	Artifact  Artifact
}

// A Use says that a run started from a model version.
type Use struct {
	Run string
	// Name is the field of the spec, ARN the version's.
	Name, ARN string
}

// The queries of lineage take lists as JSON arrays. CROSS JOIN keeps SQLite from
// reading a table to look its rows up in the list.
const (
	artifactColumns = "a.id, a.run, a.step, a.name, a.kind, a.uri, a.digest, a.bytes"
	linksOfSteps    = "SELECT e.step, e.direction, e.port, " + artifactColumns + ` FROM json_each(?) w
		CROSS JOIN edges e ON e.step = w.value AND e.direction = ? CROSS JOIN artifacts a ON a.id = e.artifact ORDER BY e.step, e.port`
	linksOfURIs = "SELECT e.step, e.direction, e.port, " + artifactColumns + ` FROM json_each(?) w
		CROSS JOIN artifacts a ON a.uri = w.value CROSS JOIN edges e ON e.artifact = a.id AND e.direction = ? ORDER BY e.step, e.port`
	artifactsByURI    = "SELECT " + artifactColumns + " FROM json_each(?) w CROSS JOIN artifacts a ON a.uri = w.value ORDER BY a.id"
	artifactsByDigest = "SELECT " + artifactColumns + " FROM artifacts a WHERE a.digest = ? ORDER BY a.id"
	objectsByDigest   = "SELECT bucket, key, digest, bytes, created FROM objects WHERE digest = ? ORDER BY bucket, key"
	stepColumns       = `SELECT s.id, s.run, s.name, s.attempt, s.kind, s.status, s.job, s.error, s.reason, s.log, s.started, s.ended, s.cached_from, `
	stepsByID         = stepColumns + "s.request FROM json_each(?) w CROSS JOIN steps s ON s.id = w.value ORDER BY s.id"
	stepsByIDBare     = stepColumns + "'' FROM json_each(?) w CROSS JOIN steps s ON s.id = w.value ORDER BY s.id"
	stepsCachedFrom   = stepColumns + "'' FROM json_each(?) w CROSS JOIN steps s ON s.cached_from = w.value AND s.cached_from <> 0 ORDER BY s.id"
	stepsByCode       = stepColumns + "s.request FROM jobs j CROSS JOIN steps s ON s.run = j.run AND s.name = j.step WHERE j.code = ? ORDER BY s.id"
	runsByID          = " FROM json_each(?) w CROSS JOIN runs r ON r.id = w.value ORDER BY r.seq"
	jobsByRun         = `SELECT j.run, j.step, j.code, j.image, j.python, j.packages, j.environment FROM json_each(?) w
		CROSS JOIN jobs j ON j.run = w.value ORDER BY j.run, j.step`
	whereRuns = "run IN (SELECT value FROM json_each(?) w)"
	whereARNs = "arn IN (SELECT value FROM json_each(?) w)"
	usesByRun = `SELECT s.run, substr(s.name, length('Describe ') + 1), json_extract(s.request, '$.ModelPackageName') FROM json_each(?) w
		CROSS JOIN steps s ON s.run = w.value AND s.kind = 'call' AND s.status = 'SUCCEEDED' AND s.name LIKE 'Describe %'
		WHERE json_extract(s.request, '$.ModelPackageName') IS NOT NULL GROUP BY 1, 2, 3 ORDER BY min(s.id)`
	approvalsByARN = `SELECT a.model_group, a.version, a.status, a.person, a.note, a.at FROM json_each(?) w
		CROSS JOIN models m ON m.arn = w.value CROSS JOIN approvals a ON a.model_group = m.model_group AND a.version = m.version ORDER BY a.id`
	latestRun = " WHERE pipeline = ? ORDER BY seq DESC LIMIT 1"
)

// list is a list of values for json_each.
func list[T int64 | string](values []T) string {
	b, err := json.Marshal(values)
	if err != nil {
		panic(fmt.Sprintf("record: %v", err)) // numbers and text can be encoded
	}
	return string(b)
}

// query runs one of the queries and reads its rows.
func query[T any](ctx context.Context, d *DB, doing, text string, scan func(*sql.Rows, *T) error, args ...any) ([]T, error) {
	rows, err := d.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", doing, err)
	}
	return collect(rows, func(v *T) error { return scan(rows, v) })
}

// LinksOfSteps returns what tries read ("in") or wrote ("out"), by the tries' ids.
func (d *DB) LinksOfSteps(ctx context.Context, steps []int64, direction string) ([]Link, error) {
	return query(ctx, d, "what steps read and wrote", linksOfSteps, scanLink, list(steps), direction)
}

// LinksOfURIs returns which tries read ("in") or wrote ("out") what has one of the
// URIs, exactly as written.
func (d *DB) LinksOfURIs(ctx context.Context, uris []string, direction string) ([]Link, error) {
	return query(ctx, d, "who read and wrote", linksOfURIs, scanLink, list(uris), direction)
}

func scanLink(rows *sql.Rows, l *Link) error {
	a := &l.Artifact
	return rows.Scan(&l.Step, &l.Direction, &l.Port, &a.ID, &a.Run, &a.Step, &a.Name, &a.Kind, &a.URI, &a.Digest, &a.Bytes)
}

// ArtifactsByURI returns the artifacts that have one of the URIs, exactly as written.
func (d *DB) ArtifactsByURI(ctx context.Context, uris []string) ([]Artifact, error) {
	return query(ctx, d, "the artifacts", artifactsByURI, scanArtifact, list(uris))
}

// ArtifactsByDigest returns the artifacts of a content: "sha256:" and hex.
func (d *DB) ArtifactsByDigest(ctx context.Context, digest string) ([]Artifact, error) {
	return query(ctx, d, "the artifacts", artifactsByDigest, scanArtifact, digest)
}

func scanArtifact(rows *sql.Rows, a *Artifact) error {
	return rows.Scan(&a.ID, &a.Run, &a.Step, &a.Name, &a.Kind, &a.URI, &a.Digest, &a.Bytes)
}

// ObjectsByDigest returns the objects of a content: hex.
func (d *DB) ObjectsByDigest(ctx context.Context, digest string) ([]Object, error) {
	return query(ctx, d, "the objects", objectsByDigest, func(rows *sql.Rows, o *Object) error {
		var created int64
		err := rows.Scan(&o.Bucket, &o.Key, &o.Digest, &o.Bytes, &created)
		o.Created = moment(created)
		return err
	}, digest)
}

// StepsByID returns tries without their responses and cache keys; with their
// requests if those are asked for.
func (d *DB) StepsByID(ctx context.Context, ids []int64, requests bool) ([]Step, error) {
	text := stepsByIDBare
	if requests {
		text = stepsByID
	}
	return query(ctx, d, "the steps", text, scanTry, list(ids))
}

// StepsCachedFrom returns the steps whose outputs were taken from one of the tries.
func (d *DB) StepsCachedFrom(ctx context.Context, ids []int64) ([]Step, error) {
	return query(ctx, d, "the steps", stepsCachedFrom, scanTry, list(ids))
}

// StepsByCode returns the tries of steps whose run had code of this digest for them.
func (d *DB) StepsByCode(ctx context.Context, code string) ([]Step, error) {
	return query(ctx, d, "the steps", stepsByCode, scanTry, code)
}

func scanTry(rows *sql.Rows, s *Step) error {
	var started, ended int64
	err := rows.Scan(&s.ID, &s.Run, &s.Name, &s.Attempt, &s.Kind, &s.Status, &s.Job, &s.Error, &s.Reason, &s.Log, &started, &ended, &s.CachedFrom, (*text)(&s.Request))
	s.Started, s.Ended = moment(started), moment(ended)
	return err
}

// RunsByID returns runs without their inputs and outputs, the oldest first.
func (d *DB) RunsByID(ctx context.Context, ids []string) ([]Run, error) {
	const columns = `SELECT r.seq, r.id, r.pipeline, r.status, r.definition, r.commit_id, r.dirty, r.pid, r.pid_start, r.started, r.ended, r.resumes, r.partial`
	return query(ctx, d, "the runs", columns+runsByID, func(rows *sql.Rows, r *Run) error {
		var started, ended int64
		err := rows.Scan(&r.Seq, &r.ID, &r.Pipeline, &r.Status, &r.Definition, &r.Commit, &r.Dirty, &r.PID, &r.PIDStart, &started, &ended, &r.Resumes, &r.Partial)
		r.Started, r.Ended = moment(started), moment(ended)
		return err
	}, list(ids))
}

// LatestRun returns the newest run of a pipeline, or an error that wraps
// [ErrNotFound].
func (d *DB) LatestRun(ctx context.Context, pipeline string) (*Run, error) {
	rows, err := d.db.QueryContext(ctx, selectRuns+latestRun, pipeline)
	if err != nil {
		return nil, fmt.Errorf("read the run: %w", err)
	}
	found, err := scanRuns(rows)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s has no runs in this workspace: %w", pipeline, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

// JobsOfRuns returns what the jobs of runs were made from.
func (d *DB) JobsOfRuns(ctx context.Context, runs []string) ([]Job, error) {
	return query(ctx, d, "the jobs", jobsByRun, func(rows *sql.Rows, j *Job) error {
		var packages string
		err := rows.Scan(&j.Run, &j.Step, &j.Code, &j.Image, &j.Python, &packages, &j.Environment)
		return errors.Join(err, json.Unmarshal([]byte(packages), &j.Packages))
	}, list(runs))
}

// ModelsOfRuns returns the model versions that runs registered.
func (d *DB) ModelsOfRuns(ctx context.Context, runs []string) ([]ModelPackage, error) {
	return d.modelsIn(ctx, whereRuns, runs)
}

// ModelsByARN returns model versions; those that are not there are left out.
func (d *DB) ModelsByARN(ctx context.Context, arns []string) ([]ModelPackage, error) {
	return d.modelsIn(ctx, whereARNs, arns)
}

func (d *DB) modelsIn(ctx context.Context, where string, values []string) ([]ModelPackage, error) {
	found, err := queryModels(ctx, d.db, where, byVersion, list(values))
	if err != nil {
		return nil, fmt.Errorf("read the models: %w", err)
	}
	return found, nil
}

// ApprovalsByARN returns the decisions about model versions, the oldest first.
func (d *DB) ApprovalsByARN(ctx context.Context, arns []string) ([]Approval, error) {
	return query(ctx, d, "the decisions", approvalsByARN, func(rows *sql.Rows, a *Approval) error {
		var at int64
		err := rows.Scan(&a.Group, &a.Version, &a.Status, &a.Person, &a.Note, &at)
		a.At = moment(at)
		return err
	}, list(arns))
}

// UsesOfRuns returns which model versions runs started from: those that their
// machines described.
func (d *DB) UsesOfRuns(ctx context.Context, runs []string) ([]Use, error) {
	return query(ctx, d, "the model versions of runs", usesByRun, func(rows *sql.Rows, u *Use) error {
		return rows.Scan(&u.Run, &u.Name, &u.ARN)
	}, list(runs))
}
