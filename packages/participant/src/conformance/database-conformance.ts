/** The suite of the transaction port. */
import { type ConformanceCase, casesOf, type DatabaseHarness } from "./conformance-case.ts";
import { pageCases } from "./page-cases.ts";
import { rowCases } from "./row-cases.ts";
import { restartCases, transactionCases } from "./transaction-cases.ts";

/**
 * What every database must do, as cases for any test runner: `for (const { name, run } of databaseConformance(harness)) test(name, run)`.
 *
 * Cases are independent of each other. They do not kill processes or cut power: a durable database needs crash tests of its own.
 *
 * @param harness - Makes storages; each case uses one and opens up to two databases on it.
 */
export function databaseConformance(harness: DatabaseHarness): readonly ConformanceCase[] {
  const groups = [rowCases, pageCases, transactionCases, ...(harness.survivesClose ? [restartCases] : [])];
  return casesOf(harness, groups, async (context) => context);
}
