// Goal: what the conformance suite cannot ask of every fence: options, damaged rows, leases to the millisecond, fingerprints.
// Method: one fence on a memory database, whose clock and commits a test can slow down.
import { createFence, createMemoryDatabase, type Database, FenceMisused } from "@backstep/participant";
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { fenceTable } from "../../src/fence/fence-row.ts";
import { fingerprintOf } from "../../src/fence/fingerprint.ts";

const operation = { key: "k", name: "n", issuedAt: 0, input: null };
const open = () => createMemoryDatabase({ now: () => 1_000 });
const unreachable = async (): Promise<never> => {
  throw new RangeError("business code ran");
};

describe("a fence", () => {
  test("tells its durations, and refuses those that cannot work", () => {
    const database = open();
    expect(createFence({ database, retentionMs: 60_000 })).toMatchObject({ retentionMs: 60_000, runningLeaseMs: 30_000 });
    for (const [retentionMs, runningLeaseMs] of [
      [30_000, undefined],
      [1_000, 1_000],
      [1_000, 0],
      [1_000, 1.5],
      [Number.POSITIVE_INFINITY, 1],
      // The host's timers end at 31 bits; a longer lease would abort its attempts at once.
      [2 ** 40, 2 ** 31],
    ] as const) {
      expect(() => createFence({ database, retentionMs, runningLeaseMs })).toThrow(FenceMisused);
    }
  });

  test("is not made with a retention that the callers' horizon outlives", () => {
    const database = open();
    const options = { database, retentionMs: 100_000, runningLeaseMs: 1_000 };
    expect(() => createFence({ ...options, callerHorizonMs: 99_000 })).toThrow(FenceMisused);
    expect(() => createFence({ ...options, callerHorizonMs: -1 })).toThrow(FenceMisused);
    expect(() => createFence({ ...options, callerHorizonMs: Number.NaN })).toThrow(FenceMisused);
    expect(createFence({ ...options, callerHorizonMs: 98_999 }).retentionMs).toBe(100_000);
  });

  test.each([
    ["of a state that it does not know", { state: { _tag: "Paused" } }],
    ["without a state", {}],
    ["with a decision that it does not know", { state: { _tag: "Decided", decision: { _tag: "Perhaps" } } }],
    ["with a decision that lost its answer", { state: { _tag: "Decided", decision: { _tag: "Succeeded" } } }],
    ["whose lease is no time", { state: { _tag: "Open", token: 1, leaseUntil: "soon" } }],
    ["whose fingerprint is no text", { state: { _tag: "Sealed" }, fingerprint: 7 }],
    ["of a kind that it does not know", { state: { _tag: "Sealed" }, kind: "query" }],
    ["that was written at no time", { state: { _tag: "Sealed" }, writtenAt: "then" }],
    ["of an action without its fingerprint", { state: { _tag: "Decided", decision: { _tag: "Succeeded", json: "1" } }, kind: "action" }],
  ])("fails closed on a row %s", async (_, over) => {
    const database = open();
    const raw = { ...fenceTable, decode: (document: unknown) => document as never };
    await database.transaction((transaction) => transaction.put(raw, { key: "k", issuedAt: 0, writtenAt: 0, ...over } as never));
    const fence = createFence({ database, retentionMs: 60_000 });
    const corrupt = expect.objectContaining({ _tag: "DatabaseCorrupt" });
    await expect(fence.act(operation, unreachable)).rejects.toEqual(corrupt);
    await expect(fence.resolve(operation)).rejects.toEqual(corrupt);
    const undoes = { key: "k", issuedAt: 0, known: "inDoubt" } as const;
    await expect(fence.undo({ ...operation, key: "u", undoes }, unreachable)).rejects.toEqual(corrupt);
  });

  test("keeps nothing of an action that is too old to be run", async () => {
    const database = createMemoryDatabase({ now: () => 100_000 });
    const fence = createFence({ database, retentionMs: 60_000 });
    expect(await fence.act(operation, unreachable)).toEqual({ _tag: "Expired" });
    const kept = (name: string) =>
      database.transaction((transaction) => transaction.list({ name, key: String, decode: (document) => document }));
    expect([await kept("backstep_fence"), await kept("backstep_fence_expiry")]).toEqual([[], []]);
  });

  test("fails closed when the database does", async () => {
    const database = open();
    await database.close();
    const fence = createFence({ database, retentionMs: 60_000 });
    const unavailable = expect.objectContaining({ _tag: "DatabaseUnavailable" });
    await expect(fence.act(operation, unreachable)).rejects.toEqual(unavailable);
    await expect(fence.intend(operation, { effect: unreachable })).rejects.toEqual(unavailable);
  });

  test("ends a foreign attempt's signal with its lease", async () => {
    const fence = createFence({ database: open(), retentionMs: 60_000, runningLeaseMs: 5 });
    const aborted = await fence.intend(operation, {
      async effect({ signal }) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        return ok(signal.aborted);
      },
    });
    expect(aborted).toMatchObject({ _tag: "Executed", decision: { json: "true" } });
  });

  test("gives a foreign attempt what is left of its lease, so that nobody else is at it beside it", async () => {
    let time = 1_000;
    const database = slowToCommit(createMemoryDatabase({ now: () => time }), () => {
      time += 400.5; // A clock may well tell parts of milliseconds.
    });
    const fence = createFence({ database, retentionMs: 60_000, runningLeaseMs: 1_000 });
    const left: number[] = [];
    await fence.intend(operation, {
      prepare: async () => {
        time += 5_000;
        return ok(undefined);
      },
      async effect({ timeoutMs, signal }) {
        left.push(timeoutMs);
        expect(signal.aborted).toBe(false);
        expect(await fence.resolve(operation)).toEqual({ _tag: "Running", retryAfterMs: 599.5 });
        return ok(null);
      },
    });
    expect(left).toEqual([599]);
  });

  test("starts a foreign attempt with its signal aborted when the lease is over before it", async () => {
    let time = 1_000;
    const database = slowToCommit(createMemoryDatabase({ now: () => time }), () => {
      time += 2_000;
    });
    const fence = createFence({ database, retentionMs: 60_000, runningLeaseMs: 1_000 });
    const seen: unknown[] = [];
    const sending = fence.intend(operation, {
      async effect({ timeoutMs, signal }) {
        seen.push(timeoutMs, signal.aborted);
        signal.throwIfAborted();
        return ok(null);
      },
    });
    await expect(sending).rejects.toMatchObject({ name: "AbortError" });
    expect(seen).toEqual([0, true]);
  });

  test("hides a giving-back that fails behind the reason for it", async () => {
    const database = open();
    const fence = createFence({ database, retentionMs: 60_000 });
    const failing = fence.intend(operation, {
      async effect() {
        await database.close();
        throw new RangeError("the gateway's answer was lost");
      },
    });
    await expect(failing).rejects.toThrow("the gateway's answer was lost");
  });

  test("answers a rejection of any JSON", async () => {
    const fence = createFence({ database: open(), retentionMs: 60_000 });
    expect(await fence.act(operation, async () => err("no"))).toMatchObject({ decision: { _tag: "Rejected", json: '"no"' } });
  });
});

/** Time goes by between the body of a transaction and its commit. */
function slowToCommit(database: Database, pass: () => void): Database {
  return {
    ...database,
    transaction: (body) =>
      database.transaction(async (transaction) => {
        const value = await body(transaction);
        pass();
        return value;
      }),
  };
}

describe("a fingerprint", () => {
  test("is the SHA-256 of the canonical text", () => {
    expect(fingerprintOf({ b: 1, a: [true, null] })).toBe("51705a2c9eb3e7e410a58f696a770c3ac3885a0cf43eb7fc88f5e47c11d4d30d");
    expect(fingerprintOf(undefined)).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });

  test("tells apart what looks alike", () => {
    const inputs = [
      undefined,
      null,
      "",
      "null",
      0,
      "0",
      false,
      [],
      {},
      [null],
      { a: null },
      { a: undefined, b: null },
      ["a", "b"],
      ["a,b"],
    ];
    expect(new Set(inputs.map(fingerprintOf)).size).toBe(inputs.length);
  });

  test("is refused for what is no JSON", () => {
    expect(() => fingerprintOf({ at: new Date(0) })).toThrow(FenceMisused);
  });
});
