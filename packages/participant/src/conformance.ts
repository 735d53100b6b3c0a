/** The door for tests: the suites of the transaction port and of the fence. They import no test runner. */
export type { ConformanceCase, DatabaseHarness, DatabaseStorage } from "./conformance/conformance-case.ts";
export { databaseConformance } from "./conformance/database-conformance.ts";
export { ConformanceFailure } from "./conformance/expectations.ts";
export { type FenceHarness, fenceConformance } from "./conformance/fence-conformance.ts";
