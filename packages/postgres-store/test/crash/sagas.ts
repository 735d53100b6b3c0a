/**
 * The sagas of a process that is killed, and what they call: participants that write every call to a ledger, a file beside the journal, before they do anything else.
 * The ledger outlives every process, as a participant's own tables do.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type Engine, lock, saga, sleep, step, waitFor } from "@backstep/saga-core";
import { ok } from "neverthrow";
import { go, numbers } from "./inputs.ts";

/** `<key>\n`, in order of the calls. */
export function readLedger(ledger: string): readonly string[] {
  return readFileSync(ledger, { encoding: "utf8", flag: "a+" }).split("\n").slice(0, -1);
}

export interface Hanging {
  /** The key of a call that is written to the ledger and never answered. */
  readonly at: string;
  readonly reached: () => void;
}

export function createSagas(ledger: string, hanging?: Hanging) {
  const take = async (key: string): Promise<void> => {
    appendFileSync(ledger, `${key}\n`);
    if (key !== hanging?.at) return;
    hanging.reached();
    await new Promise(() => undefined);
  };
  const compensatable = <const Name extends string>(name: Name) =>
    step({
      name,
      run: async (input: number, { call }) => {
        await take(call.key);
        return ok(input);
      },
      compensate: async (_input, { call }) => {
        await take(call.key);
        return ok(undefined);
      },
      compensationRetry: { timeoutMs: 600_000 },
    });
  const [before, after, last] = [compensatable("before"), compensatable("after"), compensatable("last")];
  return {
    sleeper: saga({
      name: "sleeper",
      input: numbers,
      *run(input) {
        yield* before(input);
        yield* sleep({ days: 1 });
        return yield* after(input);
      },
    }),
    listener: saga({
      name: "listener",
      input: numbers,
      *run(input) {
        yield* before(input);
        return yield* after(yield* waitFor(go));
      },
    }),
    holder: saga({
      name: "holder",
      input: numbers,
      *run() {
        yield* lock("order:42");
        yield* before(1);
        return yield* after(yield* waitFor(go));
      },
    }),
    user: saga({
      name: "user",
      input: numbers,
      *run(input) {
        yield* lock("order:42", { wait: { days: 30 } });
        yield* before(input);
        return yield* after(input);
      },
    }),
    order: saga({
      name: "order",
      input: numbers,
      *run(input) {
        yield* before(input);
        yield* after(input);
        return yield* last(input);
      },
    }),
  };
}

export type Sagas = ReturnType<typeof createSagas>;

/** Whoever asks again after a crash finds what stands already. */
export async function beginSagas(engine: Engine, { sleeper, listener, holder, user, order }: Sagas): Promise<void> {
  (await engine.start(sleeper, 1, { id: "sleeper" }))._unsafeUnwrap();
  (await engine.start(listener, 1, { id: "listener" }))._unsafeUnwrap();
  (await engine.start(holder, 0, { id: "holder" }))._unsafeUnwrap();
  // Only one that has the lock calls anybody.
  while ((await engine.inspect("holder"))._unsafeUnwrap().view.operations.size === 0) await delay(2);
  for (const id of ["user-1", "user-2"]) (await engine.start(user, 1, { id }))._unsafeUnwrap();
  (await engine.run(order, 1, { id: "order" }))._unsafeUnwrap();
  (await engine.compensate("order", "returned"))._unsafeUnwrap();
}

/** Resolves once nothing moves but what takes back the order, until time or somebody outside does something: three sagas wait, two stand in line for a lock. */
export async function atRest(engine: Engine): Promise<void> {
  const viewed = async (sagaId: string) => (await engine.inspect(sagaId))._unsafeUnwrap();
  for (const id of ["sleeper", "listener", "holder"]) while ((await viewed(id)).status !== "waiting") await delay(2);
  for (const id of ["user-1", "user-2"]) while ((await viewed(id)).view.waits.get("run/lock")?.state !== "waiting") await delay(2);
}

/** Gives the sagas the signals they wait for, which may have been given before, and hands back how each ended. */
export async function endSagas(engine: Engine, { sleeper, listener, holder, user, order }: Sagas) {
  for (const [id, payload] of [
    ["listener", 7],
    ["holder", 8],
  ] as const) {
    const given = await engine.signal(id, go, payload, { key: "go" });
    if (given.isErr() && given.error._tag !== "SignalRefused") throw new Error(given.error._tag);
  }
  return {
    sleeper: await engine.result(sleeper, "sleeper"),
    listener: await engine.result(listener, "listener"),
    holder: await engine.result(holder, "holder"),
    "user-1": await engine.result(user, "user-1"),
    "user-2": await engine.result(user, "user-2"),
    order: await engine.result(order, "order"),
    "order~undo": await engine.result(order, "order~undo"),
  };
}
