// Goal: the command that measures steps measures them all, on both stores. Method: it is run with a few steps, as a user runs it, and its table is read; no figure is judged.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("./steps.ts", import.meta.url));

function run(...words: readonly string[]) {
  return spawnSync(process.execPath, ["--conditions=source", "--disable-warning=ExperimentalWarning", script, ...words], {
    encoding: "utf8",
  });
}

test("a saga of 100 steps is measured at its beginning and at its end", () => {
  const { status, stdout, stderr } = run("100");
  expect([stderr, status]).toEqual(["", 0]);
  expect(stdout).toContain("100 steps in sequence; microseconds per step over the first and the last 10\n");
  const rows = [...stdout.matchAll(/^(memory|SQLite, synchronous NORMAL) +([\d.]+) +([\d.]+) +([\d.]+) +\d+ ms$/gm)];
  expect(rows.map(([, store]) => store)).toEqual(["memory", "SQLite, synchronous NORMAL"]);
  for (const [, , first, last] of rows) {
    expect(Number(first)).toBeGreaterThan(0);
    expect(Number(last)).toBeGreaterThan(0);
  }
});

test("what is no number of steps is refused", () => {
  const { status, stderr } = run("9");
  expect(status).toBe(2);
  expect(stderr).toContain("npm run steps -- ");
});
