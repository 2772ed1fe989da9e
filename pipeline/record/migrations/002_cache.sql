-- What a job's result depends on: its key, and the parts that the key is made of (a
-- JSON object of text). cached_from is the step whose outputs were taken.
ALTER TABLE steps ADD COLUMN cache_key   TEXT    NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN key_parts   TEXT    NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN cached_from INTEGER NOT NULL DEFAULT 0;
CREATE INDEX steps_cache ON steps (cache_key) WHERE cache_key <> '';

-- resumes is the run that a run goes on from; partial the part of the pipeline that
-- was asked for.
ALTER TABLE runs ADD COLUMN resumes TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN partial TEXT NOT NULL DEFAULT '';
CREATE INDEX runs_pipeline ON runs (pipeline, seq);

-- Every change of a model version's status by a person, oldest first.
CREATE TABLE approvals (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  model_group TEXT NOT NULL,
  version     INTEGER NOT NULL,
  status      TEXT NOT NULL,
  person      TEXT NOT NULL,
  note        TEXT NOT NULL,
  at          INTEGER NOT NULL,
  FOREIGN KEY (model_group, version) REFERENCES models (model_group, version)
);
CREATE INDEX approvals_model ON approvals (model_group, version);
CREATE INDEX models_run ON models (run);

-- What was made of, or is, this content.
CREATE INDEX artifacts_digest ON artifacts (digest);
CREATE INDEX objects_digest ON objects (digest);

-- What took its outputs from a step, and which steps had this code.
CREATE INDEX steps_cached_from ON steps (cached_from) WHERE cached_from <> 0;
CREATE INDEX jobs_code ON jobs (code);
