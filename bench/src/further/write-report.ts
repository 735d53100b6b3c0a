/** Prints what a further measurement found, under the machine it was found on, and keeps it beside the results of the others. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { machineOf } from "../machine.ts";

/** @param folder - "-": nothing is written. */
export function writeReport(folder: string, name: string, markdown: string, figures: object): void {
  const machine = machineOf(["backstep-sqlite"], undefined);
  const words = `${machine.processors} × ${machine.processor}, ${machine.memoryGib} GiB, ${machine.system}, Node ${machine.versions["Node"]}`;
  console.log(`\n${markdown}\n\n${words}`);
  if (folder === "-") return;
  mkdirSync(resolve(folder), { recursive: true });
  writeFileSync(join(resolve(folder), `${name}.md`), `${markdown}\n\n${words}.\n`);
  writeFileSync(
    join(resolve(folder), `${name}.json`),
    `${JSON.stringify({ measuredAt: new Date().toISOString(), machine, ...figures }, undefined, 1)}\n`,
  );
}
