/**
 * Retention and horizons as one set, checked before anything runs (FS-06): a participant must remember an operation's key for longer than the operation, or its undo, may
 * still be attempted. Refuses with the two numbers that disagree.
 */
import type { AnySaga } from "../definition/saga.ts";
import type { StepDefinition } from "../definition/step-definition.ts";
import { DefinitionInvalid } from "../errors/definition-invalid.ts";

export interface Horizons {
  /** Every step that the engine's sagas call. A body tells only while it runs which those are. */
  readonly steps: readonly { readonly "~step": StepDefinition }[];
  /** How long participants' fences remember a key, in milliseconds: the shortest of them. */
  readonly fenceRetentionMs: number;
  /** How long ended sagas are kept in the journal, in milliseconds, where they are forgotten at all. */
  readonly sagaRetentionMs?: number | undefined;
}

/** @throws {DefinitionInvalid} naming the two numbers that disagree. */
export function checkHorizons(sagas: readonly AnySaga[], { steps, fenceRetentionMs, sagaRetentionMs }: Horizons): void {
  checkMs("fenceRetentionMs", fenceRetentionMs);
  if (sagaRetentionMs !== undefined) checkMs("sagaRetentionMs", sagaRetentionMs);
  for (const { "~step": step } of steps) checkStep(step, fenceRetentionMs);
  const undoMs = Math.max(0, ...steps.map(({ "~step": step }) => undoLengthMs(step)));
  for (const { name, "~saga": saga } of sagas) {
    if (saga.deadlineMs === undefined) continue;
    const lastsMs = saga.deadlineMs + undoMs;
    if (lastsMs >= fenceRetentionMs) {
      refuse(
        `saga ${name}: its deadline of ${saga.deadlineMs} ms and ${undoMs} ms for the longest undo after it`,
        `the fence retention of ${fenceRetentionMs} ms`,
      );
    }
  }
  if (sagaRetentionMs !== undefined && sagaRetentionMs <= fenceRetentionMs) {
    refuse(
      `the fence retention of ${fenceRetentionMs} ms, in which a repeated request may still find its operation`,
      `the saga retention of ${sagaRetentionMs} ms`,
    );
  }
}

function checkMs(option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new DefinitionInvalid(`horizons: ${option} must be a whole number of milliseconds from 1 on; found ${value}`);
}

function checkStep({ name, kind, retry, compensationRetry }: StepDefinition, fenceRetentionMs: number): void {
  const policies = kind === "compensatable" ? { retry, compensationRetry } : { retry };
  for (const [policy, { horizonMs, timeoutMs }] of Object.entries(policies)) {
    if (timeoutMs > horizonMs) refuse(`step ${name}, ${policy}: one attempt of ${timeoutMs} ms`, `its horizon of ${horizonMs} ms`);
    if (kind !== "readOnly" && horizonMs + timeoutMs >= fenceRetentionMs) {
      refuse(
        `step ${name}, ${policy}: its horizon of ${horizonMs} ms and ${timeoutMs} ms for the last attempt`,
        `the fence retention of ${fenceRetentionMs} ms`,
      );
    }
  }
}

function undoLengthMs({ kind, compensationRetry }: StepDefinition): number {
  return kind === "compensatable" ? compensationRetry.horizonMs + compensationRetry.timeoutMs : 0;
}

function refuse(longer: string, shorter: string): never {
  throw new DefinitionInvalid(`${longer} must be shorter than ${shorter}`);
}
