// Goal: what the README shows compiles and does what the text beside it says.
// Method: its programs are regions of this file, run here, and the README must hold them word for word.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const path = ":memory:";
const { key, sagaId, issuedAt } = { key: "order-1/product.deduct-stock", sagaId: "order-1", issuedAt: Date.now() };
const input = { productId: "p-1", quantity: 2 };

// #region fence
import { createFence, createInbox, createSweeper, type Table } from "@backstep/participant";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { err, ok } from "neverthrow";

interface Stock {
  readonly productId: string;
  readonly left: number;
}
const stocks: Table<Stock> = { name: "stocks", key: ({ productId }) => productId, decode: (document) => document as Stock };

const DAY_MS = 86_400_000;
const database = createSqliteDatabase({ path });
const fence = createFence({ database, retentionMs: 7 * DAY_MS, callerHorizonMs: 3 * DAY_MS });
const inbox = createInbox({ database, retentionMs: 7 * DAY_MS });
const sweeper = createSweeper({ of: [fence, inbox] });

const deduct = { key, name: "product.deduct-stock", sagaId, issuedAt, input };
const answer = await fence.act(deduct, async ({ transaction }) => {
  const stock = await transaction.get(stocks, input.productId);
  if (stock === undefined || stock.left < input.quantity) return err({ _tag: "OutOfStock" });
  await transaction.put(stocks, { ...stock, left: stock.left - input.quantity });
  return ok({ left: stock.left - input.quantity });
});

const undoes = { key, issuedAt, known: "inDoubt" } as const;
const restore = { key: `${key}/undo`, name: "product.restore-stock", sagaId, issuedAt, input, undoes };
const undone = await fence.undo(restore, async ({ transaction }) => {
  const stock = await transaction.get(stocks, input.productId); // runs only where the action succeeded and stands
  if (stock !== undefined) await transaction.put(stocks, { ...stock, left: stock.left + input.quantity });
});
// #endregion fence

test("the program of the README records a rejection, and its undo finds nothing to undo", async () => {
  expect(answer).toEqual({ _tag: "Executed", decision: { _tag: "Rejected", json: '{"_tag":"OutOfStock"}' } });
  expect(undone).toEqual({ _tag: "Executed", decision: { _tag: "NothingToUndo" } });
  // #region closing
  await sweeper.stop();
  await database.close();
  // #endregion closing
});

test("the README shows these programs, and names every option and answer", async () => {
  const source = await readFile(new URL(import.meta.url), "utf8");
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  for (const name of ["fence", "closing"]) {
    const [, region] = new RegExp(`// #region ${name}\\n([\\s\\S]*?)\\s*// #endregion ${name}\\n`).exec(source) ?? [];
    const lines = (region ?? "").split("\n");
    const indent = /^ */.exec(lines[0] ?? "")?.[0].length ?? 0;
    const shown = lines.map((line) => line.slice(indent)).join("\n");
    expect(shown.length).toBeGreaterThan(40);
    expect(readme).toContain(`\`\`\`ts\n${shown}\n\`\`\``);
  }
  const options = [
    ["path", "busyTimeoutMs", "now"],
    ["retentionMs", "runningLeaseMs", "callerHorizonMs"],
    ["of", "intervalMs", "observe"],
    ["outbox", "publisher", "batchSize", "concurrency", "publishTimeoutMs", "windowMax", "backoff", "timer", "random"],
    ["to", "mode", "headers", "timeoutMs", "fetch"],
  ].flat();
  const answers = ["Executed", "Replayed", "Sealed", "KeyReused", "Running", "EvidenceLost", "Expired"];
  const errors = ["DatabaseUnavailable", "DatabaseCorrupt", "DatabaseMisused", "FenceMisused", "OptionInvalid"];
  const missing = [...options, ...answers, ...errors].filter((word) => !readme.includes(`\`${word}\``));
  expect(missing).toEqual([]);
});
