/**
 * Goal: the benchmark runs with what the root installs, and a figure in it is of sagas that did what they should. Method: its short form is run as CI would, and its words are read;
 * the account that every saga is held against is given wrong ones.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { act, settle, UNDOABLE_STEPS, undo } from "../bench/src/workload.ts";

const main = fileURLToPath(new URL("../bench/src/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "backstep-bench-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SHORT = ["--rounds", "1", "--seconds", "0.2", "--warm-up", "0", "--concurrency", "1,8"];

function run(...words: readonly string[]) {
  return spawnSync(process.execPath, ["--conditions=source", "--disable-warning=ExperimentalWarning", main, ...words], {
    encoding: "utf8",
    env: { ...process.env, TMPDIR: folder },
  });
}

test("Backstep on memory and SQLite and the ceiling run side by side, and leave figures, a chart and tables", () => {
  const out = join(folder, "out");
  const { status, stderr } = run(...SHORT, "--contenders", "backstep-memory,ceiling-sqlite,backstep-sqlite", "--out", out);
  expect([stderr, status]).toEqual(["", 0]);
  const { cells } = JSON.parse(readFileSync(join(out, "results.json"), "utf8")) as {
    readonly cells: readonly { readonly sagas: number }[];
  };
  expect(cells).toHaveLength(3 * 2 * 2);
  expect(cells.every(({ sagas }) => sagas > 0)).toBe(true);
  const chart = readFileSync(join(out, "chart.svg"), "utf8");
  // Memory is not durable, and so is in no chart of what is.
  expect(chart).toContain("Backstep, SQLite");
  expect(chart).not.toContain("Backstep, memory");
  expect(readFileSync(join(out, "table.md"), "utf8")).toMatch(/^\| Backstep, SQLite \| \*\*[\d,]+\*\*, [\d.]+ % \|/m);
}, 60_000);

test("an option that makes no sense ends it with usage", () => {
  const { status, stderr } = run("--contenders", "nobody");
  expect(status).toBe(2);
  expect(stderr).toContain("no contender is called nobody");
});

describe("a saga's account", () => {
  test("closes on seven steps, and on seven steps and four undos", () => {
    for (let step = 0; step < 7; step++) act(1);
    expect(() => settle(1, "happy")).not.toThrow();
    for (let step = 0; step < 7; step++) act(2);
    for (let step = 0; step < UNDOABLE_STEPS; step++) undo(2);
    expect(() => settle(2, "failing")).not.toThrow();
  });

  test("does not close on a step too few, an undo too many or an undo too few", () => {
    for (let step = 0; step < 6; step++) act(3);
    expect(() => settle(3, "happy")).toThrow("6 steps and 0 undos");
    for (let step = 0; step < 7; step++) act(4);
    undo(4);
    expect(() => settle(4, "happy")).toThrow("7 steps and 1 undos");
    expect(() => settle(4, "failing")).toThrow("7 steps and 1 undos instead of 7 and 4");
  });
});
