/** What the figures are of: the machine, and the version of everything that took part. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ENTRANTS } from "./contenders.ts";

export interface Machine {
  readonly processors: number;
  readonly processor: string;
  readonly memoryGib: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
}

export function machineOf(contenders: readonly string[], postgres: string | undefined): Machine {
  const [processor] = cpus();
  const packages = ENTRANTS.filter(({ name }) => contenders.includes(name)).flatMap((entrant) => entrant.packages);
  const found = [...new Set(packages)].map((name) => [name, versionOf(name)] as const);
  return {
    processors: cpus().length,
    processor: processor?.model.trim() ?? "unknown",
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${process.arch}`,
    versions: {
      Node: process.versions.node,
      SQLite: sqliteVersion(),
      ...(postgres === undefined ? {} : { PostgreSQL: postgres }),
      ...Object.fromEntries(found.filter((pair): pair is readonly [string, string] => pair[1] !== undefined)),
    },
  };
}

function sqliteVersion(): string {
  const database = new DatabaseSync(":memory:");
  const version = String(database.prepare("SELECT sqlite_version() AS version").get()?.["version"]);
  database.close();
  return version;
}

/** Read off the manifest, for not every package lets itself be asked. */
function versionOf(name: string): string | undefined {
  const manifest = (createRequire(import.meta.url).resolve.paths(name) ?? [])
    .map((folder) => join(folder, name, "package.json"))
    .find((path) => existsSync(path));
  return manifest === undefined ? undefined : (JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string }).version;
}
