/**
 * Retention and horizons as one set, checked before anything runs (FS-06): a participant must remember an operation's key for longer than the operation, or its undo, may
 * still be attempted. Refuses with the two numbers that disagree. What only a start or a taking back tells is compared then, with what this leaves.
 */
import type { AnySaga } from "../definition/saga.ts";
import type { StepDefinition } from "../definition/step-definition.ts";
import { DefinitionInvalid } from "../errors/definition-invalid.ts";

export interface Horizons {
  /**
   * Every step that the engine's sagas call. A body tells only while it runs which those are, and how often: each counts once here, and one that is called several times in
   * sequence takes that many times as long to undo. What outlasts every number here parks as `EvidenceLost`: nothing is guessed.
   */
  readonly steps: readonly { readonly "~step": StepDefinition }[];
  /** How long participants' fences remember a key, in milliseconds: the shortest of them. */
  readonly fenceRetentionMs: number;
  /** How long ended sagas are kept in the journal, in milliseconds, where they are forgotten at all. */
  readonly sagaRetentionMs?: number | undefined;
  /** How long a participant in intent mode counts a request as running, in milliseconds: the longest of them. Default: not checked. */
  readonly runningLeaseMs?: number | undefined;
}

/** How late the undos of a saga may come. */
export interface UndoWindow {
  readonly fenceRetentionMs: number;
  /** From a deadline until what is in flight then has settled, and the first undo starts: also when its worker dies, and another one must wait for the lease. */
  readonly inFlightMs: number;
  /** All undos, one after another. */
  readonly undosMs: number;
}

/**
 * Hands back what starts and takings back are compared with; nothing where no step is undone.
 *
 * @param leaseMs - How long a saga may wait for another worker, where there are several.
 * @throws {DefinitionInvalid} naming the two numbers that disagree.
 */
export function checkHorizons(sagas: readonly AnySaga[], horizons: Horizons, leaseMs = 0): UndoWindow | undefined {
  const { fenceRetentionMs, sagaRetentionMs, runningLeaseMs } = horizons;
  for (const [option, value] of Object.entries({ fenceRetentionMs, sagaRetentionMs, runningLeaseMs })) {
    if (value !== undefined) checkMs(option, value);
  }
  const steps = [...new Set(horizons.steps.map(({ "~step": step }) => step))];
  for (const step of steps) checkStep(step, fenceRetentionMs);
  if (runningLeaseMs !== undefined) checkLease(steps, runningLeaseMs, fenceRetentionMs);
  const window = windowOf(steps, fenceRetentionMs, leaseMs);
  if (window !== undefined) checkDeadlines(sagas, window);
  if (sagaRetentionMs !== undefined && sagaRetentionMs <= fenceRetentionMs) {
    refuse(
      `the fence retention of ${fenceRetentionMs} ms, in which a repeated request may still find its operation`,
      `the saga retention of ${sagaRetentionMs} ms`,
    );
  }
  return window;
}

/** Why undos after this deadline might come too late, if they might. */
export function deadlineFlaw(deadlineMs: number | undefined, { fenceRetentionMs, inFlightMs, undosMs }: UndoWindow): string | undefined {
  if (deadlineMs === undefined)
    return `without a deadline, undos may come after any time, and must come within the fence retention of ${fenceRetentionMs} ms`;
  if (deadlineMs + inFlightMs + undosMs < fenceRetentionMs) return undefined;
  return mustBeShorter(
    `the deadline of ${deadlineMs} ms, ${inFlightMs} ms for what is in flight then and ${undosMs} ms for the undos after it`,
    `the fence retention of ${fenceRetentionMs} ms`,
  );
}

/** Why undos that start so long after their saga did might come too late, if they might. */
export function ageFlaw(ageMs: number, { fenceRetentionMs, undosMs }: UndoWindow): string | undefined {
  if (ageMs + undosMs < fenceRetentionMs) return undefined;
  return mustBeShorter(`${ageMs} ms since its start and ${undosMs} ms for the undos`, `the fence retention of ${fenceRetentionMs} ms`);
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

/** An undo must not be given up before the participant may decide what became of its action. */
function checkLease(steps: readonly StepDefinition[], runningLeaseMs: number, fenceRetentionMs: number): void {
  const lease = `the running lease of ${runningLeaseMs} ms`;
  if (runningLeaseMs >= fenceRetentionMs) refuse(lease, `the fence retention of ${fenceRetentionMs} ms`);
  for (const { name, compensationRetry } of steps.filter(isUndone)) {
    const { horizonMs } = compensationRetry;
    if (runningLeaseMs >= horizonMs) refuse(lease, `the horizon of ${horizonMs} ms of step ${name}, compensationRetry`);
  }
}

function checkDeadlines(sagas: readonly AnySaga[], window: UndoWindow): void {
  for (const { name, "~saga": saga } of sagas) {
    const flaw = deadlineFlaw(saga.deadlineMs, window);
    if (flaw !== undefined) throw new DefinitionInvalid(`saga ${name}: ${flaw}`);
  }
}

function windowOf(steps: readonly StepDefinition[], fenceRetentionMs: number, leaseMs: number): UndoWindow | undefined {
  const undone = steps.filter(isUndone);
  if (undone.length === 0) return undefined;
  return {
    fenceRetentionMs,
    inFlightMs: Math.max(...steps.map(inFlightMs)) + leaseMs,
    undosMs: undone.reduce((sum, { compensationRetry }) => sum + compensationRetry.horizonMs + compensationRetry.timeoutMs, 0),
  };
}

function isUndone({ kind }: StepDefinition): boolean {
  return kind === "compensatable";
}

function inFlightMs({ kind, retry }: StepDefinition): number {
  // No deadline ends a pivot that has begun, and its rejection takes everything back.
  if (kind === "pivot") return retry.horizonMs + retry.timeoutMs;
  return kind === "retriable" ? 0 : retry.timeoutMs;
}

function refuse(longer: string, shorter: string): never {
  throw new DefinitionInvalid(mustBeShorter(longer, shorter));
}

function mustBeShorter(longer: string, shorter: string): string {
  return `${longer} must be shorter than ${shorter}`;
}
