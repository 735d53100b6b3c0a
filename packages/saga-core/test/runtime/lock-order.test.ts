// Goal: no two sagas wait for each other's locks, and which one gives way is the same in every run (I16, FS-44). Method: sagas that want names in opposite orders, in sequence and side by side, on
// a store that answers in the worst order.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { all, lock, saga, savepoint, sleep } from "../../src/index.ts";
import type { LockAnswer } from "../../src/journal.ts";
import { createHolder, go, HOUR, locked, never } from "./lock-rivals.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

describe("FS-44: two sagas that want two names in opposite order", () => {
  const backwards = (participants: ReturnType<typeof createParticipants>, [first, second]: readonly [string, string]) =>
    saga({
      name: `from-${first}`,
      input: numberInput,
      *run(input) {
        yield* lock(first, { wait: HOUR });
        yield* sleep(1_000);
        yield* lock(second, { wait: HOUR });
        return yield* participants.compensatable(`works-${first}`)(input);
      },
    });

  test("do not wait for each other: the one against the order of names is refused at once, in every run the same one", async () => {
    for (const order of [
      ["a", "b"],
      ["b", "a"],
    ] as const) {
      const bench = createBench();
      const participants = createParticipants();
      const sagas = { a: backwards(participants, ["a", "b"]), b: backwards(participants, ["b", "a"]) };
      const { engine } = bench.open(Object.values(sagas));
      const begunAt = bench.timer.now();
      const results = await Promise.all(order.map(async (name) => [name, await engine.run(sagas[name], 1, { id: name })] as const));
      expect(Object.fromEntries(results)).toEqual({ a: ok(1), b: err(locked("a", "a")) });
      expect(bench.timer.now() - begunAt).toBeLessThan(10_000);
    }
  });

  test("and ask for both side by side do not wait for each other either", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const works = participants.compensatable("works");
    // Which of the two names the store hears of first is the other way round for each of them.
    const both = (name: string, names: readonly [string, string]) =>
      saga({
        name,
        input: numberInput,
        *run(input) {
          const [first, second] = names;
          const later = (function* () {
            yield* sleep(1_000);
            yield* lock(second, { wait: HOUR });
          })();
          yield* all([lock(first, { wait: HOUR }), later]);
          return yield* works(input);
        },
      });
    const [forth, against] = [both("forth", ["a", "b"]), both("against", ["b", "a"])];
    const { engine } = bench.open([forth, against]);
    const begunAt = bench.timer.now();
    const results = await Promise.all([engine.run(forth, 1, { id: "f" }), engine.run(against, 2, { id: "g" })]);
    expect(results).toEqual([ok(1), err(locked("f", "a"))]);
    expect(bench.timer.now() - begunAt).toBeLessThan(10_000);
  });

  test("and hold one of them by the time they wait for the other, having asked for both at once, do not wait on", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const works = participants.compensatable("works");
    const both = (name: string) =>
      saga({
        name,
        input: numberInput,
        *run(input) {
          yield* all([lock("a", { wait: HOUR }), lock("b", { wait: HOUR })]);
          return yield* works(input);
        },
      });
    const [first, second] = [both("first"), both("second")];
    // Each is given one of the names first, and asked to wait for the other one.
    const given = { f: "a", g: "b" } as const;
    const { engine } = bench.open([first, second], {
      wrap: (store) => ({
        ...store,
        lock: async (request) => {
          const other: LockAnswer = { _tag: "HeldBy", sagaId: request.sagaId === "f" ? "g" : "f" };
          const mine = given[request.sagaId as "f" | "g"] === request.name;
          return mine || bench.disk.locks.size === 2 || bench.disk.sagas.get(other.sagaId)?.status === "compensated"
            ? store.lock(request)
            : ok(other);
        },
      }),
    });
    const begunAt = bench.timer.now();
    const results = await Promise.all([engine.run(first, 1, { id: "f" }), engine.run(second, 2, { id: "g" })]);
    expect(results).toEqual([ok(1), err(locked("f", "a"))]);
    expect(bench.timer.now() - begunAt).toBeLessThan(10_000);
  });

  test("in the order of names, the second one waits, and both are done", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const [x, y] = [createHolder(participants, "x", HOUR, "a", "b", "c"), createHolder(participants, "y", HOUR, "a", "b", "c")];
    const { engine } = bench.open([x, y]);
    const ids = { x, y };
    for (const [id, definition] of Object.entries(ids)) (await engine.start(definition, 1, { id }))._unsafeUnwrap();
    for (const id of Object.keys(ids)) (await engine.signal(id, go, 1, { key: "k" }))._unsafeUnwrap();
    expect(await Promise.all([engine.result(x, "x"), engine.result(y, "y")])).toEqual([ok(1), ok(1)]);
  });

  test("and have left one that the store had granted already are held to the order by that one, too", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const no = participants.compensatable("no", { run: () => err({ _tag: "Refused" } as const) });
    const leaves = saga({
      name: "leaves",
      input: numberInput,
      *run() {
        yield* savepoint(function* () {
          yield* all([lock("b", { wait: HOUR }), no(0)]);
        });
        yield* lock("a", { wait: HOUR });
      },
    });
    const holder = saga({
      name: "holder",
      input: numberInput,
      *run() {
        yield* lock("a");
        yield* sleep(5_000);
        yield* lock("b", { wait: HOUR });
        return 1;
      },
    });
    const { engine } = bench.open([leaves, holder], {
      wrap: (store) => ({
        ...store,
        lock: async (request) => {
          const answer = await store.lock(request);
          // What was granted is not heard of by the one that asked.
          return request.sagaId === "l" && request.name === "b" ? never() : answer;
        },
      }),
    });
    const begunAt = bench.timer.now();
    await engine.start(holder, 1, { id: "h" });
    expect(await engine.run(leaves, 2, { id: "l" })).toEqual(err(locked("h", "a")));
    expect(await engine.result(holder, "h")).toEqual(ok(1));
    expect(bench.timer.now() - begunAt).toBeLessThan(10_000);
  });
});
