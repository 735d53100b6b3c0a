// Goal (I18): what has ended is forgotten when it is old enough and an archive, if there is one, has it; nothing else ever is. Method: ended and unfinished sagas on one disk, archives that
// take, refuse and never answer, and ids used again.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { emit, fail, fault, saga, signal, sleep, waitFor } from "../../src/index.ts";
import type { StoredJournal } from "../../src/journal.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

const go = signal({ name: "go", payload: z.number() });
const paid = { type: "order.paid", data: z.object({ orderId: z.number() }) } as const;

function setUp() {
  const bench = createBench();
  const participants = createParticipants();
  const a = participants.compensatable("a");
  const stuck = participants.compensatable("stuck", { run: () => err(fault("KeyReused", "other payload")) });
  const hangs = participants.compensatable("hangs", {
    run: () => new Promise(() => undefined),
    retry: { timeoutMs: 864_000_000, horizonMs: 864_000_000 },
  });
  /** By input: 0 completes, 1 goes back, 2 parks, 3 waits, 4 sleeps, 5 runs. */
  const one = saga({
    name: "one",
    input: numberInput,
    *run(input) {
      yield* emit(paid, { orderId: input });
      yield* a(input);
      if (input === 1) yield* fail({ _tag: "NotThis" });
      if (input === 2) yield* stuck(input);
      if (input === 3) yield* waitFor(go);
      if (input === 4) yield* sleep({ days: 100 });
      if (input === 5) yield* hangs(input);
      return input;
    },
  });
  bench.timer.pause();
  const opened = bench.open([one]);
  const start = async (input: number, id: string) => {
    (await opened.engine.start(one, input, { id }))._unsafeUnwrap();
    for (let turn = 0; turn < 4; turn++) await bench.timer.idle();
  };
  return { bench, participants, one, start, ...opened, ids: () => [...bench.disk.sagas.keys()] };
}

describe("forgetting", () => {
  test("takes what ended before the time that is given, and leaves what ended at it or later", async () => {
    const { bench, engine, start, ids } = setUp();
    await start(0, "first");
    await bench.timer.advance(1_000);
    await start(1, "second");
    const at = bench.timer.now();
    await bench.timer.advance(1_000);
    await start(0, "third");
    expect(await engine.forget({ endedBefore: at })).toMatchObject(ok({ sagas: 1 }));
    expect(ids()).toEqual(["second", "third"]);
    expect(await engine.forget({ endedBefore: at + 1 })).toMatchObject(ok({ sagas: 1 }));
    expect(await engine.forget({ endedBefore: at + 1 })).toMatchObject(ok({ sagas: 0 }));
    expect(ids()).toEqual(["third"]);
  });

  test("never takes what has not ended, however old: parked, waiting, asleep or at work", async () => {
    const { bench, engine, start, ids } = setUp();
    for (let input = 0; input <= 5; input++) await start(input, `s${input}`);
    await start(2, "given-up");
    await engine.abandon("given-up", { by: "ada", reason: "ticket 7" });
    await bench.timer.advance(5 * 86_400_000);
    expect(await engine.forget({ endedBefore: bench.timer.now() })).toMatchObject(ok({ sagas: 3 }));
    expect(ids()).toEqual(["s2", "s3", "s4", "s5"]);
    expect((await engine.signal("s3", go, 1, { key: "k" })).isOk()).toBe(true);
  });

  test("counts from the end of a saga, not from its start", async () => {
    const { bench, engine, start, ids } = setUp();
    await start(3, "s");
    const begunAt = bench.timer.now();
    await bench.timer.advance(86_400_000);
    await engine.signal("s", go, 1, { key: "k" });
    await bench.timer.idle();
    expect(await engine.forget({ endedBefore: begunAt + 86_400_000 })).toMatchObject(ok({ sagas: 0 }));
    expect(ids()).toEqual(["s"]);
  });

  test("goes through every page", async () => {
    const { bench, engine, start, ids } = setUp();
    for (let nth = 0; nth < 10; nth++) await Promise.all(Array.from({ length: 45 }, (_, index) => start(0, `s${nth}-${index}`)));
    const archived: string[] = [];
    await bench.timer.advance(1);
    const archive = async ({ sagaId }: StoredJournal) => void archived.push(sagaId);
    expect(await engine.forget({ endedBefore: bench.timer.now(), archive })).toMatchObject(ok({ sagas: 450 }));
    expect([new Set(archived).size, archived.length, ids().length]).toEqual([450, 450, 0]);
  });

  test("leaves events that are not published yet to be published", async () => {
    const { bench, engine, start, store } = setUp();
    await start(0, "s");
    await bench.timer.advance(1);
    await engine.forget({ endedBefore: bench.timer.now() });
    expect((await store.outbox.pending({ limit: 10 }))._unsafeUnwrap().map(({ sagaId }) => sagaId)).toEqual(["s"]);
  });

  test("by an engine whose store is away is refused, and changes nothing", async () => {
    const { bench, engine, start, store, ids } = setUp();
    await start(0, "s");
    await bench.timer.advance(1);
    await store.close();
    expect((await engine.forget({ endedBefore: bench.timer.now() }))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaUnavailable" });
    expect(ids()).toEqual(["s"]);
  });
});

describe("an archive", () => {
  test("is handed each journal whole, the one that ended first first, while it is still in the store", async () => {
    const { bench, engine, start, ids } = setUp();
    await start(0, "first");
    await bench.timer.advance(1);
    await start(1, "second");
    await bench.timer.advance(1);
    const records = Object.fromEntries(["first", "second"].map((id) => [id, bench.disk.sagas.get(id)?.records]));
    const seen: unknown[] = [];
    await engine.forget({
      endedBefore: bench.timer.now(),
      archive: async (journal) => {
        await bench.timer.idle();
        seen.push([journal.sagaId, journal.status, journal.records, ids()]);
      },
    });
    expect(seen).toEqual([
      ["first", "completed", records["first"], ["first", "second"]],
      ["second", "compensated", records["second"], ["first", "second"]],
    ]);
    expect(ids()).toEqual([]);
  });

  test.each(["rejects", "throws"] as const)(
    "that %s keeps that journal and all behind it in the store, says why, and what it took before is forgotten",
    async (how) => {
      const { bench, engine, start, ids } = setUp();
      for (const id of ["first", "second", "third"]) {
        await start(0, id);
        await bench.timer.advance(1);
      }
      const seen: string[] = [];
      let refuses = true;
      const archive = ({ sagaId }: StoredJournal): Promise<void> => {
        seen.push(sagaId);
        if (sagaId !== "second" || !refuses) return Promise.resolve();
        if (how === "throws") throw new Error("the disk is full");
        return Promise.reject(new Error("the disk is full"));
      };
      expect(await engine.forget({ endedBefore: bench.timer.now(), archive })).toEqual(
        err({ _tag: "SagaUnavailable", sagaId: "second", message: "the archive did not take it: the disk is full" }),
      );
      expect(ids()).toEqual(["second", "third"]);
      refuses = false;
      expect(await engine.forget({ endedBefore: bench.timer.now(), archive })).toMatchObject(ok({ sagas: 2 }));
      expect([seen, ids()]).toEqual([["first", "second", "second", "third"], []]);
    },
  );

  test("that never answers holds up nothing but the forgetting", async () => {
    const { bench, engine, start, one, ids } = setUp();
    await start(0, "s");
    await bench.timer.advance(1);
    let told = false;
    void engine.forget({ endedBefore: bench.timer.now(), archive: () => new Promise(() => undefined) }).then(() => {
      told = true;
    });
    expect(await engine.run(one, 0, { id: "t" })).toEqual(ok(0));
    expect([told, ids()]).toEqual([false, ["s", "t"]]);
  });

  test("is not given a journal that cannot be read: that one stays and is named, and holds up no other", async () => {
    const { bench, engine, start, ids } = setUp();
    for (const id of ["first", "second", "third"]) {
      await start(0, id);
      await bench.timer.advance(1);
    }
    bench.disk.corrupt.add("second");
    const seen: string[] = [];
    const archive = async ({ sagaId }: StoredJournal) => void seen.push(sagaId);
    expect(await engine.forget({ endedBefore: bench.timer.now(), archive })).toEqual(ok({ sagas: 2, unreadable: ["second"] }));
    expect([seen, ids()]).toEqual([["first", "third"], ["second"]]);
    expect(await engine.forget({ endedBefore: bench.timer.now(), archive })).toEqual(ok({ sagas: 0, unreadable: ["second"] }));
    // Without an archive nobody reads it.
    expect(await engine.forget({ endedBefore: bench.timer.now() })).toEqual(ok({ sagas: 1, unreadable: [] }));
    expect(ids()).toEqual([]);
  });

  test("goes on behind a page of journals that cannot be read", async () => {
    const { bench, engine, start, ids } = setUp();
    for (let nth = 0; nth < 250; nth++) {
      await start(0, `s${nth}`);
      await bench.timer.advance(1);
      if (nth < 230) bench.disk.corrupt.add(`s${nth}`);
    }
    const forgotten = (await engine.forget({ endedBefore: bench.timer.now(), archive: async () => undefined }))._unsafeUnwrap();
    expect([forgotten.sagas, forgotten.unreadable.length, ids().length]).toEqual([20, 230, 230]);
  });

  test("whose process dies before the removal is handed the journal again by the next one", async () => {
    const { bench, engine, start, one, store, kill, ids } = setUp();
    await start(0, "s");
    await bench.timer.advance(1);
    const seen: string[] = [];
    const archive = async ({ sagaId }: StoredJournal): Promise<void> => {
      seen.push(sagaId);
      if (seen.length === 1) store.crash();
    };
    void engine.forget({ endedBefore: bench.timer.now(), archive });
    for (let turn = 0; turn < 3; turn++) await bench.timer.idle();
    kill();
    expect([seen, ids()]).toEqual([["s"], ["s"]]);
    const next = bench.open([one]).engine;
    expect(await next.forget({ endedBefore: bench.timer.now(), archive })).toMatchObject(ok({ sagas: 1 }));
    expect([seen, ids()]).toEqual([["s", "s"], []]);
  });
});

describe("an id that was forgotten", () => {
  test("is nobody's: what is asked about it is not found", async () => {
    const { bench, engine, start, one } = setUp();
    await start(0, "s");
    await bench.timer.advance(1);
    await engine.forget({ endedBefore: bench.timer.now() });
    const order = { path: "run/a", slot: "action", by: "ada", reason: "ticket 7" } as const;
    const answers = await Promise.all([
      engine.result(one, "s"),
      engine.inspect("s"),
      engine.cancel("s", "too late"),
      engine.signal("s", go, 1, { key: "k" }),
      engine.compensate("s", "returned"),
      engine.retry("s", order),
      engine.abandon("s", order),
    ]);
    expect(answers).toEqual(answers.map(() => err({ _tag: "SagaNotFound", sagaId: "s" })));
  });

  test("is free for another saga, with another input", async () => {
    const { bench, engine, start, one, participants } = setUp();
    await start(1, "s");
    await bench.timer.advance(1);
    expect((await engine.start(one, 7, { id: "s" }))._unsafeUnwrapErr()._tag).toBe("SagaIdConflict");
    await engine.forget({ endedBefore: bench.timer.now() });
    expect(await engine.run(one, 7, { id: "s" })).toEqual(ok(7));
    expect(participants.told()).toEqual(["a 1", "undo a 1", "a 7"]);
  });
});
