// Goal: every committed event arrives, in the order of its lane, whatever receivers, publishers and outboxes do.
// Method: a relay on a real outbox, time that is moved by hand, and a receiver that fails to order.
import { type CloudEvent, createInbox, createMemoryDatabase, createRelay, type RelayOptions } from "@backstep/participant";
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { idle } from "../manual-timer.ts";
import { RelayBench, refused } from "./relay-bench.ts";

const many = (subject: string, count: number): readonly string[] => Array.from({ length: count }, (_, index) => `${subject}/${index}`);

describe("a relay", () => {
  test("publishes what is committed, in order, as it is stored, and empties the outbox", async () => {
    const bench = new RelayBench();
    await bench.commit(["a/1", "b/1", "a/2"]);
    const seen: CloudEvent[] = [];
    const relay = bench.start({ publisher: { publish: async (event) => ok(void seen.push(event)) } });
    await idle();
    expect(seen.filter(({ subject }) => subject === "a").map(({ id }) => id)).toEqual(["a/1", "a/2"]);
    expect(seen[0]).toEqual({
      specversion: "1.0",
      id: "a/1",
      source: "/s",
      type: "t.v1",
      subject: "a",
      time: "2030-01-01T00:00:00Z",
      datacontenttype: "application/json",
      extensions: { sagaid: "saga-0" },
      data: { a: 1 },
    });
    expect(await bench.pending()).toEqual([]);
    await relay.stop();
  });

  test("looks again after its interval, and at once when nudged", async () => {
    const bench = new RelayBench();
    const relay = bench.start({ intervalMs: 1_000 });
    await idle();
    await bench.commit(["a/1"]);
    await bench.timer.advance(999);
    expect(bench.delivered).toEqual([]);
    await bench.timer.advance(1);
    expect(bench.delivered).toEqual(["a/1"]);
    await bench.commit(["a/2"]);
    relay.nudge();
    await idle();
    expect(bench.delivered).toEqual(["a/1", "a/2"]);
    await relay.stop();
  });

  test("does not lose a nudge that comes during a look", async () => {
    const bench = new RelayBench();
    let nudge: (() => void) | undefined;
    const outbox = bench.outboxWith({
      async pending(options) {
        const answer = await bench.store.outbox.pending(options);
        if (nudge !== undefined) await bench.commit(["late/1"]);
        nudge?.();
        nudge = undefined;
        return answer;
      },
    });
    const relay = bench.start({ outbox });
    await idle();
    nudge = relay.nudge;
    relay.nudge();
    await idle();
    expect(bench.delivered).toEqual(["late/1"]);
    await relay.stop();
  });

  test("gets through more than a batch without waiting for its interval", async () => {
    const bench = new RelayBench();
    await bench.commit([...many("a", 25), ...many("b", 25)]);
    const relay = bench.start({ batchSize: 4, concurrency: 1 });
    for (let turn = 0; turn < 30; turn++) await idle();
    expect(bench.delivered.filter((id) => id.startsWith("a"))).toEqual(many("a", 25));
    expect(bench.delivered).toHaveLength(50);
    await relay.stop();
  });

  test("publishes lanes side by side, no more than it may, and one event of a lane at a time", async () => {
    const bench = new RelayBench();
    await bench.commit(["a/1", "a/2", "b/1", "c/1", "d/1"]);
    let going = 0;
    let most = 0;
    const ended: string[] = [];
    const relay = bench.start({
      concurrency: 3,
      publisher: {
        async publish({ id }) {
          most = Math.max(most, ++going);
          await new Promise((resolve) => setImmediate(resolve));
          going -= 1;
          ended.push(id);
          return ok(undefined);
        },
      },
    });
    await idle();
    expect(most).toBe(3);
    expect(ended.toSorted()).toEqual(["a/1", "a/2", "b/1", "c/1", "d/1"]);
    expect(ended.indexOf("a/1")).toBeLessThan(ended.indexOf("a/2"));
    await relay.stop();
  });
});

describe("a receiver that fails", () => {
  test("holds back its subject, in order, and no other", async () => {
    const bench = new RelayBench();
    bench.failing.set("a/1", refused);
    await bench.commit(["a/1", "a/2", "b/1", "b/2"]);
    const relay = bench.start({ backoff: { initialMs: 100, maxMs: 1_000 } });
    await idle();
    expect(bench.delivered).toEqual(["b/1", "b/2"]);
    expect(await bench.pending()).toEqual(["a/1", "a/2"]);
    bench.failing.clear();
    await bench.timer.advance(100);
    expect(bench.delivered).toEqual(["b/1", "b/2", "a/1", "a/2"]);
    expect(await bench.pending()).toEqual([]);
    await relay.stop();
  });

  test("is asked again for ever, after longer and longer rests up to a cap", async () => {
    const bench = new RelayBench();
    bench.failing.set("a/1", "throws");
    await bench.commit(["a/1"]);
    const relay = bench.start({ intervalMs: 10, backoff: { initialMs: 100, maxMs: 1_000 } });
    for (const rest of [100, 200, 400, 800, 1_000, 1_000, 1_000]) await bench.timer.advance(rest);
    const rests = bench.news.flatMap((news) => (news._tag === "EventNotPublished" ? [news.retryInMs] : []));
    expect(rests).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
    expect(bench.news[0]).toEqual({
      _tag: "EventNotPublished",
      id: "a/1",
      type: "t.v1",
      message: "publisher",
      failures: 1,
      retryInMs: 100,
    });
    bench.failing.clear();
    await bench.timer.advance(1_000);
    expect(await bench.pending()).toEqual([]);
    await relay.stop();
  });

  test("is rested from at least half as long, and as long as it asks for, within the cap", async () => {
    const rests: number[] = [];
    for (const [random, retryAfterMs] of [
      [0, undefined],
      [0.5, undefined],
      [0, 700],
      [0, 999_999],
    ] as const) {
      const bench = new RelayBench();
      bench.failing.set("a/1", { ...refused, retryAfterMs });
      await bench.commit(["a/1"]);
      const relay = bench.start({ random: () => random, backoff: { initialMs: 100, maxMs: 1_000 } });
      await idle();
      rests.push(...bench.news.flatMap((news) => (news._tag === "EventNotPublished" ? [news.retryInMs] : [])));
      await relay.stop();
    }
    expect(rests).toEqual([50, 75, 700, 1_000]);
  });

  test("is forgiven once it takes an event: the next failure is the first", async () => {
    const bench = new RelayBench();
    bench.failing.set("a/1", refused).set("a/2", refused);
    await bench.commit(["a/1", "a/2"]);
    const relay = bench.start({ backoff: { initialMs: 100, maxMs: 1_000 } });
    await bench.timer.advance(100);
    bench.failing.delete("a/1");
    await bench.timer.advance(200);
    const failures = bench.news.flatMap((news) => (news._tag === "EventNotPublished" ? [[news.id, news.failures]] : []));
    expect(failures).toEqual([
      ["a/1", 1],
      ["a/1", 2],
      ["a/2", 1],
    ]);
    await relay.stop();
  });

  test("that never answers occupies its own lane alone", async () => {
    const bench = new RelayBench();
    bench.failing.set("a/1", "hangs");
    await bench.commit(["a/1", "a/2", "b/1"]);
    const relay = bench.start({ intervalMs: 100 });
    await idle();
    await bench.commit(["c/1"]);
    await bench.timer.advance(100);
    expect(bench.delivered).toEqual(["b/1", "c/1"]);
    void relay.stop();
  });

  test("is given up after its time, told that it was, and asked again", async () => {
    const bench = new RelayBench();
    const signals: boolean[] = [];
    let attempts = 0;
    await bench.commit(["a/1", "a/2"]);
    const relay = bench.start({
      publishTimeoutMs: 5_000,
      backoff: { initialMs: 100, maxMs: 100 },
      publisher: {
        async publish({ id }, signal) {
          if (++attempts > 1) return ok(void bench.delivered.push(id));
          signal?.addEventListener("abort", () => signals.push(signal.aborted), { once: true });
          return new Promise(() => undefined);
        },
      },
    });
    await bench.timer.advance(4_999);
    expect([attempts, signals]).toEqual([1, []]);
    await bench.timer.advance(1);
    expect(signals).toEqual([true]);
    expect(bench.news).toEqual([expect.objectContaining({ _tag: "EventNotPublished", id: "a/1", retryInMs: 100 })]);
    await bench.timer.advance(100);
    expect(bench.delivered).toEqual(["a/1", "a/2"]);
    await relay.stop();
  });

  test("that never answers in every place holds up the others no longer than its time", async () => {
    const bench = new RelayBench();
    const hanging = Array.from({ length: 8 }, (_, index) => `hangs-${index}/1`);
    for (const id of hanging) bench.failing.set(id, "hangs");
    await bench.commit([...hanging, "good/1"]);
    const relay = bench.start({ concurrency: 8, publishTimeoutMs: 5_000 });
    await idle();
    expect(bench.delivered).toEqual([]);
    await bench.timer.advance(5_000);
    expect(bench.delivered).toEqual(["good/1"]);
    await relay.stop();
  });

  test("does not hide other subjects behind a pile larger than a batch", async () => {
    const bench = new RelayBench();
    for (const id of many("bad", 50)) bench.failing.set(id, refused);
    await bench.commit([...many("bad", 50), "good/1"]);
    const relay = bench.start({ batchSize: 4 });
    await idle();
    expect(bench.delivered).toEqual(["good/1"]);
    await relay.stop();
  });

  test("hides them behind more than the window holds, and says so", async () => {
    const bench = new RelayBench();
    for (const id of many("bad", 50)) bench.failing.set(id, refused);
    await bench.commit([...many("bad", 50), "good/1"]);
    const relay = bench.start({ batchSize: 4, windowMax: 16, intervalMs: 10, backoff: { initialMs: 1_000, maxMs: 1_000 } });
    await bench.timer.advance(10);
    expect(bench.delivered).toEqual([]);
    expect(bench.news).toContainEqual({ _tag: "WindowFull", waiting: 20 });
    bench.failing.clear();
    for (let turn = 0; turn < 10; turn++) await bench.timer.advance(1_000);
    expect(bench.delivered).toHaveLength(51);
    await relay.stop();
  });

  test("a stored event that is none holds back its subject alone, for ever", async () => {
    const bench = new RelayBench();
    await bench.commit(["a/1"], { data: "{" });
    await bench.commit(["b/1"], { type: "" });
    await bench.commit(["a/2", "b/2", "c/1"]);
    const relay = bench.start();
    await idle();
    expect(bench.attempted).toEqual(["c/1"]);
    expect(bench.news).toContainEqual(expect.objectContaining({ id: "a/1", message: "the stored event is none: EventBodyMalformed" }));
    expect(bench.news).toContainEqual(expect.objectContaining({ id: "b/1", message: "the stored event is none: EventAttributeInvalid" }));
    await relay.stop();
  });
});

describe("lanes", () => {
  test("are subjects of a source; events without a subject go by their saga", async () => {
    const bench = new RelayBench();
    bench.failing.set("a/1", refused).set("/1", refused);
    await bench.commit(["a/1"]);
    await bench.commit(["a/other source"], { source: "/other" });
    await bench.commit(["/1", "/same saga"]);
    await bench.commit(["/other saga"]);
    const relay = bench.start();
    await idle();
    expect(bench.delivered.toSorted()).toEqual(["/other saga", "a/other source"]);
    await relay.stop();
  });
});

describe("the outbox", () => {
  test("that refuses a mark is told again, and the event is not sent again meanwhile", async () => {
    const bench = new RelayBench();
    let refuses = true;
    const outbox = bench.outboxWith({
      published: async (ids) => (refuses ? err({ _tag: "StoreUnavailable", message: "down" }) : bench.store.outbox.published(ids)),
    });
    await bench.commit(["a/1"]);
    const relay = bench.start({ outbox, intervalMs: 10 });
    await bench.timer.advance(10);
    await bench.timer.advance(10);
    expect([bench.delivered, await bench.pending()]).toEqual([["a/1"], ["a/1"]]);
    expect(bench.news).toContainEqual({ _tag: "OutboxUnavailable", message: "down" });
    refuses = false;
    await bench.timer.advance(10);
    expect([bench.delivered, await bench.pending()]).toEqual([["a/1"], []]);
    await relay.stop();
  });

  test("that cannot be read, or throws, is asked again", async () => {
    const bench = new RelayBench();
    const troubles = [
      async () => err({ _tag: "StoreUnavailable" as const, message: "down" }),
      async () => {
        throw new RangeError("broken");
      },
    ];
    const outbox = bench.outboxWith({ pending: (options) => (troubles.shift() ?? (() => bench.store.outbox.pending(options)))() });
    await bench.commit(["a/1"]);
    const relay = bench.start({ outbox, intervalMs: 10 });
    await bench.timer.advance(10);
    await bench.timer.advance(10);
    expect(bench.news.slice(0, 2)).toEqual([
      { _tag: "OutboxUnavailable", message: "down" },
      { _tag: "OutboxUnavailable", message: "broken" },
    ]);
    expect(bench.delivered).toEqual(["a/1"]);
    await relay.stop();
  });

  test("is told in few calls, behind the deliveries", async () => {
    const bench = new RelayBench();
    const calls: number[] = [];
    const outbox = bench.outboxWith({
      async published(ids) {
        calls.push(ids.length);
        await idle();
        return bench.store.outbox.published(ids);
      },
    });
    await bench.commit(many("a", 40));
    const relay = bench.start({ outbox });
    await idle();
    expect(bench.delivered).toHaveLength(40);
    await relay.stop();
    expect(await bench.pending()).toEqual([]);
    expect(calls.length).toBeLessThan(10);
  });
});

describe("options", () => {
  test.each<[string, Partial<RelayOptions>]>([
    ["no place to publish from", { concurrency: 0 }],
    ["an interval of nothing, which would never rest", { intervalMs: 0 }],
    ["an interval that is no number", { intervalMs: Number.NaN }],
    ["a batch of nothing", { batchSize: 0 }],
    ["a window of nothing", { windowMax: -1 }],
    ["a time that a timer cannot hold", { publishTimeoutMs: 2 ** 31 }],
    ["a rest of nothing", { backoff: { initialMs: 0, maxMs: 10 } }],
    ["a rest that shrinks", { backoff: { initialMs: 10, maxMs: 9 } }],
  ])("a relay is not made with %s", (_, wrong) => {
    expect(() => new RelayBench().start(wrong)).toThrow(expect.objectContaining({ _tag: "OptionInvalid" }));
  });
});

describe("stopping", () => {
  test("ends although a publisher never answers", async () => {
    const bench = new RelayBench();
    bench.failing.set("a/1", "hangs");
    await bench.commit(["a/1"]);
    const relay = bench.start({ publishTimeoutMs: 5_000 });
    await idle();
    const stopping = relay.stop();
    await bench.timer.advance(5_000);
    await stopping;
    expect(await bench.pending()).toEqual(["a/1"]);
  });

  test("ends although the outbox never takes a mark; what is not marked stays there", async () => {
    const bench = new RelayBench();
    await bench.commit(["a/1"]);
    const outbox = bench.outboxWith({ published: () => new Promise(() => undefined) });
    const relay = bench.start({ outbox, publishTimeoutMs: 5_000 });
    await idle();
    let stopped = false;
    const stopping = relay.stop().then(() => {
      stopped = true;
    });
    await bench.timer.advance(4_999);
    expect([stopped, bench.delivered]).toEqual([false, ["a/1"]]);
    await bench.timer.advance(1);
    await stopping;
    expect(await bench.pending()).toEqual(["a/1"]);
  });

  test("waits for what is in flight, marks it, and starts nothing further", async () => {
    const bench = new RelayBench();
    await bench.commit(["a/1", "a/2"]);
    const answer = Promise.withResolvers<void>();
    const relay = bench.start({
      publisher: {
        async publish({ id }) {
          bench.attempted.push(id);
          await answer.promise;
          return ok(undefined);
        },
      },
    });
    await idle();
    let stopped = false;
    const stopping = relay.stop().then(() => {
      stopped = true;
    });
    await idle();
    expect([stopped, bench.attempted]).toEqual([false, ["a/1"]]);
    answer.resolve();
    await stopping;
    expect([bench.attempted, await bench.pending()]).toEqual([["a/1"], ["a/2"]]);
    await bench.timer.advance(100_000);
    relay.nudge();
    await idle();
    expect(bench.attempted).toEqual(["a/1"]);
    await relay.stop();
  });

  test("does not wait for a rest or an interval", async () => {
    const bench = new RelayBench();
    bench.failing.set("a/1", refused);
    await bench.commit(["a/1"]);
    const relay = bench.start({ intervalMs: 1_000_000 });
    await idle();
    await relay.stop();
    expect(bench.attempted).toEqual(["a/1"]);
  });
});

describe("an observer", () => {
  test.each([
    [
      "throws",
      () => {
        throw new RangeError("observer");
      },
    ],
    ["rejects", (): unknown => Promise.reject(new RangeError("observer"))],
  ])("that %s harms nobody", async (_, observe) => {
    const bench = new RelayBench();
    bench.failing.set("b/1", refused);
    await bench.commit(["a/1", "b/1"]);
    const relay = bench.start({ observe });
    await idle();
    expect(bench.delivered).toEqual(["a/1"]);
    await relay.stop();
  });
});

test("a relay that died before its mark sends again with the same id, and the inbox drops the repeat", async () => {
  const bench = new RelayBench();
  const database = createMemoryDatabase();
  const inbox = createInbox({ database, retentionMs: 1_000 });
  const handled: string[] = [];
  const answers: string[] = [];
  const publisher = {
    async publish(event: CloudEvent) {
      const { _tag } = await inbox.consume(event, async () => void handled.push(event.id));
      answers.push(_tag);
      return ok(undefined);
    },
  };
  await bench.commit(["a/1"]);
  const neverMarks = bench.outboxWith({ published: () => new Promise(() => undefined) });
  void createRelay({ outbox: neverMarks, publisher, timer: bench.timer });
  await idle();
  const relay = createRelay({ outbox: bench.store.outbox, publisher, timer: bench.timer });
  await idle();
  expect([answers, handled]).toEqual([["Consumed", "Repeated"], ["a/1"]]);
  expect(await bench.pending()).toEqual([]);
  await relay.stop();
});
