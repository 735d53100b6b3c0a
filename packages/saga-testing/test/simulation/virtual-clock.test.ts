import { describe, expect, test } from "vitest";
import { START_MS, VirtualClock } from "../../src/simulation/virtual-clock.ts";

async function drained(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("a virtual clock", () => {
  test("passes when it is told to, to the next sleeper, in order of time and of falling asleep", async () => {
    const clock = new VirtualClock();
    const timer = clock.timer();
    const woken: string[] = [];
    for (const [name, delayMs] of [
      ["late", 20],
      ["first", 10],
      ["second", 10],
    ] as const)
      void timer.sleep(delayMs).then(() => woken.push(`${name} ${clock.now() - START_MS}`));
    await drained();
    expect(woken).toEqual([]);
    while (clock.jump()) await drained();
    expect(woken).toEqual(["first 10", "second 10", "late 20"]);
    expect(clock.jump()).toBe(false);
  });

  test("wakes a sleeper whose signal aborts, at once and once", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    let woken = 0;
    void clock
      .timer()
      .sleep(1_000, controller.signal)
      .then(() => (woken += 1));
    controller.abort();
    await drained();
    expect([woken, clock.now()]).toEqual([1, START_MS]);
    expect(clock.jump()).toBe(false);
    await clock.timer().sleep(5, AbortSignal.abort());
  });

  test("a timer that ended wakes nobody, and others go on", async () => {
    const clock = new VirtualClock();
    const [dead, alive] = [clock.timer(), clock.timer()];
    const woken: string[] = [];
    void dead.sleep(1).then(() => woken.push("dead"));
    void alive.sleep(2).then(() => woken.push("alive"));
    dead.end();
    void dead.sleep(1).then(() => woken.push("dead"));
    while (clock.jump()) await drained();
    expect(woken).toEqual(["alive"]);
  });

  test("stands still for everyone until a time, and then late sleepers wake without going back", async () => {
    const clock = new VirtualClock();
    const at: number[] = [];
    void clock
      .timer()
      .sleep(10)
      .then(() => at.push(clock.now() - START_MS));
    clock.skipTo(START_MS + 500);
    while (clock.jump()) await drained();
    expect(at).toEqual([500]);
  });
});
