// Goal: time passes for a saga on the store's clock, through crashes, and without keeping it in memory. Method: a virtual timer, a memory disk, engines that die and follow each other.
import { describe, expect, test } from "vitest";
import { all, saga, sleep, sleepUntil } from "../../src/index.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

const DAY = 86_400_000;

describe("a sleep", () => {
  test("lets as much time pass as it says, and no step before", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const later = participants.compensatable("later");
    const patient = saga({
      name: "patient",
      input: numberInput,
      *run(days) {
        yield* sleep({ days });
        return yield* later(1);
      },
    });
    const { engine } = bench.open([patient]);
    expect((await engine.run(patient, 30, { id: "s" }))._unsafeUnwrap()).toBe(1);
    expect(bench.timer.now() - VIRTUAL_START_MS).toBe(30 * DAY);
  });

  test("leaves memory when it is long, and is waking at its time in the next engine", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const later = participants.compensatable("later");
    const patient = saga({
      name: "patient",
      input: numberInput,
      *run() {
        yield* all([sleep({ days: 1 }), sleepUntil(VIRTUAL_START_MS + 2 * DAY)]);
        return yield* later(1);
      },
    });
    const first = bench.open([patient]);
    (await first.engine.start(patient, 0, { id: "s" }))._unsafeUnwrap();
    first.kill();
    const { engine } = bench.open([patient]);
    expect((await engine.result(patient, "s"))._unsafeUnwrap()).toBe(1);
    expect(bench.timer.now() - VIRTUAL_START_MS).toBe(2 * DAY);
    expect(participants.told()).toEqual(["later 1"]);
  });
});

