// Goal: what the README shows compiles and does what the text beside it says. Method: its program is a region of this file, run on a real server, and the README must hold it word for word.
import { readFile } from "node:fs/promises";
import { startPostgres } from "@backstep/postgres-server";
import { saga, step } from "@backstep/saga-core";
import { ok } from "neverthrow";
import { afterAll, expect, test } from "vitest";
import { numbers } from "./crash/inputs.ts";

const server = await startPostgres();
afterAll(() => server.close());
const connectionString = server.url();
let calls = 0;
const double = step({
  name: "door.double",
  run: async (number: number) => {
    calls += 1;
    return ok(2 * number);
  },
  compensate: async () => ok(undefined),
});
const checkout = saga({
  name: "checkout",
  input: numbers,
  *run(number) {
    return yield* double(number);
  },
});

// #region store
import { createPostgresStore } from "@backstep/postgres-store";
import { createEngine } from "@backstep/saga-core";

const store = await createPostgresStore({ connectionString });
const engine = createEngine({ sagas: [checkout], store });
// #endregion store

test("the store of the README keeps a saga's answer for the next process", async () => {
  expect(await engine.run(checkout, 21, { id: "checkout:1" })).toEqual(ok(42));
  await engine.close();
  await store.close();
  const next = await createPostgresStore({ connectionString });
  const heir = createEngine({ sagas: [checkout], store: next });
  expect(await heir.run(checkout, 21, { id: "checkout:1" })).toEqual(ok(42));
  expect(calls).toBe(1);
  await heir.close();
  await next.close();
});

test("the README shows this program, and names every option and error", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, region] = /\/\/ #region store\n([\s\S]*?)\/\/ #endregion store\n/.exec(await readFile(new URL(import.meta.url), "utf8")) ?? [];
  expect(readme).toContain(`\`\`\`ts\n${region}\`\`\``);
  const words = [
    ["connectionString", "ssl", "schema", "writersMax", "readersMax", "connectTimeoutMs", "answerTimeoutMs"],
    ["StoreOptionInvalid", "StoreUnreachable", "StoreForbidden", "StoreDatabaseUnfit", "StoreSchemaForeign", "StoreSchemaNewer"],
    ["SequenceConflict", "StaleEpoch", "SagaDriven", "StoreUnavailable", "JournalCorrupt"],
  ].flat();
  expect(words.filter((word) => !readme.includes(`\`${word}\``))).toEqual([]);
});
