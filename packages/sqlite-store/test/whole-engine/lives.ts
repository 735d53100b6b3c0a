/**
 * What tests of an engine on this store share: participants that remember every call and outlive every engine, and lives, each a new engine on a new store on the
 * same file. A later life may begin hours or days later: its store's clock is ahead of the system's.
 */
import { type AnySaga, createEngine, type Engine, type Observer, type Saga, step } from "@backstep/saga-core";
import { ok, type Result } from "neverthrow";
import { expect } from "vitest";
import { createSqliteStore, type SqliteStore } from "../../src/index.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** How long a saga may take to come to where a test wants it, in milliseconds; far more than it needs. */
export const POLL = { interval: 2, timeout: 20_000 };

/** Called with the name of a call, as `told` has it, while the call is under way. */
export type Meanwhile = (call: string) => unknown;

export function createParticipants(meanwhile: Meanwhile = () => undefined) {
  const calls: { readonly call: string; readonly key: string }[] = [];
  const take = async (call: string, key: string): Promise<void> => {
    calls.push({ call, key });
    await meanwhile(call);
  };
  return {
    /** `name input` and `undo name input`, in order of the calls. */
    told: (): readonly string[] => calls.map(({ call }) => call),
    keys: (): readonly string[] => calls.map(({ key }) => key),
    compensatable: <const Name extends string>(name: Name) =>
      step({
        name,
        run: async (input: number, { call }) => {
          await take(`${name} ${input}`, call.key);
          return ok(input);
        },
        compensate: async (input, { call }) => {
          await take(`undo ${name} ${input}`, call.key);
          return ok(undefined);
        },
      }),
    pivot: <const Name extends string>(name: Name) =>
      step.pivot({
        name,
        run: async (input: number, { call }) => {
          await take(`${name} ${input}`, call.key);
          return ok(input);
        },
      }),
    retriable: <const Name extends string>(name: Name) =>
      step.retriable({
        name,
        run: async (input: number, { call }) => {
          await take(`${name} ${input}`, call.key);
          return ok(input);
        },
      }),
  };
}

export interface LifeOptions {
  readonly path: string;
  readonly sagas: readonly AnySaga[];
  /** How far the store's clock is ahead. */
  readonly laterMs?: number | undefined;
  readonly evictAfterMs?: number | undefined;
  readonly observer?: Observer | undefined;
}

export interface Life {
  readonly engine: Engine;
  readonly store: SqliteStore;
}

/** Runs one life to its end: the engine and its store are closed when `work` is done. */
export async function live<Value>(
  { path, sagas, laterMs = 0, ...options }: LifeOptions,
  work: (life: Life) => Promise<Value>,
): Promise<Value> {
  const store = createSqliteStore({ path, synchronous: "NORMAL", now: () => Date.now() + laterMs });
  const engine = createEngine({ sagas, store, ...options });
  try {
    await engine.recovered;
    return await work({ engine, store });
  } finally {
    await engine.close();
    await store.close();
  }
}

/** Resolves once the journal shows the saga in this status. */
export async function comesTo(engine: Engine, sagaId: string, status: string): Promise<void> {
  await expect.poll(async () => (await engine.inspect(sagaId)).map((snapshot) => snapshot.status), POLL).toEqual(ok(status));
}

/** Starts a saga and resolves once it waits for time or a signal. */
export async function startAndWait(engine: Engine, saga: Saga<string, number, unknown, unknown>, input: number, id: string): Promise<void> {
  accepted(await engine.start(saga, input, { id }));
  await comesTo(engine, id, "waiting");
}

export function accepted(verdict: Result<unknown, unknown>): void {
  expect(verdict.map(() => "accepted")).toEqual(ok("accepted"));
}
