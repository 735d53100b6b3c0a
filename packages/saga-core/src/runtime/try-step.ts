/** Testing one step: one attempt of its action or its compensation, classified as the engine would classify it. Retries nothing and journals nothing. */
import type { Call } from "../definition/call.ts";
import type { Attempt, Cause, UndoableOutcome } from "../definition/outcome.ts";
import type { PivotStep } from "../definition/pivot.ts";
import type { RetriableStep } from "../definition/retriable.ts";
import type { CompensatableStep, ReadOnlyStep } from "../definition/step.ts";
import type { StepDefinition } from "../definition/step-definition.ts";
import type { UndoOrder } from "../engine/command.ts";
import { fault, faultData } from "../errors/fault.ts";
import { hostTimer, type Timer } from "../primitives/host.ts";
import { idempotencyKey } from "../primitives/idempotency-key.ts";
import { toJson } from "../primitives/json.ts";
import { invoke, underDeadline } from "./attempt.ts";

export interface TryStepOptions {
  /** Default `"try-step"`. Another id is another operation to the participant. */
  readonly sagaId?: string | undefined;
  /** Epoch milliseconds. Default: now. */
  readonly issuedAt?: number | undefined;
  readonly timer?: Timer | undefined;
}

export interface UndoStepOptions extends TryStepOptions {
  readonly cause?: Cause | undefined;
}

type AnyStep<Input, Output, Failure> =
  | CompensatableStep<string, Input, Output, Failure>
  | ReadOnlyStep<string, Input, Output, Failure>
  | PivotStep<string, Input, Output, Failure>;

/** Makes one attempt of a step's action and says how it ended. */
export function tryStep<Input, Output, Failure>(
  step: AnyStep<Input, Output, Failure>,
  input: NoInfer<Input>,
  options?: TryStepOptions,
): Promise<Attempt<Output, Failure>>;
export function tryStep<Input, Output>(
  step: RetriableStep<string, Input, Output>,
  input: NoInfer<Input>,
  options?: TryStepOptions,
): Promise<Attempt<Output, never>>;
export function tryStep(
  step: { readonly "~step": StepDefinition },
  input: unknown,
  options: TryStepOptions = {},
): Promise<Attempt<unknown, unknown>> {
  return attempt(step["~step"], input, undefined, options);
}

/** Makes one attempt of a step's compensation, told that the action had the given outcome. */
export function undoStep<Input, Output, Failure>(
  step: CompensatableStep<string, Input, Output, Failure>,
  input: NoInfer<Input>,
  outcome: NoInfer<UndoableOutcome<Output>>,
  options: UndoStepOptions = {},
): Promise<Attempt<unknown, never>> {
  const { sagaId = "try-step", issuedAt = Date.now(), cause = DEFAULT_CAUSE } = options;
  const definition = step["~step"];
  const known = outcome._tag === "Succeeded" || outcome.known === "succeeded" ? "succeeded" : "inDoubt";
  const undoes = { key: idempotencyKey({ sagaId, path: pathOf(definition), slot: "action" }), issuedAt, known } as const;
  const undo: UndoOrder = { undoes, outcome: outcome as UndoOrder["outcome"], cause };
  return attempt(definition, input, undo, options) as Promise<Attempt<unknown, never>>;
}

const DEFAULT_CAUSE: Cause = { _tag: "FaultedCause", path: "run", fault: faultData(fault("Faulted", "the step is undone on its own")) };

function pathOf({ name }: StepDefinition): string {
  return `run/${name}`;
}

async function attempt(
  definition: StepDefinition,
  rawInput: unknown,
  undo: UndoOrder | undefined,
  { sagaId = "try-step", issuedAt = Date.now(), timer = hostTimer }: TryStepOptions,
): Promise<Attempt<unknown, unknown>> {
  const input = rawInput === undefined ? undefined : toJson(rawInput);
  if (input?.isErr() === true)
    return fault(
      "Faulted",
      `the input of ${definition.name} is no JSON: ${input.error.path === "" ? "it" : input.error.path} is ${input.error.found}`,
    );
  const slot = undo === undefined ? "action" : "compensation";
  const { timeoutMs } = undo === undefined ? definition.retry : definition.compensationRetry;
  const call: Omit<Call, "signal"> = {
    sagaId,
    key: idempotencyKey({ sagaId, path: pathOf(definition), slot }),
    issuedAt,
    attempt: 1,
    timeoutMs,
  };
  return underDeadline({ timeoutMs, timer }, (signal) => invoke(definition, input?.unwrapOr(undefined), undo, { ...call, signal }));
}
