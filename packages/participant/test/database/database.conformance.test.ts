import { databaseConformance } from "@backstep/participant/conformance";
import { describe, test } from "vitest";
import { harnesses } from "../harnesses.ts";

describe.each(Object.entries(harnesses))("the %s database", (_, harness) => {
  for (const { name, run } of databaseConformance(harness)) test(name, run);
});
