// Goal: tests may trust the virtual timer. Method: sleepers whose order and times are known.
import { expect, test } from "vitest";
import { createVirtualTimer, VIRTUAL_START_MS } from "./virtual-timer.ts";

test("sleepers wake in order of time, then of falling asleep, and time jumps from one to the next", async () => {
  const timer = createVirtualTimer();
  const woken: string[] = [];
  const nap = async (name: string, delayMs: number): Promise<void> => {
    await timer.sleep(delayMs);
    woken.push(`${name}@${timer.now() - VIRTUAL_START_MS}`);
  };
  await Promise.all([nap("c", 86_400_000), nap("a", 5), nap("b", 5)]);
  expect(woken).toEqual(["a@5", "b@5", "c@86400000"]);
  expect(timer.slept).toEqual([5, 5, 86_400_000]);
});

test("an aborted sleep ends at once, and a sleep under an aborted signal never begins", async () => {
  const timer = createVirtualTimer();
  const controller = new AbortController();
  const sleeping = timer.sleep(1_000, controller.signal);
  controller.abort();
  await sleeping;
  await timer.sleep(1_000, controller.signal);
  expect([timer.now(), timer.slept, timer.sleepers]).toEqual([VIRTUAL_START_MS, [], 0]);
});

test("time stands still while it is paused and while real work is under way, and advances by hand", async () => {
  const timer = createVirtualTimer();
  timer.pause();
  let woken = 0;
  for (const delayMs of [10, 20, 30]) void timer.sleep(delayMs).then(() => (woken += 1));
  await timer.idle();
  expect(woken).toBe(0);
  await timer.advance(20);
  expect([woken, timer.now() - VIRTUAL_START_MS, timer.sleepers]).toEqual([2, 20, 1]);
  let finish: () => void = () => undefined;
  const work = timer.during(new Promise<void>((resolve) => (finish = resolve)));
  timer.resume();
  await timer.idle();
  expect(woken).toBe(2);
  finish();
  await work;
  await timer.idle();
  await timer.idle();
  expect(woken).toBe(3);
});
