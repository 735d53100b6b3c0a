/** Several workers on one file: their leases, which of them drives a saga, and whether another one wants it. A file of before has sagas that nobody drives. */
export const workersSchema = `
CREATE TABLE workers (
  worker INTEGER PRIMARY KEY,                -- the open store, as in sagas.writer
  lease_until INTEGER NOT NULL               -- epoch milliseconds
) STRICT;

ALTER TABLE sagas ADD COLUMN driver INTEGER;
ALTER TABLE sagas ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0;

CREATE INDEX sagas_wanted ON sagas (driver) WHERE wanted = 1;
`;
