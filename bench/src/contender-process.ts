/** A process of its own for one contender in one round: its memory and its garbage are nobody else's. Takes a job from its parent, answers cell by cell, and ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Place } from "./contender.ts";
import { type Entrant, entrantNamed, loadContender } from "./contenders.ts";
import { type Driven, drive, type Load } from "./drive.ts";
import type { OwnDatabase } from "./postgres/database.ts";

export interface Job {
  readonly contender: string;
  /** Of the server that all share; absent when nobody in this run needs one. */
  readonly postgresUrl?: string | undefined;
  readonly loads: readonly Load[];
  /** How long each load runs before it is measured. */
  readonly warmUpMs: number;
}

export type Answer =
  | { readonly _tag: "Cell"; readonly load: Load; readonly driven: Driven }
  | { readonly _tag: "Done" }
  /** Its packages are not there. */
  | { readonly _tag: "Missing"; readonly message: string }
  | { readonly _tag: "Failed"; readonly message: string };

// Nobody is left to tell: what this process started ends with its own channels.
process.once("disconnect", () => process.exit(1));
process.once("message", (message) => void work(message as Job));

async function work(job: Job): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "backstep-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  try {
    await measure(job, entrantNamed(job.contender), folder);
    await answer({ _tag: "Done" });
  } catch (error) {
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    await answer({ _tag: isMissing(error) ? "Missing" : "Failed", message: words });
  }
  process.exit();
}

async function measure({ loads, warmUpMs, postgresUrl }: Job, entrant: Entrant, folder: string): Promise<void> {
  const start = await loadContender(entrant);
  const database = await databaseFor(entrant, postgresUrl);
  try {
    const running = await start(placeOf(folder, database));
    for (const load of loads) {
      await drive(running, { ...load, durationMs: warmUpMs, sagasMin: load.concurrency });
      await answer({ _tag: "Cell", load, driven: await drive(running, load) });
    }
    await running.stop();
  } finally {
    await database?.drop();
  }
}

async function databaseFor({ needsPostgres }: Entrant, serverUrl: string | undefined): Promise<OwnDatabase | undefined> {
  if (!needsPostgres || serverUrl === undefined) return undefined;
  const { createDatabase } = await import("./postgres/database.ts");
  return createDatabase(serverUrl);
}

function placeOf(folder: string, database: OwnDatabase | undefined): Place {
  return {
    folder,
    postgresUrl() {
      if (database === undefined) throw new Error("this run has no Postgres");
      return database.url;
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
}

function answer(message: Answer): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}
