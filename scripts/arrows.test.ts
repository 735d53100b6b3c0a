/**
 * Goal: the check of the arrows can fail, rule by rule. Method: two copies of the sources, judged by the same configuration. One is clean and passes; in the other one every
 * forbidden arrow is planted once.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
}

interface Cruise {
  readonly files: number;
  readonly violations: readonly Violation[];
}

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const COPIED = ["packages", "examples", "package.json", "tsconfig.json", "tsconfig.base.json", "tsup.base.ts", ".dependency-cruiser.cjs"];
const PACKAGES = [
  "saga-core",
  "contract",
  "participant",
  "sqlite-store",
  "postgres-store",
  "postgres-server",
  "http-adapter",
  "saga-testing",
];
const DOMAINS = ["member", "member-point", "product", "coupon", "order", "payment"];

/** What is wrong, where it is planted, what is imported there, and the rule that forbids it. */
const PLANTS = [
  ["an early room imports a later one", "packages/saga-core/src/primitives/hash.ts", "../runtime/registry.ts", "primitives-before-errors"],
  ["the engine imports the runtime", "packages/saga-core/src/engine/compensation.ts", "../runtime/registry.ts", "engine-before-runtime"],
  ["core imports a disk", "packages/saga-core/src/runtime/registry.ts", "node:fs", "core-depends-on-little"],
  ["core imports a schema library", "packages/saga-core/src/runtime/saga-start.ts", "zod", "core-depends-on-little"],
  ["core imports another package", "packages/saga-core/src/runtime/attempt.ts", "@backstep/contract", "core-imports-no-other-package"],
  ["a store imports the engine", "packages/sqlite-store/src/driver.ts", "@backstep/saga-core", "stores-use-the-journal-door"],
  ["a store imports another store", "packages/postgres-store/src/options.ts", "@backstep/sqlite-store", "stores-use-the-journal-door"],
  ["the fence imports the engine", "packages/participant/src/fence/answer.ts", "@backstep/saga-core", "participant-uses-two-doors"],
  ["the participant's main door imports Postgres", "packages/participant/src/index.ts", "./postgres.ts", "driver-behind-its-door"],
  ["a contract imports the engine", "packages/contract/src/values.ts", "@backstep/saga-core", "contract-stands-alone"],
  ["a domain imports a domain", "packages/domains/order/src/order.ts", "@backstep/member", "domains-know-contract-and-participant"],
  ["a domain imports the engine", "packages/domains/coupon/src/coupon.ts", "@backstep/saga-core", "domains-know-contract-and-participant"],
  ["the adapter imports a domain", "packages/http-adapter/src/wire.ts", "@backstep/order", "http-adapter-knows-no-domain"],
  ["a domain imports the test kit", "packages/domains/product/src/stock.ts", "@backstep/saga-testing", "the-kit-is-for-tests"],
  ["the test kit imports the server", "packages/saga-testing/src/cast.ts", "@backstep/http-adapter/server", "kit-serves-nothing"],
  ["the client imports the server", "packages/http-adapter/src/client.ts", "./server.ts", "client-pulls-in-no-server"],
  [
    "a package imports the example",
    "packages/contract/src/builders.ts",
    "../../../examples/member-to-payment/src/topology.ts",
    "nobody-imports-examples",
  ],
  ["a path leads into a package", "examples/member-to-payment/src/seed.ts", "../../../packages/contract/src/values.ts", "through-the-door"],
  ["a file imports what imports it", "packages/saga-core/src/primitives/hash.ts", "./idempotency-key.ts", "no-cycles"],
  ["an import leads nowhere", "packages/contract/src/service.ts", "./nowhere.ts", "resolvable"],
] as const;

let folder: string;
let clean: Cruise;
let planted: Cruise;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "backstep-arrows-"));
  clean = cruise(copyTo("clean"));
  const copy = copyTo("planted");
  for (const [index, [, file, specifier]] of PLANTS.entries()) {
    appendFileSync(join(copy, file), `\nimport * as planted${index} from "${specifier}";\nexport { planted${index} };\n`);
  }
  planted = cruise(copy);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Third parties come from the repository; the workspaces' own names lead into the copy. */
function copyTo(name: string): string {
  const copy = join(folder, name);
  for (const place of COPIED) {
    cpSync(join(ROOT, place), join(copy, place), { recursive: true, filter: (path) => !/\/(node_modules|dist)$/.test(path) });
  }
  const modules = join(copy, "node_modules");
  mkdirSync(join(modules, "@backstep"), { recursive: true });
  for (const each of readdirSync(join(ROOT, "node_modules")).filter((name) => name !== "@backstep"))
    symlinkSync(join(ROOT, "node_modules", each), join(modules, each));
  for (const each of PACKAGES) symlinkSync(join(copy, "packages", each), join(modules, "@backstep", each));
  for (const each of DOMAINS) symlinkSync(join(copy, "packages/domains", each), join(modules, "@backstep", each));
  return copy;
}

function cruise(copy: string): Cruise {
  const program = join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");
  const parameters = [program, "--config", ".dependency-cruiser.cjs", "--output-type", "json", "packages", "examples"];
  const { stdout, stderr } = spawnSync(process.execPath, parameters, { cwd: copy, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
  if (stdout === "") throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as { summary: { totalCruised: number; violations: readonly Violation[] } };
  return { files: summary.totalCruised, violations: summary.violations };
}

describe("the check of the arrows", () => {
  test("passes what is there, all of it", () => {
    expect(clean.violations).toEqual([]);
    // A cruise that finds no files finds no violations either.
    expect(clean.files).toBeGreaterThan(300);
  });

  test.each(PLANTS)("fails when %s", (_, file, __, rule) => {
    expect(planted.violations.filter(({ from }) => from === file).map((violation) => violation.rule.name)).toContain(rule);
  });
});
