/**
 * An undo in the same database as its effect. Its own row is asked first, the action's row is planted second, its own third: always in
 * this order, so that two undos and their action cannot wait for one another.
 */
import { freezeJson, type Json } from "@backstep/saga-core/adapter";
import type { Transaction } from "../database.ts";
import type { UndoAnswer, UndoDecision } from "./answer.ts";
import type { FenceRow, FenceState } from "./fence-row.ts";
import { type FenceParts, insertRow, mustReadRow, readFenceRow, writeRow } from "./fence-rows.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { lend } from "./lend.ts";
import type { FencedUndo, UndoContext } from "./operation.ts";
import { planUndo, type TakeBack } from "./plan-undo.ts";
import { type Asked, type Reading, readUndoRow } from "./read-row.ts";

export function undo(parts: FenceParts, operation: FencedUndo, business: (context: UndoContext) => Promise<void>): Promise<UndoAnswer> {
  return parts.database.transaction<UndoAnswer>(async (transaction) => {
    const now = parts.database.now();
    const recorded = await readOwnRow(transaction, operation, now);
    if (recorded !== undefined) return orRunning(recorded, parts);
    const plan = await planUndo(parts, transaction, operation, now);
    if (plan._tag === "Running" || plan._tag === "KeyReused") return plan;
    // A foreign effect, half done or half undone: not for this mode to go on with.
    if (plan._tag === "SettleFirst" || plan._tag === "GoingBack") return { _tag: "Running", retryAfterMs: parts.runningLeaseMs };
    const state: FenceState = plan._tag === "EvidenceLost" ? plan : { _tag: "Decided", decision: decisionOfPlan(plan) };
    if (!(await insertRow(transaction, ownRow(operation, now, state)))) return lostTheRace(parts, transaction, operation, now);
    if (plan._tag === "EvidenceLost") return plan;
    if (plan._tag === "TakeBack") await takeBack(transaction, operation, plan, now, business);
    return { _tag: "Executed", decision: decisionOfPlan(plan) };
  });
}

async function takeBack(
  transaction: Transaction,
  { key, sagaId }: FencedUndo,
  { action, decision }: TakeBack,
  now: number,
  business: (context: UndoContext) => Promise<void>,
): Promise<void> {
  await lend(transaction, (lent) => business({ transaction: lent, now, sagaId, key, undone: outputOf(decision.json) }));
  await writeRow(transaction, { ...action, writtenAt: now, state: { _tag: "TakenBack", decision, by: key } });
}

/** A twin that committed between the first look and the insert. */
async function lostTheRace(parts: FenceParts, transaction: Transaction, operation: FencedUndo, now: number): Promise<UndoAnswer> {
  return orRunning(readUndoRow(await mustReadRow(transaction, operation.key), askedBy(operation), now), parts);
}

export async function readOwnRow(transaction: Transaction, operation: FencedUndo, now: number): Promise<Reading<UndoDecision> | undefined> {
  const row = await readFenceRow(transaction, operation.key);
  return row === undefined ? undefined : readUndoRow(row, askedBy(operation), now);
}

export function ownRow(operation: FencedUndo, now: number, state: FenceState): FenceRow {
  const { key, sagaId, issuedAt } = operation;
  return { key, kind: "undo", sagaId, issuedAt, writtenAt: now, ...askedBy(operation), state };
}

export function outputOf(json: string): Json {
  return freezeJson(JSON.parse(json) as Json);
}

function askedBy({ name, input, undoes }: FencedUndo): Asked {
  return { name, fingerprint: fingerprintOf(input), undoes: undoes.key };
}

function decisionOfPlan(plan: { readonly _tag: "NothingToUndo" | "Undone" | "TakeBack" }): UndoDecision {
  return { _tag: plan._tag === "NothingToUndo" ? "NothingToUndo" : "Undone" };
}

function orRunning(reading: Reading<UndoDecision>, parts: FenceParts): UndoAnswer {
  return reading._tag === "Lapsed" ? { _tag: "Running", retryAfterMs: parts.runningLeaseMs } : reading;
}
