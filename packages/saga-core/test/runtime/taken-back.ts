/** What tests of taking back a completed saga share: a saga of every shape that can be taken back, what it calls, and an engine in which it has completed. */
import { err, ok, type Result } from "neverthrow";
import { expect } from "vitest";
import { z } from "zod";
import { all, type Fault, fail, saga, savepoint, signal } from "../../src/index.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

type Participants = ReturnType<typeof createParticipants>;

export const HOUR = 3_600_000;
export const go = signal({ name: "go", payload: z.number() });
export const shipped = { type: "order.shipped", data: z.object({ orderId: z.number() }) } as const;
export const undone = (sagaId: string, reason = "returned", by?: string) => err({ _tag: "SagaCancelled", sagaId, by, reason });

/** A step, an `all`, a savepoint that failed and one that did not, a nested saga, and a last step. */
export function createOrder(participants: Participants, { stuck }: { readonly stuck?: (nth: number) => Result<unknown, Fault> } = {}) {
  const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map((name) => participants.compensatable(name));
  const last = participants.compensatable("last", {
    compensate: (_input, nth) => stuck?.(nth) ?? ok(undefined),
    compensationRetry: { attempts: 1 },
    ...(stuck === undefined ? {} : { resolve: () => ok({ _tag: "SealedForGood" }) }),
  });
  if (a === undefined || b === undefined || c === undefined || d === undefined || e === undefined)
    throw new TypeError("five steps are declared");
  const nested = saga({
    name: "nested",
    input: numberInput,
    *run(input) {
      yield* d(input);
      return yield* d(input + 1);
    },
  });
  return saga({
    name: "order",
    input: numberInput,
    *run(input) {
      yield* a(input);
      yield* all([b(2), b(3)]);
      yield* savepoint(function* () {
        yield* c(4);
        return yield* fail({ _tag: "NotThis" });
      });
      yield* savepoint(function* () {
        yield* e(5);
      });
      yield* nested(6);
      return yield* last(8);
    },
  });
}

export const FORTH = ["a 1", "b 2", "b 3", "c 4", "undo c 4", "e 5", "d 6", "d 7", "last 8"];
export const BACK = ["undo last 8", "undo d 7", "undo d 6", "undo e 5", "undo b 2", "undo b 3", "undo a 1"];

export async function completed(options: Parameters<typeof createOrder>[1] = {}) {
  const bench = createBench();
  const participants = createParticipants();
  const order = createOrder(participants, options);
  const opened = bench.open([order]);
  expect(await opened.engine.run(order, 1, { id: "s" })).toEqual(ok(8));
  return { bench, participants, order, ...opened };
}
