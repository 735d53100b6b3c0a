/**
 * A small business behind a fence, for the fence's cases: a ledger in the same database that counts how often each action took effect and
 * was undone, a stock that runs out, and a foreign system that remembers what it was asked.
 */
import { err, ok, type Result } from "neverthrow";
import type { Database, Table, Transaction } from "../database.ts";
import { createFence, type Fence, type FenceOptions } from "../fence/fence.ts";
import type { ActionContext, FencedOperation, FencedUndo, UndoContext, UndoneKey } from "../fence/operation.ts";
import type { CaseContext } from "./conformance-case.ts";
import { expectEqual } from "./expectations.ts";

export const RETENTION_MS = 86_400_000;
export const LEASE_MS = 30_000;

/** Awkward on purpose: a replay must not sort, round or re-encode it. */
export const OUTPUT = { z: 1, a: "é \u2028 \ud83d\ude00", list: [0.1, 1e21, null], "10": true, "9": false };
const OUTPUT_JSON = JSON.stringify(OUTPUT);
export const NO = { _tag: "OutOfStock", left: 0 };

interface LedgerRow {
  readonly key: string;
  readonly done: number;
  readonly undone: number;
}

export interface OutOfStock {
  readonly _tag: string;
  readonly left: number;
}

const ledger: Table<LedgerRow> = { name: "ledger", key: (row) => row.key, decode: (document) => document as LedgerRow };

export class FenceWorld {
  readonly database: Database;
  readonly fence: Fence;
  readonly context: CaseContext;
  readonly #createFence: (options: FenceOptions) => Fence;

  constructor(context: CaseContext, database: Database, create: (options: FenceOptions) => Fence = createFence) {
    this.context = context;
    this.database = database;
    this.#createFence = create;
    this.fence = this.fenceWith({});
  }

  /** Another fence on the same database, as another process or another release would have it. */
  fenceWith(options: Partial<FenceOptions>): Fence {
    return this.#createFence({ database: this.database, retentionMs: RETENTION_MS, runningLeaseMs: LEASE_MS, ...options });
  }

  /** The same business, reached through another connection. */
  async neighbour(): Promise<FenceWorld> {
    return new FenceWorld(this.context, await this.context.open(), this.#createFence);
  }

  action(key: string, over: Partial<FencedOperation> = {}): FencedOperation {
    return {
      key,
      name: "stock.deduct",
      sagaId: "saga-1",
      issuedAt: this.context.clock.now(),
      input: { productId: "p", quantity: 1 },
      ...over,
    };
  }

  undoOf(action: FencedOperation, known: UndoneKey["known"] = "inDoubt", over: Partial<FencedUndo> = {}): FencedUndo {
    return {
      ...this.action(`${action.key}/undo`, { name: "stock.restore" }),
      undoes: { key: action.key, issuedAt: action.issuedAt, known, name: action.name },
      ...over,
    };
  }

  /** What took effect under an action's key, and how often that was undone. */
  async effects(key: string): Promise<readonly [done: number, undone: number]> {
    const row = await this.database.transaction((transaction) => transaction.get(ledger, key));
    return [row?.done ?? 0, row?.undone ?? 0];
  }

  async expectEffects(key: string, expected: readonly [done: number, undone: number], rule: string): Promise<void> {
    expectEqual(await this.effects(key), expected, rule);
  }

  act(action: FencedOperation, business = deduct) {
    return this.fence.act(action, business);
  }

  undo(undo: FencedUndo, business = restore(undo.undoes.key)) {
    return this.fence.undo(undo, business);
  }
}

/** Counts, per key, how often it took effect. */
export async function deduct({ transaction, key }: ActionContext): Promise<Result<typeof OUTPUT, OutOfStock>> {
  await count(transaction, key, { done: 1 });
  return ok(OUTPUT);
}

/** Does its work, and then says no. */
export async function deductAndRefuse({ transaction, key }: ActionContext): Promise<Result<typeof OUTPUT, OutOfStock>> {
  await count(transaction, key, { done: 1 });
  return err(NO);
}

/** Says no when the last one is gone. */
export async function takeTheLast({ transaction, key }: ActionContext): Promise<Result<typeof OUTPUT, OutOfStock>> {
  const gone = await transaction.get(ledger, "the last one");
  if (gone !== undefined) return err(NO);
  await count(transaction, "the last one", { done: 1 });
  await count(transaction, key, { done: 1 });
  return ok(OUTPUT);
}

function restore(actionKey: string): (context: UndoContext) => Promise<void> {
  return ({ transaction }) => count(transaction, actionKey, { undone: 1 });
}

export async function count(
  transaction: Transaction,
  key: string,
  by: { readonly done?: number; readonly undone?: number },
): Promise<void> {
  const row = (await transaction.get(ledger, key)) ?? { key, done: 0, undone: 0 };
  await transaction.put(ledger, { key, done: row.done + (by.done ?? 0), undone: row.undone + (by.undone ?? 0) });
}

/** Business code that must not be reached. */
export function never(): never {
  throw new Unreachable();
}

class Unreachable extends Error {
  readonly _tag = "Unreachable";

  constructor() {
    super("business code ran where the fence should have answered by itself");
    this.name = "Unreachable";
  }
}

export const executed = { _tag: "Executed", decision: { _tag: "Succeeded", json: OUTPUT_JSON } } as const;
export const replayed = { ...executed, _tag: "Replayed" } as const;
export const refused = { _tag: "Executed", decision: { _tag: "Rejected", json: JSON.stringify(NO) } } as const;
export const refusedBefore = { ...refused, _tag: "Replayed" } as const;
export const undone = { _tag: "Executed", decision: { _tag: "Undone" } } as const;
export const undoneBefore = { ...undone, _tag: "Replayed" } as const;
export const nothingToUndo = { _tag: "Executed", decision: { _tag: "NothingToUndo" } } as const;
export const nothingToUndoBefore = { ...nothingToUndo, _tag: "Replayed" } as const;
export const sealed = { _tag: "Sealed" } as const;
export const keyReused = { _tag: "KeyReused" } as const;
export const evidenceLost = { _tag: "EvidenceLost" } as const;
export const expired = { _tag: "Expired" } as const;
