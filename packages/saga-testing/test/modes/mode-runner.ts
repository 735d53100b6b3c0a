/** Runs a test file in a mode without the tests that `mode-suite.ts` leaves out of it. They are taken out, and not skipped: they run in the ordinary run, and pass there. */
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type RunnerTestFile, type RunnerTestSuite, TestRunner } from "vitest";
import { readMode } from "./mode.ts";
import { leftOut } from "./mode-suite.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

export default class ModeRunner extends TestRunner {
  /** @throws {Error} when a test that is to be left out is not there: it was renamed, and would run, or is gone, and with it the reason. */
  onCollected(files: RunnerTestFile[]): void {
    const mode = readMode(process.env);
    if (mode === undefined) return;
    for (const file of files) {
      const path = relative(ROOT, file.filepath).replaceAll(sep, "/");
      const names = leftOut(mode, path);
      const found = new Set<string>();
      leaveOut(file, names, found);
      const missing = names.filter((name) => !found.has(name));
      if (file.result?.state !== "fail" && missing.length > 0)
        throw new Error(`${path} has no test whose name has in it: ${missing.join("; ")}`);
    }
  }
}

function leaveOut(suite: RunnerTestSuite, names: readonly string[], found: Set<string>): void {
  suite.tasks = suite.tasks.filter((task) => {
    const name = task.type === "suite" ? undefined : names.find((part) => task.name.includes(part));
    if (name !== undefined) found.add(name);
    return name === undefined;
  });
  for (const task of suite.tasks) if (task.type === "suite") leaveOut(task, names, found);
}
