/**
 * Steps from a contract: an action and its undo in one line. The step's name is the operation's, its types are the contract's, and its key, deadline and saga travel in
 * the headers. What is in doubt can be asked for: the same route and key, as a deciding query.
 */
import type { Command, InputOf, OutputOf, Query, RejectionOf, Undo } from "@backstep/contract";
import {
  type CompensatableStep,
  causeTag,
  DefinitionInvalid,
  type InDoubtPolicy,
  type NonJsonPart,
  type NotJournalable,
  type PivotStep,
  type ReadOnlyStep,
  type RetriableStep,
  type RetryPolicy,
  step,
} from "@backstep/saga-core";
import { type Fault, fault, isFault, type Tagged } from "@backstep/saga-core/adapter";
import type { ResultAsync } from "neverthrow";
import type { z } from "zod";
import type { ClientCommand, ClientQuery, ClientUndo } from "./client/create-client.ts";
import { operationName } from "./wire.ts";

export interface StepOfOptions {
  readonly retry?: RetryPolicy | undefined;
  readonly compensationRetry?: RetryPolicy | undefined;
  /** Default `"compensate"`. */
  readonly inDoubt?: InDoubtPolicy | undefined;
}

/** `Step` when all that the operation's schemas make is JSON; otherwise what is not, which nothing can call. */
type Journalable<Any extends Command | Query, Step> = [NonJsonPart<InputOf<Any> | OutputOf<Any> | RejectionOf<Any>>] extends [never]
  ? Step
  : NotJournalable<NonJsonPart<InputOf<Any> | OutputOf<Any> | RejectionOf<Any>>>;

interface StepOf {
  /**
   * A compensatable step of a command and its undo. An undo that its contract declares for another command does not compile.
   *
   * @throws {DefinitionInvalid} when the two are of different contracts.
   */
  <Action extends Command, Name extends string, Back extends Undo<Name, Action["input"]>>(
    action: ClientCommand<Action, Name>,
    back: ClientUndo<Back>,
    options?: StepOfOptions,
  ): Journalable<Action, CompensatableStep<string, InputOf<Action>, OutputOf<Action>, RejectionOf<Action>>>;
  readOnly<Asked extends Query>(
    query: ClientQuery<Asked>,
    options?: Pick<StepOfOptions, "retry">,
  ): Journalable<Asked, ReadOnlyStep<string, InputOf<Asked>, OutputOf<Asked>, RejectionOf<Asked>>>;
  /** In doubt, the participant is asked until it decides, then the saga is parked. */
  pivot<Action extends Command>(
    action: ClientCommand<Action>,
    options?: Pick<StepOfOptions, "retry">,
  ): Journalable<Action, PivotStep<string, InputOf<Action>, OutputOf<Action>, RejectionOf<Action>>>;
  /** A retriable has no rejection: one that the command declares is a fault here, and parks the saga, forward only. */
  retriable<Action extends Command>(
    action: ClientCommand<Action>,
    options?: Pick<StepOfOptions, "retry">,
  ): Journalable<Action, RetriableStep<string, InputOf<Action>, OutputOf<Action>>>;
}

/** A client's operation with its types erased; what was declared together stays together. */
interface AnyOperation {
  (input: unknown, call: unknown): ResultAsync<unknown, Tagged>;
  resolve(input: unknown, call: unknown): ResultAsync<unknown, Fault>;
  readonly "~operation": {
    readonly contract: string;
    readonly name: string;
    readonly operation: { readonly undoes?: string; readonly output?: z.ZodType };
  };
}

function nameOf({ "~operation": { contract, name } }: AnyOperation): string {
  return operationName(contract, name);
}

/** What an operator who settles the step by hand must fit. Which output it is of was settled by the contract. */
function outputOf({ "~operation": { operation } }: AnyOperation): z.ZodType<never> | undefined {
  return operation.output as z.ZodType<never> | undefined;
}

function compensatable(action: AnyOperation, back: AnyOperation, options: StepOfOptions = {}): unknown {
  const [forward, backward] = [action["~operation"], back["~operation"]];
  if (forward.contract !== backward.contract || backward.operation.undoes !== forward.name) {
    throw new DefinitionInvalid(`${nameOf(back)} is not the undo of ${nameOf(action)}`);
  }
  return step({
    name: nameOf(action),
    run: (input: never, { call }) => action(input, call),
    compensate: (input, { call, cause }) => back(input, { ...call, cause: causeTag(cause) }) as ResultAsync<unknown, Fault>,
    // The engine reads the answer; which type it has was settled by the contract.
    resolve: (input, { call, slot }) => (slot === "action" ? action : back).resolve(input, call) as never,
    output: outputOf(action),
    ...options,
  });
}

function readOnly(query: AnyOperation, options: Pick<StepOfOptions, "retry"> = {}): unknown {
  return step.readOnly({ name: nameOf(query), run: (input: never, { call }) => query(input, call), output: outputOf(query), ...options });
}

function pivot(action: AnyOperation, options: Pick<StepOfOptions, "retry"> = {}): unknown {
  return step.pivot({
    name: nameOf(action),
    run: (input: never, { call }) => action(input, call),
    resolve: (input, { call }) => action.resolve(input, call) as never,
    output: outputOf(action),
    ...options,
  });
}

function retriable(action: AnyOperation, options: Pick<StepOfOptions, "retry"> = {}): unknown {
  const name = nameOf(action);
  return step.retriable({
    name,
    run: (input: never, { call }) => action(input, call).mapErr((error) => (isFault(error) ? error : rejectedForGood(name, error))),
    resolve: (input, { call }) => action.resolve(input, call) as never,
    output: outputOf(action),
    ...options,
  });
}

function rejectedForGood(name: string, error: Tagged): Fault {
  return fault("Faulted", `${name} was rejected with ${error._tag} after the point of no return`);
}

export const stepOf = Object.assign(compensatable, { readOnly, pivot, retriable }) as unknown as StepOf;
