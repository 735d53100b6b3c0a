// Goal: no law objects to a saga that is right, whatever it is made of. Method: two sagas that use all there is, locks and signals and waits among it, under every single fault.
import {
  type ActionContext,
  all,
  type CompensationContext,
  emit,
  fail,
  lock,
  saga,
  savepoint,
  signal,
  sleep,
  step,
  waitFor,
} from "@backstep/saga-core";
import { ok } from "neverthrow";
import { expect, test } from "vitest";
import { z } from "zod";
import { explore, type Fenced, fenced, law, type Site } from "../../src/index.ts";

interface World {
  readonly fence: Fenced;
  readonly count: { taken: number; back: number };
}

const open = (site: Site): World => ({ fence: fenced(site, "world"), count: { taken: 0, back: 0 } });

const word = signal({ name: "word", payload: z.number() });
const done = { type: "Done", data: z.number() } as const;
const retry = { attempts: 3, delayMs: 10, delayMsMax: 40, timeoutMs: 1_000, horizonMs: 30_000 } as const;

function everything({ fence, count }: World) {
  const take = (input: number) => () => {
    count.taken += 1;
    return ok(input);
  };
  const compensate = (input: number, { call }: CompensationContext<number>) =>
    fence.undo(call, input, () => {
      count.back += 1;
    });
  const run = (input: number, { call }: ActionContext) => fence.act(call, input, take(input));
  const resolve = (_input: number, { call }: ActionContext) => fence.resolve<number>(call);
  const one = step({ name: "one", run, compensate, retry });
  const two = step({ name: "two", run, resolve, compensate, inDoubt: "resolve", retry });
  const three = step({ name: "three", run, compensate, retry });
  const look = step.readOnly({ name: "look", run: (input: number) => ok(input), retry });
  const decide = step.pivot({ name: "decide", run, resolve, inDoubt: "resolve", retry });
  const after = step.retriable({ name: "after", run, retry });
  return saga({
    name: "everything",
    input: z.number(),
    deadline: { minutes: 10 },
    *run(input) {
      yield* lock("the-one", { wait: 60_000 });
      const seen = yield* look(input);
      yield* savepoint(function* () {
        yield* one(seen);
        yield* fail({ _tag: "Never" });
      });
      yield* waitFor(word, { timeout: 1_000 });
      yield* all([two(1), three(2)]);
      yield* sleep(50);
      yield* emit(done, 1);
      return seen;
    },
    pivot: (seen) => decide(seen),
    *complete(seen) {
      yield* after(seen);
      yield* emit(done, 2);
      return seen;
    },
  });
}

test("a right saga breaks no law, beside another one", { timeout: 60_000 }, async () => {
  const explored = await explore(everything, {
    inputs: [1, 2],
    participants: open,
    laws: [
      law("of each saga that completed four steps stand", ({ answers, participants: { count } }) => {
        const due = 4 * answers.filter(({ _tag }) => _tag === "Completed").length;
        return count.taken - count.back === due ? undefined : `${count.taken - count.back} stand`;
      }),
    ],
    faults: 1,
    outside: async ({ sagaIds, signal: send, sleep: later }) => {
      await later(5);
      await Promise.all(sagaIds.map((sagaId) => send(sagaId, word, 3, "k")));
    },
  });
  if (explored._tag === "Refuted") throw new Error(`${explored.counterexample.schedule}\n${explored.counterexample.timeline}`);
  expect(explored.summary.leftOut).toBeUndefined();
  // Both got to their ends: a saga that fails at once has two.
  expect(explored.summary.points).toBeGreaterThan(30);
});
