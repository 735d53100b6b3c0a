/**
 * What tests of an engine on this store share: participants that remember every call and outlive every engine, and lives, each a new engine on a new store on the
 * same file. A later life may begin hours or days later: its store's clock is ahead of the system's.
 */
import { type AnySaga, createEngine, type Engine, type Observer, signal, step } from "@backstep/saga-core";
import { ok, type Result } from "neverthrow";
import { expect } from "vitest";
import { createSqliteStore, type SqliteStore } from "../../src/index.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** A Standard Schema by hand: this package depends on no schema library. */
export const numbers = {
  "~standard": {
    version: 1 as const,
    vendor: "test",
    types: { input: 0, output: 0 },
    validate: (value: unknown) => (typeof value === "number" ? { value } : { issues: [{ message: "no number" }] }),
  },
};

export const go = signal({ name: "go", payload: numbers });

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

export const POLL = { interval: 2, timeout: 20_000 };

/** Starts a saga and resolves once it waits for time, a signal or a lock. */
export async function startAndWait(engine: Engine, saga: Parameters<Engine["start"]>[0], input: number, id: string): Promise<void> {
  accepted(await engine.start(saga, input as never, { id }));
  await comesTo(engine, id, "waiting");
}

export function accepted(verdict: Result<unknown, unknown>): void {
  expect(verdict.map(() => "accepted")).toEqual(ok("accepted"));
}
