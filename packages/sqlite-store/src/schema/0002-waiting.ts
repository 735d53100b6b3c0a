/**
 * Sagas that wait: a status of their own, and when time moves each saga next. With them named locks, and when a saga ended, for retention. The table is made anew, for
 * SQLite changes no CHECK in place.
 */
export const waitingSchema = `
CREATE TABLE sagas_with_waiting (
  position INTEGER PRIMARY KEY AUTOINCREMENT, -- order of start, given once; pages of unfinished sagas go by it
  saga_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'parked', 'waiting', 'completed', 'compensated', 'abandoned')),
  wake_at INTEGER,                           -- epoch milliseconds; null while only an answer, a signal or an operator moves it
  ended_at INTEGER,                          -- epoch milliseconds of the last append; null until the saga has ended
  epoch INTEGER NOT NULL,
  writer INTEGER NOT NULL,                   -- the open store that created or last claimed the saga
  next_sequence INTEGER NOT NULL,
  claims_without_progress INTEGER NOT NULL,
  started_at INTEGER NOT NULL                -- epoch milliseconds, for people
) STRICT;

-- When the ended ones ended was not written down: they count as ended now, so that none is forgotten too early.
INSERT INTO sagas_with_waiting
  SELECT position, saga_id, name, version, status, NULL,
    CASE WHEN status IN ('completed', 'compensated', 'abandoned') THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) END,
    epoch, writer, next_sequence, claims_without_progress, started_at
  FROM sagas;

DROP TABLE sagas;
ALTER TABLE sagas_with_waiting RENAME TO sagas;

-- By what is not ended, so that a status nobody knows cannot hide a saga.
CREATE INDEX sagas_unfinished ON sagas (position) WHERE status NOT IN ('completed', 'compensated', 'abandoned');
-- What an engine takes up when it starts; there may be a million more that only wait.
CREATE INDEX sagas_active ON sagas (position) WHERE status NOT IN ('completed', 'compensated', 'abandoned', 'waiting');
CREATE INDEX sagas_due ON sagas (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX sagas_ended ON sagas (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE locks (
  name TEXT PRIMARY KEY,
  saga INTEGER NOT NULL                      -- sagas.position of the one that holds it
) STRICT, WITHOUT ROWID;

CREATE INDEX locks_of_saga ON locks (saga);
`;
