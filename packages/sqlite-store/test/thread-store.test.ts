// Goal: a store in a thread of its own is the store, and neither holds a program that waits for nothing nor outlives its own failure. Method: real threads, and programs whose end is looked at.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { createSqliteStore, SqliteStoreNotOpened } from "../src/index.ts";
import { openDatabase } from "../src/open-database.ts";
import { newWriter, type SqliteStore, storeOfThread } from "../src/store-on.ts";
import { createThreadStore } from "../src/thread-store.ts";
import { CommitFailed, faultyDatabase } from "./faulty-database.ts";
import { pendingIds, recordsOf, recordTexts, request } from "./requests.ts";
import { temporaryFile, temporaryFolder } from "./temporary-folder.ts";

function openInThread(path = temporaryFile()): SqliteStore {
  const store = createSqliteStore({ path, synchronous: "NORMAL" });
  onTestFinished(() => store.close());
  return store;
}

describe("messages", () => {
  test("a turn that fills several of them is answered whole, each call with its own verdict", async () => {
    const store = openInThread();
    const [sagas, records] = [40, 30];
    const calls = Array.from({ length: records }, (_, sequence) =>
      // Every third record has an event, every saga but one a version and a name of its own.
      Array.from({ length: sagas }, (_saga, at) =>
        store.append(
          request(`s-${at}`, sequence, { saga: { name: `saga ${at % 7}`, version: at }, ...(sequence === 29 ? { leaves: true } : {}) }),
        ),
      ),
    );
    const [repeated, claimed, loaded] = [store.append(request("s-0", 0)), store.claim("s-1"), store.load("nobody")];
    const late = store.append(request("s-1", records));
    expect((await Promise.all(calls.flat())).filter((verdict) => verdict.isErr())).toEqual([]);
    expect((await repeated)._unsafeUnwrapErr()).toEqual({ _tag: "SequenceConflict", sagaId: "s-0", sequence: records });
    expect((await claimed)._unsafeUnwrap()).toMatchObject({
      epoch: 2,
      saga: { name: "saga 1", version: 1 },
      records: recordTexts("s-1", records),
    });
    expect((await loaded)._unsafeUnwrap()).toBeUndefined();
    expect((await late)._unsafeUnwrapErr()).toEqual({ _tag: "StaleEpoch", sagaId: "s-1", epoch: 2 });
    expect(await recordsOf(store, "s-39")).toEqual(recordTexts("s-39", records));
    expect(await pendingIds(store)).toHaveLength((sagas * records) / 3);
    expect(store.statistics()).toMatchObject({ settlements: 0 });
    expect(store.statistics().commits).toBeGreaterThan(0);
  });

  test("what no message can hold is refused alone", async () => {
    const store = openInThread();
    const unfit: unknown = () => "a function";
    const refused = [
      store.claim(unfit as string),
      store.remove([unfit as string]),
      store.append(request("a", 0, { status: unfit as "running" })),
      store.append({ ...request("a", 0), outbox: [{ ...request("a", 0).outbox[0], extra: unfit } as never] }),
      store.append(request("a", 0, { record: unfit as string })),
    ];
    const beside = [store.append(request("b", 0)), store.append(request("b", 1))];
    for (const verdict of await Promise.all(refused)) expect(verdict._unsafeUnwrapErr()._tag).toBe("StoreUnavailable");
    expect((await Promise.all(beside)).map((verdict) => verdict.isOk())).toEqual([true, true]);
    expect(await recordsOf(store, "a")).toEqual([]);
  });

  test("what was handed over is what it was then", async () => {
    const store = openInThread();
    await store.append(request("a", 0, { status: "completed", outbox: [] }));
    const ids = ["a"];
    const removed = store.remove(ids);
    ids[0] = "b";
    expect((await removed)._unsafeUnwrap()).toEqual({ removed: 1 });
  });
});

describe("closing", () => {
  test("settles what is under way, and what comes later is refused", async () => {
    const path = temporaryFile();
    const store = createSqliteStore({ path, synchronous: "NORMAL" });
    const appends = Array.from({ length: 300 }, (_, sequence) => store.append(request("a", sequence)));
    const closed = store.close();
    const late = [store.append(request("b", 0)), store.load("a")];
    expect((await Promise.all(appends)).every((verdict) => verdict.isOk())).toBe(true);
    for (const verdict of await Promise.all(late)) expect(verdict._unsafeUnwrapErr()._tag).toBe("StoreUnavailable");
    await closed;
    await store.close();
    expect(await recordsOf(openInThread(path), "a")).toEqual(recordTexts("a", 300));
  });

  test("waits for a lock that another connection holds", async () => {
    const path = temporaryFile();
    const store = createSqliteStore({ path, busyTimeoutMs: 20_000 });
    await store.append(request("a", 0));
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const settled: string[] = [];
    const appended = store.append(request("a", 1)).then((verdict) => settled.push(`appended ${verdict.isOk()}`));
    const closed = store.close().then(() => settled.push("closed"));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(settled).toEqual([]);
    other.exec("ROLLBACK");
    other.close();
    await Promise.all([appended, closed]);
    expect(settled).toEqual(["appended true", "closed"]);
  });
});

describe("past the thread", () => {
  const plain = (sequence: number) => request("a", sequence, { outbox: [] });

  /** The store has begun to write what it was given. */
  async function begun(): Promise<void> {
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
  }

  test("reads are answered while a write waits for a lock that another connection holds, and closing waits with it", async () => {
    const path = temporaryFile();
    const store = createSqliteStore({ path, busyTimeoutMs: 20_000 });
    await store.append(plain(0));
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const settled: string[] = [];
    const appended = [store.append(plain(1)).then((verdict) => settled.push(`first ${verdict.isOk()}`))];
    await begun();
    appended.push(store.append(plain(2)).then((verdict) => settled.push(`second ${verdict.isOk()}`)));
    expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 1));
    const closed = store.close().then(() => settled.push("closed"));
    await begun();
    expect(settled).toEqual([]);
    other.exec("ROLLBACK");
    other.close();
    await Promise.all([...appended, closed]);
    expect(settled).toEqual(["first true", "second true", "closed"]);
    expect(await recordsOf(openInThread(path), "a")).toEqual(recordTexts("a", 3));
  });

  test.each([false, true])("close gives up what is in doubt and cannot be settled; shared by workers: %s", async (shared) => {
    const path = temporaryFile();
    const options = { path, synchronous: "NORMAL", busyTimeoutMs: 100 } as const;
    const writer = newWriter();
    const lost = faultyDatabase(openDatabase(options), () => {
      throw new CommitFailed("the disk is gone");
    });
    const near = storeOfThread(lost, { ...options, shared, writer, now: Date.now });
    const store = createThreadStore({ ...options, shared, writer }, near);
    let answered = false;
    void store.append(plain(0)).then(() => (answered = true));
    await begun();
    expect(await recordsOf(store, "a")).toEqual([]);
    const behind = store.append(plain(0));
    await store.close();
    expect([answered, (await behind).isOk()]).toEqual([false, true]);
    expect(await recordsOf(openInThread(path), "a")).toEqual(recordTexts("a", 1));
  });
});

describe("a program", () => {
  const script = fileURLToPath(new URL("./thread/run-program.ts", import.meta.url));

  async function run(
    path: string,
    act: string,
  ): Promise<{ readonly exitCode: number | null; readonly said: string; readonly complaints: string }> {
    const child = spawn(process.execPath, ["--conditions=source", script, path, act], { stdio: ["ignore", "pipe", "pipe"] });
    let [said, complaints] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
    const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { exitCode, said, complaints };
  }

  test("ends although its store is open, when it waits for nothing", async () => {
    expect(await run(temporaryFile(), "opens it")).toMatchObject({ exitCode: 0, said: "" });
    expect(await run(temporaryFile(), "is idle")).toMatchObject({ exitCode: 0, said: "appended\n" });
  });

  test.each(["waits", "waits for its thread"])("does not end while it %s", async (act) => {
    const path = temporaryFile();
    expect(await run(path, act)).toMatchObject({ exitCode: 0, said: "appended\n" });
    expect(await recordsOf(openInThread(path), "a")).toEqual(recordTexts("a", 1));
  });

  test("ends with its thread, and is told nothing that it could take for an answer", async () => {
    const folder = join(temporaryFolder(), "gone");
    mkdirSync(folder);
    const { exitCode, said, complaints } = await run(join(folder, "journal.db"), "loses its file");
    expect([exitCode, said]).toEqual([1, ""]);
    expect(complaints).toContain("SqliteStoreNotOpened");
  });
});

describe("opening", () => {
  test("what is wrong with the file or an option is thrown at once", () => {
    const missing = join(temporaryFolder(), "missing", "journal.db");
    expect(() => createSqliteStore({ path: missing, thread: true })).toThrow(SqliteStoreNotOpened);
    expect(() => createSqliteStore({ path: temporaryFile(), busyTimeoutMs: -1, thread: true })).toThrow(/busyTimeoutMs/);
  });

  test("a lock that is taken before the thread has begun is no failure of the thread", async () => {
    const path = temporaryFile();
    const store = createSqliteStore({ path, busyTimeoutMs: 0 });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    expect((await store.append(request("a", 0)))._unsafeUnwrapErr()._tag).toBe("StoreUnavailable");
    other.exec("ROLLBACK");
    other.close();
    expect((await store.append(request("a", 0))).isOk()).toBe(true);
    await store.close();
  });

  test("a clock of the caller's stays with the caller", async () => {
    expect(() => createSqliteStore({ path: temporaryFile(), now: () => 1, thread: true })).toThrow(/`now`/);
    const store = createSqliteStore({ path: temporaryFile(), now: () => 1 });
    expect(store.now()).toBe(1);
    await store.close();
  });
});
