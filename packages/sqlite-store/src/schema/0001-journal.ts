/** The first schema. Never edited once released: a change is a migration of its own, with the next number. */
export const journalSchema = `
CREATE TABLE sagas (
  position INTEGER PRIMARY KEY,              -- order of start; pages of unfinished sagas go by it
  saga_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'parked', 'completed', 'compensated', 'abandoned')),
  epoch INTEGER NOT NULL,
  writer INTEGER NOT NULL,                   -- the open store that created or last claimed the saga
  next_sequence INTEGER NOT NULL,
  claims_without_progress INTEGER NOT NULL,
  started_at INTEGER NOT NULL                -- epoch milliseconds, for people
) STRICT;

-- By what is not ended, so that a status nobody knows cannot hide a saga.
CREATE INDEX sagas_unfinished ON sagas (position) WHERE status NOT IN ('completed', 'compensated', 'abandoned');

-- A table by rowid: records of all sagas in flight land side by side, on the same few pages of a commit.
CREATE TABLE records (
  position INTEGER PRIMARY KEY,
  saga INTEGER NOT NULL,                     -- sagas.position
  sequence INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  writer INTEGER NOT NULL,                   -- the open store that wrote it: the evidence after a lost answer
  checksum INTEGER NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (saga, sequence)
) STRICT;

CREATE TABLE outbox (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  source TEXT NOT NULL,
  subject TEXT,
  time TEXT NOT NULL,
  saga_id TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;

-- How often a COMMIT failed and had to be settled. Writing it is part of settling.
CREATE TABLE settlements (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  count INTEGER NOT NULL
) STRICT;

INSERT INTO settlements (only_row, count) VALUES (1, 0);
`;
