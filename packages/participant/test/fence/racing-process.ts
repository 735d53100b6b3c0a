/**
 * A process that acts on keys or takes them back, behind a fence on a shared file, until it is ended. Half of the keys have their effect in
 * that file, half in a gateway, which is another file: it takes effect once per key, and remembers for ever. Prints `<key> <answer>`.
 */
import { createFence, type Database, type FencedOperation, type FencedUndo, type ForeignAction, type Table } from "@backstep/participant";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { ok } from "neverthrow";

export interface Tally {
  readonly key: string;
  readonly done: number;
  readonly undone: number;
}

export const tallies: Table<Tally> = { name: "tallies", key: (row) => row.key, decode: (document) => document as Tally };

export type Role = "act" | "undo";

/** Short, so that the next process need not wait long for what a killed one left open. */
const LEASE_MS = 20;

async function add(database: Database, key: string, change: (tally: Tally) => Tally): Promise<void> {
  await database.transaction(async (transaction) => {
    await transaction.put(tallies, change((await transaction.get(tallies, key)) ?? { key, done: 0, undone: 0 }));
  });
}

function race(role: Role, folder: string, keyCount: number, issuedAt: number): Promise<void> {
  const database = createSqliteDatabase({ path: `${folder}/service.db`, busyTimeoutMs: 20_000 });
  const gateway = createSqliteDatabase({ path: `${folder}/gateway.db`, busyTimeoutMs: 20_000 });
  const fence = createFence({ database, retentionMs: 3_600_000, runningLeaseMs: LEASE_MS });
  const charge = (key: string): ForeignAction<null, never> => ({
    effect: async () => {
      await add(gateway, key, (tally) => ({ ...tally, done: 1 }));
      return ok(null);
    },
  });

  function act(operation: FencedOperation, foreign: boolean): Promise<{ readonly _tag: string }> {
    const { key } = operation;
    if (foreign) return fence.intend(operation, charge(key));
    return fence.act(operation, async ({ transaction }) => {
      const tally = (await transaction.get(tallies, key)) ?? { key, done: 0, undone: 0 };
      await transaction.put(tallies, { ...tally, done: tally.done + 1 });
      return ok(null);
    });
  }

  function undo(operation: FencedUndo, foreign: boolean): Promise<{ readonly _tag: string }> {
    const { key } = operation.undoes;
    if (foreign) {
      const effect = (): Promise<void> => add(gateway, key, (tally) => ({ ...tally, undone: 1 }));
      return fence.undoIntended(operation, { action: charge(key), effect });
    }
    return fence.undo(operation, async ({ transaction }) => {
      const tally = (await transaction.get(tallies, key)) ?? { key, done: 0, undone: 0 };
      await transaction.put(tallies, { ...tally, undone: tally.undone + 1 });
    });
  }

  async function settle(index: number): Promise<void> {
    const [key, foreign] = [`key-${index}`, index % 2 === 1];
    const action = { key, name: "count", issuedAt, input: index };
    const going = (): Promise<{ readonly _tag: string }> =>
      role === "act"
        ? act(action, foreign)
        : undo({ key: `${key}/undo`, name: "uncount", issuedAt, input: index, undoes: { key, issuedAt, known: "inDoubt" } }, foreign);
    let answer = await going();
    // As a caller does who is told to come again.
    for (; answer._tag === "Running"; answer = await going()) await new Promise((resolve) => setTimeout(resolve, LEASE_MS));
    process.stdout.write(`${key} ${answer._tag}\n`);
  }

  return (async () => {
    for (let index = 0; index < keyCount; index++) await settle(index);
    await Promise.all([database.close(), gateway.close()]);
  })();
}

const [role, folder = "", keyCount = "0", issuedAt = "0"] = process.argv.slice(2);
if (role === "act" || role === "undo") await race(role, folder, Number(keyCount), Number(issuedAt));
