/**
 * Records without an index of their own: each names the one before it of its saga, and the saga names its last, so that an append touches the end of the log and the saga's row alone. The table is made
 * anew, for SQLite drops no UNIQUE in place. And one index less for every saga that does not wait: those that wait have one instead.
 */
export const chainsSchema = `
CREATE TABLE records_in_chains (
  position INTEGER PRIMARY KEY,              -- above all that are there: records of all sagas in flight land side by side, at the end of the table
  saga INTEGER NOT NULL,                     -- sagas.position
  sequence INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  writer INTEGER NOT NULL,                   -- the open store that wrote it: the evidence after a lost answer
  checksum INTEGER NOT NULL,                 -- negative: as version 5 reckons it; else as those before did
  previous INTEGER,                          -- records.position of the saga's record before this one; null for its first
  record TEXT NOT NULL
) STRICT;

INSERT INTO records_in_chains
  SELECT position, saga, sequence, epoch, writer, checksum,
    (SELECT position FROM records AS earlier WHERE earlier.saga = records.saga AND earlier.sequence < records.sequence ORDER BY sequence DESC LIMIT 1),
    record
  FROM records ORDER BY position;

ALTER TABLE sagas ADD COLUMN last_record INTEGER; -- records.position
UPDATE sagas SET last_record = (SELECT position FROM records WHERE saga = sagas.position ORDER BY sequence DESC LIMIT 1);

DROP TABLE records;
ALTER TABLE records_in_chains RENAME TO records;

-- Together with sagas_active, all that has not ended.
DROP INDEX sagas_unfinished;
CREATE INDEX sagas_waiting ON sagas (position) WHERE status = 'waiting';
`;
