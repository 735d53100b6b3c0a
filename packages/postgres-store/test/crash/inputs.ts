/** What sagas of these tests are given. */
import { signal } from "@backstep/saga-core";

/** A Standard Schema by hand: this package depends on no schema library. */
export const numbers = {
  "~standard": {
    version: 1 as const,
    vendor: "test",
    types: { input: 0, output: 0 },
    validate: (value: unknown) => (typeof value === "number" ? { value } : { issues: [{ message: "no number" }] }),
  },
};

export const go = signal({ name: "go", payload: numbers });
