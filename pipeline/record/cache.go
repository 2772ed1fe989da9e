package record

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// The queries of the cache, several a step.
const (
	// Without cache_key<>'' SQLite reads the whole table: the index is a partial one.
	findResult = `SELECT s.id, s.run, s.kind, s.request, s.response, coalesce(o.id, s.id), coalesce(o.run, s.run), coalesce(o.name, s.name),
		coalesce(o.log, s.log) FROM steps s LEFT JOIN steps o ON o.id = s.cached_from
		WHERE s.cache_key=? AND s.cache_key<>'' AND s.id<? AND s.status='SUCCEEDED' ORDER BY s.id DESC LIMIT 1`
	// CROSS JOIN keeps the order of the tables, newest run first, so that it ends with the
	// first row.
	findEarlier = selectSteps + ` FROM runs r CROSS JOIN steps s ON s.run = r.id
		WHERE r.pipeline=? AND r.id<>? AND s.name=? AND s.cache_key<>'' ORDER BY r.seq DESC, s.id DESC LIMIT 1`
	findOutputs = `SELECT e.port, a.id, a.run, a.step, a.name, a.kind, a.uri, a.digest, a.bytes
		FROM edges e JOIN artifacts a ON a.id = e.artifact WHERE e.step=? AND e.direction='out' ORDER BY a.id`
)

// A Result is a try that succeeded, with the try that its outputs come from: itself,
// or the one that they were taken from.
type Result struct {
	ID                int64
	Run, Kind         string
	Request, Response json.RawMessage

	Origin                           int64
	OriginRun, OriginStep, OriginLog string
}

// Result returns the newest try that succeeded with a cache key, of those whose ids are
// less than before, or an error that wraps [ErrNotFound].
func (d *DB) Result(ctx context.Context, key string, before int64) (*Result, error) {
	var r Result
	find, err := d.statement(ctx, findResult)
	if err == nil {
		err = find.QueryRowContext(ctx, key, before).Scan(&r.ID, &r.Run, &r.Kind, (*text)(&r.Request), (*text)(&r.Response),
			&r.Origin, &r.OriginRun, &r.OriginStep, &r.OriginLog)
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("look into the cache: %w", err)
	}
	return &r, nil
}

// Earlier finds the newest try with a cache key that a step had in another run of the
// pipeline, or returns an error that wraps [ErrNotFound].
func (d *DB) Earlier(ctx context.Context, pipeline, run, step string) (*Step, error) {
	find, err := d.statement(ctx, findEarlier)
	if err != nil {
		return nil, fmt.Errorf("look for an earlier try: %w", err)
	}
	rows, err := find.QueryContext(ctx, pipeline, run, step)
	if err != nil {
		return nil, fmt.Errorf("look for an earlier try: %w", err)
	}
	found, err := collect(rows, func(s *Step) error { return scanStep(rows, s) })
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("an earlier try of step %s: %w", step, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

// Last returns the newest run of a pipeline, or nil if it has none.
func (d *DB) Last(ctx context.Context, pipeline string) (*Run, error) {
	rows, err := d.db.QueryContext(ctx, selectRuns+" WHERE pipeline=? ORDER BY seq DESC LIMIT 1", pipeline)
	if err != nil {
		return nil, fmt.Errorf("read the last run: %w", err)
	}
	found, err := scanRuns(rows)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Outputs returns what a try wrote, in order.
func (d *DB) Outputs(ctx context.Context, step int64) ([]Port, error) {
	find, err := d.statement(ctx, findOutputs)
	if err != nil {
		return nil, fmt.Errorf("read what a step wrote: %w", err)
	}
	rows, err := find.QueryContext(ctx, step)
	if err != nil {
		return nil, fmt.Errorf("read what a step wrote: %w", err)
	}
	return collect(rows, func(p *Port) error {
		a := &p.Artifact
		return rows.Scan(&p.Name, &a.ID, &a.Run, &a.Step, &a.Name, &a.Kind, &a.URI, &a.Digest, &a.Bytes)
	})
}

// Reuse adds a step whose outputs were taken from an earlier one, with what it reads and
// writes and the objects of that, all at once.
func (d *DB) Reuse(ctx context.Context, s Step, inputs, outputs []Port, objects []Object) error {
	return d.write(ctx, "record the cached step", func(tx *transaction) error {
		var n int
		if err := tx.row(ctx, countJobs, s.Job).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return ErrJobExists
		}
		id, err := addStep(ctx, tx, s)
		if err != nil {
			return err
		}
		if err := addEdges(ctx, tx, id, s.Run, "in", inputs); err != nil {
			return err
		}
		if err := addObjects(ctx, tx, objects); err != nil {
			return err
		}
		return addEdges(ctx, tx, id, s.Run, "out", outputs)
	}, countJobs, insertStep, findOwn, findNewest, insertArtifact, insertEdge, insertObject)
}

// Produced finds the newest artifact that has a URI, as a step of a run wrote it or as it
// was imported; with and without the slash that ends a folder it is one thing. It returns
// an error that wraps [ErrNotFound] if nobody wrote it.
func (d *DB) Produced(ctx context.Context, uri string) (*Artifact, error) {
	var a Artifact
	err := d.db.QueryRowContext(ctx, `SELECT id, run, step, name, kind, uri, digest, bytes FROM artifacts
		WHERE uri IN (?1, ?1 || '/') AND kind <> 'external' ORDER BY id DESC LIMIT 1`, uri).
		Scan(&a.ID, &a.Run, &a.Step, &a.Name, &a.Kind, &a.URI, &a.Digest, &a.Bytes)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("find who wrote %s: %w", uri, err)
	}
	return &a, nil
}
