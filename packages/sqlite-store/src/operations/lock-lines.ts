/** The lines for named locks: who stands where, and who is due when one moves. Runs inside the append's transaction; looking is a read of its own. */
import type { LockPlaces } from "@backstep/saga-core/journal";
import type { SqliteDatabase } from "../driver.ts";
import { integerOf, textOf } from "../row-codec.ts";

export interface LockLines {
  /** A name among these that another saga holds. `saga` is its position; a new one has none. */
  findStolen(saga: number | undefined, held: readonly string[]): string | undefined;
  /** Whether a saga that wants these, and stands in line for them, is the first one somewhere. */
  headsAny(saga: number | undefined, wanted: readonly string[]): boolean;
  /** Puts a saga into the lines that it lists and out of the others; whoever comes to hold a lock by that is due. */
  takePlaces(saga: number, places: LockPlaces): void;
  /** Takes a saga out of all lines. Most sagas stand in none, and pay one look for it. */
  leaveAll(saga: number): void;
  holder(name: string): string | undefined;
}

/** By the index `lock_places_of_saga`. */
export const LEAVE_LOCKS = "DELETE FROM lock_places WHERE saga = ? RETURNING position, name";
/** By the index `lock_places_in_line`, which ends with the position. */
export const FIND_FIRST = "SELECT position, saga FROM lock_places WHERE name = ? ORDER BY position LIMIT 1";

export function prepareLockLines(database: SqliteDatabase, now: () => number): LockLines {
  const findFirst = database.prepare(FIND_FIRST);
  const findHolder = database.prepare(`SELECT saga_id FROM sagas WHERE position = (SELECT saga FROM (${FIND_FIRST}))`);
  const findPlaces = database.prepare("SELECT name FROM lock_places WHERE saga = ?");
  const join = database.prepare("INSERT INTO lock_places (name, saga) VALUES (?, ?)");
  const leave = database.prepare("DELETE FROM lock_places WHERE saga = ? AND name = ? RETURNING position, name");
  const leaveLines = database.prepare(LEAVE_LOCKS);
  const makeDue = database.prepare("UPDATE sagas SET wake_at = min(coalesce(wake_at, ?1), ?1) WHERE position = ?2");

  function firstOf(name: string): { readonly position: number; readonly saga: number } | undefined {
    const row = findFirst.get(name);
    return row === undefined ? undefined : { position: integerOf(row, "position"), saga: integerOf(row, "saga") };
  }

  /** One that stood behind somebody else leaves nobody a lock. */
  function handOver(left: ReturnType<typeof leave.all>): void {
    for (const row of left) {
      const next = firstOf(textOf(row, "name"));
      if (next !== undefined && next.position > integerOf(row, "position")) makeDue.run(now(), next.saga);
    }
  }

  return {
    findStolen: (saga, held) =>
      held.find((name) => {
        const first = firstOf(name);
        return first !== undefined && first.saga !== saga;
      }),
    headsAny: (saga, wanted) => wanted.some((name) => (firstOf(name)?.saga ?? saga) === saga),
    takePlaces(saga, { held, wanted }) {
      const listed = new Set([...held, ...wanted]);
      const stood = findPlaces.all(saga).map((row) => textOf(row, "name"));
      for (const name of stood) if (!listed.has(name)) handOver(leave.all(saga, name));
      for (const name of listed) if (!stood.includes(name)) join.run(name, saga);
    },
    leaveAll: (saga) => handOver(leaveLines.all(saga)),
    holder(name) {
      const row = findHolder.get(name);
      return row === undefined ? undefined : textOf(row, "saga_id");
    },
  };
}
