/** A program with a store in a thread of its own, of which only the end is looked at. Arguments: the file; what it does. */
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { createSqliteStore } from "../../src/index.ts";
import { request } from "../requests.ts";

const [path = "", act = ""] = process.argv.slice(2);
const store = createSqliteStore({ path });

if (act === "is idle") {
  (await store.append(request("a", 0, { outbox: [] })))._unsafeUnwrap();
  process.stdout.write("appended\n");
}
// Nothing but the store holds this one. With an event the append goes through the thread.
if (act === "waits" || act === "waits for its thread")
  void store
    .append(request("a", 0, act === "waits" ? { outbox: [] } : {}))
    .then((verdict) => process.stdout.write(`${verdict.isOk() ? "appended" : "refused"}\n`));
if (act === "loses its file") {
  rmSync(dirname(path), { recursive: true });
  void store.claim("a").then(() => process.stdout.write("answered\n"));
}
