/**
 * What a recorded row answers to a call that bears its key. The order of the questions is the rule: a seal is told before anything else,
 * another payload before an open attempt, and an open attempt before a record.
 */
import { match } from "ts-pattern";
import type { ActionDecision, Decision, EvidenceLost, KeyReused, Replayed, Running, Sealed, UndoDecision } from "./answer.ts";
import type { FenceRow, FenceState } from "./fence-row.ts";

/** Who asks: everything that the row must agree with. What is absent is not compared. */
export interface Asked {
  readonly name: string;
  readonly kind?: "action" | "undo" | undefined;
  readonly fingerprint?: string | undefined;
  readonly undoes?: string | undefined;
}

/** Open, and its lease is over: the next one takes over. */
interface Lapsed {
  readonly _tag: "Lapsed";
  readonly token: number;
}

export type Reading<Made extends Decision = Decision> = Sealed | EvidenceLost | KeyReused | Running | Lapsed | Replayed<Made>;

export function readRow(row: FenceRow, asked: Asked, now: number): Reading {
  return match<FenceState, Reading>(row.state)
    .with({ _tag: "Sealed" }, { _tag: "TakenBack" }, () => ({ _tag: "Sealed" }))
    .with({ _tag: "EvidenceLost" }, () => ({ _tag: "EvidenceLost" }))
    .with({ _tag: "Open" }, (state) => (agrees(row, asked) ? readOpen(state, now) : { _tag: "KeyReused" }))
    .with({ _tag: "Decided" }, { _tag: "GoingBack" }, ({ decision }) =>
      agrees(row, asked) ? { _tag: "Replayed", decision } : { _tag: "KeyReused" },
    )
    .exhaustive();
}

export function readActionRow(row: FenceRow, asked: Asked, now: number): Reading<ActionDecision> {
  const reading = readRow(row, { ...asked, kind: "action" }, now);
  if (reading._tag !== "Replayed") return reading;
  return isActionDecision(reading.decision) ? { _tag: "Replayed", decision: reading.decision } : { _tag: "KeyReused" };
}

export function readUndoRow(row: FenceRow, asked: Asked, now: number): Reading<UndoDecision> {
  const reading = readRow(row, { ...asked, kind: "undo" }, now);
  if (reading._tag !== "Replayed") return reading;
  return isActionDecision(reading.decision) ? { _tag: "KeyReused" } : { _tag: "Replayed", decision: reading.decision };
}

function isActionDecision(decision: Decision): decision is ActionDecision {
  return decision._tag === "Succeeded" || decision._tag === "Rejected";
}

function readOpen(state: Extract<FenceState, { readonly _tag: "Open" }>, now: number): Running | Lapsed {
  const leftMs = state.leaseUntil - now;
  return leftMs > 0 ? { _tag: "Running", retryAfterMs: leftMs } : { _tag: "Lapsed", token: state.token };
}

function agrees(row: FenceRow, asked: Asked): boolean {
  return (
    equalIfBoth(row.name, asked.name) &&
    equalIfBoth(row.kind, asked.kind) &&
    equalIfBoth(row.fingerprint, asked.fingerprint) &&
    equalIfBoth(row.undoes, asked.undoes)
  );
}

function equalIfBoth(left: string | undefined, right: string | undefined): boolean {
  return left === undefined || right === undefined || left === right;
}
