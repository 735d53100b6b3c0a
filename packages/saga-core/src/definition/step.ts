/**
 * Steps: one call to a participant each, declared once, outside any body. Owns the four constructors and what they demand; how attempts are judged is the
 * engine's, how they are made the runtime's.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { DefinitionInvalid } from "../errors/definition-invalid.ts";
import type { Fault } from "../errors/fault.ts";
import type { Tagged } from "../errors/tagged.ts";
import type { NonJsonPart, NotJournalable } from "../primitives/json.ts";
import type { Answer, AnsweredOutput, AnsweredRejection } from "./answer.ts";
import { type Effect, type Yieldable, yieldable } from "./effect.ts";
import type { PivotStep, PivotStepOptions } from "./pivot.ts";
import type { RetriableStep, RetriableStepOptions } from "./retriable.ts";
import { ACTION_RETRY_DEFAULT, PERSISTENT_RETRY_DEFAULT, type RetryPolicy, resolveRetryPolicy } from "./retry-policy.ts";
import type { CompensationContext, InDoubtPolicy, StepDefinition, StepKind } from "./step-definition.ts";
import type { AnyStepOptions, Declared, ResolvableStepOptions } from "./step-options.ts";

export interface StepOptions<Name extends string, Input, Returned>
  extends AnyStepOptions<Name, Input, Returned>,
    ResolvableStepOptions<Input, Returned> {
  /**
   * Takes the action back, whatever is known of it. It declares no rejection and stands behind no business guard; it is retried until it succeeds
   * or parks the saga. The participant's fence makes it safe to run when the action never arrived.
   */
  readonly compensate: (input: Input, context: CompensationContext<AnsweredOutput<Returned>>) => Answer<Fault>;
  /** Default `"compensate"`. */
  readonly inDoubt?: InDoubtPolicy | undefined;
  readonly compensationRetry?: RetryPolicy | undefined;
}

export type ReadOnlyStepOptions<Name extends string, Input, Returned> = AnyStepOptions<Name, Input, Returned>;

export interface CompensatableStep<Name extends string, Input, Output, Failure> extends Declared {
  (input: Input): Yieldable<Output, Effect<Name, "compensatable", Failure>>;
}

export interface ReadOnlyStep<Name extends string, Input, Output, Failure> extends Declared {
  (input: Input): Yieldable<Output, Effect<Name, "readOnly", Failure>>;
}

/** A step without an input is called with none: a parameter of type `void` may be left out, one of type `undefined` may not. */
type InputOf<Input> = unknown extends Input ? void : [Input] extends [undefined] ? void : Input;

/** `Step` when input, output and rejections are JSON; otherwise what is not, which nothing can call. */
type Journalable<Input, Returned, Step> = [
  NonJsonPart<InputOf<Input>> | NonJsonPart<AnsweredOutput<Returned>> | NonJsonPart<AnsweredRejection<Returned>>,
] extends [never]
  ? Step
  : NotJournalable<NonJsonPart<InputOf<Input>> | NonJsonPart<AnsweredOutput<Returned>> | NonJsonPart<AnsweredRejection<Returned>>>;

interface StepConstructor {
  /**
   * Declares a compensatable step: an action and its semantic undo. The intent is journaled before the action is called, so a crash at any
   * instant leads to the same action under the same key, or to its compensation. It is compensated unless every attempt definitely had no effect.
   *
   * @throws {DefinitionInvalid} for a malformed name or option.
   */
  <const Name extends string, Input, Returned extends Answer<Tagged>>(
    options: StepOptions<Name, Input, Returned>,
  ): Journalable<Input, Returned, CompensatableStep<Name, InputOf<Input>, AnsweredOutput<Returned>, AnsweredRejection<Returned>>>;

  /** Declares a step that changes nothing: never undone, holds no doubt, may stand in `run` and, without a rejection, in `complete`. */
  readOnly<const Name extends string, Input, Returned extends Answer<Tagged>>(
    options: ReadOnlyStepOptions<Name, Input, Returned>,
  ): Journalable<Input, Returned, ReadOnlyStep<Name, InputOf<Input>, AnsweredOutput<Returned>, AnsweredRejection<Returned>>>;

  /** Declares the go/no-go step: before it the saga may go back, after it it must go forward. In doubt it blocks both. */
  pivot<const Name extends string, Input, Returned extends Answer<Tagged>>(
    options: PivotStepOptions<Name, Input, Returned>,
  ): Journalable<Input, Returned, PivotStep<Name, InputOf<Input>, AnsweredOutput<Returned>, AnsweredRejection<Returned>>>;

  /** Declares a step after the point of no return: no rejection, repeated until done, parked (forward only) past its horizon. */
  retriable<const Name extends string, Input, Returned extends Answer<Fault>>(
    options: RetriableStepOptions<Name, Input, Returned>,
  ): Journalable<Input, Returned, RetriableStep<Name, InputOf<Input>, AnsweredOutput<Returned>>>;
}

const STEP_NAME_PATTERN = /^[a-z0-9]+(?:[.-][a-z0-9]+)*$/;
const STEP_NAME_LENGTH_MAX = 64;
const IN_DOUBT_POLICIES: readonly InDoubtPolicy[] = ["compensate", "resolve", "park"];

/** What a definition is built from, whatever the constructor. */
interface ErasedOptions {
  readonly name: string;
  readonly run: unknown;
  readonly compensate?: unknown;
  readonly resolve?: unknown;
  readonly output?: StandardSchemaV1 | undefined;
  readonly inDoubt?: InDoubtPolicy | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly compensationRetry?: RetryPolicy | undefined;
}

/** Checks a name that becomes part of paths and keys. */
export function checkName(what: string, name: string): void {
  if (typeof name !== "string" || !STEP_NAME_PATTERN.test(name) || name.length > STEP_NAME_LENGTH_MAX) {
    throw new DefinitionInvalid(
      `${what} name ${JSON.stringify(name)}: use 1 to ${STEP_NAME_LENGTH_MAX} characters, lower-case letters and digits joined by "." or "-"`,
    );
  }
}

function define(kind: StepKind, options: ErasedOptions): StepDefinition {
  checkName("step", options.name);
  const where = `step ${options.name}`;
  for (const part of partsOf(kind, options)) {
    if (typeof options[part] !== "function") throw new DefinitionInvalid(`${where}: ${part} must be a function`);
  }
  if (options.output !== undefined && typeof options.output?.["~standard"]?.validate !== "function") {
    throw new DefinitionInvalid(`${where}: output must be a Standard Schema (zod, valibot, arktype, …)`);
  }
  const inDoubt = options.inDoubt ?? (kind === "compensatable" ? "compensate" : options.resolve === undefined ? "park" : "resolve");
  if (!IN_DOUBT_POLICIES.includes(inDoubt)) {
    throw new DefinitionInvalid(`${where}: inDoubt must be "compensate", "resolve" or "park"; found ${JSON.stringify(inDoubt)}`);
  }
  if (inDoubt === "resolve" && options.resolve === undefined) {
    throw new DefinitionInvalid(`${where}: inDoubt is "resolve", but there is no resolve function`);
  }
  if (kind === "pivot" && inDoubt === "compensate") {
    throw new DefinitionInvalid(`${where}: a pivot has nothing to compensate; inDoubt is "resolve" or "park"`);
  }
  return {
    name: options.name,
    kind,
    ...pick(options, "run"),
    ...(options.compensate === undefined ? {} : pick(options, "compensate")),
    ...(options.resolve === undefined ? {} : pick(options, "resolve")),
    ...(options.output === undefined ? {} : { output: options.output }),
    inDoubt,
    retry: resolveRetryPolicy(`${where}, retry`, options.retry, kind === "retriable" ? PERSISTENT_RETRY_DEFAULT : ACTION_RETRY_DEFAULT),
    compensationRetry: resolveRetryPolicy(`${where}, compensationRetry`, options.compensationRetry, PERSISTENT_RETRY_DEFAULT),
    forwardRetry: resolveRetryPolicy(`${where}, retry`, options.retry, PERSISTENT_RETRY_DEFAULT),
  } as StepDefinition; // the one erasure: from here on inputs and outputs are journaled JSON
}

/** The functions that a definition is made of. */
function partsOf(kind: StepKind, { resolve }: ErasedOptions): readonly ("run" | "compensate" | "resolve")[] {
  return ["run", ...(kind === "compensatable" ? (["compensate"] as const) : []), ...(resolve === undefined ? [] : (["resolve"] as const))];
}

function pick(options: ErasedOptions, part: "run" | "compensate" | "resolve"): Partial<Record<typeof part, unknown>> {
  return { [part]: options[part] };
}

function callable(definition: StepDefinition): unknown {
  const call = (input: unknown): unknown => yieldable({ _tag: "CallStep", step: definition, input });
  return Object.assign(call, { "~step": definition });
}

function pivotCallable(definition: StepDefinition): unknown {
  const call = (input: unknown): unknown => ({ "~pivot": { step: definition, input } });
  return Object.assign(call, { "~step": definition });
}

export const step: StepConstructor = Object.assign((options: ErasedOptions) => callable(define("compensatable", options)), {
  readOnly: (options: ErasedOptions) => callable(define("readOnly", options)),
  pivot: (options: ErasedOptions) => pivotCallable(define("pivot", options)),
  retriable: (options: ErasedOptions) => callable(define("retriable", options)),
}) as unknown as StepConstructor;
