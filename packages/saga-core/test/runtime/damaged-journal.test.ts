// Goal: whoever asks for an unfinished saga whose journal is damaged is told that it is parked, and why; never to ask again, for asking mends nothing. Method: the disk is damaged between two engines.
import { ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { saga } from "../../src/index.ts";
import { never } from "./lock-rivals.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

const damages = ["unreadable", "noRecords", "first", "later"] as const;
type Damage = (typeof damages)[number];

function setUp() {
  const bench = createBench();
  const participants = createParticipants();
  const a = participants.compensatable("a", { run: (input) => (input === 1 ? never() : ok(input)), retry: { timeoutMs: 3_600_000 } });
  const define = (name: string) =>
    saga({
      name,
      input: numberInput,
      *run(input) {
        return yield* a(input);
      },
    });
  const damaged = define("damaged");
  const other = define("other");
  const damage = (how: Damage): void => {
    if (how === "unreadable") bench.disk.corrupt.add("s");
    const records = bench.disk.sagas.get("s")?.records;
    if (how === "noRecords") records?.splice(0);
    if (how === "first") records?.splice(0, 1, "{");
    if (how === "later") records?.push("{");
  };
  /** A saga that was under way when its engine died, found damaged by the next one. */
  const reopen = async (how: Damage) => {
    bench.timer.pause();
    const { engine, kill } = bench.open([damaged, other]);
    await engine.start(damaged, 1, { id: "s" });
    await bench.timer.idle();
    kill();
    bench.timer.resume();
    damage(how);
    const next = bench.open([damaged, other]).engine;
    expect(await next.recovered).toEqual({ adopted: 0, quarantined: 1 });
    return next;
  };
  return { damaged, other, reopen, bench };
}

const parked = { _tag: "SagaParked", sagaId: "s", operations: [], quarantine: { _tag: "JournalCorrupt" } };

describe.each(damages)("of an unfinished saga with a damaged journal (%s)", (how) => {
  test("every question is answered with its quarantine", async () => {
    const { damaged, reopen } = setUp();
    const engine = await reopen(how);
    expect((await engine.result(damaged, "s"))._unsafeUnwrapErr()).toMatchObject(parked);
    expect((await engine.run(damaged, 1, { id: "s" }))._unsafeUnwrapErr()).toMatchObject(parked);
    expect((await engine.parked())._unsafeUnwrap()).toMatchObject([parked]);
    expect((await engine.inspect("s"))._unsafeUnwrap()).toMatchObject({
      sagaId: "s",
      saga: how === "unreadable" ? { name: "", version: 0 } : { name: "damaged", version: 1 },
      status: "parked",
      quarantine: { _tag: "JournalCorrupt" },
    });
  });

  test("a start finds that it is there", async () => {
    const { damaged, reopen } = setUp();
    expect((await (await reopen(how)).start(damaged, 1, { id: "s" })).isOk()).toBe(true);
  });
});

test("of a damaged saga, a start with another input is a conflict where the recorded one can still be read", async () => {
  const { damaged, reopen } = setUp();
  const engine = await reopen("later");
  expect((await engine.run(damaged, 2, { id: "s" }))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaIdConflict", sagaId: "s" });
});

test.each(["unreadable", "first"] as const)(
  "of a damaged saga, no conflict is guessed where the input cannot be read (%s)",
  async (how) => {
    const { damaged, reopen } = setUp();
    const engine = await reopen(how);
    expect((await engine.run(damaged, 2, { id: "s" }))._unsafeUnwrapErr()).toMatchObject(parked);
  },
);

test.each(["first", "noRecords", "later"] as const)(
  "of a damaged saga, a start of another saga is a conflict where the name is told (%s)",
  async (how) => {
    const { other, reopen } = setUp();
    const engine = await reopen(how);
    expect((await engine.run(other, 1, { id: "s" }))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaIdConflict", sagaId: "s" });
  },
);

test("a saga that is driven here, whose journal the store cannot read just now, is not said to be parked", async () => {
  const { damaged, bench } = setUp();
  bench.timer.pause();
  const { engine } = bench.open([damaged]);
  await engine.start(damaged, 1, { id: "s" });
  bench.disk.corrupt.add("s");
  expect((await engine.inspect("s"))._unsafeUnwrapErr()._tag).toBe("SagaUnavailable");
});
