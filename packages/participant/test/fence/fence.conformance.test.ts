// Goal: the fence keeps its rules on every database of this package. Method: its own suite, once per database.
import { fenceConformance } from "@backstep/participant/conformance";
import { describe, test } from "vitest";
import { harnesses } from "../harnesses.ts";

describe.each(Object.entries(harnesses))("the fence on the %s database", (_, harness) => {
  for (const { name, run } of fenceConformance(harness)) test(name, run);
});
