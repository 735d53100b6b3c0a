/** Reads a saga's rows as a journal: one statement, so that they are of one state. */
import type { JournalCorrupt } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import type { Pool } from "pg";
import { sqlState } from "../connection/postgres-failure.ts";
import { parseJournal, type ReadJournal, type Row, RowUnreadable } from "../row-codec.ts";

/** A block that cannot be read, or an index that does not fit its table. */
const DAMAGE = ["XX001", "XX002"];

/** @throws what `pg` throws; `damageOf` tells whether it is damage to this saga's rows. */
export type ReadSaga = (sagaId: string) => Promise<Result<ReadJournal | undefined, JournalCorrupt>>;

export function readSagaSql(schema: string): string {
  return `SELECT sagas.*, found.* FROM ${schema}.sagas
LEFT JOIN LATERAL (
  SELECT sequence, epoch AS record_epoch, checksum, record FROM ${schema}.records WHERE saga = sagas.position ORDER BY sequence
) AS found ON true
WHERE sagas.saga_id = $1 ORDER BY found.sequence`;
}

export function createReadSaga(pool: Pool, schema: string): ReadSaga {
  const text = readSagaSql(schema);
  return async (sagaId) => {
    const { rows } = await pool.query<Row>({ name: "read_saga", text, values: [sagaId] });
    const [head, ...others] = rows;
    if (head === undefined) return ok(undefined);
    try {
      return parseJournal(sagaId, [head, ...others]);
    } catch (error) {
      const damage = damageOf(sagaId, error);
      if (damage === undefined) throw error;
      return err(damage);
    }
  };
}

/** Tells damage to a saga's rows or pages from a database that does not answer; `undefined` for the latter. */
export function damageOf(sagaId: string, error: unknown): JournalCorrupt | undefined {
  const isDamage = error instanceof RowUnreadable || DAMAGE.includes(sqlState(error) ?? "");
  if (!isDamage) return undefined;
  const message = error instanceof Error ? error.message : String(error);
  return { _tag: "JournalCorrupt", sagaId, message: `the journal of saga ${sagaId} cannot be read: ${message}` };
}
