/** Adds up the counts that several runs left in files, and prints the closing line. A file that is missing is a run that never came to its end: one failure. */
import { existsSync, readFileSync } from "node:fs";

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  const count = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as typeof sum) : { passed: 0, failed: 1, skipped: 0 };
  sum.passed += count.passed;
  sum.failed += count.failed;
  sum.skipped += count.skipped;
}
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1;
