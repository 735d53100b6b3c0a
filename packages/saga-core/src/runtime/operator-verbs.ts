/**
 * What an operator may do with a parked operation, and the fact that records it. Owns the table of slot × kind × verb; nothing is ever guessed: "not applied"
 * goes forward only once the participant holds a seal for the key.
 */
import { err, ok, type Result } from "neverthrow";
import { match } from "ts-pattern";
import type { StepDefinition } from "../definition/step-definition.ts";
import { keyOf, type Operation, rulesOf } from "../engine/operation.ts";
import type { OperatorRetried, OperatorSettled, SettleVerdict } from "../journal/entry.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import { readJson } from "./attempt.ts";
import { checkValue } from "./check-value.ts";
import { askParticipant, type RunnerPorts } from "./operation-runner.ts";
import { wayOfNotApplied } from "./operator-table.ts";

export interface OperatorOrder {
  /** As `SagaParked` names it. */
  readonly path: string;
  readonly slot: Slot;
  /** Who: a person or a system that can be asked later. 1 to 200 characters. */
  readonly by: string;
  /** Why. 1 to 2,000 characters. */
  readonly reason: string;
}

export interface SettleOrder extends OperatorOrder {
  /** What the claim rests on: a ticket, a statement, an answer. 1 to 2,000 characters. */
  readonly evidence: string;
  /**
   * `applied`: it had its effect; an action's output is needed, as its step would have answered, and must fit the step's `output` schema where it has
   * one. `notApplied`: it had none, and gets none under this key.
   */
  readonly verdict: { readonly _tag: "applied"; readonly output?: unknown } | { readonly _tag: "notApplied" };
}

type Refusal = string;

export function retryFact(order: OperatorOrder, at: number): Result<OperatorRetried, Refusal> {
  return checkOperator(order).map(() => {
    const { path, slot, by, reason } = order;
    return { _tag: "OperatorRetried", path, slot, by, reason, at };
  });
}

export async function settleFact(
  order: SettleOrder,
  operation: Readonly<Operation>,
  sagaId: string,
  ports: RunnerPorts,
): Promise<Result<OperatorSettled, Refusal>> {
  const { path, slot, by, reason, evidence } = order;
  const checked = checkOperator(order).andThen(() => checkText("evidence", evidence, 2_000));
  if (checked.isErr()) return err(checked.error);
  const verdict = await match<SettleOrder["verdict"], Promise<Result<SettleVerdict, Refusal>>>(order.verdict)
    .with({ _tag: "applied" }, ({ output }) => applied(operation, output))
    .with({ _tag: "notApplied" }, () => notApplied(operation, sagaId, ports))
    // Orders come over wires too, and what is not understood must not pass for "not applied".
    .otherwise(async () => err('the verdict must be "applied" or "notApplied"'));
  return verdict.map((settled) => ({ _tag: "OperatorSettled", path, slot, by, reason, evidence, verdict: settled, at: ports.now() }));
}

async function applied({ slot, step }: Readonly<Operation>, given: unknown): Promise<Result<SettleVerdict, Refusal>> {
  if (slot === "compensation") return ok({ _tag: "SettledApplied" });
  const fitting = step.output === undefined ? ok(given) : await checkValue(step.output, given, "output");
  return fitting
    .mapErr((issues) => `the output of ${step.name} does not fit: ${issues.map(({ path, message }) => `${path}: ${message}`).join("; ")}`)
    .andThen((output): Result<SettleVerdict, Refusal> => {
      if (output === undefined) return ok({ _tag: "SettledApplied" });
      return readJson(output)
        .map((json): SettleVerdict => ({ _tag: "SettledApplied", output: json }))
        .mapErr((flaw) => `the output of ${step.name} ${flaw}`);
    });
}

async function notApplied(operation: Readonly<Operation>, sagaId: string, ports: RunnerPorts): Promise<Result<SettleVerdict, Refusal>> {
  const { step, slot, forwardOnly, parkCause: cause, knowledge } = operation;
  const next = slot === "compensation" || forwardOnly ? "reissue" : "goOn";
  const resolvable = step.resolve !== undefined;
  const way = cause === undefined ? undefined : wayOfNotApplied({ slot, kind: step.kind, resolvable, cause, applied: knowledge.applied });
  return match(way)
    .with("sealed", async () => ok<SettleVerdict>({ _tag: "SettledNotApplied", next }))
    .with("seal", async () => (await seal(step, operation, sagaId, ports)).map((): SettleVerdict => ({ _tag: "SettledNotApplied", next })))
    .with("undo", async () => ok<SettleVerdict>({ _tag: "SettledNotApplied", next: "undo" }))
    .with(undefined, async () =>
      err<SettleVerdict>(
        `${step.name} declares no resolve function, so its key cannot be sealed and "not applied" would be a guess: retry, settle as applied, or abandon`,
      ),
    )
    .exhaustive();
}

/** The deciding query plants a tombstone where there is nothing; any other answer contradicts the operator or leaves it open. */
async function seal(
  step: StepDefinition,
  operation: Readonly<Operation>,
  sagaId: string,
  ports: RunnerPorts,
): Promise<Result<void, Refusal>> {
  if (!ports.tenure.held()) return err("this worker has no lease just now: try again");
  const { path, slot, issuedAt, input } = operation;
  const { timeoutMs } = rulesOf(operation).retry;
  const call = { sagaId, key: keyOf(sagaId, operation), issuedAt, attempt: 1, timeoutMs };
  return match(await askParticipant({ step, path, slot, input, call }, ports))
    .with({ _tag: "SealedForGood" }, () => ok(undefined))
    .with({ _tag: "NotApplied" }, () => ok(undefined))
    .with({ _tag: "Succeeded" }, () =>
      err(`the participant says that ${step.name} was applied under this key: settle it as applied, or retry to fetch the answer`),
    )
    .with({ _tag: "StillUnknown" }, ({ fault }) =>
      err(`the key could not be sealed (${fault.message}): try again when the participant answers`),
    )
    .exhaustive();
}

export function checkOperator({ by, reason }: { readonly by: string; readonly reason: string }): Result<void, Refusal> {
  return checkText("by", by, 200).andThen(() => checkText("reason", reason, 2_000));
}

function checkText(name: string, text: string, charactersMax: number): Result<void, Refusal> {
  if (typeof text === "string" && text.length > 0 && text.length <= charactersMax) return ok(undefined);
  return err(`${name} must be a text of 1 to ${charactersMax} characters`);
}
