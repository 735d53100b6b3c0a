/**
 * A stranger who installs the packages: unpacks the tarballs into a project of their own, compiles a program that exports all it makes, under both ways of
 * resolving modules and with every library's declarations checked, and runs it. The packages must have been built before. What a package depends on lies beneath
 * that package alone, as strict installers lay it out, so that a type which only such a dependency can name fails here and not at a user's.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const PACKAGES = ["saga-core", "contract", "participant", "http-adapter"] as const;
const SOURCES = ["checkout", "service"] as const;
const PRINTED = "paid at 5, OutOfStock, 1 left\norder of product\n";

/** What the consumer itself depends on, besides the packages. */
const DIRECT = ["neverthrow", "zod", "@types/node"] as const;

const RESOLUTIONS = [
  { moduleResolution: "nodenext", module: "nodenext" },
  { moduleResolution: "bundler", module: "esnext" },
] as const;

/** What went wrong, in the words of whoever noticed; `undefined` when nothing did. */
export function checkPackedConsumer(): string | undefined {
  const unbuilt = PACKAGES.filter((name) => !existsSync(join("packages", name, "dist/index.d.ts")));
  if (unbuilt.length > 0) return `${unbuilt.join(", ")}: not built yet; run the check "build" first`;
  const place = mkdtempSync(join(tmpdir(), "backstep-consumer-"));
  try {
    return install(place) ?? compile(place) ?? run(place);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function install(place: string): string | undefined {
  for (const name of PACKAGES) {
    const folder = join(place, "node_modules/@backstep", name);
    mkdirSync(folder, { recursive: true });
    const flaw = command(join("packages", name), "npm", "pack", "--silent", "--pack-destination", place);
    if (flaw !== undefined) return flaw;
    const { version, dependencies } = JSON.parse(readFileSync(join("packages", name, "package.json"), "utf8")) as {
      readonly version: string;
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const unpacked = command(place, "tar", "-xzf", `backstep-${name}-${version}.tgz`, "--strip-components=1", "-C", folder);
    if (unpacked !== undefined) return unpacked;
    for (const dependency of Object.keys(dependencies)) if (!dependency.startsWith("@backstep/")) link(folder, dependency);
  }
  for (const dependency of DIRECT) link(place, dependency);
  for (const source of SOURCES) cpSync(`scripts/packed-consumer/${source}.ts`, join(place, `${source}.ts`));
  writeFileSync(join(place, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  return undefined;
}

function link(folder: string, dependency: string): void {
  const target = join(folder, "node_modules", dependency);
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(resolve("node_modules", dependency), target);
}

/** Compiles the program, and then its declarations alone, as somebody who imports them would. */
function compile(place: string): string | undefined {
  for (const { moduleResolution, module } of RESOLUTIONS) {
    const options = {
      moduleResolution,
      module,
      target: "es2024",
      lib: ["es2024"],
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
    };
    const outDir = `out-${moduleResolution}`;
    const flaw =
      tsc(place, { ...options, declaration: true, rootDir: ".", outDir }, "ts", ".") ??
      tsc(place, { ...options, noEmit: true }, "d.ts", outDir);
    if (flaw !== undefined) return `moduleResolution ${moduleResolution}:\n${flaw}`;
  }
  return undefined;
}

function tsc(place: string, compilerOptions: object, extension: string, folder: string): string | undefined {
  const files = SOURCES.map((source) => join(folder, `${source}.${extension}`));
  writeFileSync(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  return command(".", "npx", "--no-install", "tsc", "-p", place);
}

function run(place: string): string | undefined {
  let printed = "";
  for (const source of SOURCES) {
    const ran = spawnSync(process.execPath, [join(place, "out-nodenext", `${source}.js`)], { encoding: "utf8" });
    if (ran.status !== 0) return `${source}.js: ${ran.stderr}`;
    printed += ran.stdout;
  }
  return printed === PRINTED ? undefined : `the program printed\n${printed}\ninstead of\n${PRINTED}`;
}

function command(cwd: string, program: string, ...parameters: readonly string[]): string | undefined {
  const ran = spawnSync(program, parameters, { cwd, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return ran.status === 0 ? undefined : `${program} ${parameters.join(" ")}\n${ran.stdout}${ran.stderr}${ran.error?.message ?? ""}`;
}
