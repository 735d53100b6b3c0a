// Goal: what the README shows compiles and does what the text beside it says.
// Method: its program is a region of this file, run on a real file, and the README must hold it word for word.
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saga, step } from "@backstep/saga-core";
import { ok } from "neverthrow";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "backstep-sqlite-store-"));
const path = join(folder, "checkout.db");
let greetings = 0;
const greet = step({
  name: "door.greet",
  run: async (name: string) => {
    greetings += 1;
    return ok(`hello ${name}`);
  },
  compensate: async () => ok(undefined),
});
const name = {
  "~standard": {
    version: 1 as const,
    vendor: "test",
    types: { input: "", output: "" },
    validate: (value: unknown) => ({ value: String(value) }),
  },
};
const checkout = saga({
  name: "checkout",
  input: name,
  *run(guest) {
    return yield* greet(guest);
  },
});

// #region store
import { createEngine } from "@backstep/saga-core";
import { createSqliteStore } from "@backstep/sqlite-store";

const store = createSqliteStore({ path });
const engine = createEngine({ sagas: [checkout], store });
// #endregion store

afterAll(() => rmSync(folder, { recursive: true }));

test("the store of the README keeps a saga's answer for the next process", async () => {
  expect(await engine.run(checkout, "ada", { id: "checkout:1" })).toEqual(ok("hello ada"));
  await engine.close();
  await store.close();
  const next = createSqliteStore({ path });
  const heir = createEngine({ sagas: [checkout], store: next });
  expect(await heir.run(checkout, "ada", { id: "checkout:1" })).toEqual(ok("hello ada"));
  expect(greetings).toBe(1);
  await heir.close();
  await next.close();
});

test("the README shows this program, and names every option and error", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, region] = /\/\/ #region store\n([\s\S]*?)\/\/ #endregion store\n/.exec(await readFile(new URL(import.meta.url), "utf8")) ?? [];
  expect(readme).toContain(`\`\`\`ts\n${region}\`\`\``);
  const words = [
    ["path", "synchronous", "busyTimeoutMs", "shared", "thread", "now"],
    ["StoreOptionInvalid", "StoreFileUnusable", "StoreFileForeign", "StoreSchemaNewer", "StoreFileBusy"],
    ["SequenceConflict", "StaleEpoch", "StoreUnavailable", "JournalCorrupt"],
  ].flat();
  expect(words.filter((word) => !readme.includes(`\`${word}\``))).toEqual([]);
});
