/**
 * The first schema: its tables. Never edited once released: a change is a migration of its own, with the next number.
 *
 * What is written most, the record of a saga that goes on, touches `records` alone. A saga's own row is written when the saga starts, ends, is claimed, or when its status, its time or its
 * locks change.
 */
export function journalSchema(schema: string): string {
  return `
CREATE TABLE ${schema}.sagas (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of start, given once; pages of unfinished sagas go by it
  saga_id text COLLATE "C" NOT NULL UNIQUE,
  name text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  status smallint NOT NULL CHECK (status BETWEEN 0 AND 5),  -- running, parked, waiting, completed, compensated, abandoned
  wake_at bigint,                                           -- epoch milliseconds; null while only an answer, a signal or an operator moves it
  ended_at bigint,                                          -- epoch milliseconds of the last append; null until the saga has ended
  epoch integer NOT NULL,
  driver bigint,                                            -- the worker that drives it; null: nobody
  wanted boolean NOT NULL DEFAULT false,                    -- by another worker than its driver
  length integer NOT NULL,                                  -- how many records it had when this row was last written by an append or a claim
  claims integer NOT NULL,                                  -- how many claims went by ...
  claims_at integer NOT NULL,                               -- ... while its next record was this one
  started_at bigint NOT NULL                                -- epoch milliseconds, for people
);

CREATE INDEX sagas_unfinished ON ${schema}.sagas (status, position) WHERE ended_at IS NULL;
CREATE INDEX sagas_due ON ${schema}.sagas (wake_at, position) WHERE wake_at IS NOT NULL;
CREATE INDEX sagas_wanted ON ${schema}.sagas (driver) WHERE wanted;
CREATE INDEX sagas_ended ON ${schema}.sagas (ended_at, position) WHERE ended_at IS NOT NULL;

CREATE TABLE ${schema}.records (
  saga bigint NOT NULL,                                     -- sagas.position
  sequence integer NOT NULL,
  epoch integer NOT NULL,
  checksum integer NOT NULL,
  record text NOT NULL,
  PRIMARY KEY (saga, sequence)
);

CREATE TABLE ${schema}.outbox (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  type text NOT NULL,
  source text NOT NULL,
  subject text,
  time text NOT NULL,
  saga_id text NOT NULL,
  data text NOT NULL
);

-- A line of sagas per name; the first one holds the lock.
CREATE TABLE ${schema}.lock_places (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of coming, the same for all names
  name text COLLATE "C" NOT NULL,
  saga bigint NOT NULL,                                     -- sagas.position
  UNIQUE (saga, name)
);

CREATE INDEX lock_places_in_line ON ${schema}.lock_places (name, position);

CREATE TABLE ${schema}.workers (
  worker bigint PRIMARY KEY,
  until bigint NOT NULL                                     -- epoch milliseconds at which its lease ends
);

-- The connections that write: the number of the last batch that was committed on each, and what became of its writes. It is the evidence when an answer is lost. A batch holds its lane's
-- row until it has ended, so whoever locks the row knows that nothing of it is under way. Few rows to a page, so that updates stay on theirs.
CREATE TABLE ${schema}.lanes (
  lane bigint PRIMARY KEY,
  worker bigint NOT NULL,
  batch bigint NOT NULL DEFAULT 0,
  taken bigint NOT NULL DEFAULT 0,                          -- how often sagas were taken from its worker: what the worker knows of its sagas is true while this stays
  fenced boolean NOT NULL DEFAULT false,                    -- no further batch counts on it
  answer jsonb,
  seen_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10);
`;
}
