/**
 * How long it takes to be back: `npm run recovery`. A process brings sagas half way, three steps done and the fourth called, and is killed without a word; a new process opens the
 * same store, once the lease of the dead one is over, and takes them all up. Nothing is in its memory; the file may still be in the machine's, as after any crash that is not a loss of power.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { forkHere } from "../children.ts";
import { grouped, table } from "../report/tables.ts";
import { closeServer, openServer } from "../server.ts";
import { spreadOf } from "../statistics.ts";
import { LEASE_MS } from "./halting-saga.ts";
import type { RecoveryAnswer, RecoveryJob } from "./recovery-process.ts";
import { hasPostgresStore, type StorePlace } from "./stores.ts";
import { writeReport } from "./write-report.ts";

const MARGIN_MS = 500;

interface Round {
  readonly kind: StorePlace["kind"];
  readonly halfWay: Extract<RecoveryAnswer, { readonly _tag: "HalfWay" }>;
  readonly recovered: Extract<RecoveryAnswer, { readonly _tag: "Recovered" }>;
}

/** @returns The answer, and what kills the process. */
function live(job: RecoveryJob): Promise<{ readonly answer: RecoveryAnswer; readonly kill: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const child = forkHere("further/recovery-process.ts");
    const gone = new Promise<void>((done) => child.once("exit", () => done()));
    const kill = (): Promise<void> => {
      child.kill("SIGKILL");
      return gone;
    };
    child.once("message", (message) => resolve({ answer: message as RecoveryAnswer, kill }));
    child.once("exit", (code, signal) => reject(new Error(`the process of the ${job.life} life ended with ${code ?? signal}`)));
    child.send(job);
  });
}

async function roundOn(place: StorePlace, sagas: number): Promise<Round> {
  const first = await live({ life: "first", place, sagas });
  await first.kill();
  // No part of the figure: how long a dead worker's sagas are left to it is chosen, not measured.
  await sleep(LEASE_MS + MARGIN_MS);
  const second = await live({ life: "second", place, sagas });
  await second.kill();
  if (first.answer._tag !== "HalfWay" || second.answer._tag !== "Recovered") throw new Error("a life answered for the other");
  if (second.answer.adopted !== sagas) throw new Error(`${second.answer.adopted} of ${sagas} sagas were taken up`);
  return { kind: place.kind, halfWay: first.answer, recovered: second.answer };
}

async function roundOnSqlite(sagas: number): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), "backstep-recovery-"));
  try {
    return await roundOn({ kind: "sqlite", folder }, sagas);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function roundOnPostgres(serverUrl: string, sagas: number): Promise<Round> {
  const { createDatabase } = await import("../postgres/database.ts");
  const { url, drop } = await createDatabase(serverUrl);
  try {
    return await roundOn({ kind: "postgres", folder: "", url }, sagas);
  } finally {
    await drop();
  }
}

function report(rounds: readonly Round[], sagas: number): string {
  const kinds = [...new Set(rounds.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const of = (figure: (round: Round) => number) => spreadOf(rounds.filter((round) => round.kind === kind).map(figure));
    const seconds = (figure: (round: Round) => number): string => {
      const { median, min, max } = of(figure);
      const text = (ms: number) => (ms / 1_000).toFixed(ms < 10_000 ? 2 : 1);
      return min === max ? `${text(median)} s` : `${text(median)} s (${text(min)}–${text(max)})`;
    };
    return [
      kind === "sqlite" ? "SQLite" : "Postgres",
      seconds(({ recovered }) => recovered.openMs),
      seconds(({ recovered }) => recovered.takenUpMs),
      grouped(sagas / (of(({ recovered }) => recovered.takenUpMs).median / 1_000)),
      seconds(({ recovered }) => recovered.endedMs),
      `${Math.round(of(({ recovered }) => recovered.residentBytes).median / 2 ** 20)} MiB`,
    ];
  });
  const heads = ["", "store opened", "all taken up", "sagas per second", "all ended", "memory, largest"];
  return `**${grouped(sagas)} unfinished sagas after a kill**, each with three steps done and the fourth under way\n\n${table(heads, rows)}`;
}

const { values } = parseArgs({
  options: {
    sagas: { type: "string", default: "100000" },
    rounds: { type: "string", default: "3" },
    out: { type: "string", default: "results" },
  },
});
const sagas = Number(values.sagas);
const server = hasPostgresStore() ? await openServer() : undefined;
const rounds: Round[] = [];
try {
  for (let round = 1; round <= Number(values.rounds); round++) {
    rounds.push(await roundOnSqlite(sagas));
    if (server !== undefined) rounds.push(await roundOnPostgres(server.url(), sagas));
    console.log(`round ${round} done`);
  }
} finally {
  await closeServer(server);
}
writeReport(values.out, "recovery", report(rounds, sagas), { sagas, rounds });
