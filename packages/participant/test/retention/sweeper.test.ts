// Goal: retention is carried out for as long as a service runs, and nothing goes before its time.
// Method: a real fence and inbox, on memory and on a file, swept by time that is moved by hand.
import {
  cloudEvent,
  createFence,
  createInbox,
  createSweeper,
  type Sweepable,
  type SweeperNews,
  type SweeperOptions,
} from "@backstep/participant";
import { ok } from "neverthrow";
import { describe, expect, onTestFinished, test } from "vitest";
import { harnesses } from "../harnesses.ts";
import { idle, ManualTimer } from "../manual-timer.ts";

const RETENTION_MS = 10_000;
const INTERVAL_MS = 1_000;

async function forgetsAfter(sweepable: Sweepable, over: Partial<SweeperOptions> = {}) {
  const timer = new ManualTimer();
  const news: SweeperNews[] = [];
  const sweeper = createSweeper({ of: [sweepable], intervalMs: INTERVAL_MS, timer, observe: (each) => void news.push(each), ...over });
  return { timer, news, sweeper };
}

describe.each(Object.entries(harnesses))("a sweeper on the %s database", (_, harness) => {
  test("keeps tombstones and inbox rows until their retention is over, and then forgets them, round after round", async () => {
    let time = 1_000_000;
    const storage = await harness.createStorage(() => time);
    const database = await storage.open();
    onTestFinished(async () => {
      await database.close();
      await storage.dispose?.();
    });
    const fence = createFence({ database, retentionMs: RETENTION_MS, runningLeaseMs: 100 });
    const inbox = createInbox({ database, retentionMs: RETENTION_MS });
    const [issuedAt, event] = [time, cloudEvent({ id: "1", source: "/s", type: "t" })._unsafeUnwrap()];
    const late = { key: "k", name: "n", issuedAt, input: null };
    await fence.undo({ ...late, key: "u", undoes: { key: "k", issuedAt, known: "inDoubt" } }, async () => undefined);
    await inbox.consume(event, async () => undefined);
    const swept: number[] = [];
    const timer = new ManualTimer();
    const sweeper = createSweeper({
      of: [fence, inbox],
      intervalMs: INTERVAL_MS,
      timer,
      observe: (news) => void swept.push(news._tag === "Swept" ? news.forgotten : -1),
    });

    // Real files answer in their own time, so a round is waited for and not assumed.
    const round = async (): Promise<void> => {
      const before = swept.length;
      time += INTERVAL_MS;
      await timer.advance(INTERVAL_MS);
      while (swept.length === before) await idle();
    };
    while (swept.length === 0) await idle();
    for (let elapsed = 0; elapsed < RETENTION_MS; elapsed += INTERVAL_MS) {
      await round();
      expect(await fence.act(late, async () => ok("ran"))).toEqual({ _tag: "Sealed" });
      expect((await inbox.consume(event, async () => undefined))._tag).toBe("Repeated");
    }
    await round();
    expect(swept).toEqual([...Array.from({ length: 11 }, () => 0), 3]);
    // The tombstone is gone, and the action is refused all the same, by its age.
    expect(await fence.act(late, async () => ok("ran"))).toEqual({ _tag: "Expired" });
    expect((await inbox.consume(event, async () => undefined))._tag).toBe("Consumed");
    await sweeper.stop();
  });
});

describe("a sweeper", () => {
  test("goes on with the others, and with the next round, when one cannot be swept", async () => {
    let rounds = 0;
    const [broken, sound]: readonly Sweepable[] = [
      { sweep: () => Promise.reject(new RangeError(`round ${++rounds}`)) },
      { sweep: async () => 2 },
    ];
    const { timer, news, sweeper } = await forgetsAfter(
      { sweep: async () => 0 },
      { of: [broken, sound].filter((each) => each !== undefined) },
    );
    await timer.advance(INTERVAL_MS);
    expect(news).toEqual([
      { _tag: "SweepFailed", cause: new RangeError("round 1") },
      { _tag: "Swept", forgotten: 2 },
      { _tag: "SweepFailed", cause: new RangeError("round 2") },
      { _tag: "Swept", forgotten: 2 },
    ]);
    await sweeper.stop();
  });

  test("is stopped when the sweep under way has ended, and begins no other", async () => {
    const under = Promise.withResolvers<number>();
    let began = 0;
    const slow: Sweepable = { sweep: () => (began++, under.promise) };
    const { timer, sweeper } = await forgetsAfter(slow, { of: [slow, slow] });
    let stopped = false;
    const stopping = sweeper.stop().then(() => {
      stopped = true;
    });
    await idle();
    expect(stopped).toBe(false);
    under.resolve(0);
    await stopping;
    await timer.advance(10 * INTERVAL_MS);
    expect(began).toBe(1);
  });

  test("is harmed by no observer", async () => {
    let sweeps = 0;
    const counting: Sweepable = { sweep: async () => ++sweeps };
    const { timer, sweeper } = await forgetsAfter(counting, {
      observe: () => {
        throw new RangeError("observer");
      },
    });
    await timer.advance(INTERVAL_MS);
    expect(sweeps).toBe(2);
    await sweeper.stop();
  });

  test("is not made with an interval that never rests", () => {
    for (const intervalMs of [0, -1, Number.NaN, 2 ** 31]) {
      expect(() => createSweeper({ of: [], intervalMs })).toThrow(expect.objectContaining({ _tag: "OptionInvalid" }));
    }
  });
});
