// Goal: a server that goes away and comes back costs the transactions that met it, and nothing else: no process, no row, no new database object.
// Method: a server of its own, stopped, killed, held still and started again under databases that stay open.
import { createFence, type Database, type Table } from "@backstep/participant";
import { createPostgresDatabase, type PostgresDatabaseOptions } from "@backstep/participant/postgres";
import { type PostgresServer, startPostgres } from "@backstep/postgres-server";
import { ok } from "neverthrow";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freshSchema } from "../postgres-harness.ts";

interface Counter {
  readonly id: string;
  readonly count: number;
}

const counters: Table<Counter> = { name: "counters", key: ({ id }) => id, decode: (document) => document as Counter };
const unavailable = expect.objectContaining({ _tag: "DatabaseUnavailable" });

let server: PostgresServer;
const opened: Database[] = [];

beforeEach(async () => {
  server = await startPostgres();
});

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  await server.close();
});

function open(options: Partial<PostgresDatabaseOptions> = {}): Database {
  const database = createPostgresDatabase({ connection: server.url(), schema: freshSchema(), ...options });
  opened.push(database);
  return database;
}

const countOf = async (database: Database): Promise<number> =>
  (await database.transaction((transaction) => transaction.get(counters, "c")))?.count ?? 0;
const increment = (database: Database): Promise<void> =>
  database.transaction(async (transaction) => {
    const { count = 0 } = (await transaction.get(counters, "c")) ?? {};
    await transaction.put(counters, { id: "c", count: count + 1 });
  });
const rejection = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (cause: unknown) => cause,
  );

describe("a server", () => {
  test("that is not there yet is unavailable, and is used when it comes", async () => {
    const database = open();
    await server.stop();
    expect(await rejection(increment(database))).toEqual(unavailable);
    expect(await rejection(database.ping())).toEqual(unavailable);
    expect(Number.isSafeInteger(database.now())).toBe(true);
    await server.start();
    await database.ping();
    await increment(database);
    expect(await countOf(database)).toBe(1);
  });

  test.each(["stop", "kill"] as const)("that ends by %s in the middle of a transaction undoes it, and goes on afterwards", async (end) => {
    const database = open();
    await increment(database);
    const cut = database.transaction(async (transaction) => {
      await transaction.put(counters, { id: "c", count: 99 });
      await server[end]();
      await transaction.put(counters, { id: "d", count: 99 });
    });
    expect(await rejection(cut)).toEqual(unavailable);
    expect(await rejection(database.ping())).toEqual(unavailable);
    await server.start();
    await database.ping();
    expect(await countOf(database)).toBe(1);
  });

  test("that is killed again and again under load loses nothing that was acknowledged, and doubles nothing behind a fence", async () => {
    const database = open();
    const fence = createFence({ database, retentionMs: 1_000_000_000 });
    const act = (key: string) =>
      fence.act({ key, name: "count", issuedAt: database.now(), input: null }, async ({ transaction }) => {
        const { count = 0 } = (await transaction.get(counters, "c")) ?? {};
        await transaction.put(counters, { id: "c", count: count + 1 });
        return ok(count);
      });
    let acknowledged = 0;
    let failed = 0;
    let over = false;
    // Each key is sent again until it is answered, as an orchestrator does.
    const caller = async (name: string): Promise<void> => {
      for (let call = 0; !over; call++) {
        for (;;) {
          const answer = await act(`${name}-${call}`).catch((error: unknown) => {
            expect(error).toEqual(unavailable);
          });
          if (answer !== undefined) break;
          failed += 1;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        acknowledged += 1;
      }
    };
    const callers = ["a", "b", "c", "d", "e", "f"].map(caller);
    for (let round = 0; round < 4; round++) {
      const before = acknowledged;
      while (acknowledged < before + 20) await new Promise((resolve) => setTimeout(resolve, 5));
      await server.kill();
      await server.start();
    }
    over = true;
    await Promise.all(callers);
    expect(failed).toBeGreaterThan(0);
    expect(await countOf(database)).toBe(acknowledged);
  });

  test.skipIf(process.platform === "win32")("that is silent is given up, and used again when it speaks", async () => {
    const database = open({ answerTimeoutMs: 1_000, connectTimeoutMs: 2_000 });
    await increment(database);
    const pids = [...(await backends(server)), server.pid ?? raise()];
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    try {
      expect(await rejection(increment(database))).toEqual(unavailable);
    } finally {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    }
    await increment(database);
    expect(await countOf(database)).toBe(2);
  });
});

function raise(): never {
  throw new TypeError("there is no server");
}

/** The processes that serve the databases of this file. */
async function backends({ url }: PostgresServer): Promise<readonly number[]> {
  const { default: pg } = await import("pg");
  const admin = new pg.Client({ connectionString: url() });
  await admin.connect();
  const { rows } = await admin.query<{ readonly pid: number }>("SELECT pid FROM pg_stat_activity WHERE application_name = 'backstep'");
  await admin.end();
  return rows.map(({ pid }) => pid);
}
