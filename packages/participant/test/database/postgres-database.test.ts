// Goal: what is Postgres's own behind the port: tables and indexes on the server, connections that die at any moment, rivals, and failures as typed errors.
// Method: one real server, whose backends are ended and whose tables are changed from outside; the restart has a file of its own.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type Database, isDatabaseError, type Table, type Transaction } from "@backstep/participant";
import { createPostgresDatabase, type PostgresDatabaseOptions } from "@backstep/participant/postgres";
import type { PostgresServer } from "@backstep/postgres-server";
import { err, ok } from "neverthrow";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { freshSchema, sharedServer } from "../postgres-harness.ts";

interface Item {
  readonly id: string;
  readonly color?: unknown;
  readonly count?: number;
}

const items: Table<Item> = { name: "items", key: (row) => row.id, decode: (document) => document as Item, indexes: ["color"] };
const plain: Table<Item> = { ...items, indexes: [] };

let server: PostgresServer;
let admin: pg.Client;
let schema: string;
const opened: Database[] = [];

beforeAll(async () => {
  server = await sharedServer();
  admin = new pg.Client({ connectionString: server.url() });
  await admin.connect();
});

afterAll(() => admin.end());

beforeEach(() => {
  schema = freshSchema();
});

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});

function open(options: Partial<PostgresDatabaseOptions> = {}): Database {
  const database = createPostgresDatabase({ connection: server.url(), schema, ...options });
  opened.push(database);
  return database;
}

const insert = (database: Database, id: string): Promise<boolean> =>
  database.transaction((transaction) => transaction.insert(items, { id, color: "red" }));
const ids = async (database: Database): Promise<readonly string[]> =>
  (await database.transaction((transaction) => transaction.list(items))).map(({ id }) => id);
const rejection = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
const unavailable = expect.objectContaining({ _tag: "DatabaseUnavailable" });

/** Ends the server's side of every connection but the one that says so. */
async function endBackends(): Promise<void> {
  await admin.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'backstep'");
}

describe("the schema", () => {
  test("holds one table per table and an index per field, and finds by the index", async () => {
    await insert(open(), "a");
    await admin.query("SET enable_seqscan = off");
    const plan = await admin.query(
      `EXPLAIN SELECT key FROM ${schema}.items WHERE left("field color", 100) = left('red'::text, 100) AND "field color" = 'red' AND key > '' ORDER BY key LIMIT 10`,
    );
    expect(JSON.stringify(plan.rows)).toContain('Index Scan using \\"items by color\\"');
    expect(JSON.stringify(plan.rows)).not.toContain("Sort");
  });

  test("gets an index that a later release declares, over what the earlier one wrote and goes on writing", async () => {
    const [before, after] = [open(), open()];
    const write = (id: string) => before.transaction((transaction) => transaction.insert(plain, { id, color: "red" }));
    const find = () => after.transaction((transaction) => transaction.find(items, { field: "color", equals: "red" }));
    await write("a");
    expect(await find()).toEqual([{ id: "a", color: "red" }]);
    await write("b");
    expect((await find()).map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("gets it from a transaction that has written to the table before", async () => {
    const database = open();
    const found = await database.transaction(async (transaction) => {
      await transaction.insert(plain, { id: "a", color: "red" });
      return transaction.find(items, { field: "color", equals: "red" });
    });
    expect(found).toEqual([{ id: "a", color: "red" }]);
  });

  test("is made once by many that come at once", async () => {
    const databases = Array.from({ length: 6 }, () => open());
    const inserted = await Promise.all(databases.map((database, index) => insert(database, `row-${index}`)));
    expect(inserted).toEqual(databases.map(() => true));
    expect(await ids(open())).toHaveLength(6);
  });

  test("is made anew when somebody removed it", async () => {
    const database = open();
    await insert(database, "a");
    await admin.query(`DROP TABLE ${schema}.items`);
    expect(await insert(database, "a")).toBe(true);
    await admin.query(`DROP SCHEMA ${schema} CASCADE`);
    expect(await insert(database, "a")).toBe(true);
  });

  test("needs no right to make anything where everything is there", async () => {
    await insert(open(), "a");
    const role = `service_${schema}`;
    await admin.query(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
    await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`);
    const database = open({ connection: { host: "127.0.0.1", port: server.port, database: "postgres", user: role } });
    expect(await insert(database, "b")).toBe(true);
    const failure = await rejection(database.transaction((transaction) => transaction.list({ ...plain, name: "others" })));
    expect(failure).toMatchObject({ _tag: "DatabaseUnavailable", message: "the server does not let this user do this" });
  });

  test("keeps services apart that share a database", async () => {
    const [one, other] = [open(), open({ schema: freshSchema() })];
    await insert(one, "a");
    expect(await ids(other)).toEqual([]);
  });

  test("has names that are as long as they may be, and longer than Postgres keeps", async () => {
    const name = "t".repeat(48);
    const fields = ["f".repeat(70), `${"f".repeat(69)}g`] as const;
    type Wide = Readonly<Record<string, string>>;
    const wide: Table<Wide> = { name, key: (row) => row["id"] ?? "", decode: (document) => document as Wide, indexes: fields };
    const database = open();
    const row: Wide = { id: "a", [fields[0]]: "left", [fields[1]]: "right" };
    const found = await database.transaction(async (transaction) => {
      await transaction.put(wide, row);
      return [
        await transaction.find(wide, { field: fields[0], equals: "left" }),
        await transaction.find(wide, { field: fields[1], equals: "left" }),
      ];
    });
    expect(found).toEqual([[row], []]);
  });
});

describe("a row", () => {
  test("is found by a text of any length, and by no value that only looks like the text", async () => {
    const database = open();
    const long = "x".repeat(20_000);
    await database.transaction(async (transaction) => {
      await transaction.put(items, { id: "number", color: 5 });
      await transaction.put(items, { id: "text", color: "5" });
      await transaction.put(items, { id: "long", color: long });
      await transaction.put(items, { id: "longer", color: `${long}y` });
      await transaction.put(items, { id: "nul", color: "a\u0000b" });
      await transaction.put(items, { id: "escape", color: "a\u001b0000b" });
    });
    const find = async (equals: string) =>
      (await database.transaction((transaction) => transaction.find(items, { field: "color", equals }))).map(({ id }) => id);
    expect([await find("5"), await find(long), await find("a\u0000b"), await find("a\u001b0000b")]).toEqual([
      ["text"],
      ["long"],
      ["nul"],
      ["escape"],
    ]);
  });

  test("whose key is longer than Postgres can order is refused", async () => {
    const database = open();
    await database.transaction((transaction) => transaction.put(items, { id: "é".repeat(1_000), color: "x".repeat(9_000) }));
    const failure = await rejection(database.transaction((transaction) => transaction.put(items, { id: "é".repeat(1_001) })));
    expect(failure).toMatchObject({ _tag: "DatabaseMisused", message: "items: a key is at most 2000 bytes long" });
  });

  test("that is damaged is told with its place and without its text", async () => {
    const database = open();
    await database.transaction((transaction) => transaction.insert(plain, { id: "a" }));
    await admin.query(`UPDATE ${schema}.items SET document = 'secret {'`);
    const failure = await rejection(database.transaction((transaction) => transaction.get(plain, "a")));
    expect(failure).toMatchObject({ _tag: "DatabaseCorrupt", row: { table: "items", key: "a" } });
    expect(String(failure)).not.toContain("secret");
  });

  test("is asked for behind any text", async () => {
    const database = open();
    for (const id of ["a", "a!", "b"]) await insert(database, id);
    const after = (text: string) => database.transaction((transaction) => transaction.list(items, { after: text }));
    expect((await after("a\u0000b")).map(({ id }) => id)).toEqual(["a!", "b"]);
  });
});

describe("operations of one transaction", () => {
  test("take place in the order of their calls, whoever awaits them, parts and the commit included", async () => {
    const database = open();
    await database.transaction(async (transaction) => {
      void transaction.put(items, { id: "a", count: 1 });
      await Promise.all([
        transaction.nested(async () => {
          void transaction.put(items, { id: "undone" });
          return err(undefined);
        }),
        transaction.put(items, { id: "b", count: 1 }),
      ]);
      void transaction.nested(async () => ok(await transaction.put(items, { id: "c" })));
      await transaction.get(items, "a");
      void transaction.put(items, { id: "d" });
    });
    // What was called between a part's beginning and its end is the part's, as on every database.
    expect(await ids(database)).toEqual(["a", "c", "d"]);
  });

  test("that nobody awaits and that fail undo the transaction", async () => {
    const database = open();
    const failing = database.transaction(async (transaction) => {
      await transaction.insert(items, { id: "a" });
      transaction.get({ ...items, decode: () => raise() }, "a").catch(() => undefined);
    });
    expect(await rejection(failing)).toMatchObject({ _tag: "DatabaseCorrupt" });
    expect(await ids(database)).toEqual([]);
  });
});

describe("what gives nothing back", () => {
  test("is not waited for: what is called after it, and the commit, are on their way before the server has said anything", async () => {
    const line = await openLine(server.port);
    onTestFinished(() => line.close());
    const database = open({ connection: { host: "127.0.0.1", port: line.port, database: "postgres", user: "postgres" } });
    await insert(database, "warm");
    const ending = Promise.withResolvers<void>();
    const committed = database.transaction(async (transaction) => {
      line.hold();
      for (const id of ["a", "b", "c"]) await transaction.put(items, { id });
      await transaction.nested(async () => ok(await transaction.remove(items, "a")));
      const found = transaction.get(items, "b");
      await line.carried("SELECT key, document");
      line.letGo();
      expect(await found).toEqual({ id: "b" });
      line.hold();
      await transaction.put(items, { id: "d" });
      ending.resolve();
    });
    await Promise.race([ending.promise, committed]);
    await line.carried("COMMIT");
    line.letGo();
    await committed;
    expect(await ids(database)).toEqual(["b", "c", "d", "warm"]);
  });

  test("and is refused by the server undoes the transaction, though its body never hears of it", async () => {
    const database = open();
    await insert(database, "kept");
    await admin.query(`ALTER TABLE ${schema}.items ADD CHECK (key <> 'refused')`);
    const outcome = rejection(
      database.transaction(async (transaction) => {
        await transaction.put(items, { id: "a" });
        await transaction.put(items, { id: "refused" });
        await transaction.put(items, { id: "b" });
      }),
    );
    expect(await outcome).toEqual(unavailable);
    expect(await ids(database)).toEqual(["kept"]);
  });

  test.each([
    [
      "answers with an error",
      async (part: () => Promise<void>, transaction: Transaction) => transaction.nested(async () => err(await part())),
    ],
    [
      "throws, which its body catches",
      async (part: () => Promise<void>, transaction: Transaction) =>
        transaction
          .nested(async () => {
            await part();
            throw new Error("the part's own");
          })
          .catch(() => undefined),
    ],
  ])("and is refused in a part that is undone, for it %s, leaves nothing and runs once", async (_, undone) => {
    const database = open();
    await insert(database, "kept");
    await admin.query(`ALTER TABLE ${schema}.items ADD CHECK (key <> 'refused')`);
    let runs = 0;
    const outcome = rejection(
      database.transaction(async (transaction) => {
        runs += 1;
        await undone(async () => transaction.put(items, { id: "refused" }), transaction);
        await transaction.put(items, { id: "behind" });
      }),
    );
    expect(await outcome).toEqual(unavailable);
    expect(await ids(database)).toEqual(["kept"]);
    expect(runs).toBe(1);
  });

  test("and meets another transaction in a part that is undone is committed once, however often its body runs", async () => {
    const [database, other] = [open(), open()];
    await insert(database, "hot");
    await ids(other);
    let runs = 0;
    await database.transaction(async (transaction) => {
      runs += 1;
      await transaction.get(items, "hot");
      if (runs === 1) await other.transaction((rival) => rival.put(items, { id: "hot", count: 1 }));
      await transaction.nested(async () => err(await transaction.put(items, { id: "hot", count: 2 })));
      await transaction.put(items, { id: `run-${runs}` });
    });
    expect(runs).toBe(2);
    expect(await ids(database)).toEqual(["hot", "run-2"]);
  });

  test("may take as long as all that was sent before it may take", async () => {
    const [database, other] = [open({ answerTimeoutMs: 1_000, lockTimeoutMs: 900 }), open()];
    for (const id of ["a", "b", "c"]) await insert(other, id);
    await ids(database);
    // The server takes a while over each of them: together longer than over one it may.
    await admin.query(
      `CREATE FUNCTION ${schema}.dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.8); RETURN NEW; END'; CREATE TRIGGER dawdle BEFORE UPDATE ON ${schema}.items FOR EACH ROW EXECUTE FUNCTION ${schema}.dawdle()`,
    );
    await database.transaction(async (transaction) => {
      for (const id of ["a", "b", "c"]) await transaction.put(items, { id, count: 1 });
    });
    expect(await database.transaction((transaction) => transaction.get(items, "c"))).toEqual({ id: "c", count: 1 });
  });

  test("and is refused tells its own reason to whatever comes after it", async () => {
    const database = open();
    await insert(database, "kept");
    await admin.query(`ALTER TABLE ${schema}.items ADD CHECK (key <> 'refused')`);
    let heard: unknown;
    const outcome = rejection(
      database.transaction(async (transaction) => {
        await transaction.put(items, { id: "refused" });
        heard = await rejection(transaction.get(items, "kept"));
      }),
    );
    expect(await outcome).toBe(heard);
    expect(heard).toMatchObject({ _tag: "DatabaseUnavailable", cause: { code: "23514" } });
  });
});

describe("a connection that dies", () => {
  test("in a pool is replaced without anybody noticing", async () => {
    const database = open();
    await Promise.all(["a", "b", "c"].map((id) => insert(database, id)));
    await endBackends();
    await database.ping();
    expect(await Promise.all(["d", "e", "f"].map((id) => insert(database, id)))).toEqual([true, true, true]);
    await database.ping();
  });

  test("in the middle of a transaction undoes it, and the next one runs", async () => {
    const database = open();
    let runs = 0;
    await insert(database, "kept");
    const cut = database.transaction(async (transaction) => {
      runs += 1;
      await transaction.insert(items, { id: "a" });
      await endBackends();
      await transaction.insert(items, { id: "b" });
    });
    const failure = await rejection(cut);
    expect(failure).toEqual(unavailable);
    expect(isDatabaseError(failure)).toBe(true);
    expect(runs).toBe(1);
    expect(await ids(database)).toEqual(["kept"]);
    expect(await insert(database, "a")).toBe(true);
  });

  test("while a body does something else ends only its own transaction, even when the body goes on as if nothing had happened", async () => {
    const database = open();
    await insert(database, "kept");
    const cut = database.transaction(async (transaction) => {
      await transaction.insert(items, { id: "a" });
      await endBackends();
      await new Promise((resolve) => setImmediate(resolve));
    });
    expect(await rejection(cut)).toEqual(unavailable);
    expect(await ids(database)).toEqual(["kept"]);
  });

  test("in COMMIT rejects, and the transaction is found whole or not at all", async () => {
    const database = open();
    // The commit is held up by a deferred check, long enough to be cut.
    await insert(database, "kept");
    await admin.query(
      `CREATE FUNCTION ${schema}.dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(10); RETURN NULL; END'; CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON ${schema}.items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${schema}.dawdle()`,
    );
    const committing = database.transaction(async (transaction) => {
      await transaction.insert(items, { id: "a" });
      await transaction.insert(items, { id: "b" });
    });
    const outcome = rejection(committing);
    await untilActive("COMMIT");
    await endBackends();
    expect(await outcome).toEqual(unavailable);
    await admin.query(`DROP TRIGGER dawdle ON ${schema}.items`);
    expect(await ids(database)).toEqual(["kept"]);
    expect(await insert(database, "a")).toBe(true);
  });

  test("is given up when its body lets it rest for too long, so that nobody waits for a process that hangs", async () => {
    const [resting, database] = [open({ restTimeoutMs: 50 }), open()];
    await insert(database, "a");
    const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const held = rejection(
      resting.transaction(async (transaction) => {
        await transaction.put(items, { id: "a", count: 1 });
        // `put` is only on its way; once something is answered the server has it.
        await transaction.get(items, "b");
        begun.resolve();
        await over.promise;
      }),
    );
    await Promise.race([begun.promise, held]);
    await database.transaction((transaction) => transaction.put(items, { id: "a", count: 2 }));
    over.resolve();
    expect(await held).toEqual(unavailable);
    expect(await database.transaction((transaction) => transaction.get(items, "a"))).toEqual({ id: "a", count: 2 });
  });
});

describe("rivals", () => {
  test("on one row, of two processes: every one of them counts, however often it is undone", async () => {
    const databases = [open({ connectionsMax: 8 }), open({ connectionsMax: 8 })];
    let runs = 0;
    const increment = (database: Database) =>
      database.transaction(async (transaction) => {
        runs += 1;
        const { count = 0 } = (await transaction.get(items, "hot")) ?? {};
        await transaction.put(items, { id: "hot", count: count + 1 });
      });
    await Promise.all(Array.from({ length: 200 }, (_, index) => increment(databases[index % 2] ?? raise())));
    const [first] = databases;
    expect(await first?.transaction((transaction) => transaction.get(items, "hot"))).toEqual({ id: "hot", count: 200 });
    expect(runs, "some were undone by the server, and run again").toBeGreaterThan(200);
    expect(runs, "four times beside others, and once alone, is the most; the rest is for tables that were not there").toBeLessThan(200 * 6);
  });

  test("on one empty answer: of two that find nothing and write, one finds the other's row", async () => {
    const [one, other] = [open(), open()];
    await insert(one, "warm");
    await insert(other, "warm");
    const gate = rendezvous(2);
    // Each claims the color while nobody has it; by the key alone they would not meet.
    const claim = (database: Database, id: string) =>
      database.transaction(async (transaction) => {
        const taken = await transaction.find(items, { field: "color", equals: "blue" });
        await gate();
        if (taken.length === 0) await transaction.insert(items, { id, color: "blue" });
        return taken.length === 0;
      });
    const claimed = await Promise.all([claim(one, "a"), claim(other, "b")]);
    expect(claimed.filter(Boolean)).toHaveLength(1);
    expect(await one.transaction((transaction) => transaction.find(items, { field: "color", equals: "blue" }))).toHaveLength(1);
  });

  test("that take two rows in opposite order both come through", async () => {
    const [one, other] = [open(), open()];
    for (const id of ["x", "y"]) await insert(one, id);
    await ids(other);
    const gate = rendezvous(2);
    const take = (database: Database, first: string, second: string) =>
      database.transaction(async (transaction) => {
        await transaction.put(items, { id: first, color: second });
        await transaction.get(items, "none");
        await gate();
        await transaction.put(items, { id: second, color: first });
      });
    await Promise.all([take(one, "x", "y"), take(other, "y", "x")]);
    const [x, y] = await one.transaction((transaction) => transaction.list(items));
    expect([x?.color, y?.color]).toEqual(["y", "x"]);
  });

  test("a row that is held is not waited for longer than was granted", async () => {
    const [database, other] = [open({ lockTimeoutMs: 50 }), open()];
    await insert(other, "a");
    await ids(database);
    const holding = Promise.withResolvers<void>();
    const held = other.transaction(async (transaction) => {
      await transaction.put(items, { id: "a", count: 1 });
      await transaction.get(items, "b");
      holding.resolve();
      await released.promise;
    });
    const released = Promise.withResolvers<void>();
    await holding.promise;
    const failure = await rejection(database.transaction((transaction) => transaction.put(items, { id: "a", count: 2 })));
    released.resolve();
    await held;
    expect(failure).toMatchObject({ _tag: "DatabaseUnavailable", message: "the database is locked by another transaction" });
  });
});

describe("connections", () => {
  test("are no more than was granted: further transactions wait, and run side by side up to there", async () => {
    const database = open({ connectionsMax: 3 });
    await insert(database, "a");
    let going = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 30 }, () =>
        database.transaction(async (transaction) => {
          going += 1;
          most = Math.max(most, going);
          await transaction.get(items, "a");
          await transaction.get(items, "a");
          going -= 1;
        }),
      ),
    );
    expect(most).toBe(3);
    const { rows } = await admin.query("SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'backstep'");
    expect((rows[0] as { readonly count: number }).count).toBeLessThanOrEqual(4);
  });

  test("are left for a health check while transactions have all of theirs", async () => {
    const database = open({ connectionsMax: 1 });
    const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const held = database.transaction(async (transaction) => {
      await transaction.list(items);
      begun.resolve();
      await released.promise;
    });
    await begun.promise;
    await database.ping();
    released.resolve();
    await held;
  });
});

describe("options", () => {
  test.each<[string, Partial<PostgresDatabaseOptions>]>([
    ["no URL", { connection: "" }],
    ["a URL of something else", { connection: "mysql://localhost/db" }],
    ["a host without a name", { connection: { host: "", database: "d", user: "u" } }],
    ["no schema", { schema: "" }],
    ["a schema of the server's own", { schema: "pg_temp" }],
    ["a schema that would need quotes", { schema: 'a"; DROP SCHEMA public' }],
    ["no connections", { connectionsMax: 0 }],
    ["a wait without end", { lockTimeoutMs: Number.POSITIVE_INFINITY }],
    ["a wait that is no number", { answerTimeoutMs: Number.NaN }],
    ["a rest of nothing", { restTimeoutMs: 0 }],
    ["no time to connect", { connectTimeoutMs: 0 }],
  ])("%s is refused", (_, wrong) => {
    expect(() => createPostgresDatabase({ connection: server.url(), schema: "s", ...wrong })).toThrow(
      expect.objectContaining({ _tag: "OptionInvalid" }),
    );
  });

  test("a password is not quoted by what is refused, nor by what fails", async () => {
    expect(() => createPostgresDatabase({ connection: "postgres:/secret@", schema: "s" })).toThrow(/^(?!.*secret)/);
    const database = open({ connection: `postgres://nobody:secret@127.0.0.1:${server.port}/postgres` });
    const failure = await rejection(database.ping());
    expect(failure).toMatchObject({ _tag: "DatabaseUnavailable", message: "the server does not let this user in" });
  });

  test("a database that cannot hold every text is refused", async () => {
    await admin.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    const failure = await rejection(insert(open({ connection: server.url("latin") }), "a"));
    expect(failure).toMatchObject({ _tag: "DatabaseMisused", message: expect.stringContaining("UTF-8") });
  });

  test("a database that is not there is unavailable", async () => {
    expect(await rejection(insert(open({ connection: server.url("missing") }), "a"))).toEqual(unavailable);
  });
});

function raise(): never {
  throw new RangeError("not to be reached, or to be told as something else");
}

/** Holds whoever comes until so many have come; who comes later, as one that is run again does, goes through. */
function rendezvous(parties: number): () => Promise<void> {
  const all = Promise.withResolvers<void>();
  let come = 0;
  return () => {
    come += 1;
    if (come === parties) all.resolve();
    return all.promise;
  };
}

/** A line to the server on which answers can be held back. */
async function openLine(port: number) {
  let carried = "";
  let gate = Promise.resolve();
  let letGo = (): void => undefined;
  const sockets: Socket[] = [];
  const relay = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on("error", () => undefined);
    near.on("data", (chunk) => {
      carried += chunk.toString("latin1");
      far.write(chunk);
    });
    far.on("data", (chunk) => void gate.then(() => near.write(chunk)));
    near.on("close", () => far.destroy());
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  return {
    port: (relay.address() as AddressInfo).port,
    /** From now on no answer arrives, and what was said before is forgotten. */
    hold(): void {
      carried = "";
      ({ promise: gate, resolve: letGo } = Promise.withResolvers<void>());
    },
    letGo: (): void => letGo(),
    async carried(text: string): Promise<void> {
      await expect.poll(() => carried, { timeout: 10_000 }).toContain(text);
    },
    close(): void {
      for (const socket of sockets) socket.destroy();
      relay.close();
    },
  };
}

/** Waits until a connection is seen at a statement that begins so. */
async function untilActive(beginning: string): Promise<void> {
  const statement = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'backstep' AND query LIKE $1 || '%' AND state = 'active'";
  while ((await admin.query(statement, [beginning])).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}
