// Goal: a killed process leaves every answer it gave, and effects only where it decided. Method: real processes on one file, or in one schema of a real server, ended by SIGKILL.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFence, type Database, type Table } from "@backstep/participant";
import { createPostgresDatabase } from "@backstep/participant/postgres";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { ok } from "neverthrow";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fenceTable } from "../../src/fence/fence-row.ts";
import { freshSchema, sharedServer } from "../postgres-harness.ts";

const KEYS = 120;
/** More than a process gets through before it is killed. */
const ENDLESS = 100_000;
const program = new URL("./acting-process.ts", import.meta.url).pathname;
const effects: Table<{ key: string; times: number }> = { name: "effects", key: (row) => row.key, decode: (document) => document as never };

let directory: string;
/** A file, or a server's URL and a schema. */
let place: readonly [place: string, schema: string];
let issuedAt: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "backstep-crash-"));
  issuedAt = Date.now();
});

const PLACES = {
  "a file": async () => [join(directory, "test.db"), ""],
  "a schema": async () => [(await sharedServer()).url(), freshSchema()],
} satisfies Readonly<Record<string, () => Promise<readonly string[]>>>;

function open(): Database {
  const [connection, schema] = place;
  return schema === "" ? createSqliteDatabase({ path: connection }) : createPostgresDatabase({ connection, schema });
}

afterEach(() => rm(directory, { recursive: true }));

interface Acting {
  readonly child: ChildProcess;
  readonly lines: string[];
}

function start(keyCount: number, from = 0, onLine?: (count: number, child: ChildProcess) => void): Acting {
  const parameters = [...place, keyCount, issuedAt, from].map(String);
  const child = spawn(process.execPath, ["--conditions=source", program, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    onLine?.(lines.length, child);
  });
  return { child, lines };
}

function startDoomed(): Acting {
  return start(ENDLESS, 0, (count, child) => void (count >= 20 && child.kill("SIGKILL")));
}

/** How often each key took effect, and which keys the fence has decided. */
async function truth(): Promise<{ readonly times: ReadonlyMap<string, number>; readonly decided: ReadonlySet<string> }> {
  const database = open();
  const page = { limit: ENDLESS };
  const [rows, fenceRows] = await database.transaction(async (transaction) => [
    await transaction.list(effects, page),
    await transaction.list(fenceTable, page),
  ]);
  await database.close();
  return {
    times: new Map(rows.map(({ key, times }) => [key, times])),
    decided: new Set(fenceRows.filter(({ state }) => state._tag === "Decided").map(({ key }) => key)),
  };
}

describe.each(Object.keys(PLACES) as (keyof typeof PLACES)[])("on %s,", (kind) => {
  beforeEach(async () => {
    const [where = "", schema = ""] = await PLACES[kind]();
    place = [where, schema];
  });

  test("processes that share it execute each key once between them", async () => {
    const processes = [start(KEYS), start(KEYS), start(KEYS, KEYS / 2)];
    const codes = await Promise.all(processes.map(async ({ child }) => (await once(child, "close"))[0]));
    expect(codes).toEqual([0, 0, 0]);
    const answers = processes.flatMap(({ lines }) => lines);
    expect(answers).toHaveLength(3 * KEYS);
    expect(answers.filter((line) => line.endsWith(" Executed"))).toHaveLength(KEYS);
    const { times } = await truth();
    expect([...times.values()]).toEqual(Array.from({ length: KEYS }, () => 1));
  });

  test("a process that is killed leaves every answer it gave, and effects only where it decided", async () => {
    const { child, lines } = startDoomed();
    const [, signal] = await once(child, "close");
    expect(signal).toBe("SIGKILL");
    const told = lines.map((line) => line.split(" ")[0] ?? "");
    const { times, decided } = await truth();
    expect(told.filter((key) => !decided.has(key))).toEqual([]);
    expect([...times.keys()].sort()).toEqual([...decided].sort());
    expect([...times.values()].filter((count) => count !== 1)).toEqual([]);
    expect(decided.size).toBeGreaterThanOrEqual(20);
  });

  test("a restarted process goes on with what is left", async () => {
    const first = startDoomed();
    await once(first.child, "close");
    const second = start(KEYS);
    await once(second.child, "close");
    const replayed = second.lines.filter((line) => line.endsWith(" Replayed"));
    expect(replayed.length).toBeGreaterThanOrEqual(Math.min(KEYS, first.lines.length));
    const { times } = await truth();
    expect(times.size).toBeGreaterThanOrEqual(KEYS);
    expect([...times.values()].filter((count) => count !== 1)).toEqual([]);
  });

  test("the program of these tests is the one that ships: it answers from the record", async () => {
    const database = open();
    const fence = createFence({ database, retentionMs: 3_600_000 });
    await fence.act({ key: "key-0", name: "count", issuedAt, input: null }, async () => ok(null));
    await database.close();
    const { child, lines } = start(KEYS);
    await once(child, "close");
    expect(lines[0]).toBe("key-0 Replayed");
  });
});
