/** The door for store authors' tests: the journal port's suite. It imports no test runner; see `journalStoreConformance`. */
export type { ConformanceCase, JournalStorage, JournalStoreHarness } from "./conformance/conformance-case.ts";
export { ConformanceFailure } from "./conformance/expectations.ts";
export { journalStoreConformance } from "./conformance/journal-store-conformance.ts";
