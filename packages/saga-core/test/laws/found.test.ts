// Goal: schedules that random search found to break a law keep it. Method: each as the smallest saga that shows it, with what must be seen at the participants.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { all, fail, fault, saga } from "../../src/index.ts";
import { createBench, createParticipants, numberInput } from "../runtime/workbench.ts";

const refused = err({ _tag: "Refused" } as const);
const unknown = err(fault("Unknown", "no answer"));

describe("an all that failed", () => {
  test("I3: starts nothing more inside its members either, where an all with a limit goes on to its next member", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const slow = participants.compensatable("slow", {
      run: async (input) => {
        await bench.timer.sleep(5);
        return ok(input);
      },
    });
    const no = participants.compensatable("no", { run: () => refused });
    const nested = saga({
      name: "nested",
      input: numberInput,
      *run() {
        yield* all([all([slow(1), slow(2), slow(3)], { concurrency: 1 }), no(4)]);
      },
    });
    const answer = await bench.open([nested]).engine.run(nested, 0, { id: "s" });
    expect(answer._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told()).toEqual(["slow 1", "no 4", "undo slow 1"]);
  });

  test("I3: starts nothing that was ordered before the failure and whose turn came after it", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const [first, second] = [participants.compensatable("first"), participants.compensatable("second")];
    const no = participants.compensatable("no", { run: () => refused });
    const race = saga({
      name: "race",
      input: numberInput,
      *run() {
        const chain = (function* () {
          yield* first(1);
          yield* second(2);
        })();
        yield* all([chain, no(3)]);
      },
    });
    expect((await bench.open([race]).engine.run(race, 0, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(bench.entries("s").filter(({ _tag }) => _tag === "OperationIntended")).toHaveLength(3);
    expect(participants.told()).toEqual(["first 1", "no 3", "undo first 1"]);
  });

  test("stops what two groups around it failed for only once", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a");
    const twice = saga({
      name: "twice",
      input: numberInput,
      *run() {
        yield* all([all([a(1), fail({ _tag: "Inner" })]), fail({ _tag: "Outer" })]);
      },
    });
    const answer = await bench.open([twice]).engine.run(twice, 0, { id: "s" });
    expect(answer._unsafeUnwrapErr()).toEqual({ _tag: "Outer" });
    expect(participants.made).toEqual([]);
  });

  test.each([
    ["in doubt", unknown, "nothing"],
    ["with its output lost", err(fault("Unreadable", "cut off")), "succeeded"],
  ] as const)(
    "does not wait for an operator to settle a member that parked before, %s: it is undone with what is known",
    async (_how, answer, known) => {
      const bench = createBench();
      const participants = createParticipants();
      const stuck = participants.compensatable("stuck", { run: () => answer, inDoubt: "park", retry: { attempts: 1 } });
      const no = participants.compensatable("no", {
        run: async () => {
          await bench.timer.sleep(5);
          return refused;
        },
      });
      const group = saga({
        name: "group",
        input: numberInput,
        *run() {
          yield* all([stuck(1), no(2)]);
        },
      });
      const { engine } = bench.open([group]);
      expect((await engine.run(group, 0, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
      expect(participants.told()).toEqual(["stuck 1", "no 2", "undo stuck 1"]);
      expect(participants.of("stuck", "compensation")[0]?.outcome).toEqual({ _tag: "InDoubt", known });
    },
  );

  test("undoes a member that an operator settled only once, and stops it no more", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const stuck = participants.compensatable("stuck", { run: () => unknown, inDoubt: "park", retry: { attempts: 1 } });
    const no = participants.compensatable("no", { run: () => refused });
    const group = saga({
      name: "group",
      input: numberInput,
      *run() {
        yield* all([stuck(1), no(2)], { concurrency: 1 });
      },
    });
    const { engine } = bench.open([group]);
    expect((await engine.run(group, 0, { id: "s" }))._unsafeUnwrapErr()._tag).toBe("SagaParked");
    const order = { path: "run/all/0/stuck", slot: "action", by: "ada", reason: "ticket 7", evidence: "ledger" } as const;
    expect((await engine.settle("s", { ...order, verdict: { _tag: "applied", output: 1 } })).isOk()).toBe(true);
    expect((await engine.result(group, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    await bench.timer.idle();
    expect(participants.told()).toEqual(["stuck 1", "no 2", "undo stuck 1"]);
    expect(bench.entries("s").filter(({ _tag, slot }) => _tag === "OperationSettled" && slot === "action")).toHaveLength(1);
  });

  test("undoes a member whose deciding query finds nothing any more when its time is over", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const asked = participants.compensatable("asked", {
      run: () => unknown,
      resolve: () => ok({ _tag: "StillUnknown" }),
      inDoubt: "resolve",
      retry: { attempts: 1, horizonMs: 1 },
    });
    const no = participants.compensatable("no", { run: () => refused });
    const group = saga({
      name: "group",
      input: numberInput,
      *run() {
        yield* all([asked(1), no(2)]);
      },
    });
    expect((await bench.open([group]).engine.run(group, 0, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
  });
});

describe("after the point of no return", () => {
  test("a body that breaks in one member of an all leaves the others to be done, so that a mended one finds them done", async () => {
    const bench = createBench();
    const participants = createParticipants();
    let broken = true;
    const slow = participants.retriable("slow", {
      run: async (input, nth) => {
        await bench.timer.sleep(5);
        return nth === 1 ? unknown : ok(input);
      },
    });
    const quick = participants.retriable("quick");
    const forward = saga({
      name: "forward",
      input: numberInput,
      *run() {
        return yield* participants.compensatable("before")(1);
      },
      *complete() {
        const [done] = yield* all([
          slow(2),
          (function* () {
            yield* quick(3);
            if (broken) throw new Error("a bug");
          })(),
        ]);
        return done;
      },
    });
    const { engine } = bench.open([forward]);
    expect((await engine.run(forward, 0, { id: "s" }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaParked",
      quarantine: { _tag: "BodyFailed" },
    });
    broken = false;
    expect((await engine.readmit("s")).isOk()).toBe(true);
    expect((await engine.result(forward, "s"))._unsafeUnwrap()).toBe(2);
    expect(participants.told()).toEqual(["before 1", "slow 2", "quick 3", "slow 2"]);
  });
});

describe("a start whose answer was lost", () => {
  test("is driven all the same, and whoever asks again with the same id gets its answer", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a");
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        return yield* a(input);
      },
    });
    let lost = 1;
    const { engine } = bench.open([one], {
      wrap: (store) => ({
        ...store,
        append: async (request) => {
          const appended = await store.append(request);
          return lost-- > 0 ? err({ _tag: "StoreUnavailable", message: "no answer to the commit" }) : appended;
        },
      }),
    });
    expect((await engine.start(one, 1, { id: "s" }))._unsafeUnwrapErr()._tag).toBe("SagaUnavailable");
    const answer = await Promise.race([engine.run(one, 1, { id: "s" }), bench.timer.sleep(60_000).then(() => "still waits")]);
    expect(answer).toEqual(ok(1));
    expect(participants.told()).toEqual(["a 1"]);
  });
});
