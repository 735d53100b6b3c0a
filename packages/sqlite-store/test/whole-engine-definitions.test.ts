// Goal: what a saga is made of, and what becomes of its definition and of its journal, outlives its process on this store: nesting, changes, versions, taking back,
// forgetting, watching. Method: lives that follow each other on one real file, with other definitions in the later ones; participants that remember every call.
import { all, changed, emit, examineSagas, fail, type SagaNotice, saga, savepoint, sleep, waitFor } from "@backstep/saga-core";
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { temporaryFile } from "./temporary-folder.ts";
import { go, numbers } from "./whole-engine/inputs.ts";
import { accepted, comesTo, createParticipants, DAY, live, type Meanwhile, POLL, startAndWait } from "./whole-engine/lives.ts";

const paid = { type: "order.paid", data: numbers } as const;

function setUp(meanwhile?: Meanwhile) {
  const participants = createParticipants(meanwhile);
  const [a, b, c] = [participants.compensatable("a"), participants.compensatable("b"), participants.compensatable("c")];
  return { path: temporaryFile(), participants, a, b, c };
}

describe("a saga that goes on in a later life", () => {
  test("inside a nested saga and a savepoint is undone there first, and as a whole when it fails behind it", async () => {
    const { path, participants, a, b, c } = setUp();
    const nested = saga({
      name: "nested",
      input: numbers,
      *run(input) {
        yield* b(input);
        const tried = yield* savepoint(function* () {
          yield* c(input + 1);
          yield* waitFor(go);
          yield* fail({ _tag: "NotThis" });
        });
        yield* waitFor(go);
        return yield* c(tried.isErr() ? input + 2 : 0);
      },
    });
    const root = saga({
      name: "root",
      input: numbers,
      *run(input) {
        yield* a(input);
        yield* nested(input + 1);
        yield* waitFor(go);
        yield* fail({ _tag: "NotThat" });
      },
    });
    const at = { path, sagas: [root], evictAfterMs: 0 };
    await live(at, ({ engine }) => startAndWait(engine, root, 1, "s"));
    for (const [key, told] of [
      ["first", "undo c 3"],
      ["second", "c 4"],
    ] as const) {
      await live(at, async ({ engine }) => {
        accepted(await engine.signal("s", go, 0, { key }));
        await expect.poll(() => participants.told().at(-1), POLL).toBe(told);
        await comesTo(engine, "s", "waiting");
      });
    }
    await live(at, async ({ engine }) => {
      accepted(await engine.signal("s", go, 0, { key: "third" }));
      expect(await engine.result(root, "s")).toEqual(err({ _tag: "NotThat" }));
    });
    expect(participants.told()).toEqual(["a 1", "b 2", "c 3", "undo c 3", "c 4", "undo c 4", "undo b 2", "undo a 1"]);
    expect(new Set(participants.keys()).size).toBe(8);
  });

  test("runs no more members of an all side by side than it may, and none of them twice", async () => {
    const { path, participants, a, b } = setUp();
    const member = function* (input: number) {
      yield* a(input);
      const given = yield* waitFor(go);
      return yield* b(input * 10 + given);
    };
    const one = saga({
      name: "one",
      input: numbers,
      *run() {
        return yield* all([member(1), member(2), member(3)], { concurrency: 2 });
      },
    });
    const at = { path, sagas: [one], evictAfterMs: 0 };
    await live(at, ({ engine }) => startAndWait(engine, one, 0, "s"));
    expect(participants.told()).toEqual(["a 1", "a 2"]);
    await live(at, async ({ engine }) => {
      accepted(await engine.signal("s", go, 7, { key: "first" }));
      await expect.poll(participants.told, POLL).toEqual(["a 1", "a 2", "b 17", "a 3"]);
      await comesTo(engine, "s", "waiting");
    });
    await live(at, async ({ engine }) => {
      for (const [key, payload] of [
        ["second", 8],
        ["third", 9],
      ] as const)
        accepted(await engine.signal("s", go, payload, { key }));
      expect(await engine.result(one, "s")).toEqual(ok([17, 28, 39]));
    });
    expect(participants.told()).toEqual(["a 1", "a 2", "b 17", "a 3", "b 28", "b 39"]);
  });

  test("under a changed definition takes the old way where it has been, the new one where it comes first, and keeps to both for ever", async () => {
    const { path, participants, a, b, c } = setUp();
    const old = saga({
      name: "one",
      input: numbers,
      *run() {
        yield* a(1);
        yield* waitFor(go);
        return yield* b(2);
      },
    });
    const fresh = saga({
      name: "one",
      input: numbers,
      *run() {
        if (yield* changed("early")) yield* c(10);
        yield* a(1);
        yield* waitFor(go);
        if (yield* changed("late")) yield* c(20);
        yield* waitFor(go);
        return yield* b(2);
      },
    });
    await live({ path, sagas: [old] }, ({ engine }) => startAndWait(engine, old, 0, "s"));
    await live({ path, sagas: [fresh] }, async ({ engine }) => {
      accepted(await engine.signal("s", go, 0, { key: "first" }));
      await expect.poll(participants.told, POLL).toEqual(["a 1", "c 20"]);
      await comesTo(engine, "s", "waiting");
    });
    await live({ path, sagas: [fresh] }, async ({ engine }) => {
      accepted(await engine.signal("s", go, 0, { key: "second" }));
      expect(await engine.result(fresh, "s")).toEqual(ok(2));
    });
    expect(participants.told()).toEqual(["a 1", "c 20", "b 2"]);
  });

  test("stays with its version; which would be lost is told before a deploy, without a call or a claim", async () => {
    const { path, participants, a, b, c } = setUp();
    const [v1, v2] = [
      saga({
        name: "pay",
        input: numbers,
        *run(input) {
          yield* a(input);
          yield* sleep({ days: 1 });
          return yield* b(input);
        },
      }),
      saga({
        name: "pay",
        version: 2,
        input: numbers,
        *run(input) {
          yield* sleep({ days: 1 });
          return yield* c(input);
        },
      }),
    ];
    const epochs = () => live({ path, sagas: [] }, async ({ store }) => (await store.load("old"))._unsafeUnwrap()?.epoch);
    await live({ path, sagas: [v1], evictAfterMs: 0 }, ({ engine }) => startAndWait(engine, v1, 1, "old"));
    const before = await epochs();
    await live({ path, sagas: [] }, async ({ store }) => {
      expect(await examineSagas({ sagas: [v1, v2], store })).toEqual(ok({ examined: 1, broken: [] }));
      expect((await examineSagas({ sagas: [v2], store }))._unsafeUnwrap()).toMatchObject({
        examined: 1,
        broken: [{ sagaId: "old", saga: { name: "pay", version: 1 }, quarantine: { _tag: "UnknownSaga" } }],
      });
    });
    expect(await epochs()).toBe(before);
    await live({ path, sagas: [v1, v2], evictAfterMs: 0 }, ({ engine }) => startAndWait(engine, v2, 2, "new"));
    await live({ path, sagas: [v1, v2], laterMs: 2 * DAY }, async ({ engine }) => {
      expect([await engine.result(v1, "old"), await engine.result(v2, "new")]).toEqual([ok(1), ok(2)]);
    });
    expect(participants.told().toSorted()).toEqual(["a 1", "b 1", "c 2"]);
  });
});

test("a completed saga is taken back by a later life, which closes on the way, and by the next one to the end; its own answer stands", async () => {
  const undoing = Promise.withResolvers<void>();
  const undone = Promise.withResolvers<void>();
  const { path, participants, a, b, c } = setUp((call) => {
    if (call !== "undo c 5") return undefined;
    undoing.resolve();
    return undone.promise;
  });
  const nested = saga({
    name: "nested",
    input: numbers,
    *run(input) {
      return yield* b(input);
    },
  });
  const order = saga({
    name: "order",
    input: numbers,
    *run(input) {
      yield* a(input);
      yield* savepoint(function* () {
        yield* b(2);
        yield* fail({ _tag: "NotThis" });
      });
      yield* all([nested(3), nested(4)], { concurrency: 1 });
      return yield* c(5);
    },
  });
  const at = { path, sagas: [order] };
  const forth = ["a 1", "b 2", "undo b 2", "b 3", "b 4", "c 5"];
  await live(at, async ({ engine }) => expect(await engine.run(order, 1, { id: "s" })).toEqual(ok(5)));
  await live(at, async ({ engine }) => {
    expect(await engine.compensate("s", "returned", { by: "ada" })).toEqual(ok({ sagaId: "s~undo" }));
    await undoing.promise;
    const closing = engine.close();
    undone.resolve();
    await closing;
  });
  await live(at, async ({ engine }) => {
    expect(await engine.compensate("s", "once more")).toEqual(ok({ sagaId: "s~undo" }));
    const taken = { _tag: "SagaCancelled", sagaId: "s~undo", by: "ada", reason: "returned" };
    expect(await engine.result(order, "s~undo")).toEqual(err(taken));
    expect(await engine.result(order, "s")).toEqual(ok(5));
    expect((await engine.inspect("s~undo"))._unsafeUnwrap()).toMatchObject({ status: "compensated", view: { undoes: "s" } });
  });
  const [told, back] = [participants.told(), participants.told().slice(forth.length)];
  expect(told.slice(0, forth.length)).toEqual(forth);
  expect([back[0], back.slice(1, 3).toSorted(), back[3]]).toEqual(["undo c 5", ["undo b 3", "undo b 4"], "undo a 1"]);
  expect(new Set(participants.keys()).size).toBe(told.length);
});

test("what has ended is archived and forgotten, for every later life; what waits stays, and so do events that nobody has fetched", async () => {
  const { path, participants, a } = setUp();
  const one = saga({
    name: "one",
    input: numbers,
    *run(input) {
      yield* emit(paid, input);
      yield* a(input);
      return input > 1 ? yield* waitFor(go) : input;
    },
  });
  const at = { path, sagas: [one], evictAfterMs: 0 };
  const archived: string[] = [];
  await live(at, async ({ engine }) => {
    await engine.run(one, 1, { id: "ended" });
    await startAndWait(engine, one, 2, "waits");
  });
  await live({ ...at, laterMs: DAY }, async ({ engine, store }) => {
    const archive = async ({ sagaId }: { readonly sagaId: string }) => void archived.push(sagaId);
    expect(await engine.forget({ endedBefore: store.now(), archive })).toEqual(ok({ sagas: 1, unreadable: [] }));
  });
  await live({ ...at, laterMs: DAY }, async ({ engine, store }) => {
    expect((await engine.result(one, "ended"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaNotFound" });
    expect((await store.outbox.pending({ limit: 10 }))._unsafeUnwrap().map(({ sagaId }) => sagaId)).toEqual(["ended"]);
    accepted(await engine.signal("waits", go, 7, { key: "k" }));
    expect(await engine.result(one, "waits")).toEqual(ok(7));
  });
  expect(archived).toEqual(["ended"]);
  expect(participants.told()).toEqual(["a 1", "a 2"]);
});

test("observers of all lives together are told every entry of the journal once, in order", async () => {
  const { path, a, b } = setUp();
  const one = saga({
    name: "one",
    input: numbers,
    *run(input) {
      yield* a(input);
      yield* sleep({ days: 1 });
      yield* b(yield* waitFor(go));
      yield* fail({ _tag: "NotThis" });
    },
  });
  const seen: SagaNotice[] = [];
  const at = { path, sagas: [one], evictAfterMs: 0, observer: (notice: SagaNotice) => void seen.push(notice) };
  await live(at, ({ engine }) => startAndWait(engine, one, 1, "s"));
  await live({ ...at, laterMs: DAY }, async ({ engine }) => {
    await expect.poll(() => seen.some((notice) => notice._tag === "EntryAppended" && notice.entry._tag === "TimerFired"), POLL).toBe(true);
    await comesTo(engine, "s", "waiting");
  });
  await live({ ...at, laterMs: DAY }, async ({ engine, store }) => {
    accepted(await engine.signal("s", go, 2, { key: "k" }));
    expect(await engine.result(one, "s")).toEqual(err({ _tag: "NotThis" }));
    await expect.poll(() => seen.findLast(({ _tag }) => _tag === "SagaLeft"), POLL).toMatchObject({ status: "compensated" });
    const { records = [] } = (await store.load("s"))._unsafeUnwrap() ?? {};
    const told = seen.flatMap((notice) => (notice._tag === "EntryAppended" ? [{ sequence: notice.sequence, entry: notice.entry }] : []));
    const kept = records.flatMap((record, sequence) =>
      (JSON.parse(record) as { readonly entries: readonly unknown[] }).entries.map((entry) => ({ sequence, entry })),
    );
    expect(JSON.parse(JSON.stringify(told))).toEqual(kept);
  });
});
