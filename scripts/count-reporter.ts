/** A vitest reporter that ends with one line anybody can count, and leaves the numbers in a file for `.ci/run`. */
import { writeFileSync } from "node:fs";
import type { TestModule } from "vitest/node";

export default class CountReporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      let seen = 0;
      for (const test of module.children.allTests()) {
        seen += 1;
        const { state } = test.result();
        if (state !== "pending") count[state] += 1;
      }
      // A file that could not even be loaded has no tests to count as failed.
      if (seen === 0 || module.errors().length > 0) count.failed += 1;
    }
    const { passed, failed, skipped } = count;
    console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
    const file = process.env["BACKSTEP_COUNTS_FILE"];
    if (file !== undefined) writeFileSync(file, JSON.stringify(count));
  }
}
