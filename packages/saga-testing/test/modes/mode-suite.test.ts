// Goal: every test that makes an engine runs in every mode, or it is written down why not. Method: the files themselves are read, with all that they import of other tests' files.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { MODES } from "./mode.ts";
import { ENGINE_TESTS, entryOf, filesIn, leftOut } from "./mode-suite.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const TESTS = globSync(["packages/**/test/**/*.test.ts", "examples/*/test/**/*.test.ts"], {
  cwd: ROOT,
  exclude: (name) => name.includes("node_modules"),
});

/** Whether a file makes an engine, by itself or by what it imports: helpers of tests, and the example's own hosts. */
function makesEngine(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file) || !/(?:^|\/)(?:test|examples)\//.test(file)) return false;
  seen.add(file);
  const source = readFileSync(join(ROOT, file), "utf8");
  if (/\bcreateEngine\b/.test(source)) return true;
  return [...source.matchAll(/from "(\.[^"]+\.ts)"/g)].some(([, imported = ""]) => makesEngine(join(dirname(file), imported), seen));
}

const files = TESTS.map((file) => file.replaceAll("\\", "/")).filter((file) => makesEngine(file));

test("every test file that makes an engine is entered", () => {
  expect(files.length).toBeGreaterThan(40);
  expect(files.filter((file) => entryOf(file) === undefined)).toEqual([]);
});

test("what is entered is there, and makes an engine", () => {
  const entries = Object.keys(ENGINE_TESTS);
  expect(entries.filter((entry) => !existsSync(join(ROOT, entry)))).toEqual([]);
  expect(entries.filter((entry) => !files.some((file) => entryOf(file) === entry))).toEqual([]);
});

describe.each(MODES)("in the mode %s", (mode) => {
  test("whole files run, and none by a folder's name", () => {
    expect(filesIn(mode).length).toBeGreaterThan(5);
    expect(filesIn(mode).filter((file) => file.endsWith("/"))).toEqual([]);
  });

  test("tests are left out of files that run", () => {
    const leftOutOf = files.filter((file) => leftOut(mode, file).length > 0);
    expect(leftOutOf.filter((file) => !filesIn(mode).includes(file))).toEqual([]);
  });
});

test("an exception says why", () => {
  const reasons = Object.values(ENGINE_TESTS).flatMap((exceptions) => Object.values(exceptions));
  expect(reasons.filter((why) => why.length < 20)).toEqual([]);
});
