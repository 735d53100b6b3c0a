/**
 * A memory fence that speaks the words of a step, for participants that are written by hand: a few plain variables and what may be done to them. Duplicates, late
 * actions and undos that come first are the fence's to answer, so that the business code is as short as it would be without any of them.
 */
import { type ActionContext, createFence, createMemoryDatabase, type Database, type FencedOperation } from "@backstep/participant";
import type { Resolution } from "@backstep/saga-core";
import type { Call, CompensationCall, Fault, IdempotencyKey, Tagged } from "@backstep/saga-core/adapter";
import { err, ok, type Result, ResultAsync } from "neverthrow";
import { readAct, readResolve, readUndo, thrownFault } from "./fence-answers.ts";
import type { Site } from "./site.ts";

/** A year: no proof lets more pass. */
export const RETENTION_MS = 365 * 24 * 60 * 60 * 1_000;

export interface FencedOptions {
  /** Several participants that change each other's rows in one transaction share one. Default: one of its own, on the site's clock. */
  readonly database?: Database | undefined;
  /** How long the fence remembers a key, in milliseconds. Default: a year. */
  readonly retentionMs?: number | undefined;
}

/** Whose call it is. A step's call fits as it is; a test that acts on its own gives a key at least. */
export type FencedCall = { readonly key: IdempotencyKey } & Partial<Pick<Call, "sagaId" | "issuedAt">>;
export type FencedUndoCall = FencedCall & Pick<CompensationCall, "undoes">;

/** What business code answers with, at once or later. */
export type BusinessAnswer = Result<unknown, Tagged> | PromiseLike<Result<unknown, Tagged>>;
type OutputOf<Returned> = Awaited<Returned> extends Result<infer Output, unknown> ? Output : never;
type RejectionOf<Returned> = Awaited<Returned> extends Result<unknown, infer Rejection> ? Rejection : never;

export interface Fenced {
  /**
   * Runs an action at most once per key. What it answers is recorded and told to every repeat; a rejection comes out decided for the key.
   *
   * @param business - Must not have changed anything outside of its transaction when it answers `err` or throws: plain variables are not put back. Decide first,
   * change last.
   */
  act<Returned extends BusinessAnswer>(
    call: FencedCall,
    input: unknown,
    business: (context: ActionContext) => Returned,
  ): ResultAsync<OutputOf<Returned>, RejectionOf<Returned> | Fault>;
  /**
   * Takes an action back at most once, and seals its key when it never came. `business` runs only when the action succeeded and stands.
   *
   * @param business - Is told the action's recorded output, frozen; its type is the caller's word. Must change nothing when it throws.
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what the caller expects to be told is inferred from its code
  undo<Output>(
    call: FencedUndoCall,
    input: unknown,
    business: (undone: Output, context: ActionContext) => void | Promise<void>,
  ): ResultAsync<undefined, Fault>;
  /** Asks what became of a key, an action's or an undo's; where nothing did, it is sealed by asking. The types are the caller's word. */
  resolve<Output = never, Rejection = never>(call: FencedCall): ResultAsync<Resolution<Output, Rejection>, Fault>;
}

/** @param name - The participant's, e.g. `product`: a key that belongs to another participant of the same database is refused as reused. */
export function fenced(site: Site, name: string, options: FencedOptions = {}): Fenced {
  const { database = createMemoryDatabase({ now: site.now }), retentionMs = RETENTION_MS } = options;
  const fence = createFence({ database, retentionMs });
  const operationOf = ({ key, sagaId, issuedAt = database.now() }: FencedCall, input: unknown): FencedOperation => ({
    key,
    name,
    sagaId,
    issuedAt,
    input,
  });

  async function act(call: FencedCall, input: unknown, business: (context: ActionContext) => BusinessAnswer) {
    // Async, so that what it throws at once ends the transaction as what it throws later does.
    const answer = await fence.act(operationOf(call, input), async (context) => business(context));
    if (answer._tag === "Executed" && answer.decision._tag === "Succeeded") site.effects.applied(call.key);
    return readAct(answer, name, readBack);
  }

  async function undo(call: FencedUndoCall, input: unknown, business: (undone: unknown, context: ActionContext) => void | Promise<void>) {
    const operation = { ...operationOf(call, input), undoes: { ...call.undoes, name } };
    const answer = await fence.undo(operation, async ({ undone, ...context }) => business(undone ?? undefined, context));
    if (answer._tag === "Executed" && answer.decision._tag === "Undone") site.effects.takenBack(call.undoes.key);
    return readUndo(answer, name);
  }

  async function resolve(call: FencedCall) {
    return readResolve(await fence.resolve(operationOf(call, undefined)), name, readBack);
  }

  const inDoubt = (thrown: unknown): Result<never, Fault> => err(thrownFault(thrown, name));
  // The one erasure: what was recorded under a key is what its business code answered.
  return {
    act: (call, input, business) => new ResultAsync(act(call, input, business).catch(inDoubt)),
    undo: (call, input, business) => new ResultAsync(undo(call, input, business as never).catch(inDoubt)),
    resolve: (call) => new ResultAsync(resolve(call).catch(inDoubt)),
  } as Fenced;
}

/** JSON has no word for nothing but null. */
function readBack(recorded: unknown): Result<unknown, never> {
  return ok(recorded ?? undefined);
}
