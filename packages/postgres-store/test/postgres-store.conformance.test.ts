// Goal: the Postgres store keeps every rule of the journal port. Method: the port's own suite, on a real server, with a schema per case; damage is done by SQL.
import { journalStoreConformance } from "@backstep/saga-core/conformance";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPostgresStore } from "../src/index.ts";
import { type Postgres, startServer } from "./server.ts";

const damages = {
  "a changed record": "UPDATE records SET record = record || ' ' WHERE sequence = 1 AND saga =",
  "a missing record": "DELETE FROM records WHERE sequence = 1 AND saga =",
  "no record at all": "DELETE FROM records WHERE saga =",
  "a record under another epoch": "UPDATE records SET epoch = 7 WHERE sequence = 1 AND saga =",
  "a record with the text and checksum of another":
    "UPDATE records SET (record, checksum) = (SELECT record, checksum FROM records AS other WHERE other.saga = records.saga AND other.sequence = 2) WHERE sequence = 1 AND saga =",
  "another name of the saga": "UPDATE sagas SET name = 'refund' WHERE position =",
  "a version beyond exact integers": "UPDATE sagas SET version = 9223372036854775807 WHERE position =",
  "a status that is none": "ALTER TABLE sagas DROP CONSTRAINT sagas_status_check; UPDATE sagas SET status = -1 WHERE position =",
};

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startServer();
});
afterAll(() => postgres.close());

interface Storage {
  readonly schema: string;
  open(): ReturnType<typeof createPostgresStore>;
  dispose(): Promise<void>;
}

function harness(damage: string): Parameters<typeof journalStoreConformance<Storage>>[0] {
  return {
    workers: true,
    createStorage() {
      const schema = postgres.newSchema();
      return Promise.resolve({
        schema,
        open: () => createPostgresStore({ connectionString: postgres.url(), schema }),
        dispose: () => postgres.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`).then(() => undefined),
      });
    },
    async corrupt({ schema }, sagaId) {
      const [row] = await postgres.query(`SELECT position FROM ${schema}.sagas WHERE saga_id = '${sagaId}'`);
      await postgres.query(`SET search_path TO ${schema}; ${damage} ${String(row?.["position"])}; RESET search_path`);
    },
  };
}

for (const { name, run } of journalStoreConformance(harness(damages["a changed record"]))) test(name, run);

describe.each(Object.entries(damages))("%s", (_damage, sql) => {
  const cases = journalStoreConformance(harness(sql)).filter(({ name }) => name.startsWith("damage"));
  test.each(cases)("$name", ({ run }) => run());
  test("is tried at all", () => {
    expect(cases.length).toBeGreaterThan(0);
  });
});
