/** What tests of locks share: a saga that holds names until it is told to go, one that wants a name of it, and an engine in which the first one has it. */

import { z } from "zod";
import { type AnySaga, lock, saga, signal, waitFor } from "../../src/index.ts";
import { type Bench, createBench, createParticipants, numberInput, type Opened, type OpenOptions } from "./workbench.ts";

export const HOUR = 3_600_000;
export const go = signal({ name: "go", payload: z.number() });
export const never = () => new Promise<never>(() => undefined);

/** Takes the names in order, each with this wait, then a step, and stays until it is told to go. */
export function createHolder(participants: ReturnType<typeof createParticipants>, name: string, wait: number, ...names: readonly string[]) {
  const works = participants.compensatable(`${name}-works`);
  return saga({
    name,
    input: numberInput,
    *run(input) {
      for (const each of names) yield* lock(each, { wait });
      yield* works(input);
      return yield* waitFor(go);
    },
  });
}

/** Takes one name, works, and is done. */
export function createUser(participants: ReturnType<typeof createParticipants>, wait: number, name = "order:42") {
  const uses = participants.compensatable("uses");
  return saga({
    name: "user",
    input: numberInput,
    *run(input) {
      yield* lock(name, { wait });
      return yield* uses(input);
    },
  });
}

export async function settleDown(bench: Bench): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await bench.timer.idle();
}

export const locked = (lockedBy: string, name = "order:42") => ({ _tag: "Locked", name, lockedBy });

export function setUp(wait = 0) {
  const bench = createBench();
  const participants = createParticipants();
  const holder = createHolder(participants, "holder", 0, "order:42");
  const user = createUser(participants, wait);
  return { bench, participants, holder, user, sagas: [holder, user] as readonly AnySaga[] };
}

/** An engine with `holder` holding `order:42` as saga `h`. */
export async function held(given: ReturnType<typeof setUp>, options: OpenOptions = {}): Promise<Opened> {
  given.bench.timer.pause();
  const opened = given.bench.open(given.sagas, options);
  (await opened.engine.start(given.holder, 1, { id: "h" }))._unsafeUnwrap();
  await settleDown(given.bench);
  given.bench.timer.resume();
  return opened;
}

/** All that can be done without time passing. */
export async function rest(bench: Bench): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await bench.timer.idle();
}

/** `u1`, `u2`, … in the order in which they stand behind `h`, time stopped, long after they came. */
export async function queued(given: ReturnType<typeof setUp>, { engine }: Opened, count: number): Promise<readonly string[]> {
  given.bench.timer.pause();
  const ids = Array.from({ length: count }, (_, at) => `u${at + 1}`);
  for (const [at, id] of ids.entries()) {
    (await engine.start(given.user, at + 1, { id }))._unsafeUnwrap();
    await given.bench.timer.idle();
  }
  await given.bench.timer.advance(LONG_AFTER_MS);
  return ids;
}

/** All of them have left memory by then. */
const LONG_AFTER_MS = 20_000;

export const letGo = async ({ engine }: Opened, id = "h") => (await engine.signal(id, go, 0, { key: "k" }))._unsafeUnwrap();
export const served = (given: ReturnType<typeof setUp>) => given.participants.of("uses").map(({ input }) => input);
