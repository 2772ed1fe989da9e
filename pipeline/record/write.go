package record

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// The queries of every step.
const (
	// Without job<>'' SQLite reads the whole table: the index is a partial one.
	countJobs  = "SELECT count(*) FROM steps WHERE job=? AND job<>''"
	insertStep = `INSERT INTO steps (run, name, attempt, kind, status, job, request, response, error, reason,
		log, exit_code, max_rss, started, ended, cache_key, key_parts, cached_from) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`
	updateStep = "UPDATE steps SET status=?, response=?, error=?, reason=?, exit_code=?, max_rss=?, ended=? WHERE id=?"
	insertJob  = "INSERT OR REPLACE INTO jobs (run, step, code, image, python, packages, environment) VALUES (?,?,?,?,?,?,?)"
	// Data that many runs start from is there as often: a run's own is looked for among
	// the run's, any other from the end of its URI's. The plus signs keep other indices
	// out, in which there may be thousands.
	findOwn        = "SELECT id FROM artifacts WHERE run=? AND +uri IN (?, ?) AND +digest=? ORDER BY id DESC LIMIT 1"
	findNewest     = "SELECT id FROM artifacts WHERE uri=? AND +digest=? ORDER BY id DESC LIMIT 1"
	insertArtifact = "INSERT INTO artifacts (run, step, name, kind, uri, digest, bytes) VALUES (?,?,?,?,?,?,?)"
	insertEdge     = "INSERT INTO edges (step, direction, port, artifact) VALUES (?,?,?,?)"
	insertObject   = "INSERT OR REPLACE INTO objects (bucket, key, digest, bytes, created) VALUES (?,?,?,?,?)"
)

// StartRun adds a run with what it was made from and the data it starts from.
func (d *DB) StartRun(ctx context.Context, r Run, jobs []Job, data []Artifact) error {
	return d.write(ctx, "record the run", func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO runs (id, pipeline, package, execution, status, input, parameters,
			definition, commit_id, dirty, isolation, total_steps, pid, pid_start, started, resumes, partial)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			r.ID, r.Pipeline, r.Package, r.Execution, r.Status, string(r.Input), string(r.Parameters),
			r.Definition, r.Commit, r.Dirty, r.Isolation, r.TotalSteps, r.PID, r.PIDStart, micros(r.Started), r.Resumes, r.Partial)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			j.Run = r.ID
			if err := addJob(ctx, tx, j); err != nil {
				return err
			}
		}
		for _, a := range data {
			a.Run = r.ID
			if _, err := addArtifact(ctx, tx, a); err != nil {
				return err
			}
		}
		return nil
	}, insertJob, insertArtifact)
}

// PutJob notes what a job of a run is made from that did not say so before it
// started. A later try of the job replaces it.
func (d *DB) PutJob(ctx context.Context, j Job) error {
	return d.write(ctx, "record what the job is made from", func(tx *transaction) error { return addJob(ctx, tx, j) })
}

func addJob(ctx context.Context, tx *transaction, j Job) error {
	packages, err := json.Marshal(j.Packages)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, insertJob, j.Run, j.Step, j.Code, j.Image, j.Python, string(packages), j.Environment)
	return err
}

// SetSource sets which commit a run's code was at, and whether it differed from it.
func (d *DB) SetSource(ctx context.Context, run, commit string, dirty bool) error {
	return d.write(ctx, "record the run's commit", func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, "UPDATE runs SET commit_id=?, dirty=? WHERE id=?", commit, dirty, run)
		return err
	})
}

// EndRun sets a run's status, end, error, cause, failed step and output. A step that
// never came to its end has ended with it.
func (d *DB) EndRun(ctx context.Context, r Run) error {
	return d.write(ctx, "record the run's end", func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, "UPDATE runs SET status=?, ended=?, error=?, cause=?, failed_step=?, output=? WHERE id=?",
			r.Status, micros(r.Ended), r.Error, r.Cause, r.FailedStep, string(r.Output), r.ID)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE steps SET status='ABORTED', ended=? WHERE run=? AND status='RUNNING'", micros(r.Ended), r.ID)
		return err
	})
}

// ErrJobExists says that the workspace already has a job of this name.
var ErrJobExists = errors.New("a job of this name exists")

// StartStep adds a step's try, with what it reads, and returns its id.
func (d *DB) StartStep(ctx context.Context, s Step, inputs []Port) (int64, error) {
	var id int64
	err := d.write(ctx, "record the step's start", func(tx *transaction) error {
		if s.Job != "" {
			var n int
			if err := tx.row(ctx, countJobs, s.Job).Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				return ErrJobExists
			}
		}
		var err error
		id, err = addStep(ctx, tx, s)
		if err != nil {
			return err
		}
		return addEdges(ctx, tx, id, s.Run, "in", inputs)
	}, countJobs, insertStep, findOwn, findNewest, insertArtifact, insertEdge)
	return id, err
}

// EndStep sets how a step's try ended, and makes its outputs and their objects
// visible, all at once.
func (d *DB) EndStep(ctx context.Context, s Step, outputs []Port, objects []Object) error {
	return d.write(ctx, "record the step's end", func(tx *transaction) error {
		_, err := tx.exec(ctx, updateStep,
			s.Status, string(s.Response), s.Error, s.Reason, s.ExitCode, s.MaxRSS, micros(s.Ended), s.ID)
		if err != nil {
			return err
		}
		if err := addObjects(ctx, tx, objects); err != nil {
			return err
		}
		return addEdges(ctx, tx, s.ID, s.Run, "out", outputs)
	}, updateStep, insertObject, insertArtifact, insertEdge)
}

// AddCall adds a step that is a single call, with the objects it put.
func (d *DB) AddCall(ctx context.Context, s Step, objects []Object) error {
	return d.write(ctx, "record the call", func(tx *transaction) error {
		if _, err := addStep(ctx, tx, s); err != nil {
			return err
		}
		return addObjects(ctx, tx, objects)
	}, insertStep, insertObject)
}

// PutObjects makes objects visible, in one transaction. An object that exists is
// replaced.
func (d *DB) PutObjects(ctx context.Context, objects []Object) error {
	if len(objects) == 0 {
		return nil
	}
	return d.write(ctx, "record the objects", func(tx *transaction) error { return addObjects(ctx, tx, objects) }, insertObject)
}

// Interrupted marks the runs that are not the given one and never ended as
// ABORTED, with their steps, and returns them as they were found, each with the
// step it was in. Only the holder of the workspace's lock may call it.
func (d *DB) Interrupted(ctx context.Context, now time.Time) ([]Run, error) {
	var found []Run
	err := d.write(ctx, "mark interrupted runs", func(tx *transaction) error {
		rows, err := tx.QueryContext(ctx, selectRuns+" WHERE status='RUNNING' ORDER BY seq")
		if err != nil {
			return err
		}
		if found, err = scanRuns(rows); err != nil || len(found) == 0 {
			return err
		}
		for i := range found {
			err := tx.QueryRowContext(ctx, "SELECT name FROM steps WHERE run=? AND status='RUNNING' ORDER BY id DESC LIMIT 1",
				found[i].ID).Scan(&found[i].FailedStep)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			_, err = tx.ExecContext(ctx, "UPDATE runs SET status='ABORTED', ended=?, error='Interrupted', cause='the process that ran it ended', failed_step=? WHERE id=?",
				micros(now), found[i].FailedStep, found[i].ID)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, "UPDATE steps SET status='ABORTED', ended=?, error='Interrupted' WHERE run=? AND status='RUNNING'",
				micros(now), found[i].ID)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

func addStep(ctx context.Context, tx *transaction, s Step) (int64, error) {
	var parts []byte
	if s.KeyParts != nil {
		var err error
		if parts, err = json.Marshal(s.KeyParts); err != nil {
			return 0, err
		}
	}
	res, err := tx.exec(ctx, insertStep,
		s.Run, s.Name, s.Attempt, s.Kind, s.Status, s.Job, string(s.Request), string(s.Response), s.Error, s.Reason,
		s.Log, s.ExitCode, s.MaxRSS, micros(s.Started), micros(s.Ended), s.CacheKey, string(parts), s.CachedFrom)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// addArtifact adds an artifact, and returns its id.
func addArtifact(ctx context.Context, tx *transaction, a Artifact) (int64, error) {
	res, err := tx.exec(ctx, insertArtifact,
		a.Run, a.Step, a.Name, a.Kind, a.URI, a.Digest, a.Bytes)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// addEdges joins a step to the artifacts at its ports. What it writes is new;
// what it reads is the newest artifact of that URI and content, or an external one.
func addEdges(ctx context.Context, tx *transaction, step int64, run, direction string, ports []Port) error {
	for _, p := range ports {
		a := p.Artifact
		a.Run = run
		var id int64
		err := sql.ErrNoRows
		if direction == "in" {
			id, err = findArtifact(ctx, tx, a)
		}
		if errors.Is(err, sql.ErrNoRows) {
			id, err = addArtifact(ctx, tx, a)
		}
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, insertEdge, step, direction, p.Name, id)
		if err != nil {
			return err
		}
	}
	return nil
}

// findArtifact is the artifact of a URI and content: the run's own, else the newest.
func findArtifact(ctx context.Context, tx *transaction, a Artifact) (id int64, err error) {
	// With and without the slash that ends a folder, it is one thing.
	file := strings.TrimSuffix(a.URI, "/")
	folder := file + "/"
	err = tx.row(ctx, findOwn, a.Run, file, folder, a.Digest).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	for _, uri := range []string{file, folder} {
		var one int64
		newest := tx.row(ctx, findNewest, uri, a.Digest).Scan(&one)
		if newest != nil && !errors.Is(newest, sql.ErrNoRows) {
			return 0, newest
		}
		id = max(id, one)
	}
	if id > 0 {
		err = nil
	}
	return id, err
}

func addObjects(ctx context.Context, tx *transaction, objects []Object) error {
	for _, o := range objects {
		if _, err := tx.exec(ctx, insertObject, o.Bucket, o.Key, o.Digest, o.Bytes, micros(o.Created)); err != nil {
			return err
		}
	}
	return nil
}
