// Goal: whoever imports saga-core's door in a mode gets the mode's engine, and the ordinary one otherwise. Method: this file runs in every mode, and looks at how often a call comes.
import { createEngine, createMemoryStore, fail, saga, step } from "@backstep/saga-core";
import { err, ok } from "neverthrow";
import { expect, test } from "vitest";
import { z } from "zod";
import { readMode } from "./mode.ts";

test("the engine that a test gets is the one of its mode", async () => {
  const mode = readMode(process.env);
  let calls = 0;
  const called = step({
    name: "called",
    run: async (_input: number) => {
      calls += 1;
      return ok(calls);
    },
    compensate: async () => ok(undefined),
  });
  const one = saga({
    name: "one",
    input: z.number(),
    *run(input) {
      yield* called(input);
      yield* fail({ _tag: "NotThis" });
    },
  });
  const engine = createEngine({ sagas: [one], store: createMemoryStore() });
  expect(await engine.run(one, 1, { id: "s" })).toEqual(err({ _tag: "NotThis" }));
  expect(calls).toBe(mode === undefined || mode === "crash-after-append" ? 1 : 2);
  expect("lives" in engine).toBe(mode === "crash-after-append");
  await engine.close();
});
