/**
 * Goal: the command that puts a million sagas to sleep counts right, and says so. Method: it is run with a few thousand, as a user runs it; its words are read, and what it
 * leaves in the folder for temporary files is looked for.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const script = fileURLToPath(new URL("./sleepers.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "backstep-sleepers-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...words: readonly string[]) {
  return spawnSync(process.execPath, ["--conditions=source", "--disable-warning=ExperimentalWarning", script, ...words], {
    encoding: "utf8",
    env: { ...process.env, TMPDIR: folder },
  });
}

test("of 2,000 sleepers the 1,000 whose time came go on once, in another process than the one that put them to sleep, and the others sleep on", () => {
  const { status, stdout, stderr } = run("2000", "17");
  expect([stderr, status]).toEqual(["", 0]);
  const counts = [...stdout.matchAll(/^(\w+) +(\d+) +(\d+)$/gm)].map(([, name, expected, found]) => [
    name,
    Number(expected),
    Number(found),
  ]);
  expect(counts).toEqual([
    ["risenBefore", 0, 0],
    ["adoptedAtStart", 0, 0],
    ["risen", 1_000, 1_000],
    ["risenTwice", 0, 0],
    ["risenUnasked", 0, 0],
    ["completed", 1_000, 1_000],
    ["asleep", 1_000, 1_000],
  ]);
  expect(stdout).toContain("seed 17");
  expect(stdout).toContain(`Node ${process.versions.node}`);
  expect(readdirSync(folder)).toEqual([]);
});

describe("what is no number of sagas", () => {
  test.each([["many"], ["1"], ["2.5"], ["2000", "seed"]])("is refused before anything is done: %s", (...words) => {
    const { status, stdout, stderr } = run(...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("npm run sleepers -- ");
  });
});
