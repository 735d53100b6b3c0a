/** An engine with one rule broken: a copy of its source with one piece of text exchanged, loaded like the original. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { createEngine } from "@backstep/saga-core";

export interface EngineChange {
  /** In the source of the core, e.g. `engine/join-attempts.ts`. */
  readonly file: string;
  /** Must stand there exactly once, so that a change which misses its place is noticed. */
  readonly from: string;
  readonly to: string;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const CORE = join(HERE, "../../../saga-core/src");

/** Copies lie beside this file, because what they import is found from there. */
export async function mutatedEngine(changes: readonly EngineChange[]): Promise<typeof createEngine> {
  const folder = mkdtempSync(join(HERE, ".engine-"));
  try {
    cpSync(CORE, folder, { recursive: true });
    for (const { file, from, to } of changes) {
      const path = join(folder, file);
      const parts = readFileSync(path, "utf8").split(from);
      if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times what is to be changed: ${from}`);
      writeFileSync(path, parts.join(to));
    }
    const mutated = (await import(join(folder, "index.ts"))) as { readonly createEngine: typeof createEngine };
    return mutated.createEngine;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
