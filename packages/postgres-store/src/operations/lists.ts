/** The lists: who is unfinished, due, an orphan, ended. Each reads an index in its order, and stops at its limit. */
import type {
  DueOptions,
  DueSagas,
  EndedOptions,
  EndedSagas,
  OrphanOptions,
  OrphanPage,
  UnfinishedOptions,
  UnfinishedPage,
} from "@backstep/saga-core/journal";
import type { Pool } from "pg";
import { integerOf, type Row, textOf } from "../row-codec.ts";

export interface Lists {
  unfinished(options: UnfinishedOptions): Promise<UnfinishedPage>;
  due(options: DueOptions): Promise<DueSagas>;
  orphans(options: OrphanOptions): Promise<OrphanPage>;
  ended(options: EndedOptions): Promise<EndedSagas>;
}

const [RUNNING, PARKED, WAITING] = [0, 1, 2];

/** One index scan per status, each up to the limit; and one each below and above those that there are, so that a status nobody knows cannot hide a saga. */
export function unfinishedSql(schema: string, statuses: readonly number[]): string {
  const ofStatus = [...statuses.map((status) => `= ${status}`), `< ${RUNNING}`, `> ${WAITING}`].map(
    (condition) =>
      `(SELECT position, saga_id FROM ${schema}.sagas WHERE ended_at IS NULL AND status ${condition} AND position > $1 ORDER BY position LIMIT $2)`,
  );
  return `${ofStatus.join(" UNION ALL ")} ORDER BY position LIMIT $2`;
}

/** Whose lease runs, but for this worker. Looked up once per statement. */
function others(schema: string, worker: string): string {
  return `ARRAY(SELECT worker FROM ${schema}.workers WHERE worker <> ${worker} AND until > ${schema}.present())`;
}

export function dueSql(schema: string): string {
  return `SELECT saga_id FROM ${schema}.sagas WHERE wake_at <= $1 AND (driver IS NULL OR driver <> ALL (${others(schema, "$3")})) ORDER BY wake_at, position LIMIT $2`;
}

export function nextDueSql(schema: string): string {
  return `SELECT wake_at FROM ${schema}.sagas WHERE wake_at > $1 AND (driver IS NULL OR driver <> ALL (${others(schema, "$2")})) ORDER BY wake_at, position LIMIT 1`;
}

export function wantedSql(schema: string): string {
  return `SELECT saga_id FROM ${schema}.sagas WHERE wanted AND driver = $1 LIMIT $2`;
}

export function orphansSql(schema: string): string {
  return `SELECT position, saga_id, name, version FROM ${schema}.sagas
WHERE ended_at IS NULL AND status = ${RUNNING} AND position > $1 AND (driver IS NULL OR driver <> ALL (${others(schema, "0")}))
ORDER BY position LIMIT $2`;
}

export function endedSql(schema: string): string {
  return `SELECT saga_id FROM ${schema}.sagas WHERE ended_at < $1 ORDER BY ended_at, position LIMIT $2`;
}

export function createLists(pool: Pool, schema: string, worker: number): Lists {
  const sql = {
    active: unfinishedSql(schema, [RUNNING, PARKED]),
    unfinished: unfinishedSql(schema, [RUNNING, PARKED, WAITING]),
    due: dueSql(schema),
    nextDue: nextDueSql(schema),
    wanted: wantedSql(schema),
    orphans: orphansSql(schema),
    ended: endedSql(schema),
  };
  const list = async (name: keyof typeof sql, values: readonly unknown[]): Promise<readonly Row[]> =>
    (await pool.query<Row>({ name: `list_${name}`, text: sql[name], values: [...values] })).rows;

  return {
    async unfinished({ limit, after = "0", waiting = false }) {
      // One more than asked for tells whether there is a next page.
      const { page, next } = cut(await list(waiting ? "unfinished" : "active", [after, limit + 1]), limit);
      return { sagaIds: page.map((row) => textOf(row, "saga_id")), ...next };
    },
    async due({ until, limit }) {
      const [due, [next], wanted] = await Promise.all([
        list("due", [until, limit, worker]),
        list("nextDue", [until, worker]),
        list("wanted", [worker, limit]),
      ]);
      return {
        sagaIds: due.map((row) => textOf(row, "saga_id")),
        ...(next === undefined ? {} : { next: integerOf(next, "wake_at") }),
        ...(wanted.length === 0 ? {} : { wanted: wanted.map((row) => textOf(row, "saga_id")) }),
      };
    },
    async orphans({ limit, after = "0" }) {
      const { page, next } = cut(await list("orphans", [after, limit + 1]), limit);
      const orphans = page.map((row) => ({
        sagaId: textOf(row, "saga_id"),
        saga: { name: textOf(row, "name"), version: integerOf(row, "version") },
      }));
      return { orphans, ...next };
    },
    ended: async ({ before, limit }) => ({ sagaIds: (await list("ended", [before, limit])).map((row) => textOf(row, "saga_id")) }),
  };
}

/** The cursor is the position of the last one handed out. */
function cut(rows: readonly Row[], limit: number): { readonly page: readonly Row[]; readonly next: { readonly next?: string } } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, next: rows.length > limit && last !== undefined ? { next: String(integerOf(last, "position")) } : {} };
}
