/**
 * One of several workers on one file: starts sagas of its own, helps with all others, and ends when none is unfinished.
 *
 * Arguments: the journal; the ledger; the worker's name; how many sagas it starts.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createEngine, saga, step } from "@backstep/saga-core";
import { err, ok } from "neverthrow";
import { z } from "zod";
import { createSqliteStore } from "../../src/index.ts";

const LIFE_MS_MAX = 50_000;
export const LEASE_MS = 400;
const STEPS = 4;

const [path = "", ledger = "", name = "", count = "0"] = process.argv.slice(2);
/** Each line in one write, which the system keeps whole. */
const note = (key: string): void => appendFileSync(ledger, `${key}\n`);

const steps = Array.from({ length: STEPS }, (_, at) =>
  step({
    name: `step-${at}`,
    run: async (fails: boolean, { call }) => {
      await sleep(10 + Math.random() * 20);
      if (fails && at === STEPS - 1) return err({ _tag: "Refused" } as const);
      note(call.key);
      return ok(at);
    },
    compensate: async (_fails, { call }) => {
      await sleep(5);
      note(call.key);
      return ok(undefined);
    },
  }),
);
const working = saga({
  name: "working",
  input: z.boolean(),
  *run(fails) {
    for (const each of steps) yield* each(fails);
    return "done";
  },
});

setTimeout(() => process.exit(3), LIFE_MS_MAX).unref();
const store = createSqliteStore({ path, synchronous: "NORMAL", shared: true });
const engine = createEngine({ sagas: [working], store, leaseMs: LEASE_MS });
process.once(
  "SIGTERM",
  () =>
    void engine
      .close()
      .then(() => store.close())
      .then(() => process.exit(0)),
);
for (let at = 0; at < Number(count); at++) {
  // A life that was killed after its starts finds them there.
  while ((await engine.start(working, at % 3 === 0, { id: `${name}-${at}` })).isErr()) await sleep(50);
}
for (;;) {
  const page = await store.unfinished({ limit: 1, waiting: true });
  if (page.isOk() && page.value.sagaIds.length === 0) break;
  await sleep(50);
}
await engine.close();
await store.close();
