/**
 * A line of sagas per name of a lock; the first one holds it. Who held a lock so far is the first one now. Who waited for one has no place yet, and takes it with its next record.
 */
export const lockLinesSchema = `
CREATE TABLE lock_places (
  position INTEGER PRIMARY KEY,              -- order of coming, the same for all names; above all that are there
  name TEXT NOT NULL,
  saga INTEGER NOT NULL                      -- sagas.position
) STRICT;

INSERT INTO lock_places (name, saga) SELECT name, saga FROM locks ORDER BY name;
DROP TABLE locks;

CREATE INDEX lock_places_in_line ON lock_places (name);
CREATE UNIQUE INDEX lock_places_of_saga ON lock_places (saga, name);
`;
