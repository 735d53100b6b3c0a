/** Adds up the counts that several runs left in files, says once more what failed, and prints the closing line. */
import { addCounts, countLine, readCount } from "./count.ts";

const sum = addCounts(process.argv.slice(2).map(readCount));
for (const failure of sum.failures) console.log(`\nFAILED ${failure}`);
console.log(`\n${countLine(sum)}`);
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1;
