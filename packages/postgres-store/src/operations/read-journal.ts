/**
 * Reads sagas' rows as journals. Those that are asked for in one turn of the event loop are read by one statement, so that an engine that takes over a thousand sagas asks a few times. Each journal is of one state.
 */
import type { JournalCorrupt } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import type { Pool } from "pg";
import { sqlState } from "../connection/postgres-failure.ts";
import { parseJournal, type ReadJournal, type Row, RowUnreadable } from "../row-codec.ts";

/** A block that cannot be read, or an index that does not fit its table. */
const DAMAGE = ["XX001", "XX002"];
/** Of one statement: how much is held in memory at once, and how long others wait. */
const SAGAS_MAX = 64;

/** @throws what `pg` throws; `damageOf` tells whether it is damage to this saga's rows. */
export type ReadSaga = (sagaId: string) => Promise<Result<ReadJournal | undefined, JournalCorrupt>>;

interface Reading {
  readonly sagaId: string;
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: unknown) => void;
}

export function readSagasSql(schema: string): string {
  return `SELECT saga_id, position, name, version, status, wake_at, sagas.epoch, length, claims, claims_at, found.*
FROM ${schema}.sagas
LEFT JOIN LATERAL (
  SELECT sequence, epoch AS record_epoch, checksum, record FROM ${schema}.records WHERE saga = sagas.position ORDER BY sequence
) AS found ON true
WHERE saga_id = ANY ($1) ORDER BY position, sequence`;
}

/** @param readersMax - How many statements may be under way; the others wait here, where no time runs out for them. */
export function createReadSaga(pool: Pool, schema: string, readersMax: number): ReadSaga {
  const text = readSagasSql(schema);
  const waiting: Reading[] = [];
  let underWay = 0;

  async function rowsOf(sagaIds: readonly string[]): Promise<ReadonlyMap<unknown, readonly Row[]>> {
    const { rows } = await pool.query<Row>({ name: "read_sagas", text, values: [[...new Set(sagaIds)]] });
    return Map.groupBy(rows, (row) => row["saga_id"]);
  }

  async function read(group: readonly Reading[]): Promise<void> {
    try {
      const found = await rowsOf(group.map(({ sagaId }) => sagaId));
      for (const { sagaId, resolve } of group) resolve(found.get(sagaId) ?? []);
    } catch (error) {
      // Damage to one is no matter of the others.
      if (group.length > 1 && isDamage(error)) for (const reading of group) await read([reading]);
      else for (const { reject } of group) reject(error);
    }
  }

  function wake(): void {
    while (underWay < readersMax && waiting.length > 0) {
      underWay += 1;
      void read(waiting.splice(0, SAGAS_MAX)).finally(() => {
        underWay -= 1;
        wake();
      });
    }
  }

  return async (sagaId) => {
    const [head, ...others] = await new Promise<readonly Row[]>((resolve, reject) => {
      if (waiting.push({ sagaId, resolve, reject }) === 1) setImmediate(wake);
    });
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
  if (!isDamage(error)) return undefined;
  const message = error instanceof Error ? error.message : String(error);
  return { _tag: "JournalCorrupt", sagaId, message: `the journal of saga ${sagaId} cannot be read: ${message}` };
}

function isDamage(error: unknown): boolean {
  return error instanceof RowUnreadable || DAMAGE.includes(sqlState(error) ?? "");
}
