-- Times are microseconds since 1970 in UTC. Order is that of seq or id, never of
-- times: clocks jump.

CREATE TABLE runs (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL UNIQUE,
  pipeline    TEXT NOT NULL,
  package     TEXT NOT NULL,
  execution   TEXT NOT NULL,
  status      TEXT NOT NULL,
  input       TEXT NOT NULL,
  parameters  TEXT NOT NULL,
  definition  TEXT NOT NULL,
  commit_id   TEXT NOT NULL,
  dirty       INTEGER NOT NULL,
  isolation   TEXT NOT NULL,
  total_steps INTEGER NOT NULL,
  pid         INTEGER NOT NULL,
  pid_start   TEXT NOT NULL,
  started     INTEGER NOT NULL,
  ended       INTEGER NOT NULL DEFAULT 0,
  error       TEXT NOT NULL DEFAULT '',
  cause       TEXT NOT NULL DEFAULT '',
  failed_step TEXT NOT NULL DEFAULT '',
  output      TEXT NOT NULL DEFAULT ''
);
CREATE INDEX runs_status ON runs (status);

-- What each job of a run was made from: its code, and what stood for its image.
CREATE TABLE jobs (
  run         TEXT NOT NULL REFERENCES runs (id),
  step        TEXT NOT NULL,
  code        TEXT NOT NULL,
  image       TEXT NOT NULL,
  python      TEXT NOT NULL,
  packages    TEXT NOT NULL,
  environment TEXT NOT NULL,
  PRIMARY KEY (run, step)
) WITHOUT ROWID;

-- One row a try of a Task state.
CREATE TABLE steps (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  run       TEXT NOT NULL REFERENCES runs (id),
  name      TEXT NOT NULL,
  attempt   INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  status    TEXT NOT NULL,
  job       TEXT NOT NULL,
  request   TEXT NOT NULL,
  response  TEXT NOT NULL DEFAULT '',
  error     TEXT NOT NULL DEFAULT '',
  reason    TEXT NOT NULL DEFAULT '',
  log       TEXT NOT NULL,
  exit_code INTEGER NOT NULL DEFAULT 0,
  max_rss   INTEGER NOT NULL DEFAULT 0,
  started   INTEGER NOT NULL,
  ended     INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX steps_run ON steps (run);
CREATE UNIQUE INDEX steps_job ON steps (job) WHERE job <> '';

-- Every object of the local S3. A key that is not here is not visible.
CREATE TABLE objects (
  bucket  TEXT NOT NULL,
  key     TEXT NOT NULL,
  digest  TEXT NOT NULL,
  bytes   INTEGER NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (bucket, key)
) WITHOUT ROWID;

-- Named things that steps read and write. The URI of what a step writes holds its
-- attempt, so it is known once.
CREATE TABLE artifacts (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  run    TEXT NOT NULL REFERENCES runs (id),
  step   TEXT NOT NULL,
  name   TEXT NOT NULL,
  kind   TEXT NOT NULL,
  uri    TEXT NOT NULL,
  digest TEXT NOT NULL,
  bytes  INTEGER NOT NULL
);
CREATE INDEX artifacts_run ON artifacts (run);
CREATE INDEX artifacts_uri ON artifacts (uri);

-- What made what: a step's try read ('in') or wrote ('out') an artifact.
CREATE TABLE edges (
  step      INTEGER NOT NULL REFERENCES steps (id),
  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  port      TEXT NOT NULL,
  artifact  INTEGER NOT NULL REFERENCES artifacts (id),
  PRIMARY KEY (step, direction, port)
) WITHOUT ROWID;
CREATE INDEX edges_artifact ON edges (artifact);

CREATE TABLE model_groups (
  name    TEXT PRIMARY KEY,
  created INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE models (
  model_group TEXT NOT NULL REFERENCES model_groups (name),
  version     INTEGER NOT NULL,
  arn         TEXT NOT NULL UNIQUE,
  status      TEXT NOT NULL,
  token       TEXT NOT NULL,
  run         TEXT NOT NULL,
  request     TEXT NOT NULL,
  created     INTEGER NOT NULL,
  PRIMARY KEY (model_group, version)
) WITHOUT ROWID;
CREATE UNIQUE INDEX models_token ON models (token) WHERE token <> '';
