// Goal: no saga is left asleep, and nothing is looked at without need. Method: the wake-ups alone, over a memory store and the virtual timer; what they wake is a list.
import { expect, test } from "vitest";
import { createMemoryStore } from "../../src/journal.ts";
import { WakeUps } from "../../src/runtime/wake-ups.ts";
import { createVirtualTimer } from "../virtual-timer.ts";

const MINUTE = 60_000;

function open(wake: (sagaId: string, wakeUps: () => WakeUps) => Promise<void> = async () => undefined) {
  const timer = createVirtualTimer();
  const store = createMemoryStore({ now: timer.now });
  const woken: { readonly sagaId: string; readonly at: number }[] = [];
  const start = timer.now();
  const awake = new Set<string>();
  const nudged: string[] = [];
  const wakeUps: WakeUps = new WakeUps({
    store,
    timer,
    now: timer.now,
    asleep: (sagaId) => !awake.has(sagaId),
    handOver: () => undefined,
    nudge: (sagaId) => nudged.push(sagaId),
    async wake(sagaId) {
      woken.push({ sagaId, at: timer.now() - start });
      awake.add(sagaId);
      await wake(sagaId, () => wakeUps);
      return true;
    },
  });
  const sleepUntil = async (sagaId: string, afterMs: number): Promise<void> => {
    const wakeAt = start + afterMs;
    const request = {
      sagaId,
      sequence: 0,
      epoch: 1,
      saga: { name: "s", version: 1 },
      status: "waiting",
      wakeAt,
      record: "{}",
      outbox: [],
    } as const;
    (await store.append(request))._unsafeUnwrap();
  };
  return { timer, store, awake, nudged, woken, wakeUps, sleepUntil, start };
}

test("each saga is woken when its time has come", async () => {
  const { timer, woken, wakeUps, sleepUntil } = open();
  await sleepUntil("b", 2 * MINUTE);
  await sleepUntil("a", MINUTE);
  void wakeUps.run();
  await timer.sleep(3 * MINUTE);
  expect(woken).toEqual([
    { sagaId: "a", at: MINUTE },
    { sagaId: "b", at: 2 * MINUTE },
  ]);
  wakeUps.stop();
});

test("one that leaves memory while others are being woken is not missed", async () => {
  const bench = open(async (sagaId, wakeUps) => {
    if (sagaId !== "first") return;
    await bench.sleepUntil("second", 2 * MINUTE);
    wakeUps().note(bench.start + 2 * MINUTE);
  });
  await bench.sleepUntil("first", MINUTE);
  void bench.wakeUps.run();
  await bench.timer.sleep(5 * MINUTE);
  expect(bench.woken).toEqual([
    { sagaId: "first", at: MINUTE },
    { sagaId: "second", at: 2 * MINUTE },
  ]);
  bench.wakeUps.stop();
});

test("with nothing to wake, nothing waits; a saga that leaves memory later is woken all the same", async () => {
  const { timer, woken, wakeUps, sleepUntil, start } = open();
  void wakeUps.run();
  await new Promise((resolve) => setImmediate(resolve));
  expect(timer.sleepers).toBe(0);
  await sleepUntil("late", MINUTE);
  wakeUps.note(start + MINUTE);
  await timer.sleep(2 * MINUTE);
  expect(woken).toEqual([{ sagaId: "late", at: MINUTE }]);
  wakeUps.stop();
});

test("one that is due and awake is nudged, once per look, and holds up nobody", async () => {
  const { timer, awake, nudged, woken, wakeUps, sleepUntil, start } = open();
  await sleepUntil("busy", MINUTE);
  await sleepUntil("asleep", 2 * MINUTE);
  awake.add("busy");
  void wakeUps.run();
  await timer.sleep(MINUTE + 1);
  expect(nudged).toEqual(["busy"]);
  wakeUps.note(start + MINUTE);
  await timer.sleep(1);
  expect(nudged).toEqual(["busy", "busy"]);
  await timer.sleep(2 * MINUTE);
  expect(woken).toEqual([{ sagaId: "asleep", at: 2 * MINUTE }]);
  wakeUps.stop();
});
