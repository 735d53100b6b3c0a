import { createFence, createMemoryDatabase, FenceMisused } from "@backstep/participant";
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
    ] as const) {
      expect(() => createFence({ database, retentionMs, runningLeaseMs })).toThrow(FenceMisused);
    }
  });

  test.each([
    ["of a state that it does not know", { state: { _tag: "Paused" } }],
    ["without a state", {}],
    ["with a decision that it does not know", { state: { _tag: "Decided", decision: { _tag: "Perhaps" } } }],
    ["with a decision that lost its answer", { state: { _tag: "Decided", decision: { _tag: "Succeeded" } } }],
    ["whose lease is no time", { state: { _tag: "Open", token: 1, leaseUntil: "soon" } }],
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
