// Goal: starting a saga is idempotent and refuses what it cannot keep (I8). Method: the same request again, beside itself, after a restart, and malformed.
import { err } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { saga } from "../../src/index.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

function setUp() {
  const bench = createBench();
  const participants = createParticipants();
  const a = participants.compensatable("a");
  const b = participants.compensatable("b", {
    run: (input) => (input < 0 ? err({ _tag: "Refused", why: "negative" }) : err({ _tag: "Refused" })),
  });
  const one = saga({
    name: "one",
    input: numberInput,
    *run(input) {
      return yield* a(input);
    },
  });
  const failing = saga({
    name: "failing",
    input: numberInput,
    *run(input) {
      yield* a(input);
      return yield* b(input);
    },
  });
  return { bench, participants, one, failing };
}

describe("I8: the same request again", () => {
  test("is the same saga: nothing is done twice, and the answer is the same for ever", async () => {
    const { bench, participants, one, failing } = setUp();
    const { engine } = bench.open([one, failing]);
    for (let repeat = 0; repeat < 3; repeat++) {
      expect(await engine.run(one, 1, { id: "s" })).toEqual(await engine.result(one, "s"));
      expect((await engine.run(failing, -1, { id: "t" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused", why: "negative" });
    }
    expect(participants.told()).toEqual(["a 1", "a -1", "b -1", "undo a -1"]);
  });

  test("beside itself is one saga, and both callers get its answer", async () => {
    const { bench, participants, one } = setUp();
    const { engine } = bench.open([one]);
    const answers = await Promise.all([1, 2, 3].map(() => engine.run(one, 7, { id: "s" })));
    expect(answers.map((answer) => answer._unsafeUnwrap())).toEqual([7, 7, 7]);
    expect(participants.told()).toEqual(["a 7"]);
    expect(bench.commits.filter(({ sequence }) => sequence === 0).length).toBe(1);
  });

  test("from another engine on the same store is one saga", async () => {
    const { bench, participants, one } = setUp();
    const [first, second] = [bench.open([one]).engine, bench.open([one]).engine];
    const answers = await Promise.all([first.run(one, 7, { id: "s" }), second.run(one, 7, { id: "s" })]);
    expect(answers.map((answer) => answer._unsafeUnwrap())).toEqual([7, 7]);
    expect(participants.told()).toEqual(["a 7"]);
  });

  test("with the members of its input in another order, or with what the schema adds, is the same request", async () => {
    const { bench, participants } = setUp();
    const a = participants.compensatable("a");
    const ordered = saga({
      name: "ordered",
      input: z.object({ x: z.number(), y: z.number().default(2), note: z.string().optional() }),
      *run({ x, y }) {
        return (yield* a(x)) + y;
      },
    });
    const { engine } = bench.open([ordered]);
    expect((await engine.run(ordered, { x: 1, y: 2 }, { id: "s" }))._unsafeUnwrap()).toBe(3);
    expect((await engine.run(ordered, { y: 2, x: 1 }, { id: "s" }))._unsafeUnwrap()).toBe(3);
    expect((await engine.run(ordered, { x: 1, note: undefined }, { id: "s" }))._unsafeUnwrap()).toBe(3);
    expect(participants.told()).toEqual(["a 1"]);
  });

  test("of a saga that has a newer version by now is still the old saga", async () => {
    const { bench, participants, one } = setUp();
    await bench.open([one]).engine.run(one, 1, { id: "s" });
    const newer = saga({ name: "one", version: 2, input: numberInput, run: one["~saga"].run as never }) as unknown as typeof one;
    const { engine } = bench.open([one, newer]);
    expect((await engine.run(newer, 1, { id: "s" }))._unsafeUnwrap()).toBe(1);
    expect(participants.told()).toEqual(["a 1"]);
  });
});

describe("the same id with anything else is a conflict, and the saga that has it is untouched", () => {
  test("another input, while it runs and after it ended", async () => {
    const { bench, one } = setUp();
    const { engine } = bench.open([one]);
    const [first, second] = await Promise.all([engine.run(one, 1, { id: "s" }), engine.run(one, 2, { id: "s" })]);
    expect(first._unsafeUnwrap()).toBe(1);
    const conflict = {
      _tag: "SagaIdConflict",
      sagaId: "s",
      message: "a saga with this id exists, and is another saga or was started with another input",
    };
    expect(second._unsafeUnwrapErr()).toEqual(conflict);
    expect((await engine.run(one, 2, { id: "s" }))._unsafeUnwrapErr()).toEqual(conflict);
    expect((await bench.open([one]).engine.run(one, 2, { id: "s" }))._unsafeUnwrapErr()).toEqual(conflict);
    expect((await engine.result(one, "s"))._unsafeUnwrap()).toBe(1);
  });

  test("another saga", async () => {
    const { bench, participants, one, failing } = setUp();
    const { engine } = bench.open([one, failing]);
    const [first, second] = await Promise.all([engine.start(one, 1, { id: "s" }), engine.start(failing, 1, { id: "s" })]);
    expect(first.isOk()).toBe(true);
    expect(second._unsafeUnwrapErr()._tag).toBe("SagaIdConflict");
    await engine.result(one, "s");
    expect((await engine.start(failing, 1, { id: "s" }))._unsafeUnwrapErr()._tag).toBe("SagaIdConflict");
    expect(participants.told()).toEqual(["a 1"]);
  });
});

describe("a request that cannot be kept starts nothing", () => {
  test.each(["", "a/b", "a b", "ä", "a\n", "x".repeat(129), undefined as unknown as string, 1 as unknown as string])(
    "the id %j",
    async (id) => {
      const { bench, one } = setUp();
      const { engine } = bench.open([one]);
      expect((await engine.run(one, 1, { id }))._unsafeUnwrapErr()).toEqual({
        _tag: "SagaRequestInvalid",
        sagaId: String(id),
        issues: [{ path: "id", message: "a saga's id has 1 to 128 characters of A-Z a-z 0-9 . _ : @ ~ -" }],
      });
      expect(bench.commits).toEqual([]);
    },
  );

  test.each(["a", "A-Z.a_z:0@9~-", "x".repeat(128)])("the id %s is one that can", async (id) => {
    const { bench, participants, one } = setUp();
    expect((await bench.open([one]).engine.run(one, 1, { id }))._unsafeUnwrap()).toBe(1);
    expect(participants.made[0]?.call.key).toBe(`${id}/run/a/action`);
  });

  test("an input that does not fit the schema, with every issue and its place", async () => {
    const { bench } = setUp();
    const strict = saga({
      name: "strict",
      input: z.object({ lines: z.array(z.object({ quantity: z.int() })), who: z.string() }),
      // biome-ignore lint/correctness/useYield: it is never run
      *run() {
        return 1;
      },
    });
    const { engine } = bench.open([strict]);
    const refused = (await engine.run(strict, { lines: [{ quantity: 1 }, { quantity: 1.5 }] } as never, { id: "s" }))._unsafeUnwrapErr();
    expect(refused).toMatchObject({ _tag: "SagaRequestInvalid", sagaId: "s" });
    expect(refused._tag === "SagaRequestInvalid" && refused.issues.map(({ path }) => path).sort()).toEqual([
      "input/lines/1/quantity",
      "input/who",
    ]);
    expect(bench.commits).toEqual([]);
  });

  test("an input that is no JSON, or too large", async () => {
    const { bench } = setUp();
    const loose = saga({
      name: "loose",
      input: z.unknown(),
      // biome-ignore lint/correctness/useYield: it is never run
      *run() {
        return 1;
      },
    } as never) as unknown as ReturnType<typeof setUp>["one"];
    const { engine } = bench.open([loose]);
    const issuesOf = async (input: unknown) => {
      const refused = (await engine.run(loose, input as never, { id: "s" }))._unsafeUnwrapErr();
      return refused._tag === "SagaRequestInvalid" ? refused.issues : refused;
    };
    expect(await issuesOf({ at: [new Date(0)] })).toEqual([{ path: "input/at/0", message: "must be JSON; found an instance of Date" }]);
    expect(await issuesOf("x".repeat(1024 * 1024))).toEqual([
      { path: "input", message: `has ${1024 * 1024 + 2} characters of JSON; ${1024 * 1024} are the most` },
    ]);
    expect(bench.commits).toEqual([]);
  });

  test("an input whose schema throws: the caller gets an error, not an exception", async () => {
    const { bench } = setUp();
    const throwing = saga({
      name: "throwing",
      input: z.string().transform((text): string => {
        throw new Error(`cannot look up ${text}`);
      }),
      // biome-ignore lint/correctness/useYield: it is never run
      *run() {
        return 1;
      },
    });
    const { engine } = bench.open([throwing]);
    expect((await engine.run(throwing, "x", { id: "s" }))._unsafeUnwrapErr()).toEqual({
      _tag: "SagaRequestInvalid",
      sagaId: "s",
      issues: [{ path: "input", message: "the schema threw: cannot look up x" }],
    });
  });
});

describe("asking for what is not there", () => {
  test("the result, the state and the verbs of an unknown saga are typed not-founds", async () => {
    const { bench, one } = setUp();
    const { engine } = bench.open([one]);
    const notFound = { _tag: "SagaNotFound", sagaId: "nobody" };
    const order = { path: "run/a", slot: "action", by: "ada", reason: "why not" } as const;
    expect((await engine.result(one, "nobody"))._unsafeUnwrapErr()).toEqual(notFound);
    expect((await engine.inspect("nobody"))._unsafeUnwrapErr()).toEqual(notFound);
    expect((await engine.retry("nobody", order))._unsafeUnwrapErr()).toEqual(notFound);
    expect((await engine.settle("nobody", { ...order, evidence: "none", verdict: { _tag: "notApplied" } }))._unsafeUnwrapErr()).toEqual(
      notFound,
    );
    expect((await engine.abandon("nobody", order))._unsafeUnwrapErr()).toEqual(notFound);
    expect((await engine.parked())._unsafeUnwrap()).toEqual([]);
  });
});

describe("a store that cannot be reached", () => {
  test("starts nothing and says so; the same request later is safe", async () => {
    const { bench, participants, one } = setUp();
    let refusals = 1;
    const { engine } = bench.open([one], { faults: { beforeCommit: () => (refusals-- > 0 ? "refuse" : undefined) } });
    expect((await engine.run(one, 1, { id: "s" }))._unsafeUnwrapErr()).toEqual({
      _tag: "SagaUnavailable",
      sagaId: "s",
      message: "a fault was injected before the commit",
    });
    expect(participants.told()).toEqual([]);
    expect((await engine.run(one, 1, { id: "s" }))._unsafeUnwrap()).toBe(1);
  });
});
