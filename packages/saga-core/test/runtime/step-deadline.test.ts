// Goal: a step has a deadline of its own, its horizon and the attempt in flight then, which outlives its process; what it is late with is absorbed (FS-49). Method: a participant that
// answers late or never, on a virtual clock; a process that dies before the horizon and a next one behind it.
import { ok } from "neverthrow";
import { expect, test } from "vitest";
import { saga } from "../../src/index.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

const MINUTE = 60_000;
const RETRY = { attempts: Number.POSITIVE_INFINITY, horizonMs: 3 * MINUTE, timeoutMs: MINUTE, delayMs: 1, delayMsMax: 1 };

function setUp(answersAfterMs: number) {
  const bench = createBench();
  bench.timer.pause();
  const participants = createParticipants();
  const before = participants.compensatable("before");
  const slow = participants.compensatable("slow", {
    run: async (input) => {
      await bench.timer.sleep(answersAfterMs);
      return ok(input);
    },
    retry: RETRY,
  });
  const one = saga({
    name: "one",
    input: numberInput,
    *run() {
      yield* before(1);
      return yield* slow(2);
    },
  });
  return { bench, participants, one };
}

test("a step that does not answer is given up at its horizon and one attempt, undone in doubt, and its late answer changes nothing", async () => {
  const { bench, participants, one } = setUp(10 * MINUTE);
  const { engine } = bench.open([one]);
  (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
  await bench.timer.advance(RETRY.horizonMs - 1);
  expect(participants.told().filter((call) => call.startsWith("undo"))).toEqual([]);
  await bench.timer.advance(RETRY.timeoutMs + 1);
  const settled = bench.entries("s").find((entry) => entry._tag === "OperationSettled" && entry["path"] === "run/slow");
  expect(settled).toMatchObject({ outcome: { _tag: "InDoubt" } });
  expect(settled?.["at"]).toBeLessThanOrEqual(VIRTUAL_START_MS + RETRY.horizonMs + RETRY.timeoutMs);
  expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaFaulted", step: "slow" });
  const told = participants.told();
  expect(told.slice(-2)).toEqual(["undo slow 2", "undo before 1"]);
  await bench.timer.advance(20 * MINUTE);
  expect(participants.told()).toEqual(told);
  expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaFaulted", step: "slow" });
});

test("a step whose horizon passed while no process was there is attempted once more, to find out, and no oftener", async () => {
  const { bench, participants, one } = setUp(10 * MINUTE);
  const first = bench.open([one]);
  (await first.engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
  await bench.timer.advance(1);
  first.kill();
  const before = participants.told().filter((call) => call === "slow 2").length;
  await bench.timer.advance(RETRY.horizonMs);
  const { engine } = bench.open([one]);
  await bench.timer.advance(RETRY.timeoutMs + 1);
  expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaFaulted", step: "slow" });
  expect(participants.told().filter((call) => call === "slow 2").length).toBe(before + 1);
  expect(participants.told().slice(-2)).toEqual(["undo slow 2", "undo before 1"]);
});
