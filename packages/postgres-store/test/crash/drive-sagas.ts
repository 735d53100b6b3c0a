/**
 * The process that is killed: begins the sagas, or goes on with them, and prints a line for whatever the observer is told.
 *
 * Arguments: the server; the schema; the ledger; how far the store's clock is ahead, in milliseconds; and, optionally, the key of a call that is never answered. With it, the
 * process prints `at rest` once that call is under way and all else waits, and stays until it is killed; without it, it sees every saga to its end.
 */
import { writeSync } from "node:fs";
import { createEngine } from "@backstep/saga-core";
import { openLater } from "./open-later.ts";
import { atRest, beginSagas, createSagas, endSagas } from "./sagas.ts";

const LIFE_MS_MAX = 25_000;
const [connectionString = "", schema = "", ledger = "", laterMs = "0", hangsAt] = process.argv.slice(2);
const { promise: hangs, resolve: reached } = Promise.withResolvers<void>();
const sagas = createSagas(ledger, hangsAt === undefined ? undefined : { at: hangsAt, reached });
const store = await openLater({ connectionString, schema }, Number(laterMs));
const engine = createEngine({
  leaseMs: 1_500,
  sagas: Object.values(sagas),
  store,
  evictAfterMs: 0,
  observer: ({ _tag }) => void writeSync(1, `${_tag}\n`),
});

// Its sagas keep it alive for as long as they wait; whoever was to kill it may be gone.
setTimeout(() => process.exit(3), LIFE_MS_MAX).unref();

await beginSagas(engine, sagas);
if (hangsAt === undefined) {
  await endSagas(engine, sagas);
  await engine.close();
  await store.close();
} else {
  await atRest(engine);
  await hangs;
  writeSync(1, "at rest\n");
}
