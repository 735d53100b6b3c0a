/** The server runs as a user that owns nothing, who may not be let into the folder where npm put the binaries. Then they are copied to where the data are. */
import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Binaries } from "./binaries.ts";
import { nobody } from "./nobody.ts";

export function reachableBinaries(binaries: Binaries, place: string): Binaries {
  if (canRun(binaries.postgres)) return binaries;
  const native = dirname(dirname(binaries.postgres));
  const copy = join(place, "native");
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  const at = (path: string): string => join(copy, "bin", basename(path));
  return { initdb: at(binaries.initdb), postgres: at(binaries.postgres) };
}

function canRun(program: string): boolean {
  return spawnSync(program, ["--version"], { ...nobody(), stdio: "ignore" }).status === 0;
}
