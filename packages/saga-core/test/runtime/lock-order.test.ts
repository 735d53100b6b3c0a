// Goal: no two sagas wait for each other's locks, and which one gives way is the same in every run (I16, FS-44). Method: sagas that want names in opposite orders, in sequence and side by
// side.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { all, lock, saga, savepoint, sleep } from "../../src/index.ts";
import { createHolder, go, HOUR, locked, never, settleDown } from "./lock-rivals.ts";
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

  test("and stand in the two lines in opposite order do not wait on once each has come to hold one of them", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const works = participants.compensatable("works");
    const both = (name: string, [first, second]: readonly [string, string]) =>
      saga({
        name,
        input: numberInput,
        *run(input) {
          const later = (function* () {
            yield* sleep(1_000);
            yield* lock(second, { wait: HOUR });
          })();
          yield* all([lock(first, { wait: HOUR }), later]);
          return yield* works(input);
        },
      });
    const [forth, against] = [both("forth", ["a", "b"]), both("against", ["b", "a"])];
    const holders = { a: createHolder(participants, "has-a", 0, "a"), b: createHolder(participants, "has-b", 0, "b") };
    bench.timer.pause();
    const { engine } = bench.open([forth, against, holders.a, holders.b]);
    for (const [id, holder] of Object.entries(holders)) (await engine.start(holder, 0, { id }))._unsafeUnwrap();
    await settleDown(bench);
    const results = Promise.all([engine.run(forth, 1, { id: "f" }), engine.run(against, 2, { id: "g" })]);
    await bench.timer.advance(5_000);
    expect(Object.fromEntries(bench.disk.locks)).toEqual({ a: ["a", "f", "g"], b: ["b", "g", "f"] });
    for (const id of ["a", "b"]) (await engine.signal(id, go, 1, { key: "k" }))._unsafeUnwrap();
    await bench.timer.advance(5_000);
    expect(await results).toEqual([ok(1), err(locked("f", "a"))]);
  });

  test("and ask for both at once stand in both lines in one order, and both are done", async () => {
    const bench = createBench();
    const both = saga({
      name: "both",
      input: numberInput,
      *run(input) {
        yield* all([lock("b", { wait: HOUR }), lock("a", { wait: HOUR })]);
        yield* sleep(1_000);
        return input;
      },
    });
    const { engine } = bench.open([both]);
    const results = await Promise.all([1, 2, 3].map((input) => engine.run(both, input, { id: `s${input}` })));
    expect(results).toEqual([ok(1), ok(2), ok(3)]);
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

  test("and leave one that they had come to hold, before they knew, let it go, and are held to the order by it no longer", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const no = participants.compensatable("no", { run: () => err({ _tag: "Refused" } as const) });
    const leaves = saga({
      name: "leaves",
      input: numberInput,
      *run(input) {
        yield* savepoint(function* () {
          yield* all([lock("b", { wait: HOUR }), no(0)]);
        });
        yield* lock("a", { wait: HOUR });
        return input;
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
        lockHolder: (name) => (name === "b" && bench.disk.locks.get("b")?.[0] === "l" ? never() : store.lockHolder(name)),
      }),
    });
    const begunAt = bench.timer.now();
    await engine.start(holder, 1, { id: "h" });
    expect(await engine.run(leaves, 2, { id: "l" })).toEqual(ok(2));
    expect(await engine.result(holder, "h")).toEqual(ok(1));
    expect(bench.timer.now() - begunAt).toBeLessThan(10_000);
  });
});
