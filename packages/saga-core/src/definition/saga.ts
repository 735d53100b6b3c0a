/** A saga: name, version, input schema, and a generator body over steps. Owns the one form and what its types enforce. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { DefinitionInvalid } from "../errors/definition-invalid.ts";
import type { Fault } from "../errors/fault.ts";
import type { Tagged } from "../errors/tagged.ts";
import { type Duration, durationMs } from "../primitives/duration.ts";
import type { NonJsonPart, NotJournalable } from "../primitives/json.ts";
import { type Effect, type EffectKind, type FailureOf, type Yieldable, type YieldedErr, yieldable } from "./effect.ts";
import { type PivotCall } from "./pivot.ts";
import type { Body, SagaDefinition } from "./saga-definition.ts";
import { checkName } from "./step.ts";

/** What `run` may yield: everything that can be taken back or changes nothing. */
export type RunEffect = Effect<string, Exclude<EffectKind, "retriable">, Tagged> | YieldedErr;
/** What `complete` may yield: nothing that must be undone, nothing that may fail. */
export type CompleteEffect = Effect<string, "retriable" | "readOnly" | "plain", never>;

type AnyPivotCall = PivotCall<string, unknown, Tagged>;
type PivotOutput<Pivot> = [Pivot] extends [never] ? undefined : Pivot extends PivotCall<string, infer Output, unknown> ? Output : undefined;
type PivotFailure<Pivot> = Pivot extends PivotCall<string, unknown, infer Failure> ? Exclude<Failure, Fault> : never;

interface SagaOptionsBase<Name extends string, Schema extends StandardSchemaV1, Yielded, RunOutput> {
  /** Lower-case words with dots and dashes. Part of the journal: renaming a saga makes it another saga. */
  readonly name: Name;
  /** 1 or more, default 1. A running saga stays with the version it started with; register several while old ones run out. */
  readonly version?: number | undefined;
  readonly input: Schema;
  /**
   * How long a saga may take until its point of no return, from its start, on the store's clock. Past it everything is taken back, and the caller gets
   * `SagaDeadlineExceeded`; what passes later is told to the observer, and changes nothing. It counts where the saga is started: called inside another one, the
   * saga is part of that, and only the outer deadline counts. Default: none.
   */
  readonly deadline?: Duration | undefined;
  /** May fail: everything in it is taken back. Synchronous and deterministic but for what its effects hand it. */
  readonly run: (input: StandardSchemaV1.InferOutput<Schema>) => Body<Yielded, RunOutput>;
}

export interface RunOnlyOptions<Name extends string, Schema extends StandardSchemaV1, Yielded, RunOutput>
  extends SagaOptionsBase<Name, Schema, Yielded, RunOutput> {
  readonly pivot?: undefined;
  readonly complete?: undefined;
}

export interface SagaOptions<Name extends string, Schema extends StandardSchemaV1, Yielded, RunOutput, Pivot, CompleteYielded, Output>
  extends SagaOptionsBase<Name, Schema, Yielded, RunOutput> {
  /** The go/no-go step, given what `run` returned. */
  readonly pivot?: ((value: RunOutput) => Pivot) | undefined;
  /** May not fail: repeated until done. Without it the saga's output is what `run` returned. Without a pivot, the end of `run` is the point of no return. */
  readonly complete?: ((value: RunOutput, pivoted: PivotOutput<Pivot>) => Body<CompleteYielded, Output>) | undefined;
}

export interface Saga<Name extends string, Input, Output, Failure> {
  readonly name: Name;
  readonly version: number;
  readonly "~saga": SagaDefinition;
  readonly "~input"?: (input: Input) => void;
  readonly "~output"?: Output;
  readonly "~failure"?: Failure;
}

/** A saga with neither `pivot` nor `complete` can be called like a step; its steps are undone with the caller's. */
export interface NestableSaga<Name extends string, Input, Output, Failure> extends Saga<Name, Input, Output, Failure> {
  (input: Input): Yieldable<Output, Effect<Name, "compensatable", Failure>>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- `Input` is contravariant, so no other type takes every saga.
export type AnySaga = Saga<string, any, unknown, unknown>;

/** `Declared` when all that the journal keeps of a saga is JSON: its input as its schema hands it on, its output, its failures. Otherwise what is not. */
type Checked<Kept, Declared> = [NonJsonPart<Kept>] extends [never] ? Declared : NotJournalable<NonJsonPart<Kept>>;
type Kept<Schema extends StandardSchemaV1, Yielded, Output> = StandardSchemaV1.InferOutput<Schema> | FailureOf<Yielded> | Output;

interface SagaConstructor {
  /**
   * Declares a saga. The step classes are types: `run` takes compensatable and read-only steps, `pivot` one pivot step, `complete` retriable
   * and read-only ones. What a body yields gives the union of its failures.
   *
   * @throws {DefinitionInvalid} for a malformed name or version.
   */
  <const Name extends string, Schema extends StandardSchemaV1, Yielded extends RunEffect, Output>(
    options: RunOnlyOptions<Name, Schema, Yielded, Output>,
  ): Checked<Kept<Schema, Yielded, Output>, NestableSaga<Name, StandardSchemaV1.InferInput<Schema>, Output, FailureOf<Yielded>>>;

  <
    const Name extends string,
    Schema extends StandardSchemaV1,
    Yielded extends RunEffect,
    RunOutput,
    Pivot extends AnyPivotCall = never,
    CompleteYielded extends CompleteEffect = never,
    Output = RunOutput,
  >(
    options: SagaOptions<Name, Schema, Yielded, RunOutput, Pivot, CompleteYielded, Output>,
  ): Checked<
    Kept<Schema, Yielded, Output>,
    Saga<Name, StandardSchemaV1.InferInput<Schema>, Output, FailureOf<Yielded> | PivotFailure<Pivot>>
  >;
}

interface ErasedOptions extends Omit<SagaDefinition, "version" | "deadlineMs"> {
  readonly version?: number | undefined;
  readonly deadline?: Duration | undefined;
}

function declare(options: ErasedOptions): unknown {
  checkName("saga", options.name);
  const { version = 1 } = options;
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new DefinitionInvalid(`saga ${options.name}: version must be a whole number from 1 on; found ${version}`);
  }
  if (typeof options.run !== "function") throw new DefinitionInvalid(`saga ${options.name}: run must be a generator function`);
  if (options.pivot !== undefined && typeof options.pivot !== "function") {
    throw new DefinitionInvalid(`saga ${options.name}: pivot must be a function that returns the call of a pivot step`);
  }
  if (options.complete !== undefined && typeof options.complete !== "function") {
    throw new DefinitionInvalid(`saga ${options.name}: complete must be a generator function`);
  }
  if (typeof options.input?.["~standard"]?.validate !== "function") {
    throw new DefinitionInvalid(`saga ${options.name}: input must be a Standard Schema (zod, valibot, arktype, …)`);
  }
  const { deadline, ...parts } = options;
  const definition: SagaDefinition = Object.freeze({ ...parts, version, deadlineMs: deadlineOf(options.name, deadline) });
  const nestable = options.pivot === undefined && options.complete === undefined;
  const base = nestable ? (input: unknown): unknown => yieldable({ _tag: "CallSaga", saga: definition, input }) : {};
  for (const [property, value] of Object.entries({ name: options.name, version, "~saga": definition })) {
    // A function's own `name` can be redefined, not assigned.
    Object.defineProperty(base, property, { value, enumerable: true });
  }
  return base;
}

function deadlineOf(name: string, deadline: Duration | undefined): number | undefined {
  if (deadline === undefined) return undefined;
  return durationMs(deadline).match(
    (ms) => ms,
    (flaw) => {
      throw new DefinitionInvalid(`saga ${name}: deadline ${flaw}`);
    },
  );
}

export const saga = declare as unknown as SagaConstructor;
