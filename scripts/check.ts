/**
 * Every check that is no test, one after the other, each with one line when it passes and its own words when it does not. `npm run check -- lint types` runs
 * only those. Ends with a line that counts.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reportCount } from "./count.ts";
import { checkPackedConsumer } from "./packed-consumer.ts";

interface Check {
  readonly name: string;
  /** Its words when it fails; `undefined` when it passes. */
  readonly run: () => string | undefined;
}

function command(program: string, ...parameters: readonly string[]): () => string | undefined {
  return () => {
    const ran = spawnSync("npx", ["--no-install", program, ...parameters], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
    return ran.status === 0 ? undefined : `${ran.stdout}${ran.stderr}${ran.error?.message ?? ""}`;
  };
}

/** Packages in an order in which each comes after those it imports. */
const PACKAGES = [
  "packages/saga-core",
  "packages/contract",
  "packages/sqlite-store",
  "packages/postgres-store",
  "packages/participant",
  "packages/http-adapter",
  ...readdirSync("packages/domains", { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() && entry.name !== "test" ? [`packages/domains/${entry.name}`] : [],
  ),
  "packages/saga-testing",
];

function forEachPackage(run: (folder: string) => string | undefined): string | undefined {
  const failures = PACKAGES.flatMap((folder) => {
    const words = run(folder);
    return words === undefined ? [] : [`${folder}:\n${words}`];
  });
  return failures.length === 0 ? undefined : failures.join("\n");
}

function inFolder(folder: string, ...words: readonly string[]): string | undefined {
  const [program = "", ...parameters] = words;
  const ran = spawnSync(program, parameters, { cwd: folder, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return ran.status === 0 ? undefined : `${ran.stdout}${ran.stderr}${ran.error?.message ?? ""}`;
}

/** What a user would install: packed, then held against the two judges of packages. */
function judgePackage(folder: string): string | undefined {
  const place = mkdtempSync(join(tmpdir(), "backstep-pack-"));
  try {
    const packed = spawnSync("npm", ["pack", "--json", "--pack-destination", place], { cwd: folder, encoding: "utf8" });
    if (packed.status !== 0) return packed.stderr;
    const [tarball] = readdirSync(place);
    if (tarball === undefined) return "npm pack made nothing";
    const file = join(place, tarball);
    return (
      inFolder(folder, "npx", "--no-install", "publint", "--strict", file) ??
      inFolder(folder, "npx", "--no-install", "attw", "--profile", "esm-only", file)
    );
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

const CHECKS: readonly Check[] = [
  { name: "format", run: command("biome", "check", ".") },
  { name: "lint", run: command("oxlint", "--type-aware", "--deny-warnings", ".") },
  { name: "types", run: command("tsc", "-p", "tsconfig.json") },
  { name: "types-of-a-core-without-a-host", run: command("tsc", "-p", "packages/saga-core/tsconfig.json") },
  { name: "arrows", run: command("depcruise", "--config", ".dependency-cruiser.cjs", "packages", "examples") },
  { name: "dead-code", run: command("knip") },
  { name: "build", run: () => forEachPackage((folder) => inFolder(folder, "npx", "--no-install", "tsup", "--silent")) },
  { name: "packages", run: () => forEachPackage(judgePackage) },
  { name: "consumer", run: checkPackedConsumer },
];

const wanted = new Set(process.argv.slice(2));
const unknown = [...wanted].filter((name) => !CHECKS.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(`unknown check ${unknown.join(", ")}; there are ${CHECKS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const count = { passed: 0, skipped: 0 };
const failures: string[] = [];
for (const { name, run } of CHECKS) {
  if (wanted.size > 0 && !wanted.has(name)) {
    count.skipped += 1;
    continue;
  }
  const startedAt = performance.now();
  const words = run();
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  if (words === undefined) count.passed += 1;
  else failures.push(`${name}\n${words}`);
  console.log(words === undefined ? `ok ${name} (${seconds} s)` : `FAILED ${name} (${seconds} s)\n${words}`);
}

reportCount({ ...count, failed: failures.length, failures });
process.exitCode = failures.length === 0 ? 0 : 1;
