/** Closing an engine: who waits is told, what was in flight comes home, and the next engine goes on. */
import { ok } from "neverthrow";
import { expect, test } from "vitest";
import { z } from "zod";
import { createEngine, saga, step } from "../../src/index.ts";
import { createMemoryDisk, createMemoryStore } from "../../src/journal.ts";

function createDoor() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test("closing an engine tells those who wait for a result, and the next engine brings the saga to its end", async () => {
  const reached = createDoor();
  const door = createDoor();
  const calls: string[] = [];
  const first = step({
    name: "first",
    run: async () => {
      calls.push("first");
      reached.open();
      await door.opened;
      return ok(1);
    },
    compensate: async () => ok(undefined),
  });
  const second = step.readOnly({
    name: "second",
    run: async () => {
      calls.push("second");
      return ok(2);
    },
  });
  const both = saga({
    name: "both",
    input: z.object({}),
    *run() {
      return (yield* first()) + (yield* second());
    },
  });
  const disk = createMemoryDisk();
  const store = createMemoryStore({ disk });
  const engine = createEngine({ sagas: [both], store });
  const running = engine.run(both, {}, { id: "one" });
  await reached.opened;

  const closing = engine.close();
  door.open();
  await closing;

  expect((await running)._unsafeUnwrapErr()._tag).toBe("SagaUnavailable");
  expect(calls).toEqual(["first"]);

  const next = createEngine({ sagas: [both], store: createMemoryStore({ disk }) });
  expect((await next.result(both, "one"))._unsafeUnwrap()).toBe(3);
  expect(calls).toEqual(["first", "second"]);
  await next.close();
});
