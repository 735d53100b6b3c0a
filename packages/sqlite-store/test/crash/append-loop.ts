/**
 * The process that is killed: appends to its sagas side by side, and prints `<saga> <sequence>` for every append that was accepted.
 *
 * Arguments: the file; a prefix for saga ids; how many sagas; how many records each; and, optionally, `before` or `after` and a number: the
 * process then kills itself right before or right after the COMMIT with that number took effect.
 */
import { writeSync } from "node:fs";
import { openDatabase } from "../../src/open-database.ts";
import { type SqliteStore, storeOn } from "../../src/store-on.ts";
import { faultyDatabase } from "../faulty-database.ts";
import { request } from "../requests.ts";

const [path = "", prefix = "", sagaCount = "1", recordCount = "1", when, commitNumber] = process.argv.slice(2);
const BUSY_TIMEOUT_MS = 20_000;

const database = faultyDatabase(openDatabase({ path, synchronous: "FULL", busyTimeoutMs: BUSY_TIMEOUT_MS }), (commit, count) => {
  if (when === "before" && count === Number(commitNumber)) process.kill(process.pid, "SIGKILL");
  commit();
  if (when === "after" && count === Number(commitNumber)) process.kill(process.pid, "SIGKILL");
});
const store = storeOn(database, { busyTimeoutMs: BUSY_TIMEOUT_MS, now: Date.now });

async function appendTo(target: SqliteStore, sagaId: string): Promise<void> {
  const journal = (await target.claim(sagaId))._unsafeUnwrap();
  const epoch = journal?.epoch ?? 1;
  for (let sequence = journal?.records.length ?? 0; sequence < Number(recordCount); sequence++) {
    (await target.append(request(sagaId, sequence, { epoch })))._unsafeUnwrap();
    writeSync(1, `${sagaId} ${sequence}\n`);
  }
}

await Promise.all(Array.from({ length: Number(sagaCount) }, (_, index) => appendTo(store, `${prefix}-${index}`)));
await store.close();
