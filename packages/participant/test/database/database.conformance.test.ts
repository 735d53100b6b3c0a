// Goal: memory, SQLite and Postgres keep the rules of the transaction port alike. Method: the suite for authors of databases, once per database.
import { databaseConformance } from "@backstep/participant/conformance";
import { describe, test } from "vitest";
import { harnesses } from "../harnesses.ts";

describe.each(Object.entries(harnesses))("the %s database", (_, harness) => {
  for (const { name, run } of databaseConformance(harness)) test(name, run);
});
