/**
 * Goal: what the documents say is there is there. Method: every path and link in them is looked up, every invariant of the architecture is found in the files that are
 * said to keep and to prove it.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

function documents(folder = ""): readonly string[] {
  return readdirSync(join(ROOT, folder)).flatMap((name) => {
    const path = join(folder, name);
    if (name === "node_modules" || name === "dist" || name.startsWith(".")) return [];
    if (statSync(join(ROOT, path)).isDirectory()) return documents(path);
    return name.endsWith(".md") ? [path] : [];
  });
}

const found = documents();

test("the documents are found", () => {
  expect(found).toEqual(expect.arrayContaining(["README.md", "README.ko.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]));
  expect(found.filter((path) => path.startsWith("packages/")).length).toBeGreaterThan(4);
});

describe.each(found)("%s", (document) => {
  const text = readFileSync(join(ROOT, document), "utf8");

  test("links to files that are there", () => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
    expect(targets.filter((target) => !existsSync(join(ROOT, dirname(document), target)))).toEqual([]);
  });
});

describe.each(["README.md", "README.ko.md"])("the features of %s", (document) => {
  const [, table = ""] = readFileSync(join(ROOT, document), "utf8").match(/^\| (?:Feature|기능) .*\n\|[-|]+\|\n((?:\|.*\n)+)/m) ?? [];
  const rows = table
    .trim()
    .split("\n")
    .map((row) => [...row.matchAll(/\]\(([^)]+\.test\.ts)\)/g)].map(([, path = ""]) => path));

  test("are listed, each with a test", () => {
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter((tests) => tests.length === 0)).toEqual([]);
  });
});

test("every package carries the licence", () => {
  const folders = ["packages", "packages/domains"].flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => join(parent, name)));
  const packages = folders.filter((folder) => existsSync(join(ROOT, folder, "package.json")));
  const text = (path: string) => (existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), "utf8") : undefined);
  expect(packages.length).toBeGreaterThan(5);
  expect(packages.filter((folder) => text(join(folder, "LICENSE")) !== text("LICENSE"))).toEqual([]);
});

test("both READMEs prove their features by the same tests", () => {
  const tests = (document: string) =>
    [...readFileSync(join(ROOT, document), "utf8").matchAll(/\]\(([^)]+\.test\.ts)\)/g)].map(([, path]) => path);
  expect(tests("README.ko.md")).toEqual(tests("README.md"));
});

describe("the invariants of ARCHITECTURE.md", () => {
  const text = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
  const rows = [...text.matchAll(/^\| (I\d+) \|[^|]*\|([^|]*)\|([^|]*)\|$/gm)].map(([, id = "", keepers = "", proofs = ""]) => ({
    id,
    keepers: pathsOf(keepers, "packages/saga-core/src"),
    proofs: pathsOf(proofs, "packages/saga-core/test"),
  }));

  test("are numbered without a gap", () => {
    expect(rows.map(({ id }) => id)).toEqual(rows.map((_, index) => `I${index + 1}`));
    expect(rows.length).toBeGreaterThanOrEqual(12);
  });

  test.each(rows)("$id is kept by files that are there", ({ keepers }) => {
    expect(keepers.length).toBeGreaterThan(0);
    expect(keepers.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test.each(rows)("$id is named by the tests that prove it", ({ id, proofs }) => {
    const named = new RegExp(`\\b${id}\\b`);
    expect(proofs.length).toBeGreaterThan(0);
    expect(proofs.filter((path) => !named.test(readFileSync(join(ROOT, path), "utf8")))).toEqual([]);
  });
});

function pathsOf(cell: string, folder: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => (path.startsWith("packages/") ? path : `${folder}/${path}`));
}
