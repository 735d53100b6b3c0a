/**
 * The undo of a foreign effect: settles an action that was left open, then takes it back under an intent of its own. While that is under
 * way the action's row says `GoingBack`, so that no second undo, whatever its key, starts beside it: whoever comes after the lease goes on
 * with the first one, under the first one's key, since the foreign system may have heard of that key already.
 */
import { DatabaseCorrupt } from "../database/database-errors.ts";
import type { Transaction } from "../database.ts";
import type { Succeeded, UndoAnswer } from "./answer.ts";
import { type Claim, foreignContext, giveBack, takeOver } from "./claim.ts";
import { type FenceRow, fenceTable } from "./fence-row.ts";
import { type FenceParts, insertRow, mustReadRow, writeRow } from "./fence-rows.ts";
import type { ForeignUndo } from "./foreign.ts";
import { lend } from "./lend.ts";
import type { FencedUndo } from "./operation.ts";
import { planUndo, type TakeBack } from "./plan-undo.ts";
import { settle } from "./settle.ts";
import { outputOf, ownRow, readOwnRow } from "./undo.ts";

/** The action is open and its lease over. */
interface SettleAction {
  readonly _tag: "SettleAction";
  readonly claim: Claim;
}

/** An undo's intent is committed, under this undo's key or under that of an earlier one that died. */
interface Claimed {
  readonly _tag: "Claimed";
  readonly claim: Claim;
  readonly json: string;
}

type Opened = SettleAction | Claimed | UndoAnswer;

export async function undoIntended<Output, Rejection>(
  parts: FenceParts,
  operation: FencedUndo,
  foreign: ForeignUndo<Output, Rejection>,
): Promise<UndoAnswer> {
  const opened = await parts.database.transaction((transaction) => open(parts, transaction, operation));
  if (opened._tag === "Claimed") {
    const answer = await takeBack(parts, operation, foreign, opened);
    return opened.claim.key === operation.key ? answer : undoIntended(parts, operation, foreign);
  }
  if (opened._tag !== "SettleAction") return opened;
  const settled = await settle(parts, opened.claim, foreign.action, "end");
  return settled._tag === "Running" ? settled : undoIntended(parts, operation, foreign);
}

async function open(parts: FenceParts, transaction: Transaction, operation: FencedUndo): Promise<Opened> {
  const now = parts.database.now();
  const recorded = await readOwnRow(transaction, operation, now);
  if (recorded?._tag === "Lapsed") return goOn(parts, transaction, operation, operation.key, now);
  if (recorded !== undefined) return recorded;
  const plan = await planUndo(parts, transaction, operation, now);
  if (plan._tag === "Running" || plan._tag === "KeyReused") return plan;
  if (plan._tag === "GoingBack") return goOn(parts, transaction, operation, plan.by, now);
  if (plan._tag === "SettleFirst") {
    return { _tag: "SettleAction", claim: await takeOver(parts, transaction, plan.action, plan.token, now) };
  }
  if (plan._tag === "TakeBack") return claimUndo(parts, transaction, operation, plan, now);
  const state = plan._tag === "EvidenceLost" ? plan : ({ _tag: "Decided", decision: plan } as const);
  await insertRow(transaction, ownRow(operation, now, state));
  return plan._tag === "EvidenceLost" ? plan : { _tag: "Executed", decision: plan };
}

async function claimUndo(
  parts: FenceParts,
  transaction: Transaction,
  operation: FencedUndo,
  { action, decision }: TakeBack,
  now: number,
): Promise<Opened> {
  const leaseUntil = now + parts.runningLeaseMs;
  const open = { _tag: "Open", token: 1, leaseUntil } as const;
  // A twin that committed since the first look is at it; its row says the rest on the next call.
  if (!(await insertRow(transaction, ownRow(operation, now, open)))) return { _tag: "Running", retryAfterMs: parts.runningLeaseMs };
  await writeRow(transaction, { ...action, writtenAt: now, state: { _tag: "GoingBack", decision, by: operation.key } });
  const claim = { key: operation.key, sagaId: operation.sagaId, token: 1, leaseUntil, fresh: true };
  return { _tag: "Claimed", claim, json: decision.json };
}

/** Takes over the undo that has begun, when its lease is over. */
async function goOn(parts: FenceParts, transaction: Transaction, { undoes }: FencedUndo, by: string, now: number): Promise<Opened> {
  const begun = await mustReadRow(transaction, by);
  if (begun.state._tag !== "Open") throw inconsistent(by, "an undo that has begun is not open");
  const leftMs = begun.state.leaseUntil - now;
  if (leftMs > 0) return { _tag: "Running", retryAfterMs: leftMs };
  const { json } = recordOf(await mustReadRow(transaction, undoes.key));
  return { _tag: "Claimed", claim: await takeOver(parts, transaction, begun, begun.state.token, now), json };
}

async function takeBack(
  parts: FenceParts,
  { undoes }: FencedUndo,
  foreign: Pick<ForeignUndo<unknown, unknown>, "effect" | "conclude">,
  { claim, json }: Claimed,
): Promise<UndoAnswer> {
  try {
    await foreign.effect({ ...foreignContext(parts, claim), undone: outputOf(json) });
  } catch (cause) {
    await giveBack(parts, claim);
    throw cause;
  }
  return parts.database.transaction<UndoAnswer>(async (transaction) => {
    const now = parts.database.now();
    const { key, sagaId } = claim;
    const begun = await mustReadRow(transaction, key);
    if (begun.state._tag !== "Open") return { _tag: "Replayed", decision: { _tag: "Undone" } };
    const action = await mustReadRow(transaction, undoes.key);
    const decision = { _tag: "Undone" } as const;
    await writeRow(transaction, { ...begun, writtenAt: now, state: { _tag: "Decided", decision } });
    await writeRow(transaction, { ...action, writtenAt: now, state: { _tag: "TakenBack", decision: recordOf(action), by: key } });
    await lend(transaction, async (lent) => foreign.conclude?.({ transaction: lent, now, sagaId, key }));
    return { _tag: "Executed", decision };
  });
}

function recordOf({ key, state }: FenceRow): Succeeded {
  if (state._tag === "GoingBack" && state.decision._tag === "Succeeded") return state.decision;
  throw inconsistent(key, "the action of an open undo is not going back");
}

function inconsistent(key: string, message: string): DatabaseCorrupt {
  return new DatabaseCorrupt(message, { row: { table: fenceTable.name, key } });
}
