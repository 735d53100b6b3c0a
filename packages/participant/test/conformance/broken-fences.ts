/** Fences that break one rule each, made of the one that keeps them all and of its rows. */
import { createFence, createMemoryDatabase, type Database, type Fence, type FenceOptions, type Transaction } from "@backstep/participant";
import { canonicalJson } from "@backstep/saga-core/adapter";
import { err } from "neverthrow";
import { type FenceRow, fenceTable } from "../../src/fence/fence-row.ts";

type Break = (fence: Fence, database: Database) => Partial<Fence>;

const breaking =
  (change: Break) =>
  (options: FenceOptions): Fence => {
    const fence = createFence(options);
    return { ...fence, ...change(fence, options.database) };
  };

function changeRow(database: Database, key: string, change: (row: FenceRow) => FenceRow | undefined): Promise<void> {
  return database.transaction(async (transaction) => {
    const row = await transaction.get(fenceTable, key);
    if (row === undefined) return;
    const changed = change(row);
    if (changed === undefined) await transaction.remove(fenceTable, key);
    else await transaction.put(fenceTable, changed);
  });
}

const removeRow = (database: Database, key: string): Promise<void> => changeRow(database, key, () => undefined);

class RolledBack extends Error {
  readonly rejection: unknown;

  constructor(rejection: unknown) {
    super("undone on purpose");
    this.rejection = rejection;
  }
}

const rejected = (rejection: unknown) => ({ _tag: "Executed", decision: { _tag: "Rejected", json: JSON.stringify(rejection) } }) as const;

export const brokenFences: Readonly<Record<string, { readonly create: (options: FenceOptions) => Fence; readonly caughtBy: string }>> = {
  "whose undo plants no tombstone": {
    create: breaking((fence, database) => ({
      async undo(operation, business) {
        const answer = await fence.undo(operation, business);
        if (answer._tag === "Executed" && answer.decision._tag === "NothingToUndo") {
          await changeRow(database, operation.undoes.key, (row) => (row.state._tag === "Sealed" ? undefined : row));
        }
        return answer;
      },
    })),
    caughtBy: "undo first: nothing to undo, and the late action finds the seal, however often it comes",
  },
  "whose rejection is rolled back with the business": {
    create: breaking((fence) => ({
      act: (operation, business) =>
        fence
          .act(operation, async (context) => {
            const result = await business(context);
            if (result.isErr()) throw new RolledBack(result.error);
            return result;
          })
          .catch((cause: unknown) => {
            if (cause instanceof RolledBack) return rejected(cause.rejection);
            throw cause;
          }),
    })),
    caughtBy: "rejection: is recorded, while what the business wrote is undone",
  },
  "whose transaction stays with the business": {
    create(options) {
      const open: Transaction[] = [];
      const transaction: Database["transaction"] = (body) =>
        options.database.transaction((owned) => {
          open.push(owned);
          return body(owned);
        });
      const fence = createFence({ ...options, database: { ...options.database, transaction } });
      return {
        ...fence,
        act: (operation, business) =>
          fence.act(operation, (context) => business({ ...context, transaction: open.at(-1) ?? context.transaction })),
      };
    },
    caughtBy: "rejection: what the business did not wait for does not slip in behind it",
  },
  "that answers duplicates after the business guard": {
    create: breaking((fence, database) => ({
      async act(operation, business) {
        const { key, sagaId } = operation;
        const tried = await database
          .transaction(async (transaction) => {
            const result = await business({ transaction, now: database.now(), sagaId, key });
            throw new RolledBack(result.isErr() ? result.error : undefined);
          })
          .catch((cause: unknown) => (cause instanceof RolledBack ? cause.rejection : undefined));
        return tried === undefined ? fence.act(operation, business) : rejected(tried);
      },
    })),
    caughtBy: "action: a repeat is answered before any business guard",
  },
  "that ignores the fingerprint": {
    create: breaking((fence) => ({ act: (operation, business) => fence.act({ ...operation, input: null }, business) })),
    caughtBy: "fingerprint: another payload under the same key is refused, and the record untouched",
  },
  "that ignores the operation's name": {
    create: breaking((fence) => ({ act: (operation, business) => fence.act({ ...operation, name: "any" }, business) })),
    caughtBy: "name: a key belongs to one operation",
  },
  "that deletes a tombstone on contact": {
    create: breaking((fence, database) => ({
      async act(operation, business) {
        const answer = await fence.act(operation, business);
        if (answer._tag === "Sealed") await removeRow(database, operation.key);
        return answer;
      },
    })),
    caughtBy: "undo first: nothing to undo, and the late action finds the seal, however often it comes",
  },
  "whose row is outside of the transaction": {
    create: breaking((fence, database) => ({
      async act(operation, business) {
        try {
          return await fence.act(operation, business);
        } catch (cause) {
          const { key, name, issuedAt } = operation;
          const state = { _tag: "Open", token: 1, leaseUntil: database.now() + fence.runningLeaseMs } as const;
          await database.transaction((transaction) => transaction.put(fenceTable, { key, name, issuedAt, writtenAt: 0, state }));
          throw cause;
        }
      },
    })),
    caughtBy: "throw: leaves nothing, not even the key",
  },
  "whose undo looks before it plants": {
    create: breaking((fence, database) => ({
      async undo(operation, business) {
        const seen = await database.transaction((transaction) => transaction.get(fenceTable, operation.undoes.key));
        await new Promise((resolve) => setImmediate(resolve));
        if (seen === undefined) await removeRow(database, operation.undoes.key);
        return fence.undo(operation, business);
      },
    })),
    caughtBy: "undo: racing its action, both happen or neither",
  },
  "whose action looks before it inserts": {
    create: breaking((fence, database) => ({
      async act(operation, business) {
        const seen = await database.transaction((transaction) => transaction.get(fenceTable, operation.key));
        await new Promise((resolve) => setImmediate(resolve));
        if (seen === undefined) await removeRow(database, operation.key);
        return fence.act(operation, business);
      },
    })),
    caughtBy: "action: of repeats at the same time, one is executed",
  },
  "that re-encodes what it replays": {
    create: breaking((fence) => ({
      async act(operation, business) {
        const answer = await fence.act(operation, business);
        if (answer._tag !== "Replayed") return answer;
        const { _tag, json } = answer.decision;
        return { ...answer, decision: { _tag, json: canonicalJson(JSON.parse(json)) } };
      },
    })),
    caughtBy: "action: a repeat is answered from the record, byte for byte, and not run",
  },
  "that runs an undo again": {
    create: breaking((fence, database) => ({
      async undo(operation, business) {
        await changeRow(database, operation.key, (row) => (row.state._tag === "Decided" ? undefined : row));
        await changeRow(database, operation.undoes.key, (row) =>
          row.state._tag === "TakenBack" ? { ...row, state: { _tag: "Decided", decision: row.state.decision } } : row,
        );
        return fence.undo(operation, business);
      },
    })),
    caughtBy: "undo: a repeat is answered from the record",
  },
  "that forgets which action was undone": {
    create: breaking((fence, database) => ({
      async undo(operation, business) {
        const answer = await fence.undo(operation, business);
        await changeRow(database, operation.undoes.key, (row) =>
          row.state._tag === "TakenBack" ? { ...row, state: { _tag: "Decided", decision: row.state.decision } } : row,
        );
        return answer;
      },
    })),
    caughtBy: "undo: the action's key is sealed afterwards",
  },
  "that takes lost evidence for nothing to undo": {
    create: breaking((fence) => ({
      undo: (operation, business) => fence.undo({ ...operation, undoes: { ...operation.undoes, known: "inDoubt" } }, business),
    })),
    caughtBy: "undo: known to have succeeded without a row is lost evidence, for ever",
  },
  "that ignores the age of an action": {
    create: breaking((fence, database) => ({
      act: (operation, business) => fence.act({ ...operation, issuedAt: database.now() }, business),
    })),
    caughtBy: "age: an action older than retention is not run",
  },
  "that ignores the age of an undone key": {
    create: breaking((fence, database) => ({
      undo: (operation, business) => fence.undo({ ...operation, undoes: { ...operation.undoes, issuedAt: database.now() } }, business),
    })),
    caughtBy: "undo: of a key older than retention without a row is lost evidence",
  },
  "that says sealed without sealing": {
    create: breaking((fence, database) => ({
      async resolve(operation, foreign) {
        const row = await database.transaction((transaction) => transaction.get(fenceTable, operation.key));
        return row === undefined ? { _tag: "Sealed" } : fence.resolve(operation, foreign);
      },
    })),
    caughtBy: "resolve: plants a seal before it says so",
  },
  "whose question is answered beside the point": {
    create: breaking((fence) => ({ resolve: async () => ({ _tag: "Running", retryAfterMs: fence.runningLeaseMs }) })),
    caughtBy: "resolve: tells what is recorded",
  },
  "that takes an open intent for nothing": {
    create: breaking((fence, database) => ({
      async undo(operation, business) {
        await changeRow(database, operation.undoes.key, (row) => (row.state._tag === "Open" ? undefined : row));
        return fence.undo(operation, business);
      },
    })),
    caughtBy: "intent: one that throws is in doubt",
  },
  "that writes the intent after the effect": {
    create: breaking((fence, database) => ({
      async intend(operation, foreign) {
        const { key, sagaId } = operation;
        const context = { key, sagaId, now: database.now(), timeoutMs: fence.runningLeaseMs, signal: AbortSignal.timeout(1) };
        const result = await foreign.effect(context);
        return fence.intend(operation, { ...foreign, effect: async () => result });
      },
    })),
    caughtBy: "intent: is committed before the effect begins",
  },
  "that forgets an intent whose effect threw": {
    create: breaking((fence, database) => ({
      async intend(operation, foreign) {
        try {
          return await fence.intend(operation, foreign);
        } catch (cause) {
          await removeRow(database, operation.key);
          throw cause;
        }
      },
    })),
    caughtBy: "intent: one that throws is in doubt",
  },
  "that does not wait for a lease": {
    create: breaking((fence, database) => ({
      async intend(operation, foreign) {
        await changeRow(database, operation.key, (row) =>
          row.state._tag === "Open" ? { ...row, state: { ...row.state, leaseUntil: 0 } } : row,
        );
        return fence.intend(operation, foreign);
      },
    })),
    caughtBy: "takeover: not before the lease is over",
  },
  "that lets nobody take over": {
    create: breaking((fence, database) => ({
      async intend(operation, foreign) {
        const row = await database.transaction((transaction) => transaction.get(fenceTable, operation.key));
        return row?.state._tag === "Open" ? { _tag: "Running", retryAfterMs: 1 } : fence.intend(operation, foreign);
      },
    })),
    caughtBy: "takeover: the next action repeats the request under the same key",
  },
  "that drops a success which comes after the lease": {
    create: breaking((fence, database) => ({
      intend: (operation, foreign) =>
        fence.intend(operation, {
          ...foreign,
          async effect(context) {
            const tokenOf = async () => {
              const row = await database.transaction((transaction) => transaction.get(fenceTable, operation.key));
              return row?.state._tag === "Open" ? row.state.token : 0;
            };
            const before = await tokenOf();
            const result = await foreign.effect(context);
            return (await tokenOf()) === before ? result : err("dropped" as never);
          },
        }),
    })),
    caughtBy: "zombie: a success counts whenever it comes",
  },
  "that sweeps open operations": {
    create: breaking((fence, database) => ({
      async sweep() {
        const rows = await database.transaction((transaction) => transaction.list(fenceTable));
        const open = rows.filter(({ state }) => state._tag === "Open");
        for (const { key } of open) await removeRow(database, key);
        return (await fence.sweep()) + open.length;
      },
    })),
    caughtBy: "sweep: open operations stay, however old",
  },
  "that never sweeps": {
    create: breaking(() => ({ sweep: async () => 0 })),
    caughtBy: "sweep: forgets decided keys older than retention, and no others",
  },
  "that remembers in the process": {
    // Each fence keeps its rows to itself instead of in the database it was given.
    create: (options) => createFence({ ...options, database: createMemoryDatabase({ now: options.database.now }) }),
    caughtBy: "undo first: the seal outlives a restart of the fence",
  },
};
