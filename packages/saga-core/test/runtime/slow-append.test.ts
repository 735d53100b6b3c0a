// Goal: facts that arrive while an earlier append is on its way are each taken once. Method: a store that holds one append back until the test lets it go.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { all, saga } from "../../src/index.ts";
import { slowStore } from "./slow-store.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

describe("while the failure of one member of all is on its way to the journal", () => {
  test("the outcome of another is taken once, and undone", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const answering = Promise.withResolvers<void>();
    const other = participants.compensatable("other", { run: (input) => answering.promise.then(() => ok(input)) });
    const no = participants.compensatable("no", { run: () => err({ _tag: "Refused" }) });
    const pair = saga({
      name: "pair",
      input: numberInput,
      *run() {
        yield* all([other(1), no(2)]);
      },
    });
    const disk = slowStore(({ record }) => record.includes("Refused"));
    const { engine } = bench.open([pair], { wrap: disk.wrap });
    const run = engine.run(pair, 0, { id: "s" });
    await disk.reached;
    answering.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    disk.letGo();

    expect((await run)._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told()).toEqual(["other 1", "no 2", "undo other 1"]);
    expect(bench.entries("s").filter(({ _tag, path }) => _tag === "OperationSettled" && path === "run/all/0/other")).toHaveLength(2);
  });
});
